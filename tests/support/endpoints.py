"""A simulcast publisher and a subscriber that speak RTP and RTCP like a browser, without media.

Each picture's packets carry layer, picture counter, index and count, so a test can tell what was
really delivered. The subscriber keeps its own books and uses nothing of the forwarding code but
the parsers and the receiving side of a stream.
"""

from dataclasses import dataclass, field
from random import Random
from struct import Struct

from media.core import rtcp
from media.core.receive import UpStream
from media.core.rtp import RtpHeader, write_packet
from media.core.vp8 import Vp8Descriptor
from tests.support.packets import vp8_payload

VP8_TYPE, RTX_TYPE = 96, 97
MID_ID, RID_ID, REPAIRED_ID = 1, 2, 3
FRAME_INTERVAL_S = 1 / 30
BODY = Struct("!BIHH")
"""Layer, picture counter, packet index, packets of the picture."""


TEMPORAL_IDS = {1: (0,), 2: (0, 1), 3: (0, 2, 1, 2)}
"""Of one picture after the other, by number of temporal layers, as libwebrtc sends them."""
TEMPORAL_WEIGHTS = {1: (1.0,), 2: (1.2, 0.8), 3: (1.6, 0.8, 0.8)}
"""Size of a picture by its temporal id: two fifths of the bits are for the lowest of three."""


@dataclass
class Encoding:
    """One simulcast layer of the publisher."""

    rid: str
    index: int
    packets_per_frame: int
    ssrc: int
    seq: int
    timestamp_base: int
    picture_id: int
    tl0: int = 0
    key_index: int = 0
    is_active: bool = True
    wants_keyframe: bool = True
    frames: int = 0
    since_keyframe: int = 0
    sent: int = 0
    rtx_seq: int = 50
    body_bytes: int = 80
    keyframe_size: int = 3
    """Times that of other frames."""
    temporal_layers: int = 1
    history: dict[int, bytes] = field(default_factory=dict)

    @property
    def rtx_ssrc(self) -> int:
        return self.ssrc + 1000


