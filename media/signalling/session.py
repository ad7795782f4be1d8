"""One participant's session: its socket, its one or two peer connections, its tracks.

A session outlives its socket: a client that loses the socket resumes with a new one, while
media goes on. It ends by leaving, by being replaced or removed, or when nothing has been
heard from the client for too long. What concerns others goes to the ``SessionHost``, the
room; the session itself knows nobody else.
"""

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from livekit.protocol import models, rtc

from media.core import data as packets
from media.core.errors import RemoteProtocolError
from media.core.grants import Claims
from media.core.liveness import Evidence, Verdict, judge
from media.core.negotiation import mid_to_track_id, write_answer
from media.core.room import ACTIVE, JOINED, Participant
from media.core.sdp import parse, write
from media.signalling.peer import PeerConnection
from media.signalling.publishing import LiveTrack, Publishing
from media.signalling.sink import SignalSink
from media.signalling.subscribing import Subscribing
from media.transport.connection import CLOSED_BY_PEER
from media.transport.hub import TransportHub

log = logging.getLogger(__name__)

EARLY_RELIABLE_BYTES: Final = 100_000
"""Reliable data kept for a receiver whose channel is not open yet (LiveKit's cache)."""

DATA_PER_S: Final = 1000.0
DATA_BURST: Final = 4000.0

REASONS: Final = {
    Verdict.JOIN_TOO_SLOW: models.DisconnectReason.JOIN_FAILURE,
    Verdict.SIGNAL_GONE: models.DisconnectReason.SIGNAL_CLOSE,
    Verdict.MEDIA_GONE: models.DisconnectReason.CONNECTION_TIMEOUT,
    Verdict.MEDIA_CLOSED: models.DisconnectReason.MEDIA_FAILURE,
}

Leave = rtc.LeaveRequest


class SessionHost(Protocol):
    """The room as a session sees it."""

    def activated(self, session: "Session") -> None:
        """The primary connection is open."""

    def track_published(self, session: "Session", track: LiveTrack) -> None:
        """A track went live."""

    def track_unpublished(self, session: "Session", track: LiveTrack) -> None:
        """A track ended."""

    def track_subscribed(self, track: LiveTrack) -> None:
        """Somebody receives a track for the first time."""

    def data_arrived(self, session: "Session", packet: models.DataPacket) -> None:
        """A data packet to pass on, sender stamped."""

    def session_failed(self, session: "Session", reason: models.DisconnectReason) -> None:
        """The session cannot go on; the client shall join anew."""


@dataclass(slots=True)
class TokenBucket:
    """Allow ``rate_per_s`` on average and ``burst`` at once."""

    rate_per_s: float
    burst: float
    _level: float = field(init=False)
    _filled_s: float = 0.0

    def __post_init__(self) -> None:
        """Begin full."""
        self._level = self.burst

    def take(self, now_s: float) -> bool:
        """Spend one; False when there is none."""
        elapsed_s = max(0.0, now_s - self._filled_s)
        self._filled_s = now_s
        self._level = min(self.burst, self._level + elapsed_s * self.rate_per_s)
        if self._level < 1:
            return False
        self._level -= 1
        return True


