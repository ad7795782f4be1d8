"""Who gets what of a line that does not carry everything wanted.

Sound is never part of it: it is taken off the budget before. Pictures are served by rank: a shared
screen, then what the subscriber shows large, then the rest. First each gets its smallest layer in
that order, then each is raised as far as the budget goes. Where a publisher sends temporal layers
there are steps between the layers: half the pictures a second before a smaller picture. A picture
is withheld altogether only when not even the smallest layers of those before it leave room, and
only if the line has shown its limit: a line that is merely not known yet is tried with what there
is.

Pure functions of plain values.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from media.core.simulcast import Quality
from media.core.temporal import MAX_TEMPORAL_ID

Rank = tuple[int, int, int]
"""Kind (a screen before a camera), the subscriber's own order, minus the area shown; least
first."""


class Step(NamedTuple):
    """What can be given of a track; the greater, the better."""

    quality: Quality
    top: int = MAX_TEMPORAL_ID
    """Highest temporal id."""

    @property
    def is_whole(self) -> bool:
        """Whether it has every picture of its layer."""
        return self.top == MAX_TEMPORAL_ID


LEAST_HEADROOM: Final = 1.1
"""A step up must fit with that much to spare; what is given already needs to fit only."""

ENTRY_HEADROOM: Final = 1.25
"""Besides, for a larger picture of a camera at a lower rate, which is meant to keep one."""


@dataclass(slots=True, frozen=True)
class Demand:
    """One picture a subscriber wants, and what each step of its live layers costs."""

    wanted: Quality
    rates_bps: Mapping[Step, float]
    rank: Rank = (1, 0, 0)
    given: Step | None = None
    """What it gets now; None while it is withheld or has not begun."""

    def choices(self) -> list[Step]:
        """Steps of live layers up to the wanted one, ascending; the smallest live one at least.

        What costs as much as something better is left out.
        """
        live = sorted(self.rates_bps)
        wanted = [step for step in live if step.quality <= self.wanted]
        wanted = wanted or [step for step in live if step.quality == live[0].quality]
        useful: list[Step] = []
        for step in reversed(wanted):
            if step.is_whole or not useful or self.rates_bps[step] < self.rates_bps[useful[-1]]:
                useful.append(step)
        return useful[::-1]

    def needs_bps(self, step: Step, headroom: float) -> float:
        """Budget that must be left to give that step."""
        rate_bps = self.rates_bps[step]
        if self.given is not None and step <= self.given:
            return rate_bps
        if self.given is not None and step.quality == self.given.quality:
            return rate_bps * (1 + (headroom - 1) / 2)  # more pictures: no keyframe, no freeze
        is_larger = self.given is not None
        is_entry = is_larger and not step.is_whole and self.rank[0] > 0
        return rate_bps * headroom * (ENTRY_HEADROOM if is_entry else 1.0)


def allocate(
    budget_bps: float,
    demands: Sequence[Demand],
    *,
    headroom: float = LEAST_HEADROOM,
    may_withhold: bool = False,
) -> list[Step | None]:
    """A step for each demand; None if nothing of it is live, or if it is withheld."""
    order = sorted(range(len(demands)), key=lambda index: demands[index].rank)
    chosen: list[Step | None] = [None] * len(demands)
    left_bps = budget_bps
    for index in order:
        demand = demands[index]
        if not demand.rates_bps:
            continue
        smallest = demand.choices()[0]
        if not may_withhold or demand.needs_bps(smallest, headroom) <= left_bps:
            chosen[index] = smallest
            left_bps -= demand.rates_bps[smallest]
    for index in order:
        demand, step = demands[index], chosen[index]
        if step is None:
            continue
        for better in demand.choices()[1:]:
            spare_bps = left_bps + demand.rates_bps[step]
            if demand.needs_bps(better, headroom) > spare_bps:
                break
            left_bps = spare_bps - demand.rates_bps[better]
            step = chosen[index] = better
    return chosen


def total_bps(demands: Sequence[Demand], chosen: Sequence[Step | None]) -> float:
    """What the chosen steps take; a layer whose publisher has just stopped it takes nothing."""
    return sum(
        demand.rates_bps.get(step, 0.0)
        for demand, step in zip(demands, chosen, strict=True)
        if step is not None
    )


def next_step_bps(demands: Sequence[Demand], chosen: Sequence[Step | None]) -> float | None:
    """Total rate with the cheapest further whole step; None if everybody has what is wanted."""
    extras_bps = []
    for demand, step in zip(demands, chosen, strict=True):
        better = [one for one in demand.choices() if step is None or one > step]
        better = [one for one in better if one.is_whole] or better
        if better:
            now_bps = demand.rates_bps.get(step, 0.0) if step is not None else 0.0
            extras_bps.append(max(0.0, demand.rates_bps[better[0]] - now_bps))
    return total_bps(demands, chosen) + min(extras_bps) if extras_bps else None
