"""What one subscription sent, what its receiver says of it, and how often a packet is sent again.

Sender reports carry the publisher's clock in the subscription's timestamps; the round trip is
measured on those the receiver names in its own reports (RFC 3550 §6.4.1).
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

from media.core.receive import SenderClock
from media.core.rtcp import ReportBlock, SenderReport

REMEMBERED_REPORTS: Final = 8
MAX_RESENDS: Final = 6
"""Of one packet."""
_MAX_REMEMBERED: Final = 2048
_KEPT: Final = 1024


@dataclass(slots=True)
class DownStats:
    """What a subscription sent and what its receiver reported."""

    packets_sent: int = 0
    octets_sent: int = 0
    """Payload octets, as sender reports count them."""
    packets_resent: int = 0
    keyframe_requests: int = 0
    fraction_lost: float = 0.0
    """Share of packets lost in the receiver's last report interval, 0 to 1."""
    packets_lost: int = 0
    jitter_s: float = 0.0
    rtt_s: float | None = None


class SentReports:
    """The sender reports of one subscription."""

    __slots__ = ("_sent",)

    def __init__(self) -> None:
        self._sent: deque[tuple[int, float]] = deque(maxlen=REMEMBERED_REPORTS)

    def sender_report(
        self, clock: SenderClock, ssrc: int, timestamp_shift: int, stats: DownStats, now_s: float
    ) -> SenderReport:
        """A report of now."""
        elapsed_s = now_s - clock.arrival_s
        ntp = clock.ntp + int(elapsed_s * 2**32) & 0xFFFFFFFFFFFFFFFF
        timestamp = clock.timestamp + round(elapsed_s * clock.clock_rate) + timestamp_shift
        self._sent.append((ntp >> 16 & 0xFFFFFFFF, now_s))
        return SenderReport(
            ssrc,
            ntp,
            timestamp & 0xFFFFFFFF,
            stats.packets_sent & 0xFFFFFFFF,
            stats.octets_sent & 0xFFFFFFFF,
        )

    def handle(self, block: ReportBlock, stats: DownStats, clock_rate: int, now_s: float) -> None:
        """Take what the receiver says into ``stats``."""
        stats.fraction_lost = block.fraction_lost / 256
        stats.packets_lost = block.packets_lost
        stats.jitter_s = block.jitter_rtp / clock_rate
        for middle, sent_s in self._sent:
            if middle == block.last_sr and block.last_sr:
                stats.rtt_s = max(0.0, now_s - sent_s - block.delay_since_last_sr / 65536)


class Resends:
    """How often each packet was sent again."""

    __slots__ = ("_times",)

    def __init__(self) -> None:
        self._times: dict[int, tuple[int, float]] = {}  # number: how often, when last

    def may_resend(self, number: int, newest: int, now_s: float, wait_s: float) -> bool:
        """Whether to send a packet again now, which is then noted."""
        times, last_s = self._times.get(number, (0, float("-inf")))
        if times == MAX_RESENDS or now_s - last_s < wait_s:
            return False
        if len(self._times) >= _MAX_REMEMBERED:
            keep_from = newest - _KEPT
            self._times = {key: value for key, value in self._times.items() if key >= keep_from}
        self._times[number] = (times + 1, now_s)
        return True