class Publisher:
    """Sends VP8 in up to three layers; answers NACKs by RTX and PLIs by keyframes."""

    def __init__(
        self,
        encodings: list[Encoding],
        *,
        clock_offset_s: float = 3.9e9,
        swing: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.encodings = encodings
        self._swing = swing  # share by which frames are larger or smaller than the average
        self._random = Random(seed)
        self.keyframes = 0
        self.plis = 0
        self._clock_offset_s = clock_offset_s
        self._next_frame_s = 0.0
        self._next_report_s = 0.0

    def poll(self, now_s: float) -> tuple[list[bytes], list[bytes]]:
        """RTP and RTCP to send now."""
        media: list[bytes] = []
        reports: list[bytes] = []
        if now_s >= self._next_frame_s:
            self._next_frame_s += FRAME_INTERVAL_S
            for encoding in self.encodings:
                if encoding.is_active:
                    media += self._frame(encoding, now_s)
        if now_s >= self._next_report_s:
            self._next_report_s = now_s + 1
            for encoding in self.encodings:
                ntp = int((now_s + self._clock_offset_s) * 2**32)
                stamp = self._timestamp(encoding, now_s)
                report = rtcp.SenderReport(encoding.ssrc, ntp, stamp, encoding.sent, 0)
                reports.append(rtcp.write([report]))
        return media, reports

    def _timestamp(self, encoding: Encoding, now_s: float) -> int:
        return encoding.timestamp_base + round(now_s * 90000) & 0xFFFFFFFF

    def _frame(self, encoding: Encoding, now_s: float) -> list[bytes]:
        keyframe, encoding.wants_keyframe = encoding.wants_keyframe, False
        if keyframe:
            self.keyframes += 1
            encoding.key_index += 1
            encoding.since_keyframe = 0
        pattern = TEMPORAL_IDS[encoding.temporal_layers]
        temporal_id = pattern[encoding.since_keyframe % len(pattern)]
        # The first picture of its temporal layer in every other round leans on the lowest only.
        is_sync = temporal_id > 0 and encoding.since_keyframe % (2 * len(pattern)) in (1, 2)
        encoding.since_keyframe += 1
        encoding.tl0 += temporal_id == 0
        encoding.picture_id = encoding.picture_id + 1 & 0x7FFF
        count = encoding.packets_per_frame * (encoding.keyframe_size if keyframe else 1)
        weight = TEMPORAL_WEIGHTS[encoding.temporal_layers][temporal_id]
        swing = self._random.uniform(1 - self._swing, 1 + self._swing)
        size = round(encoding.body_bytes * weight * swing)
        packets = []
        for index in range(count):
            payload = vp8_payload(
                picture_id=encoding.picture_id,
                tl0=encoding.tl0,
                key_index=encoding.key_index,
                keyframe=keyframe,
                start=index == 0,
                temporal_id=temporal_id,
                is_sync=is_sync,
                body=BODY.pack(encoding.index, encoding.frames, index, count) + bytes(size),
            )
            extensions = {}
            if encoding.sent < 30:
                extensions = {MID_ID: b"1", RID_ID: encoding.rid.encode()}
            data = write_packet(
                payload_type=VP8_TYPE,
                seq=encoding.seq,
                timestamp=self._timestamp(encoding, now_s),
                ssrc=encoding.ssrc,
                marker=index == count - 1,
                payload=payload,
                extensions=extensions,
            )
            encoding.history[encoding.seq] = data
            encoding.seq = encoding.seq + 1 & 0xFFFF
            encoding.history.pop(encoding.seq - 600 & 0xFFFF, None)
            encoding.sent += 1
            packets.append(data)
        encoding.frames += 1
        return packets

    def handle_rtcp(self, data: bytes) -> list[bytes]:
        """Retransmissions to send."""
        resent = []
        own = {encoding.ssrc for encoding in self.encodings}
        for packet in rtcp.parse(data):
            if getattr(packet, "media_ssrc", None) not in own:
                continue
            if isinstance(packet, rtcp.PictureLossIndication):
                self.plis += 1
                self._encoding(packet.media_ssrc).wants_keyframe = True
            elif isinstance(packet, rtcp.Nack):
                encoding = self._encoding(packet.media_ssrc)
                originals = [encoding.history.get(seq) for seq in packet.seqs]
                resent += [self._retransmission(encoding, one) for one in originals if one]
        return resent

    def _encoding(self, ssrc: int) -> Encoding:
        return next(encoding for encoding in self.encodings if encoding.ssrc == ssrc)

    def _retransmission(self, encoding: Encoding, original: bytes) -> bytes:
        header = RtpHeader.parse(original)
        encoding.rtx_seq = encoding.rtx_seq + 1 & 0xFFFF
        return write_packet(
            payload_type=RTX_TYPE,
            seq=encoding.rtx_seq,
            timestamp=header.timestamp,
            ssrc=encoding.rtx_ssrc,
            marker=header.marker,
            payload=header.seq.to_bytes(2, "big") + original[header.payload_start :],
            extensions={MID_ID: b"1", REPAIRED_ID: encoding.rid.encode()},
        )


@dataclass
class Received:
    """One media packet as the subscriber got it."""

    ext_seq: int
    timestamp: int
    marker: bool
    descriptor: Vp8Descriptor
    layer: int
    frame: int
    index: int
    count: int


class Subscriber:
    """Receives one stream; asks for lost packets; keeps everything for the test to judge."""

    def __init__(self, *, ssrc: int, rtx_ssrc: int | None) -> None:
        self.ssrc = ssrc
        self.rtx_ssrc = rtx_ssrc
        self.stream = UpStream(ssrc, 90000, wants_nack=True)
        self.packets: dict[int, Received] = {}
        self.duplicates = 0
        self.reports: list[rtcp.SenderReport] = []
        self.first_s: float | None = None
        self._next_report_s = 0.0

    def handle_rtp(self, data: bytes, now_s: float) -> None:
        header = RtpHeader.parse(data)
        payload = data[header.payload_start : header.payload_end]
        seq = header.seq
        recovered = header.ssrc == self.rtx_ssrc
        if recovered:
            seq, payload = int.from_bytes(payload[:2], "big"), payload[2:]
        else:
            assert header.ssrc == self.ssrc
        ext_seq = self.stream.receive(seq, header.timestamp, len(data), now_s, recovered=recovered)
        if ext_seq is None:
            self.duplicates += 1
            return
        self.first_s = now_s if self.first_s is None else self.first_s
        descriptor = Vp8Descriptor.parse(payload)
        body_at = descriptor.size + 1
        self.packets[ext_seq] = Received(
            ext_seq,
            header.timestamp,
            header.marker,
            descriptor,
            *BODY.unpack_from(payload, body_at),
        )

    def handle_rtcp(self, data: bytes) -> None:
        self.reports += [one for one in rtcp.parse(data) if isinstance(one, rtcp.SenderReport)]

    def poll(self, now_s: float) -> list[bytes]:
        out: list[rtcp.RtcpPacket] = []
        if now_s >= self._next_report_s:
            self._next_report_s = now_s + 1
            block = self.stream.report(now_s)
            out.append(rtcp.ReceiverReport(9, (block,) if block is not None else ()))
        assert self.stream.nacks is not None
        missing = self.stream.nacks.due(now_s)
        if missing:
            out.append(rtcp.Nack(9, self.ssrc, tuple(ext_seq & 0xFFFF for ext_seq in missing)))
        return [rtcp.write(out)] if out else []

    def in_order(self) -> list[Received]:
        return [self.packets[ext_seq] for ext_seq in sorted(self.packets)]
