"""A site that watches and listens like a browser, in virtual time and without decoding.

It tells the node when each packet arrived (transport-wide feedback), asks for lost ones, asks for
a keyframe when a picture cannot be completed, and keeps what a person would notice: which sound
came in time, when each picture could be shown, and in which layer.
"""

from collections.abc import Container
from dataclasses import dataclass, field
from itertools import pairwise

from media.core import rtcp
from media.core.receive import UpStream
from media.core.rtp import RtpHeader
from media.core.transport_cc import FeedbackRecorder
from media.core.vp8 import Vp8Descriptor
from tests.support.endpoints import BODY

IN_TIME_S = 0.4
"""One-way delay up to which a conversation is acceptable (ITU-T G.114)."""
GIVE_UP_S = 0.5
"""A picture that is not complete by then is given up for a keyframe."""
KEYFRAME_REQUEST_S = 0.3
OWN_SSRC = 9


@dataclass
class Heard:
    """The sound: every packet says when it was spoken."""

    ssrc: int
    stream: UpStream = field(init=False)
    delays_s: dict[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.stream = UpStream(self.ssrc, 48000, wants_nack=True)

    def share_in_time(self, first: int, end: int) -> float:
        """Share of the packets numbered ``first`` to ``end - 1`` that came in time."""
        good = sum(self.delays_s.get(number, 9.9) <= IN_TIME_S for number in range(first, end))
        return good / max(1, end - first)


@dataclass
class Seen:
    """The picture: packets become frames, frames are shown in order."""

    ssrc: int
    rtx_ssrc: int
    stream: UpStream = field(init=False)
    shown: list[tuple[float, int]] = field(default_factory=list)
    """When a frame was shown, and its layer."""
    wants_keyframe: bool = False
    _packets: dict[int, tuple[int, int, int, int, bool]] = field(default_factory=dict)
    _next: int | None = None  # ext_seq the next frame begins at
    _stuck_s: float | None = None
    _asked_s: float = -1.0

    def __post_init__(self) -> None:
        self.stream = UpStream(self.ssrc, 90000, wants_nack=True)

    def take(self, header: RtpHeader, data: bytes, now_s: float) -> None:
        payload = data[header.payload_start : header.payload_end]
        seq, recovered = header.seq, header.ssrc == self.rtx_ssrc
        if recovered:
            if len(payload) < 3:
                return  # padding: a probe
            seq, payload = int.from_bytes(payload[:2], "big"), payload[2:]
        ext_seq = self.stream.receive(seq, header.timestamp, len(data), now_s, recovered=recovered)
        if ext_seq is None:
            return
        vp8 = Vp8Descriptor.parse(payload)
        body = BODY.unpack_from(payload, vp8.size + 1)
        self._packets[ext_seq] = (*body, vp8.starts_keyframe)
        self._show(now_s)

    def poll(self, now_s: float) -> bool:
        """Whether to ask for a keyframe now."""
        self._show(now_s)
        if self._stuck_s is not None and now_s - self._stuck_s > GIVE_UP_S:
            self.wants_keyframe = True
        if self.wants_keyframe:
            self._skip_to_keyframe(now_s)
        if self.wants_keyframe and now_s - self._asked_s > KEYFRAME_REQUEST_S:
            self._asked_s = now_s
            return True
        return False

    def _show(self, now_s: float) -> None:
        if self._next is None:
            self._skip_to_keyframe(now_s)
        while self._next is not None:
            first = self._packets.get(self._next)
            if first is None or first[2] != 0:
                break
            count = first[3]
            if any(self._next + index not in self._packets for index in range(count)):
                break
            for index in range(count):
                del self._packets[self._next + index]
            self._next += count
            self.shown.append((now_s, first[0]))
            self._stuck_s = None
        is_behind = bool(self._packets) and self._next is not None
        if is_behind and self._stuck_s is None:
            self._stuck_s = now_s
        elif not is_behind:
            self._stuck_s = None

    def _skip_to_keyframe(self, now_s: float) -> None:
        floor = -1 if self._next is None else self._next
        keyframes = [
            number
            for number, packet in self._packets.items()
            if packet[4] and packet[2] == 0 and number > floor
        ]
        if not keyframes:
            return
        self._next = max(keyframes) if self.wants_keyframe else min(keyframes)
        self.wants_keyframe = False
        self._stuck_s = None
        self._packets = {k: v for k, v in self._packets.items() if k >= self._next}
        self._show(now_s)

    def longest_freeze_s(self, begin_s: float, end_s: float) -> float:
        """Longest time between two frames shown, the edges of the interval included."""
        times = [begin_s, *(at for at, _ in self.shown if begin_s <= at <= end_s), end_s]
        return max(b - a for a, b in pairwise(times))


class Viewer:
    """Everything behind one line."""

    def __init__(self, heard: Heard, seen: Seen, *, feedback_s: float = 0.1) -> None:
        self.heard, self.seen = heard, seen
        self.ignores: Container[int] = ()
        """SSRCs whose arrival is noted and nothing else."""
        self._recorder = FeedbackRecorder()
        self._feedback_s = feedback_s
        self._next_feedback_s = 0.0
        self._next_report_s = 0.0

    def take(self, number: int, data: bytes, now_s: float) -> None:
        """A packet arrived under a transport-wide number."""
        header = RtpHeader.parse(data)
        self._recorder.record(number, header.ssrc, now_s)
        if header.ssrc == self.heard.ssrc:
            self._hear(header, data, now_s)
        elif header.ssrc not in self.ignores:
            self.seen.take(header, data, now_s)

    def _hear(self, header: RtpHeader, data: bytes, now_s: float) -> None:
        payload = data[header.payload_start : header.payload_end]
        ext_seq = self.heard.stream.receive(header.seq, header.timestamp, len(data), now_s)
        if ext_seq is not None:
            number = int.from_bytes(payload[:4], "big")
            spoken_s = int.from_bytes(payload[4:12], "big") / 1e6
            self.heard.delays_s.setdefault(number, now_s - spoken_s)

    @property
    def due_s(self) -> float:
        """When ``poll`` is next worth calling."""
        return min(self._next_feedback_s, self._next_report_s)

    def poll(self, now_s: float) -> list[bytes]:
        """RTCP to send now."""
        out: list[rtcp.RtcpPacket] = []
        streams = (self.heard.stream, self.seen.stream)
        if now_s >= self._next_report_s:
            self._next_report_s = now_s + 1.0
            blocks = [block for one in streams if (block := one.report(now_s)) is not None]
            out.append(rtcp.ReceiverReport(OWN_SSRC, tuple(blocks)))
        if self.seen.poll(now_s):
            out.append(rtcp.PictureLossIndication(OWN_SSRC, self.seen.ssrc))
        for one in streams:
            missing = one.nacks.due(now_s) if one.nacks is not None else []
            if missing:
                seqs = tuple(ext_seq & 0xFFFF for ext_seq in missing)
                out.append(rtcp.Nack(OWN_SSRC, one.ssrc, seqs))
        if now_s >= self._next_feedback_s:
            self._next_feedback_s = now_s + self._feedback_s
            out += self._recorder.take(OWN_SSRC, now_s)
        return [rtcp.write([packet]) for packet in out]
