"""One received RTP stream: order, loss, jitter, clock and rate (RFC 3550 §6.4, appendix A).

``receive`` decides for each packet whether it is new, and notes what the next receiver report,
NACK and bitrate figure need. Packets recovered by retransmission are new to subscribers but do
not count as received, so that the sender still learns the true loss of its line (RFC 4588 §7).
"""

from dataclasses import dataclass
from typing import Final

from media.core.nack import NackGenerator
from media.core.rtcp import ReportBlock, SenderReport
from media.core.sequence import WINDOW_PACKETS, unwrap

MAX_DROPOUT: Final = 3000
"""A longer jump ahead is believed only when the next packet confirms it (RFC 3550 A.1)."""
_WINDOW_MASK: Final = (1 << WINDOW_PACKETS) - 1
_FIRST_CYCLE: Final = 1 << 16  # keeps packets that arrive before the first one non-negative


@dataclass(slots=True, frozen=True)
class SenderClock:
    """Which RTP timestamp a sender gave to which time of its own clock."""

    ntp: int
    """64-bit NTP timestamp of the newest sender report."""
    timestamp: int
    arrival_s: float
    clock_rate: int

    def capture_s(self, timestamp: int) -> float:
        """The sender's NTP time, in seconds, of ``timestamp``."""
        return self.ntp / 2**32 + unwrap(timestamp - self.timestamp, 0, 32) / self.clock_rate

    def timestamp_at(self, capture_s: float) -> int:
        """The RTP timestamp, unwrapped, of a time of the sender's clock."""
        return self.timestamp + round((capture_s - self.ntp / 2**32) * self.clock_rate)


