"""Counting working days against counting them one by one; the lunar calendar against itself."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.scheduling import lunar
from conference.scheduling.models import DayKind
from conference.scheduling.working_days import (
    FIRST_YEAR,
    LAST_YEAR,
    SpecialDay,
    WorkingCalendar,
    calendar_of,
    statutory,
)

DAYS = st.dates(date(2020, 1, 1), date(2032, 12, 31))
YEARS = st.integers(FIRST_YEAR, LAST_YEAR)
SPECIAL = st.dictionaries(
    st.dates(date(2025, 12, 1), date(2026, 2, 28)), st.sampled_from(DayKind), max_size=25
)
NEAR = st.dates(date(2025, 12, 1), date(2026, 2, 28))


def calendar(special: dict[date, DayKind]) -> WorkingCalendar:
    return WorkingCalendar({day: SpecialDay(day, kind, "") for day, kind in special.items()})


def naive_is_working(special: dict[date, DayKind], day: date) -> bool:
    if day in special:
        return special[day] == DayKind.WORKING_SWAP
    return day.isoweekday() not in {6, 7}


@given(SPECIAL, NEAR, st.integers(0, 15))
def test_counting_back_passes_exactly_as_many_working_days(
    special: dict[date, DayKind], day: date, count: int
) -> None:
    found = calendar(special).before(day, count)
    passed = [found + timedelta(n) for n in range((day - found).days)]
    assert sum(naive_is_working(special, one) for one in passed) == count
    assert count == 0 or naive_is_working(special, found)


@given(SPECIAL, NEAR, st.integers(0, 15))
def test_counting_on_passes_exactly_as_many_working_days(
    special: dict[date, DayKind], day: date, count: int
) -> None:
    found = calendar(special).after(day, count)
    passed = [day + timedelta(n) for n in range(1, (found - day).days + 1)]
    assert sum(naive_is_working(special, one) for one in passed) == count
    assert calendar(special).between(day, found) == count
    assert calendar(special).between(found, day) == -count


@given(YEARS)
def test_the_law_gives_eleven_days_and_each_weekend_one_is_made_good(year: int) -> None:
    days = statutory(year)
    holidays = [one.day for one in days if one.kind is DayKind.HOLIDAY]
    in_lieu = [one.day for one in days if one.kind is DayKind.IN_LIEU]
    assert len(holidays) == 11 or len(set(holidays)) < 11  # Giỗ Tổ may fall on 30/4 or 01/5
    assert len(in_lieu) == sum(day.weekday() >= 5 for day in holidays)
    assert all(day.weekday() < 5 for day in in_lieu)
    assert not set(in_lieu) & set(holidays)


def test_an_own_table_replaces_the_law_for_its_year_only() -> None:
    own = [SpecialDay(date(2026, 3, 2), DayKind.HOLIDAY, "Riêng")]
    found = calendar_of(own, {2026, 2027})
    assert found.is_working(date(2026, 1, 1))
    assert not found.is_working(date(2026, 3, 2))
    assert not found.is_working(date(2027, 1, 1))


@pytest.mark.parametrize(
    ("tet", "gio_to"),
    [
        # published tables; 1968, 1985 and 2007 differed from China
        ("1968-01-29", None), ("1985-01-21", None), ("2007-02-17", None),
        ("2023-01-22", "2023-04-29"),
        ("2024-02-10", "2024-04-18"), ("2025-01-29", "2025-04-07"), ("2026-02-17", "2026-04-26"),
        ("2027-02-06", "2027-04-16"), ("2028-01-26", "2028-04-04"), ("2029-02-13", "2029-04-23"),
        ("2030-02-02", "2030-04-12"), ("2031-01-23", "2031-04-01"), ("2032-02-11", "2032-04-19"),
    ],
)  # fmt: skip
def test_known_days_of_the_vietnamese_calendar(tet: str, gio_to: str | None) -> None:
    year = int(tet[:4])
    assert lunar.new_year(year).isoformat() == tet
    if gio_to:
        assert lunar.solar_day(year, 3, 10).isoformat() == gio_to


@given(YEARS)
def test_a_lunar_year_has_twelve_or_thirteen_moons(year: int) -> None:
    length = (lunar.new_year(year + 1) - lunar.new_year(year)).days
    assert length in {353, 354, 355, 383, 384, 385}
    assert date(year, 1, 20) <= lunar.new_year(year) <= date(year, 2, 21)


@given(YEARS, st.integers(1, 11))
def test_months_follow_each_other_by_a_moon_or_two(year: int, month: int) -> None:
    first, following = lunar.solar_day(year, month, 1), lunar.solar_day(year, month + 1, 1)
    assert (following - first).days in {29, 30, 58, 59, 60}  # two when a leap month lies between


@given(YEARS, st.integers(1, 12), st.sampled_from([0, 31, -3]))
def test_a_day_that_no_month_has_is_refused(year: int, month: int, day: int) -> None:
    with pytest.raises(ValueError, match="no day"):
        lunar.solar_day(year, month, day)


def test_the_break_of_2026_is_the_one_that_was_announced() -> None:
    off = {one.day for one in statutory(2026)}
    announced = {date(2026, 2, 16) + timedelta(n) for n in range(5)}
    assert announced <= off
    assert date(2026, 4, 27) in off  # in lieu of Giỗ Tổ on a Sunday


@given(DAYS)
def test_culture_day_counts_only_when_switched_on(day: date) -> None:
    culture = date(day.year, 11, 24)
    assert culture not in {one.day for one in statutory(day.year)}
    assert culture in {one.day for one in statutory(day.year, has_culture_day=True)}
