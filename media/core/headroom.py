"""How much room to spare a step up must have on one line, by what came of earlier steps.

A line that turned out too narrow soon after a step up is asked for more room before the next one,
and for twice as long each time it happens again, so that a picture whose layers lie around what the
line carries does not swing. A line that carries clearly more is another line, and forgiven.

Pure; ``downlink`` reports what happened.
"""

from typing import Final

from media.core.allocation import LEAST_HEADROOM

REGRET_S: Final = 6.0
"""A decrease so soon after a step up was its fault."""
STEP: Final = 0.15
MAX_HEADROOM: Final = 1.6
FORGIVE_S: Final = 20.0
"""After which a regret counts no more; twice as long each time, up to `MAX_FORGIVE_S`."""
MAX_FORGIVE_S: Final = 160.0
RECOVERED: Final = 1.3
"""Times the estimate at the last regret."""
KEYFRAME_GRACE_S: Final = 0.8
"""A larger picture begins with a keyframe, whose queue is as transient as that of a probe."""


class Headroom:
    """Of one line; ``share`` times what a step costs must be there."""

    __slots__ = ("_forgive_s", "_raised_s", "_regretted_bps", "_regretted_s", "share")

    def __init__(self) -> None:
        self.share = LEAST_HEADROOM
        self._raised_s = float("-inf")
        self._regretted_s = float("-inf")
        self._regretted_bps = 0.0
        self._forgive_s = FORGIVE_S

    def has_just_raised(self, now_s: float) -> bool:
        """Whether the keyframe of a larger picture may be on its way."""
        return now_s - self._raised_s < KEYFRAME_GRACE_S

    def note_raise(self, now_s: float) -> None:
        """Somebody gets more than before."""
        self._raised_s = now_s

    def note_decrease(self, estimate_bps: float, now_s: float) -> None:
        """The line carries less than was thought: ``estimate_bps``."""
        if now_s - self._raised_s >= REGRET_S:
            return
        if self.share == LEAST_HEADROOM and self._regretted_bps:
            self._forgive_s = min(MAX_FORGIVE_S, 2 * self._forgive_s)
        self.share = min(MAX_HEADROOM, self.share + STEP)
        self._regretted_s = now_s
        self._regretted_bps = estimate_bps

    def review(self, estimate_bps: float, now_s: float) -> None:
        """Ask for no more than usual when the regret is old or the line better."""
        if self._regretted_bps and estimate_bps > RECOVERED * self._regretted_bps:
            self._regretted_bps, self._forgive_s = 0.0, FORGIVE_S
            self.share = LEAST_HEADROOM
        elif now_s - self._regretted_s > self._forgive_s:
            self.share = LEAST_HEADROOM
