"""Half-open intervals of time in seconds, and the little algebra a timeline needs.

A list of intervals that a function returns is sorted, disjoint and without empty members.
Pure.
"""

from collections.abc import Iterable
from typing import NamedTuple


class Interval(NamedTuple):
    """From ``from_s`` (included) to ``to_s`` (not included)."""

    from_s: float
    to_s: float

    @property
    def length_s(self) -> float:
        """Its length, never negative."""
        return max(0.0, self.to_s - self.from_s)

    def covers(self, at_s: float) -> bool:
        """True if ``at_s`` lies inside."""
        return self.from_s <= at_s < self.to_s


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """What at least one of them covers; touching ones are joined."""
    joined: list[Interval] = []
    for one in sorted(one for one in intervals if one.to_s > one.from_s):
        if joined and one.from_s <= joined[-1].to_s:
            joined[-1] = Interval(joined[-1].from_s, max(joined[-1].to_s, one.to_s))
        else:
            joined.append(Interval(*one))
    return joined


def subtract(intervals: Iterable[Interval], holes: Iterable[Interval]) -> list[Interval]:
    """What ``intervals`` cover and no hole does."""
    left: list[Interval] = []
    cuts = union(holes)
    for whole in union(intervals):
        at = whole.from_s
        for cut in cuts:
            if cut.to_s <= at or cut.from_s >= whole.to_s:
                continue
            if cut.from_s > at:
                left.append(Interval(at, cut.from_s))
            at = max(at, cut.to_s)
        if at < whole.to_s:
            left.append(Interval(at, whole.to_s))
    return left
