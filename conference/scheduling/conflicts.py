"""Who or what is wanted in two meetings at once, and when the next free time is.

A meeting needs people (chair, secretary), a room, sites, the technicians who serve them, and a
share of what the media engine carries. Two meetings clash over each of them if they overlap;
times are half-open, so one may begin when another ends. Pure: takes bookings, reads no database.
"""

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Final

from conference.scheduling.local_time import from_local, local_day
from conference.scheduling.planning import Office

GRID: Final = timedelta(minutes=15)
"""Meetings begin at quarters of an hour when a free time is proposed."""
HORIZON_DAYS: Final = 30
"""How far ahead a free time is looked for."""
LUNCH: Final = (time(11, 30), time(13))
"""The break between the two sessions of a day; only longer meetings run through it."""

Interval = tuple[datetime, datetime]


class ResourceKind(enum.Enum):
    """What can be in one place at a time."""

    PERSON = "person"
    ROOM = "room"
    SITE = "site"
    TECHNICIAN = "technician"


@dataclass(frozen=True, slots=True)
class Resource:
    """Somebody or something a meeting needs; equal if kind and key are."""

    kind: ResourceKind
    key: str

    def __lt__(self, other: "Resource") -> bool:
        """Order by kind as listed above, then key."""
        order = list(ResourceKind)
        return (order.index(self.kind), self.key) < (order.index(other.kind), other.key)


@dataclass(frozen=True, slots=True)
class Booking:
    """One meeting with what it needs."""

    meeting_id: int
    title: str
    starts_at: datetime
    ends_at: datetime
    resources: frozenset[Resource]
    sites_count: int


@dataclass(frozen=True, slots=True)
class Clash:
    """Resources of one kind that another meeting needs at the same time."""

    kind: ResourceKind
    keys: tuple[str, ...]
    other: Booking


def overlaps(first: Interval, second: Interval) -> bool:
    """Whether two half-open intervals share an instant."""
    return first[0] < second[1] and second[0] < first[1]


def clashes(wanted: Booking, others: Iterable[Booking]) -> list[Clash]:
    """What of ``wanted`` is taken, by other meeting and kind, earliest meeting first."""
    span = (wanted.starts_at, wanted.ends_at)
    found = []
    for other in sorted(others, key=lambda one: (one.starts_at, one.meeting_id)):
        if other.meeting_id == wanted.meeting_id:
            continue
        if not overlaps(span, (other.starts_at, other.ends_at)):
            continue
        shared = sorted(wanted.resources & other.resources)
        for kind in ResourceKind:
            keys = tuple(one.key for one in shared if one.kind is kind)
            if keys:
                found.append(Clash(kind, keys, other))
    return found


def load_intervals(others: Iterable[Booking]) -> list[tuple[datetime, datetime, int]]:
    """Sites connected at once, as intervals of constant load above zero, in order."""
    steps: dict[datetime, int] = {}
    for other in others:
        steps[other.starts_at] = steps.get(other.starts_at, 0) + other.sites_count
        steps[other.ends_at] = steps.get(other.ends_at, 0) - other.sites_count
    moments = sorted(steps)
    found, load = [], 0
    for moment, following in pairwise(moments):
        load += steps[moment]
        if load:
            found.append((moment, following, load))
    return found


def peak_load(wanted: Booking, others: Iterable[Booking]) -> int:
    """Most sites at once during ``wanted``, its own included."""
    span = (wanted.starts_at, wanted.ends_at)
    rest = [other for other in others if other.meeting_id != wanted.meeting_id]
    loads = [n for first, last, n in load_intervals(rest) if overlaps(span, (first, last))]
    return wanted.sites_count + max(loads, default=0)


def busy_intervals(wanted: Booking, others: Sequence[Booking], capacity: int) -> list[Interval]:
    """When ``wanted`` cannot be held because of ``others``, in order of beginning."""
    rest = [other for other in others if other.meeting_id != wanted.meeting_id]
    found = [
        (other.starts_at, other.ends_at) for other in rest if other.resources & wanted.resources
    ]
    found += [
        (first, last)
        for first, last, load in load_intervals(rest)
        if load + wanted.sites_count > capacity
    ]
    return sorted(found)


def next_free(
    length: timedelta, not_before: datetime, busy: Sequence[Interval], office: Office
) -> datetime | None:
    """Earliest start in office hours at which ``length`` fits between ``busy``; None = none."""
    first_day = local_day(not_before)
    for offset in range(HORIZON_DAYS + 1):
        day = first_day + timedelta(days=offset)
        for opens, closes in office_windows(day, length, office):
            found = _fit(length, max(opens, not_before), closes, busy)
            if found is not None:
                return found
    return None


def office_windows(day: date, length: timedelta, office: Office) -> list[Interval]:
    """Where a meeting of ``length`` may lie on ``day``: in a session, or over lunch if longer."""
    if not office.calendar.is_working(day):
        return []
    opens = from_local(day, time(office.thresholds.opens_hour))
    closing = office.thresholds.closes_hour
    closes = from_local(day + timedelta(days=closing // 24), time(closing % 24))
    morning = (opens, from_local(day, LUNCH[0]))
    afternoon = (from_local(day, LUNCH[1]), closes)
    sessions = [one for one in (morning, afternoon) if one[1] - one[0] >= length]
    if sessions:
        return sessions
    return [(opens, max(closes, opens + length))]


def _fit(
    length: timedelta, start: datetime, closes: datetime, busy: Sequence[Interval]
) -> datetime | None:
    start = _on_grid(start)
    while start + length <= closes:
        taken = [last for first, last in busy if overlaps((start, start + length), (first, last))]
        if not taken:
            return start
        start = _on_grid(max(taken))
    return None


def _on_grid(moment: datetime) -> datetime:
    """``moment``, or the next quarter of an hour."""
    seconds = moment.timestamp()
    step = GRID.total_seconds()
    late = -seconds % step
    return moment + timedelta(seconds=late)
