"""From the meetings of a period to its figures.

What is counted: a meeting once, when it was held to its end, in the period of its first day in
Vietnam. Meetings that were cancelled or postponed do not count; a relay of a central meeting is
part of that meeting. Sites are counted apart from delegates: a site is one connection with a hall
behind it, delegates are the people it reported. What was not reported is missing, not zero.

Shares are of those cases to which a rule applies: central meetings come with little notice, so no
deadline of ours is measured against them. Pure.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from conference.directory.models import UnitLevel
from conference.scheduling.models import Scope


@dataclass(frozen=True, slots=True)
class SitesOfLevel:
    """The sites of one level in one meeting, or added up."""

    invited: int = 0
    came: int = 0
    delegates: int = 0
    """People at sites that came and reported a number."""
    without_count: int = 0
    """Sites that came and reported none."""

    def __add__(self, other: "SitesOfLevel") -> "SitesOfLevel":
        return SitesOfLevel(
            self.invited + other.invited,
            self.came + other.came,
            self.delegates + other.delegates,
            self.without_count + other.without_count,
        )


@dataclass(frozen=True, slots=True)
class InTime:
    """How many of those a deadline applies to were in time."""

    kept: int = 0
    of: int = 0

    @property
    def share(self) -> float | None:
        """0…1; None when the deadline applied to nothing."""
        return self.kept / self.of if self.of else None

    def __add__(self, other: "InTime") -> "InTime":
        return InTime(self.kept + other.kept, self.of + other.of)


@dataclass(frozen=True, slots=True)
class HeldMeeting:
    """What one held meeting adds to the figures."""

    id: int
    title: str
    scope: Scope
    kind: str
    """The office's word for the kind of meeting; empty where none was given."""
    day: date
    length_minutes: int
    chair: str
    host: str
    """Unit of the chair, or the centre's body that hosts."""
    sites: Mapping[UnitLevel, SitesOfLevel] = field(default_factory=dict)
    invitation: InTime = InTime()
    papers: InTime = InTime()
    notice: InTime = InTime()
    incidents: int = 0
    """Connections that broke while the meeting lasted."""

    @property
    def all_sites(self) -> SitesOfLevel:
        """Sites of every level together."""
        return sum(self.sites.values(), SitesOfLevel())


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a period."""

    meetings: int
    central: int
    intra: int
    minutes: int
    sites: SitesOfLevel
    meetings_without_delegates: int
    """Meetings in which no site that came reported its people."""
    invitations: InTime
    papers: InTime
    notices: InTime
    incidents: int
    by_month: Mapping[tuple[int, int], Counter[Scope]]
    """Meetings of each month of the period, months without meetings included."""
    by_kind: Sequence[tuple[str, int]]
    by_host: Sequence[tuple[str, int]]
    by_level: Mapping[UnitLevel, SitesOfLevel]

    @property
    def hours(self) -> float:
        """Length of all meetings together."""
        return self.minutes / 60


def summarise(held: Iterable[HeldMeeting], first: date, last: date) -> Figures:
    """The figures of the meetings ``held`` from ``first`` to ``last``."""
    meetings = [one for one in held if first <= one.day <= last]
    scopes = Counter(one.scope for one in meetings)
    rows: defaultdict[UnitLevel, list[SitesOfLevel]] = defaultdict(list)
    months: dict[tuple[int, int], Counter[Scope]] = {key: Counter() for key in _months(first, last)}
    for one in meetings:
        months[one.day.year, one.day.month][one.scope] += 1
        for level, sites in one.sites.items():
            rows[level].append(sites)
    levels = {level: _added(rows[level]) for level in UnitLevel if level in rows}
    return Figures(
        meetings=len(meetings),
        central=scopes[Scope.CENTRAL],
        intra=scopes[Scope.INTRA],
        minutes=sum(one.length_minutes for one in meetings),
        sites=_added(levels.values()),
        meetings_without_delegates=sum(
            not any(sites.delegates for sites in one.sites.values()) for one in meetings
        ),
        invitations=sum((one.invitation for one in meetings), InTime()),
        papers=sum((one.papers for one in meetings), InTime()),
        notices=sum((one.notice for one in meetings), InTime()),
        incidents=sum(one.incidents for one in meetings),
        by_month=months,
        by_kind=_ranked(one.kind for one in meetings),
        by_host=_ranked(one.host for one in meetings),
        by_level=levels,
    )


def change(now: float | None, before: float | None) -> float | None:
    """Growth as a share of ``before``; None when there is nothing to compare with."""
    if now is None or not before:
        return None
    return (now - before) / before


def _added(rows: Collection[SitesOfLevel]) -> SitesOfLevel:
    return SitesOfLevel(
        sum(one.invited for one in rows),
        sum(one.came for one in rows),
        sum(one.delegates for one in rows),
        sum(one.without_count for one in rows),
    )


def _months(first: date, last: date) -> Iterable[tuple[int, int]]:
    begin, end = first.year * 12 + first.month - 1, last.year * 12 + last.month - 1
    return ((number // 12, number % 12 + 1) for number in range(begin, end + 1))


def _ranked(names: Iterable[str]) -> list[tuple[str, int]]:
    counted = Counter(names)
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))
