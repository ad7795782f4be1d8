"""What the server says to a client, told to the part that it concerns.

One message of each kind has one method; kinds that are not known are ignored, as the protocol
wants it. Whether the stay ends (``leave``) is decided by ``stay``.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from livekit.protocol import models, rtc

from media.client.events import Event, RoomUpdated, SpeakersChanged
from media.client.publishing import Publishing
from media.client.receiving import Receiving
from media.client.roster import Roster


class Hearing:
    """The present session as the server describes it, and who is told of changes."""

    def __init__(
        self,
        roster: Roster,
        publishing: Publishing,
        receiving: Receiving,
        *,
        emit: Callable[[Event], None],
        request: Callable[[rtc.SignalRequest], Awaitable[None]],
    ) -> None:
        self.is_single = False
        """Whether the session has one connection (v1)."""
        self.room = models.Room()
        self.info = models.ParticipantInfo()
        self.token = ""
        """The newest token from the server; empty until one came."""
        self._roster = roster
        self._publishing = publishing
        self._receiving = receiving
        self._emit = emit
        self._request = request
        self._handlers: dict[str, Callable[[Any], Awaitable[None]]] = {
            "offer": self._on_offer,
            "answer": self._on_answer,
            "media_sections_requirement": self._on_sections,
            "trickle": self._on_trickle,
            "update": self._on_update,
            "track_published": self._on_track_published,
            "request_response": self._on_request_response,
            "speakers_changed": self._on_speakers,
            "room_update": self._on_room,
            "refresh_token": self._on_token,
            "mute": self._on_mute,
        }

    def joined(self, join: rtc.JoinResponse) -> None:
        """A session began."""
        self.room, self.info = join.room, join.participant

    async def take(self, message: rtc.SignalResponse) -> None:
        """Handle a message. ProtocolError, DecodeError, ValueError when it makes no sense."""
        kind = str(message.WhichOneof("message"))
        handler = self._handlers.get(kind)
        if handler is not None:
            await handler(getattr(message, kind))

    async def _on_offer(self, message: rtc.SessionDescription) -> None:
        answer, remote = self._receiving.take_offer(message)
        await self._request(rtc.SignalRequest(answer=answer))
        self._receiving.ensure_peer().set_remote(remote)

    async def _on_answer(self, message: rtc.SessionDescription) -> None:
        if self.is_single:
            self._receiving.take_answer(message)
        await self._publishing.take_answer(message)

    async def _on_sections(self, message: rtc.MediaSectionsRequirement) -> None:
        await self._publishing.receive_more(message.num_audios, message.num_videos)

    async def _on_trickle(self, message: rtc.TrickleRequest) -> None:
        is_ours = message.target == rtc.SignalTarget.PUBLISHER
        peer = self._publishing.peer if is_ours else self._receiving.peer
        try:
            candidate = json.loads(message.candidateInit).get("candidate", "")
        except (json.JSONDecodeError, AttributeError):
            return
        if peer is not None and isinstance(candidate, str):
            peer.add_candidate(candidate)

    async def _on_update(self, message: rtc.ParticipantUpdate) -> None:
        for participant in message.participants:
            if participant.sid == self.info.sid:
                self.info = participant
                continue
            if participant.identity == self.info.identity:
                continue
            for event in self._roster.update(participant):
                self._emit(event)
        self._receiving.match()

    async def _on_track_published(self, message: rtc.TrackPublishedResponse) -> None:
        self._publishing.take_published(message)

    async def _on_request_response(self, message: rtc.RequestResponse) -> None:
        self._publishing.take_response(message)

    async def _on_speakers(self, message: rtc.SpeakersChanged) -> None:
        self._emit(SpeakersChanged(tuple(message.speakers)))

    async def _on_room(self, message: rtc.RoomUpdate) -> None:
        self.room = message.room
        self._emit(RoomUpdated(message.room))

    async def _on_token(self, token: str) -> None:
        self.token = token

    async def _on_mute(self, message: rtc.MuteTrackRequest) -> None:
        self._publishing.muted(message.sid, is_muted=message.muted)
