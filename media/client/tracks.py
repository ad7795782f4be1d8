"""A subscribed track: packets in order, losses repaired or marked, the sender's clock.

``receive`` takes decrypted packets, unwraps retransmissions (RFC 4588), asks again for what
is missing and passes packets on in order; ``feedback`` says what to tell the sender. The
track waits a moment for missing packets; what does not come is marked on the next packet.

Sans I/O, the time is an argument; ``on_packet`` is called from ``receive`` and ``poll``.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from livekit.protocol import models

from media.client.reorder import ReorderBuffer
from media.core import vp9
from media.core.codecs import Codec
from media.core.errors import RemoteProtocolError
from media.core.h264 import KeyframeFinder
from media.core.receive import UpStream
from media.core.rtcp import Nack, PictureLossIndication, ReportBlock, RtcpPacket, SenderReport
from media.core.rtp import RtpHeader
from media.core.rtx import OSN_BYTES, restore
from media.core.sequence import unwrap
from media.core.vp8 import Vp8Descriptor

WAIT_S: Final = 0.5
"""How long a missing packet is waited for: several round trips across the country."""
KEYFRAME_INTERVAL_S: Final = 0.5
"""Least time between two keyframe requests for one track."""
MAX_HELD: Final = 1024
"""Packets kept until ``on_packet`` is set."""
NTP_EPOCH_S: Final = 2_208_988_800
"""Seconds from 1900 (NTP) to 1970 (Unix)."""


@dataclass(frozen=True, slots=True)
class MediaPacket:
    """One RTP packet, decrypted, in order."""

    ext_seq: int
    """Unwrapped number; consecutive except where packets are lost."""
    timestamp: int
    """RTP timestamp, unwrapped, in clock ticks."""
    marker: bool
    payload: bytes
    """Without padding; never empty."""
    payload_type: int
    arrived_s: float
    """Monotonic time of arrival."""
    lost_before: int
    """How many packets directly before this one are missing for good."""


PacketHandler = Callable[[MediaPacket], object]


@dataclass(slots=True)
class TrackStats:
    """Counters since the subscription."""

    packets: int = 0
    octets: int = 0
    """Payload bytes."""
    lost: int = 0
    """Packets given up."""
    recovered: int = 0
    """Packets that came as retransmissions."""
    first_packet_s: float | None = None
    """Monotonic time of the first packet."""


@dataclass(frozen=True, slots=True)
class InboundSection:
    """What a description says about a stream the other side sends."""

    mid: str
    kind: str
    track_sid: str
    codecs: Mapping[int, Codec]
    """By payload type, retransmissions not included."""
    ssrc: int | None
    rtx_ssrc: int | None
    extension_ids: Mapping[str, int] = field(default_factory=dict)

    def rtx_of(self, payload_type: int) -> Codec | None:
        """The codec whose retransmissions use ``payload_type``."""
        for codec in self.codecs.values():
            if codec.rtx_payload_type == payload_type:
                return codec
        return None

    def codec_for(self, mime: str) -> Codec:
        """The codec a track of this MIME type uses here; the first one if it is not listed."""
        for codec in self.codecs.values():
            if codec.mime_type == mime.lower():
                return codec
        return next(iter(self.codecs.values()))


class RemoteTrack:
    """A track of somebody else, as long as the client is subscribed to it."""

    def __init__(
        self, info: models.TrackInfo, participant: models.ParticipantInfo, section: InboundSection
    ) -> None:
        self.info = info
        """LiveKit's description, current."""
        self.identity = participant.identity
        self.participant_sid = participant.sid
        self.section = section
        self.stats = TrackStats()
        codec = section.codec_for(info.mime_type)
        self.mime = codec.mime_type
        """Lower case, ``video/vp8``."""
        self.clock_rate = codec.clock_rate
        self.channels = codec.channels
        self._on_packet: PacketHandler | None = None
        self._held: deque[MediaPacket] = deque(maxlen=MAX_HELD)
        self._stream: UpStream | None = None
        self._buffer: ReorderBuffer[tuple[RtpHeader, bytes, float]] = ReorderBuffer(WAIT_S)
        self._padding = 0  # packets without payload so far
        self._timestamp: int | None = None
        self._wants_keyframe = False
        self._keyframe_s = float("-inf")
        self._keyframes = KeyframeFinder()
        self.on_wish: Callable[[], None] | None = None
        """Set by the connection: something is to be sent before the next packet comes."""

    @property
    def sid(self) -> str:
        """The track's sid, ``TR_…``."""
        return self.info.sid

    @property
    def name(self) -> str:
        """The publisher's name for the track."""
        return self.info.name

    @property
    def kind(self) -> str:
        """``audio`` or ``video``."""
        return self.section.kind

    @property
    def source(self) -> models.TrackSource:
        """Camera, microphone, screen or screen audio."""
        return self.info.source

    @property
    def is_muted(self) -> bool:
        """Whether the track is muted now."""
        return self.info.muted

    @property
    def on_packet(self) -> PacketHandler | None:
        """Called for each packet; packets before it was set are held and passed on first."""
        return self._on_packet

    @on_packet.setter
    def on_packet(self, handler: PacketHandler | None) -> None:
        self._on_packet = handler
        while self._held and handler is not None:
            handler(self._held.popleft())

    def request_keyframe(self) -> None:
        """Ask the sender for a keyframe, again and again until one comes; not for audio."""
        self._wants_keyframe = self.kind == "video"
        if self.on_wish is not None:
            self.on_wish()

    def wall_time_s(self, timestamp: int) -> float | None:
        """Unix time, by the sender's clock, of an RTP timestamp; None before its first report."""
        clock = self._stream.clock if self._stream is not None else None
        return None if clock is None else clock.capture_s(timestamp & 0xFFFFFFFF) - NTP_EPOCH_S

    # Called by the connection

    def receive(self, header: RtpHeader, data: bytes, now_s: float) -> None:
        """Take a packet of this track, media or retransmission."""
        codec = self.section.rtx_of(header.payload_type)
        recovered = codec is not None
        if codec is not None:
            if header.payload_size <= OSN_BYTES or self._stream is None:
                return  # a probe, or a repair of something never seen
            seq = int.from_bytes(data[header.payload_start : header.payload_start + 2], "big")
            restore(header, seq, ssrc=self._stream.ssrc, payload_type=codec.payload_type)
        elif header.payload_type not in self.section.codecs:
            return
        stream = self._stream
        if stream is None or (not recovered and stream.ssrc != header.ssrc):
            stream = self._begin(header.ssrc)
        ext_seq = stream.receive(
            header.seq, header.timestamp, len(data), now_s, recovered=recovered
        )
        if ext_seq is None:
            return
        self.stats.recovered += recovered
        self._buffer.push(ext_seq, (header, data, now_s), now_s)
        self.poll(now_s)

    def poll(self, now_s: float) -> None:
        """Pass on what is due."""
        for ext_seq, missing, (header, data, arrived_s) in self._buffer.pop(now_s):
            self._pass_on(ext_seq, missing, header, data, arrived_s)

    def handle_sender_report(self, report: SenderReport, now_s: float) -> None:
        """Learn the sender's clock."""
        if self._stream is not None and self._stream.ssrc == report.ssrc:
            self._stream.handle_sender_report(report, now_s)

    def feedback(self, local_ssrc: int, now_s: float) -> list[RtcpPacket]:
        """Requests to send now: missing packets, keyframes."""
        stream = self._stream
        if stream is None:
            return []
        packets: list[RtcpPacket] = []
        missing = stream.nacks.due(now_s) if stream.nacks is not None else []
        if missing:
            packets.append(Nack(local_ssrc, stream.ssrc, tuple(n & 0xFFFF for n in missing)))
        if self._wants_keyframe and now_s - self._keyframe_s >= KEYFRAME_INTERVAL_S:
            self._keyframe_s = now_s
            packets.append(PictureLossIndication(local_ssrc, stream.ssrc))
        return packets

    def report(self, now_s: float) -> ReportBlock | None:
        """Block for the next receiver report."""
        return None if self._stream is None else self._stream.report(now_s)

    @property
    def deadline_s(self) -> float:
        """When ``poll`` or ``feedback`` has something to do."""
        due_s = self._buffer.deadline_s
        deadline_s = float("inf") if due_s is None else due_s
        if self._stream is not None and self._stream.nacks is not None:
            deadline_s = min(deadline_s, self._stream.nacks.next_due_s)
        if self._wants_keyframe and self._stream is not None:
            deadline_s = min(deadline_s, self._keyframe_s + KEYFRAME_INTERVAL_S)
        return deadline_s

    def _begin(self, ssrc: int) -> UpStream:
        """Start on an SSRC; a new one continues the numbering after what was given out."""
        self._stream = UpStream(ssrc, self.clock_rate, wants_nack=True)
        self._buffer = ReorderBuffer(WAIT_S)
        return self._stream

    def _pass_on(
        self, ext_seq: int, missing: int, header: RtpHeader, data: bytes, arrived_s: float
    ) -> None:
        stats = self.stats
        stats.lost += missing
        if not header.payload_size:
            self._padding += 1
            return
        near = header.timestamp if self._timestamp is None else self._timestamp
        self._timestamp = unwrap(header.timestamp, near, 32)
        packet = MediaPacket(
            ext_seq=ext_seq - self._padding,
            timestamp=self._timestamp,
            marker=header.marker,
            payload=data[header.payload_start : header.payload_end],
            payload_type=header.payload_type,
            arrived_s=arrived_s,
            lost_before=missing,
        )
        stats.packets += 1
        stats.octets += len(packet.payload)
        if stats.first_packet_s is None:
            stats.first_packet_s = arrived_s
        if self._wants_keyframe and self._starts_keyframe(packet.payload):
            self._wants_keyframe = False
        if self._on_packet is None:
            self._held.append(packet)
        else:
            self._on_packet(packet)

    def _starts_keyframe(self, payload: bytes) -> bool:
        try:
            if self.mime == "video/vp8":
                return Vp8Descriptor.parse(payload).starts_keyframe
            if self.mime == "video/vp9":
                return vp9.starts_keyframe(payload)
            if self.mime == "video/h264":
                return self._keyframes.starts_keyframe(payload)
        except RemoteProtocolError:
            return False
        return True  # of other codecs nothing is known: one request has to do
