"""One participant's session: its socket, its one or two peer connections, its tracks.

A session outlives its socket: a client that loses the socket resumes with a new one, while
media goes on. It ends by leaving, by being replaced or removed, or when nothing has been
heard from the client for too long. What concerns others goes to the ``SessionHost``, the
room; the session itself knows nobody else.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from enum import Enum, auto
from typing import Final, Protocol

from livekit.protocol import models, rtc

from media.core import data as packets
from media.core.data_tracks import ReceiveHandles
from media.core.downlink import cap_of
from media.core.errors import RemoteProtocolError
from media.core.grants import Claims
from media.core.ids import TrackSid
from media.core.liveness import Evidence, Verdict, judge
from media.core.negotiation import mid_to_track_id, write_answer
from media.core.rate import DATA_BYTES_PER_TOKEN, REQUEST_BYTES_PER_TOKEN, TokenBucket, weight
from media.core.reliable import ReliableSequence
from media.core.room import ACTIVE, JOINED, Participant
from media.core.sdp import parse, write
from media.core.speakers import SpeakerNews
from media.logs import About
from media.signalling.outbox import Outbox
from media.signalling.peer import PeerConnection
from media.signalling.publishing import LiveTrack, Publishing
from media.signalling.quality_meter import QualityMeter
from media.signalling.sink import SignalSink
from media.signalling.subscribing import Subscribing
from media.transport.connection import CLOSED_BY_PEER
from media.transport.hub import TransportHub

log = logging.getLogger(__name__)

REQUESTS_PER_S: Final = 50.0
REQUESTS_BURST: Final = 500.0
"""Joining a large room makes a client send a setting for every track at once."""

DATA_PER_S: Final = 1000.0
DATA_BURST: Final = 4000.0

REASONS: Final = {
    Verdict.JOIN_TOO_SLOW: models.DisconnectReason.JOIN_FAILURE,
    Verdict.SIGNAL_GONE: models.DisconnectReason.SIGNAL_CLOSE,
    Verdict.MEDIA_GONE: models.DisconnectReason.CONNECTION_TIMEOUT,
    Verdict.MEDIA_CLOSED: models.DisconnectReason.MEDIA_FAILURE,
}

Leave = rtc.LeaveRequest

ROUND_S: Final = 0.05
"""Between two looks at what is not pressing; reports are due every second or so."""
FAULT_S: Final = 5.0
"""How long resuming fails in the scenarios that want it to fail."""


class ResumeFault(Enum):
    """Where a resume that is made to fail breaks off."""

    AFTER_MESSAGES = auto()
    BEFORE_MESSAGES = auto()


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

    def frame_arrived(self, session: "Session", data: bytes) -> None:
        """A packet of a data track. RemoteProtocolError when it makes no sense."""

    def session_failed(self, session: "Session", reason: models.DisconnectReason) -> None:
        """The session cannot go on; the client shall join anew."""


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
        about = {"participant": participant.sid, "identity": participant.identity}
        self.log = About(log, about | {"room": claims.video.room if claims.video else ""})
        self.is_single = is_single
        self.joined_s = hub.now_s()
        self.is_closed = False
        self.reliable = ReliableSequence()
        self.requests = TokenBucket(REQUESTS_PER_S, REQUESTS_BURST)
        self.denied: set[TrackSid] = set()
        """Tracks the client has been told that it may not receive."""
        self.speaker_news = SpeakerNews()
        self.told_quality: dict[str, models.ConnectionQuality] = {}
        self.meter = QualityMeter()
        self.sink: SignalSink | None = None
        self._host = host
        self._now_s: Callable[[], float] = hub.now_s
        self._answer_version = 0
        self._next_round_s = float("-inf")
        self._socket_lost_s: float | None = None
        self._invited_s: float | None = None
        self._media_closed_s: float | None = None
        self._fault: tuple[ResumeFault, float] | None = None
        self._data_bucket = TokenBucket(DATA_PER_S, DATA_BURST)
        self.publisher = PeerConnection(hub, self)
        self.subscriber = self.publisher if is_single else PeerConnection(hub, self)
        self.handles = ReceiveHandles()
        self.outbox = Outbox(self.subscriber.connection, hub.now_s)
        if not is_single:
            self.subscriber.connection.enable_data(packets.CHANNELS)
        self.publishing = Publishing(
            participant,
            self.publisher,
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
        self.apply_attributes()

    @property
    def present_claims(self) -> Claims:
        """What the client's next token says: the grants of its first one as they are now."""
        participant, video = self.participant, self.claims.video
        return replace(
            self.claims,
            name=participant.name,
            metadata=participant.metadata,
            attributes=dict(participant.attributes),
            video=video and video.with_permission(participant.permission),
        )

    def apply_attributes(self) -> None:
        """Follow those of the participant's attributes that concern its line."""
        self.subscriber.media.downlink.set_cap(cap_of(self.participant.attributes))

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

    def send_handles(self) -> None:
        """Tell the client under which handles it receives data tracks."""
        message = self.handles.to_message()
        self.send(rtc.SignalResponse(data_track_subscriber_handles=message))

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
        self.outbox.hold()
        self.subscribing.offer_again()
        if not self.is_single:
            self.subscriber.connection.restart_ice()

    def expect_fault(self, fault: ResumeFault) -> None:
        """Let resumes of the next seconds fail that way."""
        self._fault = fault, self._now_s() + FAULT_S

    @property
    def fault(self) -> ResumeFault | None:
        """How a resume has to fail now; None when it may succeed."""
        if self._fault is not None and self._now_s() >= self._fault[1]:
            self._fault = None
        return self._fault[0] if self._fault is not None else None

    def send_leave(
        self, reason: models.DisconnectReason, action: "rtc.LeaveRequest.Action"
    ) -> None:
        """Tell the client to go, and how."""
        can_reconnect = action != Leave.Action.DISCONNECT
        leave = Leave(reason=reason, action=action, can_reconnect=can_reconnect)
        self.send(rtc.SignalResponse(leave=leave))

    # Life

    def tick(self, now_s: float) -> None:
        """Every few ms: send the reports and start the negotiation that are due.

        Most of the time nothing is, so all is gone through only now and then.
        """
        if now_s < self._next_round_s and not self._is_pressed(now_s):
            return
        self._next_round_s = now_s + ROUND_S
        for peer in self.peers:
            peer.poll(now_s)
        self.subscribing.tell_stream_states()
        self.subscribing.negotiate_if_due()
        self.outbox.release_overdue()

    def _is_pressed(self, now_s: float) -> bool:
        return (
            self.subscribing.is_pending
            or self.publisher.media.is_pressing(now_s)
            or (not self.is_single and self.subscriber.media.is_pressing(now_s))
        )

    @property
    def unheard_s(self) -> float:
        """For how long nothing authentic has come from the client."""
        return self._now_s() - max(peer.connection.heard_s for peer in self.peers)

    def audible(self) -> set[str]:
        """Sids of those the client is subscribed to, and its own."""
        live = self.subscribing.subscriptions.values()
        return {s.track.publisher.sid for s in live if s.down is not None} | {self.participant.sid}

    def may_request(self, size_bytes: int) -> bool:
        """Whether a frame of that size is within the client's allowance."""
        return self.requests.take(self._now_s(), weight(size_bytes, REQUEST_BYTES_PER_TOKEN))

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
        self.log.info("no media; asking it to resume")
        self.send_leave(models.DisconnectReason.CONNECTION_TIMEOUT, Leave.Action.RESUME)
        if self.sink is not None:
            self.sink.close()
            self.sink = None

    # What the peer connections report

    def peer_opened(self, peer: PeerConnection) -> None:
        """Become active with the primary connection."""
        if peer is self.primary and self.participant.state == JOINED:
            self._host.activated(self)
        if peer is self.subscriber:
            self.subscribing.start_agreed()

    def peer_failed(self, peer: PeerConnection, reason: str) -> None:
        """A connection ended. After a goodbye of its own the client's leave is on its way."""
        self.log.info("connection failed: %s", reason)
        if self.is_closed:
            return
        if reason == CLOSED_BY_PEER:
            self._media_closed_s = self._now_s()
        else:
            self._host.session_failed(self, models.DisconnectReason.MEDIA_FAILURE)

    def channel_opened(self, peer: PeerConnection, label: str) -> None:
        """Deliver what waited for this channel."""
        if peer is self.subscriber and label == packets.RELIABLE:
            self.outbox.channel_opened()

    def message_arrived(self, peer: PeerConnection, label: str, data: bytes) -> None:
        """Check, stamp and pass on a data packet.

        What exceeds the allowance is dropped on lossy channels; on the reliable one the client's
        further data is read more slowly, which its own flow control makes it feel.
        """
        if label not in packets.CHANNELS:
            return
        now_s, tokens = self._now_s(), weight(len(data), DATA_BYTES_PER_TOKEN)
        if label == packets.RELIABLE:
            peer.connection.pause_data(self._data_bucket.spend(now_s, tokens))
        elif not self._data_bucket.take(now_s, tokens):
            peer.media.traffic.data_refused += 1
            return
        try:
            if label == packets.DATA_TRACK:
                self._host.frame_arrived(self, data)
                return
            packet = packets.read_packet(data, label)
        except RemoteProtocolError as error:
            self.peer_failed(peer, str(error))
            return
        if packets.may_send(self.participant, packet) and self.reliable.is_new(packet):
            packets.stamp(self.participant, packet)
            self._host.data_arrived(self, packet)
