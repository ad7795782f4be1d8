"""What the connection log suggests, and the totals under the sheet."""

from datetime import UTC, datetime, timedelta

import pytest

from conference.attendance.intervals import Interval
from conference.attendance.models import AttendanceStatus as Status
from conference.attendance.summary import Counted, Session, presence, totals

T0 = datetime(2026, 12, 10, 1, 0, tzinfo=UTC)
LATE = timedelta(minutes=10)
HELD = Session(T0, T0 + timedelta(minutes=90))


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def stay(start: float, end: float | None) -> Interval:
    return Interval(at(start), None if end is None else at(end))


@pytest.mark.parametrize(
    ("intervals", "suggested"),
    [
        ([stay(-5, 90)], Status.PRESENT),
        ([stay(9, 85)], Status.PRESENT),
        ([stay(11, 90)], Status.LATE),
        ([stay(0, 79)], Status.LEFT_EARLY),
        ([stay(0, 40), stay(50, 90)], Status.PRESENT),
        ([stay(11, 40)], Status.LATE),
        ([stay(-50, -40)], Status.ABSENT),  # tested the line before, did not come
        ([stay(95, 99)], Status.ABSENT),
        ([], Status.ABSENT),
    ],
)
def test_the_suggestion_looks_at_the_meeting_alone(
    intervals: list[Interval], suggested: Status
) -> None:
    found = presence(intervals, HELD, now=at(200), late_after=LATE)
    assert found.suggestion is suggested


def test_nobody_is_absent_while_they_may_still_come_in_time() -> None:
    live = Session(T0, None)
    assert presence([], live, now=at(-1), late_after=LATE).suggestion is Status.UNMARKED
    assert presence([], live, now=at(9), late_after=LATE).suggestion is Status.UNMARKED
    assert presence([], live, now=at(11), late_after=LATE).suggestion is Status.ABSENT


def test_an_open_stay_counts_until_now_and_has_no_end() -> None:
    found = presence([stay(0, None)], Session(T0, None), now=at(30), late_after=LATE)
    assert found.is_present
    assert found.last_leave is None
    assert found.total == timedelta(minutes=30)


def test_time_outside_the_meeting_does_not_count() -> None:
    found = presence([stay(-30, 120)], HELD, now=at(200), late_after=LATE)
    assert found.total == timedelta(minutes=90)
    assert found.first_join == at(-30)


def test_breaks_are_gaps_closed_and_open() -> None:
    closed = Interval(at(0), at(40), reconnections=2)
    found = presence([closed, stay(50, 90)], HELD, now=at(200), late_after=LATE)
    assert found.interruptions == 3


@pytest.mark.parametrize(
    ("opened", "ended", "begins"),
    [
        (None, None, 0),
        (-20, None, 0),  # opened early for the technicians: the planned hour counts
        (15, 90, 15),  # opened late: nobody is late for that
        (-180, None, -180),  # moved ahead by hours
        (-100, -30, -100),  # over before its planned hour
    ],
)
def test_a_meeting_begins_when_it_was_planned_or_opened(
    opened: float | None, ended: float | None, begins: float
) -> None:
    held = Session.of(
        T0, None if opened is None else at(opened), None if ended is None else at(ended)
    )
    assert held.begins_at == at(begins)


def test_sites_and_delegates_are_added_apart_and_missing_is_not_zero() -> None:
    found = totals(
        [
            Counted(Status.PRESENT, 27), Counted(Status.LATE, None), Counted(Status.LEFT_EARLY, 3),
            Counted(Status.ABSENT, 99), Counted(Status.EXCUSED, None), Counted(Status.UNMARKED, 5),
        ]
    )  # fmt: skip
    assert (found.invited, found.came, found.late, found.left_early) == (6, 3, 1, 1)
    assert (found.absent, found.excused, found.unmarked) == (1, 1, 1)
    assert found.delegates == 30
    assert found.sites_without_count == 1
