"""How much of what a subscriber wants its line can carry.

The line is judged by the loss that receiver reports tell (RFC 3550 §6.4). Heavy loss in two
reports running shrinks the budget to what still came through; when the line has been clean for a
while and somebody still gets less than wanted, one step up is tried, and tried less often each
time it fails. Audio is never touched and no picture is taken away altogether: each keeps its
smallest layer.

Not covered: delay. A line with a very deep buffer is noticed only when that buffer overflows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

from media.core.simulcast import Quality

HEAVY_LOSS: Final = 0.10
CLEAN_LOSS: Final = 0.02
MARGIN: Final = 0.9
"""Share of what came through that is spent on media; the rest is for repairs."""
FIRST_WAIT_S: Final = 5.0
"""Clean time before a step up is tried."""
MAX_WAIT_S: Final = 24.0
TRIAL_S: Final = 4.0
"""A step up that brings no heavy loss for so long has succeeded."""


@dataclass(slots=True, frozen=True)
class Demand:
    """One picture a subscriber wants, and what each of its live layers costs."""

    wanted: Quality
    rates_bps: Mapping[Quality, float]

    def choices(self) -> list[Quality]:
        """Live layers up to the wanted one, ascending; the smallest live one at least."""
        live = sorted(self.rates_bps)
        return [quality for quality in live if quality <= self.wanted] or live[:1]


def allocate(budget_bps: float, demands: Sequence[Demand]) -> list[Quality | None]:
    """A quality for each demand, within the budget as far as that goes; None if nothing is live.

    Everybody gets the smallest layer first; then all are raised step by step, in the order given.
    """
    steps = [demand.choices() for demand in demands]
    chosen = [0 if step else -1 for step in steps]
    left_bps = budget_bps - sum(
        demand.rates_bps[step[0]] for demand, step in zip(demands, steps, strict=True) if step
    )
    for level in range(1, len(Quality)):
        for index, (demand, step) in enumerate(zip(demands, steps, strict=True)):
            if chosen[index] != level - 1 or len(step) <= level:
                continue
            extra_bps = demand.rates_bps[step[level]] - demand.rates_bps[step[level - 1]]
            if extra_bps <= left_bps:
                left_bps -= extra_bps
                chosen[index] = level
    return [step[at] if step else None for step, at in zip(steps, chosen, strict=True)]


def next_step_bps(demands: Sequence[Demand], given: Sequence[Quality | None]) -> float | None:
    """Total rate with the cheapest further step; None if everybody has what is wanted."""
    total_bps, extras_bps = 0.0, []
    for demand, quality in zip(demands, given, strict=True):
        if quality is None or quality not in demand.rates_bps:
            continue  # paused, or a layer whose publisher has just stopped it
        total_bps += demand.rates_bps[quality]
        better = [choice for choice in demand.choices() if choice > quality]
        if better:
            extras_bps.append(demand.rates_bps[better[0]] - demand.rates_bps[quality])
    return total_bps + min(extras_bps) if extras_bps else None


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
