"""Short trains of padding that ask a line for more than it is being given.

While a subscriber gets less than it wants, only trying tells whether its line has room. A train
fills the stream up to a target rate for a moment; from the spacing at which it arrives follows
what the line passed. It is short, so that a line without room is late by a tenth of a second at
most, and a line that refused is asked again ever more rarely, up to a bound that still finds a
recovered line within seconds.

Pure; ``downlink`` decides on the target.
"""

from collections.abc import Iterable
from typing import Final

from media.core.estimate import Fate

TRAIN_S: Final = 0.080
MIN_TRAIN_PACKETS: Final = 6
MAX_STEP: Final = 2.5
"""Times the estimate, at most: what does not pass waits in the line's queue."""
ANSWER_S: Final = 2.0
FIRST_WAIT_S: Final = 0.1
"""Between trains of a line that has not shown its limit, or has just passed one."""
WAIT_S: Final = 1.5
MAX_WAIT_S: Final = 5.0
GOOD_SHARE: Final = 0.9
MAX_LOSS: Final = 0.25


class Prober:
    """The trains of one line."""

    __slots__ = ("_began_s", "_fates", "_next_s", "_sent_bytes", "_wait_s", "target_bps")

    def __init__(self) -> None:
        self.target_bps: float | None = None
        """Of the train under way or awaited; None between trains."""
        self._began_s = 0.0
        self._sent_bytes = 0
        self._fates: list[Fate] = []
        self._next_s = float("-inf")
        self._wait_s = FIRST_WAIT_S

    @property
    def next_s(self) -> float:
        """When the next train may begin."""
        return self._next_s

    def note_decrease(self, now_s: float) -> None:
        """The estimate went down: leave the line in peace for a while."""
        self.target_bps = None
        self._wait_s = max(self._wait_s, WAIT_S)
        self._next_s = now_s + self._wait_s

    def begin(self, target_bps: float, now_s: float) -> None:
        """Send a train now."""
        self.target_bps = target_bps
        self._began_s = now_s
        self._sent_bytes = 0
        self._fates.clear()

    def is_sending(self, now_s: float) -> bool:
        """Whether the train is being sent."""
        return self.target_bps is not None and now_s < self._began_s + TRAIN_S

    def missing_bytes(self, media_bytes: int, now_s: float) -> int:
        """Padding to send now, when ``media_bytes`` have been sent since the previous call."""
        if self.target_bps is None or not self.is_sending(now_s):
            return 0
        self._sent_bytes += media_bytes
        elapsed_s = now_s - self._began_s + 0.01
        missing = int(self.target_bps * elapsed_s / 8) - self._sent_bytes
        return max(0, missing)

    def note_padding(self, size_bytes: int) -> None:
        """So much padding was sent."""
        self._sent_bytes += size_bytes

    def handle(self, fates: Iterable[Fate], now_s: float) -> float | None:
        """Take a feedback message; what the line passed, when the train's fate is known."""
        if self.target_bps is None:
            return None
        end_s = self._began_s + TRAIN_S + 0.005
        is_over = now_s > self._began_s + ANSWER_S
        for fate in fates:
            if fate[1] > end_s:
                is_over = True
            elif fate[1] >= self._began_s:
                self._fates.append(fate)
        return self._finish(now_s) if is_over else None

    def _finish(self, now_s: float) -> float | None:
        target_bps, passed_bps = self.target_bps, self._passed_bps()
        assert target_bps is not None, "a train is awaited"
        self.target_bps = None
        if passed_bps is not None and passed_bps >= GOOD_SHARE * target_bps:
            self._wait_s = FIRST_WAIT_S
        else:
            self._wait_s = min(MAX_WAIT_S, max(WAIT_S, 1.5 * self._wait_s))
        self._next_s = now_s + self._wait_s
        return passed_bps

    def _passed_bps(self) -> float | None:
        arrived = sorted((at_s, size) for size, _, at_s in self._fates if at_s is not None)
        if len(arrived) < max(MIN_TRAIN_PACKETS, (1 - MAX_LOSS) * len(self._fates)):
            return None
        sent = sorted((sent_s, size) for size, sent_s, _ in self._fates)
        return min(_rate_bps(arrived), _rate_bps(sent))


def _rate_bps(times: list[tuple[float, int]]) -> float:
    """Rate of packets by their times; the first one only opens the interval."""
    span_s = times[-1][0] - times[0][0]
    size = sum(size for _, size in times[1:])
    return size * 8 / span_s if span_s > 0 else float("inf")
