"""The life of a client in a room: joining, coming back, closing.

It joins with a single connection (signalling v1) unless the server does not know that or its
owner wants two (v0). After a loss the client first *resumes* (same session, ICE restart), and if
the server has forgotten it, joins anew as another session and publishes again. It gives up after
``retry_for_s`` without success, or at once when the server says so. What the server says meanwhile
is the matter of ``hearing``; what it receives and sends, of ``receiving`` and ``publishing``.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from aiortc.rtcdtlstransport import RTCCertificate
from google.protobuf.message import DecodeError
from livekit.protocol import models, rtc

from media.client import joining
from media.client.events import (
    DataReceived,
    Disconnected,
    Event,
    Reconnected,
    Reconnecting,
    SpeakersChanged,
)
from media.client.hearing import Hearing
from media.client.peer import PeerLink
from media.client.publishing import CHANNELS, Publishing
from media.client.receiving import Receiving
from media.client.roster import Roster
from media.client.signal import ConnectError, SignalLink
from media.core.errors import ProtocolError

log = logging.getLogger(__name__)

RETRY_DELAYS_S: Final = (0.0, 0.3, 1.2, 2.7, 4.8, 7.0)
"""Pauses before attempts to come back; the last one repeats (LiveKit's clients do the same)."""
RESUME_GRACE_S: Final = 12.0
"""A connection lost again this soon after a resume is joined anew instead."""
CHANNEL_TIMEOUT_S: Final = 3.0
"""How long a join waits for its data channels once media can flow."""
MAX_EVENTS: Final = 50_000
"""Events waiting for the owner; beyond it data packets and speakers are dropped."""

REJOIN: Final = rtc.LeaveRequest.Action.RECONNECT
RESUME: Final = rtc.LeaveRequest.Action.RESUME


@dataclass(frozen=True, slots=True)
class _Ending:
    """Why reading the signalling socket stopped."""

    detail: str
    is_final: bool = False
    must_rejoin: bool = False
    reason: models.DisconnectReason = models.DisconnectReason.UNKNOWN_REASON


@dataclass(frozen=True, slots=True)
class Options:
    """How a client joins and how long it tries to come back."""

    url: str
    auto_subscribe: bool
    adaptive_stream: bool
    retry_for_s: float
    timeout_s: float
    certificate: RTCCertificate
    single_connection: bool
    read_every_s: float


class Stay:
    """One client's presence in a room, across sessions. One event loop owns it.

    ``token`` may be a function that gives a fresh one for each attempt; a plain one is replaced
    by what the server sends from time to time.
    """

    def __init__(self, options: Options, token: str | Callable[[], str]) -> None:
        self._options = options
        self._token = token
        host = urlsplit(options.url).hostname or ""
        self.signal: SignalLink | None = None
        self.roster = Roster()
        self.publishing = Publishing(self.request, self._open_peer, host)
        self.receiving = Receiving(self.roster, self._emit, self._open_peer, host)
        self.events: asyncio.Queue[Event] = asyncio.Queue()
        self.unwanted: set[str] = set()
        """Tracks the owner has unsubscribed from."""
        self._hearing = Hearing(
            self.roster, self.publishing, self.receiving, emit=self._emit, request=self.request
        )
        self.is_leaving = False
        self.has_ended = False
        self.dropped_events = 0
        self._resumed_s = float("-inf")
        self._lost_reason = ""
        self._task: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_single(self) -> bool:
        """Whether the present session has one connection (v1)."""
        return self._hearing.is_single

    @property
    def room(self) -> models.Room:
        """The room as the server last described it."""
        return self._hearing.room

    @property
    def info(self) -> models.ParticipantInfo:
        """The client itself as the server last described it."""
        return self._hearing.info

    async def begin(self) -> None:
        """Join and wait until media can flow. Raises ConnectError."""
        try:
            await self._join()
            self._task = asyncio.create_task(self._run(), name=f"client {self.info.identity}")
            await self._wait_open()
        except BaseException:
            await self.close()
            raise

    async def _open(
        self, *, offer: rtc.SessionDescription | None = None, resumed_sid: str = ""
    ) -> SignalLink:
        options = self._options
        query = joining.query(
            auto_subscribe=options.auto_subscribe,
            adaptive_stream=options.adaptive_stream,
            is_single=self.is_single,
            offer=offer,
            resumed_sid=resumed_sid,
        )
        given = self._token if isinstance(self._token, str) else self._token()
        token = given if callable(self._token) else self._hearing.token or given
        path = joining.PATHS[self.is_single]
        return await SignalLink.open(options.url, token, path, query, options.timeout_s)

    async def _join(self) -> None:
        self._hearing.is_single = self._options.single_connection
        try:
            await self._enter()
        except ConnectError as error:
            if not (self.is_single and error.is_unknown_path):
                raise
            log.info("%s does not know signalling v1", self._options.url)
            await self._close_peers()
            self._hearing.is_single = False
            await self._enter()

    async def _enter(self) -> None:
        offer = await self.publishing.first_offer() if self.is_single else None
        link = await self._open(offer=offer)
        try:
            async with asyncio.timeout(self._options.timeout_s):
                first = await link.receive()
        except TimeoutError:
            first = None
        if first is None or not first.HasField("join"):
            await link.close()
            detail = "no answer" if first is None else str(first.WhichOneof("message"))
            raise ConnectError(f"the server did not let us in: {detail}")
        await self._take_join(link, first.join)

    async def _take_join(self, link: SignalLink, join: rtc.JoinResponse) -> None:
        self.signal = link
        link.start_pings(join.ping_interval, join.ping_timeout)
        self._hearing.joined(join)
        for event in self.roster.replace(join.other_participants):
            self._emit(event)
        if self.is_single:
            self.receiving.share_peer(await self.publishing.ensure_peer(offers=False))
        elif join.subscriber_primary:
            self.receiving.ensure_peer()
        else:
            await self.publishing.ensure_peer()

    async def _wait_open(self) -> None:
        primary = self.receiving.peer or self.publishing.peer
        assert primary is not None, "joined"
        opening = asyncio.create_task(primary.opened.wait())
        assert self._task is not None, "running"
        try:
            await asyncio.wait(
                [opening, self._task],
                timeout=self._options.timeout_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            opening.cancel()
        if not primary.opened.is_set():
            raise ConnectError(self._lost_reason or "media cannot reach the server by UDP")
        if self.is_single:
            # The channels are ours: what others send is lost until the server has taken them.
            await primary.wait_channel(CHANNELS[-1], CHANNEL_TIMEOUT_S)

    async def _run(self) -> None:
        ending = _Ending("closed")
        try:
            while True:
                ending = await self._read()
                if self.is_leaving or ending.is_final:
                    break
                self._emit(Reconnecting(ending.detail))
                log.info("%s: connection lost: %s", self.info.identity, ending.detail)
                if not await self._come_back(must_rejoin=ending.must_rejoin):
                    ending = replace(ending, detail=f"{ending.detail}; {self._lost_reason}")
                    break
        except Exception as error:
            # The boundary of one client: its owner must hear that it ended.
            log.exception("client %s failed", self.info.identity)
            ending = _Ending(f"internal error: {error}")
        finally:
            self.has_ended = True
        if self.is_leaving:
            ending = _Ending("left", reason=models.DisconnectReason.CLIENT_INITIATED)
        self._lost_reason = ending.detail
        self.receiving.drop()
        self.events.put_nowait(Disconnected(ending.reason, ending.detail))

    async def _read(self) -> _Ending:
        """Handle messages until the connection ends."""
        link = self.signal
        assert link is not None, "joined"
        while True:
            message = await link.receive()
            if message is None:
                return _Ending(self._lost_reason or "signalling lost")
            kind = message.WhichOneof("message")
            if kind == "leave":
                return _ending(message.leave)
            try:
                await self._hearing.take(message)
            except (ProtocolError, DecodeError, ValueError) as error:
                log.warning("%s: bad %s message: %s", self.info.identity, kind, error)
                return _Ending(f"the server broke the protocol: {error}", must_rejoin=True)

    async def _come_back(self, *, must_rejoin: bool) -> bool:
        """Resume or join anew until it works; False when it was given up."""
        started_s = time.monotonic()
        rejoin = must_rejoin or started_s - self._resumed_s < RESUME_GRACE_S
        attempt = 0
        while not self.is_leaving:
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
                is_late = time.monotonic() - started_s > self._options.retry_for_s
                if is_late or self._is_final(error):
                    return False
                continue
            return True
        return False

    def _is_final(self, error: ConnectError) -> bool:
        """Whether coming back cannot succeed by waiting.

        A server that let us in before and does not know the path now is one that starts up
        behind its proxy; a token refused now may be replaced by a fresh one.
        """
        can_renew = not isinstance(self._token, str) and error.status in (401, 403)
        return error.is_final and not error.is_unknown_path and not can_renew

    async def _resume(self) -> bool:
        """Go on with the same session; False when the server does not know it any more."""
        link = await self._open(resumed_sid=self.info.sid)
        first = await link.receive()
        if first is None:
            await link.close()
            raise ConnectError("no answer to the resume")
        if not first.HasField("reconnect"):
            await link.close()
            return False
        self.signal = link
        link.start_pings(0, 0)
        for peer in (self.receiving.peer, self.publishing.peer):
            if peer is not None:
                peer.forgive()
        await self.request(rtc.SignalRequest(sync_state=self._sync_state()))
        await self.publishing.restart_ice()
        return True

    async def _rejoin(self) -> None:
        """Join as a new session and publish again."""
        await self._close_peers()
        self.receiving.drop()
        self.unwanted.clear()
        await self._join()
        self._emit(Reconnected(is_resumed=False))
        # The answers to what it sends are read by the task that runs this.
        again = asyncio.create_task(self.publishing.publish_again(), name="publish again")
        self._tasks.add(again)
        again.add_done_callback(self._tasks.discard)

    def _sync_state(self) -> rtc.SyncState:
        exceptions = self.unwanted if self._options.auto_subscribe else set(self.receiving.tracks)
        subscription = rtc.UpdateSubscription(
            track_sids=sorted(exceptions), subscribe=not self._options.auto_subscribe
        )
        return rtc.SyncState(
            answer=self.receiving.answer,
            subscription=subscription,
            publish_tracks=self.publishing.published(),
        )

    async def close(self) -> None:
        """End the stay and release everything; idempotent."""
        self.is_leaving = True
        await self._close_signal()
        if self._task is not None and self._task is not asyncio.current_task():
            await asyncio.wait([self._task], timeout=2)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._close_signal()
        await self._close_peers()
        self.has_ended = True

    async def _close_signal(self) -> None:
        link, self.signal = self.signal, None
        if link is not None:
            await link.close()

    async def _close_peers(self) -> None:
        await self.publishing.close_peer()
        await self.receiving.close_peer()

    # Inside: the connections report (PeerHandler)

    def on_open(self, peer: PeerLink) -> None:
        """A connection is up."""
        log.debug("%s: %s is open", self.info.identity, self._name(peer))

    def on_lost(self, peer: PeerLink, reason: str) -> None:
        """A connection is gone: come back by way of the signalling loop."""
        self._lost_reason = f"{self._name(peer)}: {reason}"
        if self.signal is not None:
            self.signal.abort()

    def on_message(self, label: str, data: bytes) -> None:
        """A data packet arrived."""
        try:
            packet = models.DataPacket.FromString(data)
        except DecodeError:
            return
        self._emit(DataReceived(packet, is_reliable=label == "_reliable"))

    # Inside

    def _open_peer(self, *, is_offerer: bool, channels: tuple[str, ...]) -> PeerLink:
        return PeerLink(
            self,
            self._options.certificate,
            is_offerer=is_offerer,
            channels=channels,
            read_every_s=self._options.read_every_s,
        )

    async def request(self, request: rtc.SignalRequest) -> None:
        """Send a signalling message; without a socket it is lost, as what it asks for is."""
        if self.signal is not None:
            await self.signal.send(request)

    def _emit(self, event: Event) -> None:
        if self.events.qsize() >= MAX_EVENTS and isinstance(event, DataReceived | SpeakersChanged):
            self.dropped_events += 1
            return
        self.events.put_nowait(event)

    def _name(self, peer: PeerLink) -> str:
        sends_only = peer is self.publishing.peer and not self.is_single
        return "the connection to send on" if sends_only else "the connection"


def _ending(leave: rtc.LeaveRequest) -> _Ending:
    name = models.DisconnectReason.Name(leave.reason)
    if leave.action == RESUME:
        return _Ending(name, reason=leave.reason)
    if leave.action == REJOIN or leave.can_reconnect:
        return _Ending(name, must_rejoin=True, reason=leave.reason)
    return _Ending(name, is_final=True, reason=leave.reason)
