"""Who gets what of a line that does not carry everything wanted.

Sound is never part of it: it is taken off the budget before. Pictures are served by rank: a shared
screen, then what the subscriber shows large, then the rest. First each gets its smallest layer in
that order, then each is raised as far as the budget goes. A picture is withheld altogether only
when not even the smallest layers of those before it leave room, and only if the line has shown its
limit: a line that is merely not known yet is tried with what there is.

Pure functions of plain values.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from media.core.simulcast import Quality

Rank = tuple[int, int, int]
"""Kind (a screen before a camera), the subscriber's own order, minus the area shown; least
first."""

LEAST_HEADROOM: Final = 1.1
"""A step up must fit with that much to spare; what is given already needs to fit only."""


@dataclass(slots=True, frozen=True)
class Demand:
    """One picture a subscriber wants, and what each of its live layers costs."""

    wanted: Quality
    rates_bps: Mapping[Quality, float]
    rank: Rank = (1, 0, 0)
    given: Quality | None = None
    """What it gets now; None while it is withheld or has not begun."""

    def choices(self) -> list[Quality]:
        """Live layers up to the wanted one, ascending; the smallest live one at least."""
        live = sorted(self.rates_bps)
        return [quality for quality in live if quality <= self.wanted] or live[:1]

    def needs_bps(self, quality: Quality, headroom: float) -> float:
        """Budget that must be left to give that layer."""
        is_more = self.given is None or quality > self.given
        return self.rates_bps[quality] * (headroom if is_more else 1.0)


def allocate(
    budget_bps: float,
    demands: Sequence[Demand],
    *,
    headroom: float = LEAST_HEADROOM,
    may_withhold: bool = False,
) -> list[Quality | None]:
    """A quality for each demand; None if nothing of it is live, or if it is withheld."""
    order = sorted(range(len(demands)), key=lambda index: demands[index].rank)
    chosen: list[Quality | None] = [None] * len(demands)
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
        demand, quality = demands[index], chosen[index]
        if quality is None:
            continue
        for better in demand.choices()[1:]:
            spare_bps = left_bps + demand.rates_bps[quality]
            if demand.needs_bps(better, headroom) > spare_bps:
                break
            left_bps = spare_bps - demand.rates_bps[better]
            quality = chosen[index] = better
    return chosen


def total_bps(demands: Sequence[Demand], chosen: Sequence[Quality | None]) -> float:
    """What the chosen layers take; a layer whose publisher has just stopped it takes nothing."""
    return sum(
        demand.rates_bps.get(quality, 0.0)
        for demand, quality in zip(demands, chosen, strict=True)
        if quality is not None
    )


def next_step_bps(demands: Sequence[Demand], chosen: Sequence[Quality | None]) -> float | None:
    """Total rate with the cheapest further step; None if everybody has what is wanted."""
    extras_bps = []
    for demand, quality in zip(demands, chosen, strict=True):
        better = [q for q in demand.choices() if quality is None or q > quality]
        if better:
            now_bps = demand.rates_bps.get(quality, 0.0) if quality is not None else 0.0
            extras_bps.append(max(0.0, demand.rates_bps[better[0]] - now_bps))
    return total_bps(demands, chosen) + min(extras_bps) if extras_bps else None
