"""A stay in a LiveKit room: joining, what happens there, coming back after interruptions.

Signalling v0: the server offers a connection for what it sends; a second one for what we
send is offered when something is published. After a loss the client first *resumes* (same
session, ICE restart), and if the server has forgotten it, joins anew. It gives up after
``retry_for_s`` without success, or at once when the server says so.
"""

import asyncio
import json
import logging
import secrets
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self
from urllib.parse import urlsplit

from aiortc.rtcdtlstransport import RTCCertificate
from google.protobuf.message import DecodeError
from livekit.protocol import models, rtc

from media.client import descriptions
from media.client.descriptions import CODECS
from media.client.events import (
    DataReceived,
    Disconnected,
    Event,
    Reconnected,
    Reconnecting,
    RoomUpdated,
    SpeakersChanged,
    TrackSubscribed,
    TrackUnsubscribed,
)
from media.client.local import LocalTrack
from media.client.peer import PeerLink
from media.client.roster import Roster
from media.client.signal import ConnectError, SignalLink
from media.client.tracks import InboundSection, RemoteTrack
from media.core import sdp
from media.core.errors import ProtocolError
from media.transport.dtls import new_certificate

log = logging.getLogger(__name__)

RETRY_DELAYS_S: Final = (0.0, 0.3, 1.2, 2.7, 4.8, 7.0)
"""Pauses before attempts to come back; the last one repeats (LiveKit's clients do the same)."""
RESUME_GRACE_S: Final = 12.0
"""A connection lost again this soon after a resume is joined anew instead."""
REQUEST_TIMEOUT_S: Final = 10.0
MAX_EVENTS: Final = 50_000
"""Events waiting for the owner; beyond it data packets and speakers are dropped."""

PUBLISHER: Final = rtc.SignalTarget.PUBLISHER
SUBSCRIBER: Final = rtc.SignalTarget.SUBSCRIBER
REJOIN: Final = rtc.LeaveRequest.Action.RECONNECT
RESUME: Final = rtc.LeaveRequest.Action.RESUME


class PublishError(Exception):
    """The server refused a track or did not answer; the text says why."""


@dataclass(frozen=True, slots=True)
class _Ending:
    """Why reading the signalling socket stopped."""

    detail: str
    is_final: bool = False
    must_rejoin: bool = False
    reason: models.DisconnectReason = models.DisconnectReason.UNKNOWN_REASON


