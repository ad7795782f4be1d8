"""From intervals to the office's words: what the connection log suggests for each site.

The log only suggests; what stands in the attendance sheet is what a person marked. Time before
the meeting began or after it ended does not count as attendance: a site that only tested its line
at 7:10 was absent. Sites and delegates are counted apart.

Pure: plain values in, plain values out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from conference.attendance.intervals import Interval, within
from conference.attendance.models import AttendanceStatus

EARLIEST_OPENING: Final = timedelta(hours=2)
"""A room opened still earlier is not waiting for the planned hour: the meeting was moved ahead."""
CAME: Final = frozenset(
    {
        AttendanceStatus.IN_PERSON,
        AttendanceStatus.PRESENT,
        AttendanceStatus.SUBSTITUTE,
        AttendanceStatus.LATE,
        AttendanceStatus.LEFT_EARLY,
    }
)


@dataclass(frozen=True, slots=True)
class Session:
    """When the meeting counted: from the later of plan and opening to its end."""

    begins_at: datetime
    ended_at: datetime | None
    """None while it lasts."""

    @classmethod
    def of(
        cls, starts_at: datetime, opened_at: datetime | None, ended_at: datetime | None
    ) -> "Session":
        """A meeting that opened late makes nobody late; a room that opened early neither.

        A meeting that was held before its planned hour began when it was opened.
        """
        begins_at = max(starts_at, opened_at) if opened_at else starts_at
        is_over_before = ended_at is not None and ended_at <= begins_at
        if opened_at and (is_over_before or begins_at - opened_at > EARLIEST_OPENING):
            begins_at = opened_at
        return cls(begins_at, ended_at)


@dataclass(frozen=True, slots=True)
class Presence:
    """What the connection log says of one site."""

    first_join: datetime | None
    last_leave: datetime | None
    """None when it never came or is still there."""
    total: timedelta
    """Time inside the meeting."""
    interruptions: int
    """How often the connection broke: closed gaps and open ones."""
    is_present: bool
    suggestion: AttendanceStatus


def presence(
    intervals: Sequence[Interval], meeting: Session, *, now: datetime, late_after: timedelta
) -> Presence:
    """Figures and suggested status of one site."""
    until = min(now, meeting.ended_at) if meeting.ended_at else now
    parts = within(intervals, meeting.begins_at, until)
    last = intervals[-1] if intervals else None
    breaks = sum(one.reconnections for one in intervals) + max(len(intervals) - 1, 0)
    return Presence(
        first_join=intervals[0].start if intervals else None,
        last_leave=last.end if last else None,
        total=sum((end - start for start, end in parts), timedelta()),
        interruptions=breaks,
        is_present=last is not None and last.end is None,
        suggestion=_suggest(parts, meeting, now, late_after),
    )


def _suggest(
    parts: Sequence[tuple[datetime, datetime]],
    meeting: Session,
    now: datetime,
    late_after: timedelta,
) -> AttendanceStatus:
    if now < meeting.begins_at:
        return AttendanceStatus.UNMARKED
    if not parts:
        may_still_come = meeting.ended_at is None and now <= meeting.begins_at + late_after
        return AttendanceStatus.UNMARKED if may_still_come else AttendanceStatus.ABSENT
    if parts[0][0] > meeting.begins_at + late_after:
        return AttendanceStatus.LATE
    if meeting.ended_at is not None and parts[-1][1] < meeting.ended_at - late_after:
        return AttendanceStatus.LEFT_EARLY
    return AttendanceStatus.PRESENT


@dataclass(frozen=True, slots=True)
class Counted:
    """What one site or delegate adds to the totals."""

    status: AttendanceStatus
    delegates_count: int | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """The figures under the sheet."""

    invited: int
    came: int
    in_person: int
    online: int
    """Those that came and are neither in person nor substitutes."""
    substitutes: int
    late: int
    left_early: int
    excused: int
    absent: int
    unmarked: int
    delegates: int
    """People at the sites that reported a number."""
    sites_without_count: int
    """Sites that came and reported none: missing, not zero."""


def totals(sites: Iterable[Counted]) -> Totals:
    """Add up; every line counts once, people as the sites reported them."""
    counted = list(sites)

    def number(*statuses: AttendanceStatus) -> int:
        return sum(one.status in statuses for one in counted)

    came = [one for one in counted if one.status in CAME]
    return Totals(
        invited=len(counted),
        came=len(came),
        in_person=number(AttendanceStatus.IN_PERSON),
        online=len(came) - number(AttendanceStatus.IN_PERSON, AttendanceStatus.SUBSTITUTE),
        substitutes=number(AttendanceStatus.SUBSTITUTE),
        late=number(AttendanceStatus.LATE),
        left_early=number(AttendanceStatus.LEFT_EARLY),
        excused=number(AttendanceStatus.EXCUSED),
        absent=number(AttendanceStatus.ABSENT),
        unmarked=number(AttendanceStatus.UNMARKED),
        delegates=sum(one.delegates_count or 0 for one in came),
        sites_without_count=sum(one.delegates_count is None for one in came),
    )


NOBODY: Final = totals(())
"""The figures of an empty list."""
