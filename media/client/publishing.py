"""What a client sends: its tracks, and the connection they travel on.

Publishing is three steps: announce the track (AddTrack), offer a section that carries it,
wait until the connection is up. Sections stay for the life of the connection; that of a
withdrawn track becomes inactive. While an offer awaits its answer the next one waits. In single
connection mode (signalling v1) the same offers hold sections to receive in.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from livekit.protocol import models, rtc

from media.client import descriptions
from media.client.descriptions import CODECS
from media.client.local import LocalTrack
from media.client.peer import PeerLink
from media.core import sdp

log = logging.getLogger(__name__)

REQUEST_TIMEOUT_S: Final = 10.0
CHANNELS: Final = ("_reliable", "_lossy")
FIRST_RECEIVING: Final = 3
"""Sections to receive in that a first offer holds for each kind, as LiveKit's clients do."""
MAX_SECTIONS: Final = 2000
"""Sections of one connection; a server that asks for more is not followed."""


class PublishError(Exception):
    """The server refused a track or did not answer; the text says why."""


@dataclass(slots=True)
class _Section:
    """One section of our offers."""

    mid: str
    kind: str
    track: LocalTrack | None
    """What is sent in it; None: it receives."""


class Publishing:
    """The sending side of one client, across all its sessions."""

    def __init__(
        self,
        send: Callable[[rtc.SignalRequest], Awaitable[None]],
        open_peer: Callable[..., PeerLink],
        host: str,
    ) -> None:
        self._send = send
        self._open_peer = open_peer
        self._host = host
        self._awaited: dict[str, asyncio.Future[models.TrackInfo]] = {}
        self._offer_id = 0
        self._is_offered = False  # an answer is awaited
        self._must_offer = False  # something changed since that offer
        self._sections: list[_Section] = []
        self.peer: PeerLink | None = None
        self.tracks: list[LocalTrack] = []

    # Tracks

    async def publish(
        self, kind: str, mime: str, request: rtc.AddTrackRequest, rids: Sequence[str] = ()
    ) -> LocalTrack:
        """Publish a new track; as simulcast when layers are named. Raises PublishError."""
        codec = CODECS.get(mime.lower())
        if codec is None:
            raise PublishError(f"{mime} cannot be published")
        cid = f"c{secrets.token_hex(8)}"
        track = LocalTrack(cid, kind, codec, models.TrackInfo(), rids[0] if rids else None)
        for rid in rids[1:]:
            track.add_layer(rid)
        await self._announce(track, request)
        return track

    async def unpublish(self, track: LocalTrack) -> None:
        """Withdraw a track."""
        track.is_published = False
        if self.peer is not None:
            self.peer.remove_local_track(track)
            await self.offer()

    async def publish_again(self) -> None:
        """Publish on a new session what was published on the former one."""
        tracks, self.tracks = [track for track in self.tracks if track.is_published], []
        for track in tracks:
            try:
                await self._announce(track, _request_of(track.info))
            except PublishError as error:
                log.warning("%s is not published again: %s", track.cid, error)

    def muted(self, sid: str, *, is_muted: bool) -> None:
        """The server muted a track."""
        for track in self.tracks:
            if track.sid == sid:
                track.set_muted(is_muted)

    def published(self) -> list[rtc.TrackPublishedResponse]:
        """The tracks as a resumed session tells the server of them."""
        return [
            rtc.TrackPublishedResponse(cid=track.cid, track=track.info)
            for track in self.tracks
            if track.is_published
        ]

    # Messages of the server

    def take_published(self, message: rtc.TrackPublishedResponse) -> None:
        """The server took an announced track."""
        future = self._awaited.pop(message.cid, None)
        if future is not None and not future.done():
            future.set_result(message.track)

    def take_response(self, message: rtc.RequestResponse) -> None:
        """The server answered a request; only refused tracks matter here."""
        if message.reason == rtc.RequestResponse.Reason.OK or not message.HasField("add_track"):
            return
        future = self._awaited.pop(message.add_track.cid, None)
        if future is not None and not future.done():
            reason = rtc.RequestResponse.Reason.Name(message.reason)
            future.set_exception(PublishError(message.message or reason))

    async def take_answer(self, message: rtc.SessionDescription) -> None:
        """The server answered the offer. Raises RemoteProtocolError for a malformed answer."""
        if self.peer is None:
            return
        self.peer.set_remote(descriptions.remote_side(sdp.parse(message.sdp)))
        self._is_offered = False
        if self._must_offer:
            await self.offer()

    # The connection

    async def ensure_peer(self, *, offers: bool = True) -> PeerLink:
        """The connection; opened, and offered to the server, if there is none."""
        if self.peer is None:
            self.peer = self._open_peer(is_offerer=True, channels=CHANNELS)
            if offers:
                await self.offer()
        return self.peer

    async def first_offer(self) -> rtc.SessionDescription:
        """Open the single connection; the offer for the join request."""
        peer = await self.ensure_peer(offers=False)
        for kind in ("audio", "video"):
            self._add_receiving(kind, FIRST_RECEIVING)
        return self._describe(peer)

    async def receive_more(self, audios: int, videos: int) -> None:
        """Offer further sections to receive in, as the server requires."""
        self._add_receiving("audio", audios)
        self._add_receiving("video", videos)
        await self.offer()

    async def offer(self) -> None:
        """Offer what is published now, or as soon as the former offer is answered."""
        if self.peer is None:
            return
        if self._is_offered:
            self._must_offer = True
            return
        await self._send(rtc.SignalRequest(offer=self._describe(self.peer)))

    def _describe(self, peer: PeerLink) -> rtc.SessionDescription:
        self._is_offered, self._must_offer = True, False
        self._offer_id += 1
        sections = [(section.mid, section.kind, section.track) for section in self._sections]
        offer = descriptions.offer(sections, peer.local_side(self._host), self._offer_id)
        return rtc.SessionDescription(type="offer", sdp=sdp.write(offer), id=self._offer_id)

    def _add_receiving(self, kind: str, count: int) -> None:
        for _ in range(min(count, MAX_SECTIONS - len(self._sections))):
            self._sections.append(_Section(str(len(self._sections)), kind, None))

    async def restart_ice(self) -> None:
        """Find a path anew, after the session was resumed."""
        if self.peer is not None:
            self.peer.restart_ice()
            self._is_offered = False
            await self.offer()

    async def close_peer(self) -> None:
        """End the connection; the tracks are kept for :meth:`publish_again`."""
        peer, self.peer = self.peer, None
        self._is_offered = self._must_offer = False
        self._sections.clear()
        if peer is not None:
            await peer.close()

    async def _announce(self, track: LocalTrack, request: rtc.AddTrackRequest) -> None:
        request.cid = track.cid
        future: asyncio.Future[models.TrackInfo] = asyncio.get_running_loop().create_future()
        self._awaited[track.cid] = future
        await self._send(rtc.SignalRequest(add_track=request))
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                track.info = await future
        except TimeoutError as error:
            raise PublishError("the server did not answer") from error
        finally:
            self._awaited.pop(track.cid, None)
        mid = str(len(self._sections))
        track.set_mid(mid)
        self._sections.append(_Section(mid, track.kind, track))
        self.tracks.append(track)
        peer = await self.ensure_peer(offers=False)
        peer.add_local_track(track)
        await self.offer()
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                await peer.opened.wait()
        except TimeoutError as error:
            raise PublishError("media cannot reach the server by UDP") from error


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