class UpStream:
    """State of one SSRC that arrives."""

    __slots__ = (
        "_bad_seq",
        "_base",
        "_highest",
        "_jitter",
        "_last_transit",
        "_rate_bytes",
        "_rate_s",
        "_reported_expected",
        "_reported_received",
        "_seen",
        "bitrate_bps",
        "clock",
        "clock_rate",
        "duplicates",
        "last_arrival_s",
        "nacks",
        "octets",
        "received",
        "recovered",
        "restarts",
        "ssrc",
    )

    def __init__(self, ssrc: int, clock_rate: int, *, wants_nack: bool) -> None:
        self.ssrc = ssrc
        self.clock_rate = clock_rate
        self.nacks: NackGenerator | None = NackGenerator() if wants_nack else None
        self.clock: SenderClock | None = None
        self.received = 0
        """Packets that arrived by themselves, duplicates apart."""
        self.recovered = 0
        """Packets that came as retransmissions."""
        self.duplicates = 0
        self.octets = 0
        self.restarts = 0
        """How often the sender began a new sequence."""
        self.bitrate_bps = 0.0
        """Over the last report interval."""
        self.last_arrival_s = float("-inf")
        self._highest = -1
        self._base = 0
        self._seen = 0  # bit n: packet highest - n arrived
        self._bad_seq = -1
        self._jitter = 0.0
        self._last_transit: tuple[float, int] | None = None  # arrival, timestamp
        self._reported_expected = 0
        self._reported_received = 0
        self._rate_s = 0.0
        self._rate_bytes = 0

    @property
    def highest(self) -> int:
        """Highest extended sequence number; -1 before the first packet."""
        return self._highest

    @property
    def expected(self) -> int:
        """Packets the sender has sent, by its numbers, since the first one."""
        return self._highest - self._base + 1 if self._highest >= 0 else 0

    @property
    def missing(self) -> int:
        """Packets that came neither by themselves nor as retransmissions."""
        return max(0, self.expected - self.received - self.recovered)

    @property
    def jitter_ms(self) -> float:
        """Interarrival jitter (RFC 3550 §6.4.1)."""
        return self._jitter * 1000 / self.clock_rate

    def lacks(self, seq: int) -> bool:
        """True for a packet that has not come, and that a subscriber can still use."""
        if self._highest < 0:
            return False
        behind = self._highest - unwrap(seq, self._highest, 16)
        if behind < 0:
            return -behind < WINDOW_PACKETS
        return behind < WINDOW_PACKETS and not self._seen >> behind & 1

    def receive(
        self, seq: int, timestamp: int, size_bytes: int, now_s: float, *, recovered: bool = False
    ) -> int | None:
        """Extended sequence number of a packet; None for a duplicate or one too old to use."""
        highest = self._highest
        if seq == highest + 1 & 0xFFFF and highest >= 0:  # the steady path
            ext_seq: int | None = highest + 1
            self._seen = (self._seen << 1 | 1) & _WINDOW_MASK
            self._highest = highest + 1
        else:
            ext_seq = self._place(seq, now_s)
            if ext_seq is None:
                return None
        self.octets += size_bytes
        self.last_arrival_s = now_s
        if recovered:
            self.recovered += 1
        else:
            self.received += 1
            self._note_jitter(timestamp, now_s)
        return ext_seq

    def _place(self, seq: int, now_s: float) -> int | None:
        highest = self._highest
        if highest < 0:
            self._base = self._highest = _FIRST_CYCLE + seq
            self._seen = 1
            self._rate_s = now_s
            return self._highest
        ext_seq = unwrap(seq, highest, 16)
        ahead = ext_seq - highest
        if 0 < ahead < MAX_DROPOUT:
            self._seen = (self._seen << ahead | 1) & _WINDOW_MASK
            self._highest = ext_seq
            if self.nacks is not None:
                self.nacks.add(highest + 1, ext_seq, now_s)
            return ext_seq
        if -WINDOW_PACKETS < ahead <= 0:
            return self._fill(ext_seq, -ahead)
        return self._restart(seq)

    def _fill(self, ext_seq: int, behind: int) -> int | None:
        bit = 1 << behind
        if self._seen & bit:
            self.duplicates += 1
            return None
        self._seen |= bit
        self._base = min(self._base, ext_seq)
        if self.nacks is not None:
            self.nacks.arrived(ext_seq)
        return ext_seq

    def _restart(self, seq: int) -> int | None:
        """Two packets in a row at an unlikely place: the sender began anew (RFC 3550 A.1)."""
        if seq != self._bad_seq:
            self._bad_seq = seq + 1 & 0xFFFF
            return None
        ext_seq = self._highest + (seq - self._highest & 0xFFFF)
        self._base += ext_seq - self._highest - 1  # the jump is not loss
        self._highest = ext_seq
        self._seen = 1
        self._bad_seq = -1
        self._last_transit = None
        self.restarts += 1
        self.clock = None
        if self.nacks is not None:
            self.nacks.clear()
        return ext_seq

    def _note_jitter(self, timestamp: int, now_s: float) -> None:
        if self._last_transit is not None:
            arrival_s, before = self._last_transit
            elapsed_rtp = (now_s - arrival_s) * self.clock_rate
            # unwrap(timestamp - before, 0, 32), without the call
            ticks = (timestamp - before + 0x80000000 & 0xFFFFFFFF) - 0x80000000
            difference = abs(elapsed_rtp - ticks)
            self._jitter += (difference - self._jitter) / 16
        self._last_transit = (now_s, timestamp)

    def handle_sender_report(self, report: SenderReport, now_s: float) -> None:
        """Learn the sender's clock."""
        if report.ntp:  # 0: the sender has no notion of time (RFC 3550 §6.4.1)
            self.clock = SenderClock(report.ntp, report.timestamp, now_s, self.clock_rate)

    def report(self, now_s: float) -> ReportBlock | None:
        """Block for a receiver report, since the previous call; None before the first packet."""
        if self._highest < 0:
            return None
        expected = self._highest - self._base + 1
        lost = max(-0x800000, min(0x7FFFFF, expected - self.received))
        expected_now = expected - self._reported_expected
        lost_now = expected_now - (self.received - self._reported_received)
        self._reported_expected = expected
        self._reported_received = self.received
        fraction = min(255, 256 * lost_now // expected_now) if lost_now > 0 < expected_now else 0
        last_sr, delay = 0, 0
        if self.clock is not None:
            last_sr = self.clock.ntp >> 16 & 0xFFFFFFFF
            delay = min(0xFFFFFFFF, int((now_s - self.clock.arrival_s) * 65536))
        return ReportBlock(
            ssrc=self.ssrc,
            fraction_lost=fraction,
            packets_lost=lost,
            highest_seq=self._highest - _FIRST_CYCLE & 0xFFFFFFFF,
            jitter_rtp=int(self._jitter) & 0xFFFFFFFF,
            last_sr=last_sr,
            delay_since_last_sr=delay,
        )

    def measure_bitrate(self, now_s: float) -> float:
        """Bits per second since the previous call, kept in ``bitrate_bps``."""
        elapsed_s = now_s - self._rate_s
        if elapsed_s > 0:
            self.bitrate_bps = (self.octets - self._rate_bytes) * 8 / elapsed_s
            self._rate_s = now_s
            self._rate_bytes = self.octets
        return self.bitrate_bps
