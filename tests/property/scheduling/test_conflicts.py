"""Clashes, load and the next free time against models that look at every minute."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from conference.scheduling.conflicts import (
    GRID,
    HORIZON_DAYS,
    Booking,
    Interval,
    Resource,
    ResourceKind,
    busy_intervals,
    clashes,
    next_free,
    office_windows,
    peak_load,
)
from conference.scheduling.local_time import local_day
from conference.scheduling.planning import Office
from conference.scheduling.working_days import WorkingCalendar

MIDNIGHT = datetime(2026, 12, 6, 17, 0, tzinfo=UTC)
"""Monday 7 December, 0:00 in Vietnam."""
MINUTE = timedelta(minutes=1)
OFFICE = Office(WorkingCalendar({}))
KEYS = [Resource(kind, key) for kind in ResourceKind for key in "ab"]


@st.composite
def bookings(draw: st.DrawFn, number: int) -> Booking:
    start = draw(st.integers(0, 30))
    length = draw(st.integers(1, 12))
    keys = draw(st.frozensets(st.sampled_from(KEYS), max_size=4))
    return Booking(
        number, f"Họp {number}", MIDNIGHT + start * MINUTE, MIDNIGHT + (start + length) * MINUTE,
        keys, draw(st.integers(0, 60)),
    )  # fmt: skip


@st.composite
def worlds(draw: st.DrawFn) -> list[Booking]:
    count = draw(st.integers(1, 7))
    return [draw(bookings(number)) for number in range(count)]


def minutes(booking: Booking) -> set[datetime]:
    count = int((booking.ends_at - booking.starts_at) / MINUTE)
    return {booking.starts_at + n * MINUTE for n in range(count)}


@given(worlds())
def test_a_clash_is_a_minute_in_which_something_is_wanted_twice(world: list[Booking]) -> None:
    wanted, *others = world
    found = {
        (one.other.meeting_id, one.kind, key) for one in clashes(wanted, world) for key in one.keys
    }
    expected = {
        (other.meeting_id, shared.kind, shared.key)
        for other in others
        if minutes(wanted) & minutes(other)
        for shared in wanted.resources & other.resources
    }
    assert found == expected


@given(worlds())
def test_the_load_is_that_of_the_busiest_minute(world: list[Booking]) -> None:
    wanted, *others = world
    loads = [
        sum(other.sites_count for other in others if minute in minutes(other))
        for minute in minutes(wanted)
    ]
    assert peak_load(wanted, world) == wanted.sites_count + max(loads)


@given(worlds(), st.integers(1, 150))
def test_busy_is_every_minute_in_which_the_meeting_cannot_be_held(
    world: list[Booking], capacity: int
) -> None:
    wanted, *others = world
    busy = busy_intervals(wanted, world, capacity)
    for n in range(45):
        minute = MIDNIGHT + n * MINUTE
        running = [other for other in others if minute in minutes(other)]
        load = sum(other.sites_count for other in running)
        is_blocked = any(other.resources & wanted.resources for other in running) or (
            load > 0 and load + wanted.sites_count > capacity
        )
        assert is_blocked == any(first <= minute < last for first, last in busy)


INTERVALS = st.lists(
    st.tuples(st.integers(0, 5 * 96), st.integers(1, 60)).map(
        lambda pair: (MIDNIGHT + pair[0] * GRID, MIDNIGHT + (pair[0] + pair[1]) * GRID)
    ),
    max_size=12,
)


@settings(max_examples=60)
@given(INTERVALS, st.integers(0, 3 * 24 * 60), st.integers(1, 40))
def test_the_next_free_time_is_the_first_that_a_patient_clerk_finds(
    busy: list[Interval], offset: int, quarters: int
) -> None:
    not_before = MIDNIGHT + offset * MINUTE
    length = quarters * GRID
    found = next_free(length, not_before, busy, OFFICE)
    assert found == naive_next_free(length, not_before, busy)


def naive_next_free(
    length: timedelta, not_before: datetime, busy: list[Interval]
) -> datetime | None:
    start = MIDNIGHT
    while start < MIDNIGHT + timedelta(days=HORIZON_DAYS + 4):
        windows = office_windows(local_day(start), length, OFFICE)
        fits = any(opens <= start and start + length <= closes for opens, closes in windows)
        is_free = all(start + length <= first or last <= start for first, last in busy)
        if start >= not_before and fits and is_free:
            return start
        start += GRID
    return None