class Client:
    """One participant. Made by :meth:`connect`; ended by :meth:`leave` or by the server."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        auto_subscribe: bool,
        adaptive_stream: bool,
        retry_for_s: float,
        timeout_s: float,
        certificate: RTCCertificate | None,
    ) -> None:
        self._url = url
        self._host = urlsplit(url).hostname or ""
        self._token = token
        self._parameters = {
            "auto_subscribe": str(int(auto_subscribe)),
            "adaptive_stream": str(int(adaptive_stream)),
        }
        self._retry_for_s = retry_for_s
        self._timeout_s = timeout_s
        self._certificate = certificate or new_certificate()
        self._signal: SignalLink | None = None
        self._publisher: PeerLink | None = None
        self._subscriber: PeerLink | None = None
        self._roster = Roster()
        self._sections: dict[str, InboundSection] = {}  # by track sid, as last offered
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._publishing: dict[str, asyncio.Future[models.TrackInfo]] = {}
        self._local: list[LocalTrack] = []
        self._offer_id = 0
        self._offer_outstanding = False
        self._offer_again = False
        self._subscriber_answer: rtc.SessionDescription | None = None
        self._unwanted: set[str] = set()
        self._auto_subscribe = auto_subscribe
        self._is_leaving = False
        self._ended = False
        self._resumed_s = float("-inf")
        self._lost_reason = ""
        self._task: asyncio.Task[None] | None = None
        self.dropped_events = 0
        self.room = models.Room()
        """The room, as last described by the server."""
        self.info = models.ParticipantInfo()
        """This participant, as last described by the server."""
        self.tracks: dict[str, RemoteTrack] = {}
        """Subscribed tracks by sid."""

    @classmethod
    async def connect(
        cls,
        url: str,
        token: str,
        *,
        auto_subscribe: bool = True,
        adaptive_stream: bool = False,
        retry_for_s: float = 60.0,
        timeout_s: float = 15.0,
        certificate: RTCCertificate | None = None,
    ) -> "Client":
        """Join the room ``token`` names and wait until media can flow.

        ``retry_for_s``: how long interruptions are survived (``float("inf")``: for ever).
        ``certificate`` may be shared by many clients of one process. Raises ConnectError.
        """
        client = cls(
            url,
            token,
            auto_subscribe=auto_subscribe,
            adaptive_stream=adaptive_stream,
            retry_for_s=retry_for_s,
            timeout_s=timeout_s,
            certificate=certificate,
        )
        try:
            await client._join()
            client._task = asyncio.create_task(client._run(), name=f"client {client.identity}")
            await client._wait_open()
        except BaseException:
            await client._close()
            raise
        return client

    async def __aenter__(self) -> Self:
        """Enter a stay that is left at the end of the block."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave the room."""
        await self.leave()

    # State

    @property
    def identity(self) -> str:
        """Who this client is in the room."""
        return self.info.identity

    @property
    def sid(self) -> str:
        """Sid of the session, ``PA_…``; changes when the client has to join anew."""
        return self.info.sid

    @property
    def participants(self) -> Mapping[str, models.ParticipantInfo]:
        """The others, by identity."""
        return self._roster.participants

    async def events(self) -> AsyncIterator[Event]:
        """What happens, in order; the last one is ``Disconnected``. For one reader."""
        while not (self._ended and self._events.empty()):
            event = await self._events.get()
            yield event
            if isinstance(event, Disconnected):
                return

    # Wishes

    async def set_subscribed(self, track_sids: Iterable[str], subscribed: bool) -> None:
        """Subscribe to tracks, or unsubscribe from them."""
        sids = list(track_sids)
        (self._unwanted.difference_update if subscribed else self._unwanted.update)(sids)
        update = rtc.UpdateSubscription(track_sids=sids, subscribe=subscribed)
        await self._request(rtc.SignalRequest(subscription=update))

    async def set_track_settings(self, track_sid: str, **settings: Any) -> None:
        """Choose what of a track is received, by the fields of ``UpdateTrackSettings``.

        ``disabled``, ``quality``, ``width``, ``height``, ``fps``.
        """
        update = rtc.UpdateTrackSettings(track_sids=[track_sid], **settings)
        await self._request(rtc.SignalRequest(track_setting=update))

    # Sending

    async def publish_audio(
        self,
        *,
        name: str = "microphone",
        source: models.TrackSource = models.TrackSource.MICROPHONE,
    ) -> LocalTrack:
        """Publish an Opus track; send its packets with ``LocalTrack.send``. Raises PublishError."""
        request = rtc.AddTrackRequest(name=name, type=models.TrackType.AUDIO, source=source)
        return await self._publish("audio", "audio/opus", request)

    async def publish_video(
        self,
        *,
        width: int,
        height: int,
        mime: str = "video/vp8",
        name: str = "camera",
        source: models.TrackSource = models.TrackSource.CAMERA,
    ) -> LocalTrack:
        """Publish a video track of one layer. Raises PublishError."""
        layer = models.VideoLayer(quality=models.VideoQuality.HIGH, width=width, height=height)
        request = rtc.AddTrackRequest(
            name=name,
            type=models.TrackType.VIDEO,
            source=source,
            width=width,
            height=height,
            layers=[layer],
        )
        return await self._publish("video", mime, request)

    async def unpublish(self, track: LocalTrack) -> None:
        """Withdraw a track."""
        track.is_published = False
        if self._publisher is not None:
            self._publisher.remove_local_track(track)
            await self._offer()

    async def set_muted(self, track: LocalTrack, muted: bool) -> None:
        """Mute or unmute a published track."""
        track.is_muted = muted
        request = rtc.MuteTrackRequest(sid=track.sid, muted=muted)
        await self._request(rtc.SignalRequest(mute=request))

    async def send_data(
        self,
        payload: bytes,
        *,
        topic: str = "",
        reliable: bool = True,
        to: Iterable[str] = (),
    ) -> bool:
        """Send a user packet to everybody or to the identities ``to``; False if it cannot go."""
        await self._ensure_publisher()
        kind = models.DataPacket.Kind.RELIABLE if reliable else models.DataPacket.Kind.LOSSY
        packet = models.DataPacket(
            kind=kind,
            destination_identities=to,
            user=models.UserPacket(payload=payload, topic=topic),
        )
        label = "_reliable" if reliable else "_lossy"
        assert self._publisher is not None, "ensured above"
        await self._publisher.wait_channel(label, REQUEST_TIMEOUT_S)
        return self._publisher.send_message(label, packet.SerializeToString())

    async def leave(self) -> None:
        """Leave the room; idempotent."""
        if not self._is_leaving and not self._ended:
            self._is_leaving = True
            leave = rtc.LeaveRequest(
                reason=models.DisconnectReason.CLIENT_INITIATED,
                action=rtc.LeaveRequest.Action.DISCONNECT,
            )
            await self._request(rtc.SignalRequest(leave=leave))
        await self._close()

    # Inside: life

    async def _join(self) -> None:
        link = await SignalLink.open(self._url, self._token, self._parameters, self._timeout_s)
        try:
            async with asyncio.timeout(self._timeout_s):
                first = await link.receive()
        except TimeoutError:
            first = None
        if first is None or not first.HasField("join"):
            await link.close()
            detail = "no answer" if first is None else str(first.WhichOneof("message"))
            raise ConnectError(f"the server did not let us in: {detail}")
        await self._take_join(link, first.join)

    async def _take_join(self, link: SignalLink, join: rtc.JoinResponse) -> None:
        self._signal = link
        link.start_pings(join.ping_interval, join.ping_timeout)
        self.room, self.info = join.room, join.participant
        for event in self._roster.replace(join.other_participants):
            self._emit(event)
        self._offer_outstanding = self._offer_again = False
        if join.subscriber_primary:
            self._subscriber = PeerLink(self, self._certificate, is_offerer=False)
        else:
            await self._ensure_publisher()

    async def _wait_open(self) -> None:
        primary = self._subscriber or self._publisher
        assert primary is not None, "joined"
        opening = asyncio.create_task(primary.opened.wait())
        assert self._task is not None, "running"
        try:
            await asyncio.wait(
                [opening, self._task],
                timeout=self._timeout_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            opening.cancel()
        if not primary.opened.is_set():
            raise ConnectError(self._lost_reason or "media cannot reach the server by UDP")

    async def _run(self) -> None:
        ending = _Ending("closed")
        try:
            while True:
                ending = await self._read()
                if self._is_leaving or ending.is_final:
                    break
                self._emit(Reconnecting(ending.detail))
                log.info("%s: connection lost: %s", self.identity, ending.detail)
                if not await self._come_back(must_rejoin=ending.must_rejoin):
                    ending = replace(ending, detail=f"{ending.detail}; {self._lost_reason}")
                    break
        except Exception as error:
            # The boundary of one client: its owner must hear that it ended.
            log.exception("client %s failed", self.identity)
            ending = _Ending(f"internal error: {error}")
        finally:
            self._ended = True
        if self._is_leaving:
            ending = _Ending("left", reason=models.DisconnectReason.CLIENT_INITIATED)
        self._lost_reason = ending.detail
        self._drop_tracks()
        self._events.put_nowait(Disconnected(ending.reason, ending.detail))

    async def _read(self) -> _Ending:
        """Handle messages until the connection ends."""
        link = self._signal
        assert link is not None, "joined"
        while True:
            message = await link.receive()
            if message is None:
                return _Ending(self._lost_reason or "signalling lost")
            kind = message.WhichOneof("message")
            if kind == "leave":
                return _ending(message.leave)
            try:
                await self._handle(str(kind), message)
            except (ProtocolError, DecodeError, ValueError) as error:
                log.warning("%s: bad %s message: %s", self.identity, kind, error)
                return _Ending(f"the server broke the protocol: {error}", must_rejoin=True)

    async def _come_back(self, *, must_rejoin: bool) -> bool:
        """Resume or join anew until it works; False when it was given up."""
        started_s = time.monotonic()
        rejoin = must_rejoin or started_s - self._resumed_s < RESUME_GRACE_S
        attempt = 0
        while not self._is_leaving:
            await asyncio.sleep(RETRY_DELAYS_S[min(attempt, len(RETRY_DELAYS_S) - 1)])
            attempt += 1
            self._lost_reason = ""
            await self._close_signal()
            try:
                if not rejoin and await self._resume():
                    self._resumed_s = time.monotonic()
                    self._emit(Reconnected(is_resumed=True))
                    return True
                rejoin = True
                await self._rejoin()
            except ConnectError as error:
                self._lost_reason = str(error)
                if error.is_final or time.monotonic() - started_s > self._retry_for_s:
                    return False
                continue
            return True
        return False

    async def _resume(self) -> bool:
        """Go on with the same session; False when the server does not know it any more."""
        parameters = self._parameters | {"reconnect": "1", "sid": self.sid}
        link = await SignalLink.open(self._url, self._token, parameters, self._timeout_s)
        first = await link.receive()
        if first is None:
            await link.close()
            raise ConnectError("no answer to the resume")
        if not first.HasField("reconnect"):
            await link.close()
            return False
        self._signal = link
        link.start_pings(0, 0)
        for peer in (self._subscriber, self._publisher):
            if peer is not None:
                peer.forgive()
        await self._request(rtc.SignalRequest(sync_state=self._sync_state()))
        if self._publisher is not None:
            self._publisher.restart_ice()
            self._offer_outstanding = False
            await self._offer()
        return True

    async def _rejoin(self) -> None:
        """Join as a new session and publish again."""
        await self._close_peers()
        self._drop_tracks()
        self._unwanted.clear()
        await self._join()
        self._emit(Reconnected(is_resumed=False))
        if any(track.is_published for track in self._local):
            asyncio.get_running_loop().create_task(self._republish(), name="publish again")

    async def _republish(self) -> None:
        tracks, self._local = [t for t in self._local if t.is_published], []
        for track in tracks:
            try:
                await self._announce(track, _request_of(track.info))
            except PublishError as error:
                log.warning("%s: %s is not published again: %s", self.identity, track.cid, error)

    def _sync_state(self) -> rtc.SyncState:
        publish = [
            rtc.TrackPublishedResponse(cid=track.cid, track=track.info)
            for track in self._local
            if track.is_published
        ]
        exceptions = self._unwanted if self._auto_subscribe else set(self.tracks)
        subscription = rtc.UpdateSubscription(
            track_sids=sorted(exceptions), subscribe=not self._auto_subscribe
        )
        return rtc.SyncState(
            answer=self._subscriber_answer, subscription=subscription, publish_tracks=publish
        )

    async def _close(self) -> None:
        self._is_leaving = True
        await self._close_signal()
        if self._task is not None and self._task is not asyncio.current_task():
            await asyncio.wait([self._task], timeout=2)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._close_signal()
        await self._close_peers()
        self._ended = True

    async def _close_signal(self) -> None:
        link, self._signal = self._signal, None
        if link is not None:
            await link.close()

    async def _close_peers(self) -> None:
        peers = [peer for peer in (self._publisher, self._subscriber) if peer is not None]
        self._publisher = self._subscriber = None
        for peer in peers:
            await peer.close()

    # Inside: messages

    async def _handle(self, kind: str, message: rtc.SignalResponse) -> None:
        handler = _HANDLERS.get(kind)
        if handler is not None:
            await handler(self, getattr(message, kind))

    async def _on_offer(self, message: rtc.SessionDescription) -> None:
        offer = sdp.parse(message.sdp)
        if self._subscriber is None:
            self._subscriber = PeerLink(self, self._certificate, is_offerer=False)
        peer = self._subscriber
        remote = descriptions.remote_side(offer)
        if peer.is_ice_restart(remote):
            peer.restart_ice()
        local = peer.local_side(self._host)
        answer = descriptions.answer(offer, local, max(1, message.id))
        self._subscriber_answer = rtc.SessionDescription(
            type="answer", sdp=sdp.write(answer), id=message.id
        )
        # Tracks first: with the answer their packets may come.
        sections = descriptions.inbound_sections(offer, message.mid_to_track_id)
        self._sections = {section.track_sid: section for section in sections}
        self._match_tracks()
        await self._request(rtc.SignalRequest(answer=self._subscriber_answer))
        peer.set_remote(remote)

    async def _on_answer(self, message: rtc.SessionDescription) -> None:
        if self._publisher is None:
            return
        answer = sdp.parse(message.sdp)
        self._publisher.set_remote(descriptions.remote_side(answer))
        self._offer_outstanding = False
        if self._offer_again:
            await self._offer()

    async def _on_trickle(self, message: rtc.TrickleRequest) -> None:
        peer = self._publisher if message.target == PUBLISHER else self._subscriber
        try:
            candidate = json.loads(message.candidateInit).get("candidate", "")
        except (json.JSONDecodeError, AttributeError):
            return
        if peer is not None and isinstance(candidate, str):
            peer.add_candidate(candidate)

    async def _on_update(self, message: rtc.ParticipantUpdate) -> None:
        for participant in message.participants:
            if participant.sid == self.sid:
                self.info = participant
                continue
            if participant.identity == self.identity:
                continue
            for event in self._roster.update(participant):
                self._emit(event)
        self._match_tracks()

    async def _on_track_published(self, message: rtc.TrackPublishedResponse) -> None:
        future = self._publishing.pop(message.cid, None)
        if future is not None and not future.done():
            future.set_result(message.track)

    async def _on_request_response(self, message: rtc.RequestResponse) -> None:
        if message.reason == rtc.RequestResponse.Reason.OK or not message.HasField("add_track"):
            return
        future = self._publishing.pop(message.add_track.cid, None)
        if future is not None and not future.done():
            reason = rtc.RequestResponse.Reason.Name(message.reason)
            future.set_exception(PublishError(message.message or reason))

    async def _on_speakers(self, message: rtc.SpeakersChanged) -> None:
        self._emit(SpeakersChanged(tuple(message.speakers)))

    async def _on_room(self, message: rtc.RoomUpdate) -> None:
        self.room = message.room
        self._emit(RoomUpdated(message.room))

    async def _on_token(self, token: str) -> None:
        self._token = token

    async def _on_mute(self, message: rtc.MuteTrackRequest) -> None:
        for track in self._local:
            if track.sid == message.sid:
                track.is_muted = message.muted

    # Inside: the connections report (PeerHandler)

    def on_open(self, peer: PeerLink) -> None:
        """A connection is up."""
        log.debug("%s: %s is open", self.identity, self._name(peer))

    def on_lost(self, peer: PeerLink, reason: str) -> None:
        """A connection is gone: come back by way of the signalling loop."""
        self._lost_reason = f"{self._name(peer)}: {reason}"
        if self._signal is not None:
            self._signal.abort()

    def on_message(self, label: str, data: bytes) -> None:
        """A data packet arrived."""
        try:
            packet = models.DataPacket.FromString(data)
        except DecodeError:
            return
        self._emit(DataReceived(packet, is_reliable=label == "_reliable"))

    # Inside: tracks

    def _match_tracks(self) -> None:
        """Bring the subscribed tracks in line with what is offered and known."""
        for sid in [sid for sid in self.tracks if sid not in self._sections]:
            self._emit(TrackUnsubscribed(self.tracks.pop(sid)))
        for sid, section in self._sections.items():
            found = self._roster.find_track(sid)
            track = self.tracks.get(sid)
            if track is not None:
                track.section = section
                if found is not None:
                    track.info = found[1]
            elif found is not None:
                participant, info = found
                self.tracks[sid] = RemoteTrack(info, participant, section)
                self._emit(TrackSubscribed(self.tracks[sid], participant))
        if self._subscriber is not None:
            self._subscriber.set_remote_tracks(self.tracks.values())

    def _drop_tracks(self) -> None:
        self._sections.clear()
        self._match_tracks()

    async def _publish(self, kind: str, mime: str, request: rtc.AddTrackRequest) -> LocalTrack:
        codec = CODECS.get(mime.lower())
        if codec is None:
            raise PublishError(f"{mime} cannot be published")
        track = LocalTrack(f"c{secrets.token_hex(8)}", kind, codec, models.TrackInfo())
        await self._announce(track, request)
        return track

    async def _announce(self, track: LocalTrack, request: rtc.AddTrackRequest) -> None:
        """AddTrack, then the section that carries it."""
        request.cid = track.cid
        future: asyncio.Future[models.TrackInfo] = asyncio.get_running_loop().create_future()
        self._publishing[track.cid] = future
        await self._request(rtc.SignalRequest(add_track=request))
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                track.info = await future
        except TimeoutError as error:
            raise PublishError("the server did not answer") from error
        finally:
            self._publishing.pop(track.cid, None)
        track.mid = str(len(self._local))
        self._local.append(track)
        await self._ensure_publisher(offer=False)
        assert self._publisher is not None, "ensured above"
        self._publisher.add_local_track(track)
        await self._offer()
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                await self._publisher.opened.wait()
        except TimeoutError as error:
            raise PublishError("media cannot reach the server by UDP") from error

    async def _ensure_publisher(self, *, offer: bool = True) -> None:
        if self._publisher is None:
            self._publisher = PeerLink(
                self, self._certificate, is_offerer=True, channels=("_reliable", "_lossy")
            )
            if offer:
                await self._offer()

    async def _offer(self) -> None:
        """Offer what we publish; while an answer is awaited the next offer waits."""
        peer = self._publisher
        if peer is None:
            return
        if self._offer_outstanding:
            self._offer_again = True
            return
        self._offer_outstanding, self._offer_again = True, False
        self._offer_id += 1
        local = peer.local_side(self._host)
        sections = [(str(track.mid), track.kind, track) for track in self._local]
        offer = descriptions.offer(sections, local, self._offer_id)
        description = rtc.SessionDescription(type="offer", sdp=sdp.write(offer), id=self._offer_id)
        await self._request(rtc.SignalRequest(offer=description))

    async def _request(self, request: rtc.SignalRequest) -> None:
        if self._signal is not None:
            await self._signal.send(request)

    def _emit(self, event: Event) -> None:
        if self._events.qsize() >= MAX_EVENTS and isinstance(event, DataReceived | SpeakersChanged):
            self.dropped_events += 1
            return
        self._events.put_nowait(event)

    def _name(self, peer: PeerLink) -> str:
        return "the connection to send on" if peer is self._publisher else "the connection"


_HANDLERS: Final[Mapping[str, Any]] = {
    "offer": Client._on_offer,
    "answer": Client._on_answer,
    "trickle": Client._on_trickle,
    "update": Client._on_update,
    "track_published": Client._on_track_published,
    "request_response": Client._on_request_response,
    "speakers_changed": Client._on_speakers,
    "room_update": Client._on_room,
    "refresh_token": Client._on_token,
    "mute": Client._on_mute,
}


def _ending(leave: rtc.LeaveRequest) -> _Ending:
    name = models.DisconnectReason.Name(leave.reason)
    if leave.action == RESUME:
        return _Ending(name, reason=leave.reason)
    if leave.action == REJOIN or leave.can_reconnect:
        return _Ending(name, must_rejoin=True, reason=leave.reason)
    return _Ending(name, is_final=True, reason=leave.reason)


def _request_of(info: models.TrackInfo) -> rtc.AddTrackRequest:
    """The request that publishes a track like ``info`` once more."""
    return rtc.AddTrackRequest(
        name=info.name,
        type=info.type,
        source=info.source,
        width=info.width,
        height=info.height,
        muted=info.muted,
        layers=info.layers,
    )
