"""Periods against the calendar."""

import calendar
from collections import Counter
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from conference.scheduling.local_time import from_local, local_day
from conference.scheduling.models import Scope
from conference.statistics import periods
from conference.statistics.figures import summarise
from conference.statistics.periods import Period
from tests.unit.statistics.test_sentence import held

DAYS = st.dates(date(2001, 1, 1), date(2060, 12, 31))


@st.composite
def some_period(draw: st.DrawFn) -> Period:
    first = draw(DAYS)
    return Period(first, first + timedelta(days=draw(st.integers(0, 800))))


@given(some_period(), st.integers(-2, 802), st.times())
def test_an_instant_is_inside_exactly_when_its_day_in_vietnam_is(
    period: Period, offset: int, clock: object
) -> None:
    day = period.first + timedelta(days=offset)
    at = from_local(day, clock)  # type: ignore[arg-type]
    start, end = period.bounds
    assert (start <= at < end) == period.contains(local_day(at))


@given(some_period())
def test_the_year_before_is_a_period_one_year_earlier(period: Period) -> None:
    earlier = periods.same_period_last_year(period)
    assert earlier.first <= earlier.last < period.last
    for now, before in ((period.first, earlier.first), (period.last, earlier.last)):
        assert (before.year, before.month) == (now.year - 1, now.month)
        last = calendar.monthrange(before.year, before.month)[1]
        is_end = now.day == calendar.monthrange(now.year, now.month)[1]
        assert before.day == (last if is_end else now.day)


@given(DAYS)
def test_written_days_are_read_back(day: date) -> None:
    assert periods.parse_day(day.isoformat()) == day
    assert periods.parse_day(f"{day.day}/{day.month}/{day.year}") == day


@given(st.text(max_size=12))
def test_any_text_is_a_day_or_none(text: str) -> None:
    assert periods.parse_day(text) is None or len(text.strip()) >= 8


@given(some_period(), st.lists(st.tuples(DAYS, st.sampled_from(list(Scope))), max_size=30))
def test_figures_agree_with_counting_one_by_one(
    period: Period, wanted: list[tuple[date, Scope]]
) -> None:
    found = summarise(
        [held(n, scope, day) for n, (day, scope) in enumerate(wanted)], period.first, period.last
    )
    inside = [(day, scope) for day, scope in wanted if period.first <= day <= period.last]
    assert found.meetings == len(inside) == found.central + found.intra
    counted: Counter[tuple[int, int]] = Counter((day.year, day.month) for day, _ in inside)
    assert {key: sum(value.values()) for key, value in found.by_month.items() if value} == counted
    assert sum(count for _, count in found.by_host) == len(inside)