class Session:
    """One session of one participant; all methods run on the node's loop."""

    def __init__(
        self,
        participant: Participant,
        claims: Claims,
        hub: TransportHub,
        host: SessionHost,
        *,
        is_single: bool,
        enabled_codecs: tuple[str, ...],
    ) -> None:
        self.participant = participant
        self.claims = claims
        self.is_single = is_single
        self.joined_s = hub.now_s()
        self.is_closed = False
        self.quality: models.ConnectionQuality | None = None
        self.reliable = packets.ReliableSequence()
        self.sink: SignalSink | None = None
        self._host = host
        self._now_s: Callable[[], float] = hub.now_s
        self._answer_version = 0
        self._socket_lost_s: float | None = None
        self._invited_s: float | None = None
        self._media_closed_s: float | None = None
        self._early: deque[tuple[str, bytes]] = deque()
        self._early_bytes = 0
        self._data_bucket = TokenBucket(DATA_PER_S, DATA_BURST)
        self.publisher = PeerConnection(hub, self)
        self.subscriber = self.publisher if is_single else PeerConnection(hub, self)
        if not is_single:
            self.subscriber.connection.enable_data(packets.CHANNELS)
        self.publishing = Publishing(
            participant,
            self.publisher.media,
            enabled_codecs,
            send=self.send,
            published=lambda track: host.track_published(self, track),
            unpublished=lambda track: host.track_unpublished(self, track),
        )
        self.subscribing = Subscribing(
            participant,
            self.subscriber,
            is_single=is_single,
            send=self.send,
            subscribed=host.track_subscribed,
            now_s=hub.now_s,
        )

    @property
    def peers(self) -> list[PeerConnection]:
        """The one or two peer connections."""
        return [self.publisher] if self.is_single else [self.publisher, self.subscriber]

    @property
    def is_subscriber_primary(self) -> bool:
        """True when being connected means that the subscriber connection is."""
        return not self.is_single and self.participant.permission.can_subscribe

    @property
    def primary(self) -> PeerConnection:
        """The connection whose state is the participant's."""
        return self.subscriber if self.is_subscriber_primary else self.publisher

    # Signalling

    def send(self, response: rtc.SignalResponse) -> None:
        """Send one frame, if there is a socket."""
        if self.sink is not None:
            self.sink.send(response)

    def attach(self, sink: SignalSink) -> None:
        """Use ``sink`` from now on; a former one is closed and means nothing any more."""
        previous, self.sink = self.sink, sink
        self._socket_lost_s = None
        self._invited_s = None
        if previous is not None:
            previous.close()

    def detach(self, sink: SignalSink) -> None:
        """The socket is gone without a goodbye; the client may come back."""
        if self.sink is sink:
            self.sink = None
            self._socket_lost_s = self._now_s()

    def take_offer(self, offer: rtc.SessionDescription) -> None:
        """Answer the client's offer. RemoteProtocolError when it makes no sense."""
        description = parse(offer.sdp)
        self.publisher.accept_remote(description)
        if any(section.is_data and not section.is_rejected for section in description.media):
            self.publisher.connection.enable_data()
        plans = self.publishing.take_offer(description)
        slots = self.subscribing.take_offer(description) if self.is_single else {}
        self._answer_version += 1
        answer = write_answer(
            description,
            self.publisher.local_transport(),
            plans,
            slots,
            version=self._answer_version,
        )
        self.send(
            rtc.SignalResponse(
                answer=rtc.SessionDescription(
                    type="answer",
                    sdp=write(answer),
                    id=offer.id,
                    mid_to_track_id=mid_to_track_id(slots),
                )
            )
        )
        if self.is_single:
            self.subscribing.offer_answered()
        self.publishing.claim()

    def take_answer(self, answer: rtc.SessionDescription) -> None:
        """Take the client's answer to the node's offer (v0)."""
        if self.is_single:
            raise RemoteProtocolError("an answer, but the client is the offerer")
        description = parse(answer.sdp)
        self.subscriber.accept_remote(description)
        self.subscribing.take_answer(description, answer.id)

    def resume(self) -> None:
        """After ``reconnect`` was sent: renew the connection the node offers."""
        if not self.is_single:
            self.subscriber.connection.restart_ice()
            self.subscribing.offer_again()

    def send_leave(
        self, reason: models.DisconnectReason, action: "rtc.LeaveRequest.Action"
    ) -> None:
        """Tell the client to go, and how."""
        can_reconnect = action != Leave.Action.DISCONNECT
        leave = Leave(reason=reason, action=action, can_reconnect=can_reconnect)
        self.send(rtc.SignalResponse(leave=leave))

    # Data

    def send_data(self, packet: models.DataPacket, encoded: bytes) -> None:
        """Deliver a data packet; reliable ones wait for a channel that is still opening."""
        is_reliable = packet.kind == models.DataPacket.Kind.RELIABLE
        label = packets.RELIABLE if is_reliable else packets.LOSSY
        connection = self.subscriber.connection
        if connection.send_message(label, encoded, is_reliable=is_reliable) or not is_reliable:
            return
        if self._early_bytes + len(encoded) <= EARLY_RELIABLE_BYTES:
            self._early.append((label, encoded))
            self._early_bytes += len(encoded)

    # Life

    def tick(self, now_s: float) -> None:
        """Every few ms: send the reports and start the negotiation that are due."""
        for peer in self.peers:
            peer.poll(now_s)
        self.subscribing.negotiate_if_due()

    def media_losses(self) -> list[float]:
        """Shares of packets lost on each subscription, 0 to 1, as the client reports them."""
        return [down.stats.fraction_lost for down in self.subscriber.media.down_tracks]

    def overdue_reason(self) -> models.DisconnectReason | None:
        """Why the session has to end now; None while it may go on.

        A failed connection is first answered with an invitation to resume.
        """
        if self.subscribing.answer_is_overdue():
            return models.DisconnectReason.MEDIA_FAILURE
        now_s = self._now_s()
        verdict = judge(
            Evidence(
                is_active=self.participant.state == ACTIVE,
                joined_s=self.joined_s,
                heard_s=max(peer.connection.heard_s for peer in self.peers),
                socket_lost_s=self._socket_lost_s,
                media_closed_s=self._media_closed_s,
                invited_s=self._invited_s,
            ),
            now_s,
        )
        if verdict is Verdict.INVITE_TO_RESUME:
            self._invited_s = now_s
            self._invite_resume()
        elif verdict is Verdict.RECOVERED:
            self._invited_s = None
        return REASONS.get(verdict)

    async def close(self) -> None:
        """Release tracks, connections and socket; idempotent."""
        if self.is_closed:
            return
        self.is_closed = True
        self.subscribing.close()
        if self.sink is not None:
            self.sink.close()
        for peer in self.peers:
            await peer.close()

    def _invite_resume(self) -> None:
        log.info("no media from %s; asking it to resume", self.participant.sid)
        self.send_leave(models.DisconnectReason.CONNECTION_TIMEOUT, Leave.Action.RESUME)
        if self.sink is not None:
            self.sink.close()
            self.sink = None

    # What the peer connections report

    def peer_opened(self, peer: PeerConnection) -> None:
        """Become active with the primary connection."""
        if peer is self.primary and self.participant.state == JOINED:
            self._host.activated(self)

    def peer_failed(self, peer: PeerConnection, reason: str) -> None:
        """A connection ended. After a goodbye of its own the client's leave is on its way."""
        log.info("connection of %s failed: %s", self.participant.sid, reason)
        if self.is_closed:
            return
        if reason == CLOSED_BY_PEER:
            self._media_closed_s = self._now_s()
        else:
            self._host.session_failed(self, models.DisconnectReason.MEDIA_FAILURE)

    def channel_opened(self, peer: PeerConnection, label: str) -> None:
        """Deliver what waited for this channel."""
        if peer is not self.subscriber or label != packets.RELIABLE:
            return
        waiting, self._early, self._early_bytes = self._early, deque(), 0
        for waiting_label, encoded in waiting:
            peer.connection.send_message(waiting_label, encoded, is_reliable=True)

    def message_arrived(self, peer: PeerConnection, label: str, data: bytes) -> None:
        """Check, stamp and pass on a data packet."""
        if label not in (packets.RELIABLE, packets.LOSSY):
            return
        if not self._data_bucket.take(self._now_s()):
            if label == packets.RELIABLE:
                self.peer_failed(peer, "too many data packets")
            return
        try:
            packet = packets.read_packet(data, label)
        except RemoteProtocolError as error:
            self.peer_failed(peer, str(error))
            return
        if packets.may_send(self.participant, packet) and self.reliable.is_new(packet):
            packets.stamp(self.participant, packet)
            self._host.data_arrived(self, packet)
