"""Rules of series: the text against dateutil's reading of it, the days against a naive calendar."""

from datetime import UTC, date, datetime, timedelta

from dateutil.rrule import rrulestr
from hypothesis import given
from hypothesis import strategies as st

from conference.scheduling.recurrence import (
    MAX_OCCURRENCES,
    Repetition,
    Rhythm,
    days,
    days_off,
    faults,
    rest_of,
    rule_of,
)
from conference.scheduling.working_days import WorkingCalendar

FIRST = st.dates(date(2026, 1, 1), date(2027, 12, 31))
RHYTHMS = st.sampled_from([rhythm for rhythm in Rhythm if rhythm is not Rhythm.NONE])
COUNTED = st.builds(
    Repetition, rhythm=RHYTHMS, interval=st.integers(1, 12), count=st.integers(1, MAX_OCCURRENCES)
)


@st.composite
def bounded(draw: st.DrawFn) -> tuple[Repetition, date]:
    first = draw(FIRST)
    until = first + timedelta(days=draw(st.integers(0, 500)))
    return Repetition(draw(RHYTHMS), draw(st.integers(1, 4)), until=until), first


def naive(repetition: Repetition, first: date, last: date) -> list[date]:
    """Every day looked at on its own."""
    every = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [day for day in every if fits(repetition, first, day)]


def fits(repetition: Repetition, first: date, day: date) -> bool:
    months = (day.year - first.year) * 12 + day.month - first.month
    rhythm, interval = repetition.rhythm, repetition.interval
    if rhythm is Rhythm.DAILY:
        return (day - first).days % interval == 0
    if rhythm is Rhythm.WEEKLY:
        return (day - first).days % (7 * interval) == 0
    if months % interval:
        return False
    if rhythm is Rhythm.MONTHLY_DAY:
        return day.day == first.day
    if day.weekday() != first.weekday():
        return False
    is_last = (day + timedelta(days=7)).month != day.month
    place = (first.day - 1) // 7 + 1
    return is_last if place == 5 else (day.day - 1) // 7 + 1 == place


@given(bounded())
def test_a_series_has_the_days_that_a_clerk_would_tick(case: tuple[Repetition, date]) -> None:
    repetition, first = case
    assert repetition.until
    expected = naive(repetition, first, repetition.until)
    assert days(rule_of(repetition, first), first) == expected[:MAX_OCCURRENCES]


@given(COUNTED, FIRST, st.data())
def test_dateutil_reads_the_rule_with_an_hour_as_we_do_without(
    repetition: Repetition, first: date, data: st.DataObject
) -> None:
    rule = rule_of(repetition, first)
    start = datetime(first.year, first.month, first.day, 8, 30, tzinfo=UTC)
    theirs = [moment.date() for moment in rrulestr(rule, dtstart=start)]
    assert days(rule, first) == theirs
    left_out = data.draw(st.frozensets(st.sampled_from(theirs)))
    assert days(rule, first, left_out) == [day for day in theirs if day not in left_out]


@given(COUNTED, FIRST, st.integers(1, 59))
def test_parting_a_series_loses_and_doubles_nothing(
    repetition: Repetition, first: date, number: int
) -> None:
    rule = rule_of(repetition, first)
    whole = days(rule, first)
    if number < len(whole):
        earlier = days(rest_of(rule, first, whole[number]), first)
        assert earlier == whole[:number]


@given(COUNTED, FIRST)
def test_days_off_are_those_nobody_works(repetition: Repetition, first: date) -> None:
    calendar = WorkingCalendar({})
    wanted = days(rule_of(repetition, first), first)
    off = days_off(wanted, calendar)
    assert all(day.weekday() >= 5 for day in off)
    assert all(day.weekday() < 5 for day in set(wanted) - off)


def test_what_cannot_be_is_named() -> None:
    first = date(2026, 12, 10)
    assert not faults(Repetition(Rhythm.NONE), first)
    assert set(faults(Repetition(Rhythm.DAILY), first)) == {"repeat_until"}
    assert set(faults(Repetition(Rhythm.DAILY, until=date(2026, 12, 9)), first)) == {"repeat_until"}
    assert set(faults(Repetition(Rhythm.DAILY, 0, count=99), first)) == {
        "repeat_interval", "repeat_count",
    }  # fmt: skip
