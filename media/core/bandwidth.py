"""The budget of a subscriber that sends no transport-wide feedback: judged by its reports.

The line is judged by the loss that receiver reports tell (RFC 3550 §6.4). Heavy loss in two
reports running shrinks the budget to what still came through; when the line has been clean for a
while and somebody still gets less than wanted, one step up is tried, and tried less often each
time it fails. Delay is not seen: a line with a deep buffer is noticed only when that overflows.
``estimate`` judges the lines of all other subscribers.
"""

from math import inf
from typing import Final

HEAVY_LOSS: Final = 0.10
CLEAN_LOSS: Final = 0.02
MARGIN: Final = 0.9
"""Share of what came through that is spent on media; the rest is for repairs."""
FIRST_WAIT_S: Final = 5.0
"""Clean time before a step up is tried."""
MAX_WAIT_S: Final = 24.0
TRIAL_S: Final = 4.0
"""A step up that brings no heavy loss for so long has succeeded."""


class DownlinkBudget:
    """The video budget of one subscriber; infinite until loss says otherwise."""

    __slots__ = ("_clean_since_s", "_heavy_reports", "_trial_s", "_wait_s", "budget_bps")

    def __init__(self) -> None:
        self.budget_bps = inf
        self._heavy_reports = 0
        self._clean_since_s = inf
        self._wait_s = FIRST_WAIT_S
        self._trial_s: float | None = None  # when the step on trial was taken

    def update(self, loss: float, sent_bps: float, next_step: float | None, now_s: float) -> float:
        """Take a report: share lost and video sent since the previous one. The new budget.

        ``next_step`` is the total rate one step up would need, None when nothing is withheld.
        """
        if loss > HEAVY_LOSS:
            self._note_heavy(loss, sent_bps)
        else:
            self._heavy_reports = 0
            self._note_light(loss, next_step, now_s)
        return self.budget_bps

    def _note_heavy(self, loss: float, sent_bps: float) -> None:
        self._heavy_reports += 1
        self._clean_since_s = inf
        if self._heavy_reports < 2:
            return
        self.budget_bps = min(self.budget_bps, sent_bps * (1 - loss) * MARGIN)
        if self._trial_s is not None:
            self._trial_s = None
            self._wait_s = min(2 * self._wait_s, MAX_WAIT_S)

    def _note_light(self, loss: float, next_step: float | None, now_s: float) -> None:
        if self._trial_s is not None and now_s - self._trial_s >= TRIAL_S:
            self._trial_s = None
            self._wait_s = FIRST_WAIT_S
        if loss > CLEAN_LOSS:
            self._clean_since_s = inf
            return
        self._clean_since_s = min(self._clean_since_s, now_s)
        if self._trial_s is not None or now_s - self._clean_since_s < self._wait_s:
            return
        if next_step is None:
            self.budget_bps = inf
            return
        self.budget_bps = max(self.budget_bps, next_step)
        self._trial_s = self._clean_since_s = now_s
