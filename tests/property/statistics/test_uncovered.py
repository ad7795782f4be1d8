"""Which days of a period no kept month covers, against a set of days."""

import itertools
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from conference.statistics import periods
from conference.statistics.periods import Period
from conference.statistics.tallies import uncovered

DAYS = st.dates(date(2019, 11, 20), date(2021, 3, 10))
MONTHS = st.sets(DAYS.map(lambda day: day.replace(day=1)), max_size=12)


def days_of(period: Period) -> set[date]:
    return {period.first + timedelta(days=n) for n in range(period.days)}


@settings(max_examples=150, deadline=None)
@given(DAYS, DAYS, MONTHS)
def test_what_is_left_is_the_period_without_its_whole_kept_months(
    one: date, other: date, months: set[date]
) -> None:
    period = Period(min(one, other), max(one, other))
    covered = set()
    for month in months:
        days = days_of(periods.month(month.year, month.month))
        if days <= days_of(period):
            covered |= days
    found = uncovered(period, months)
    assert sum(gap.days for gap in found) == len(days_of(period) - covered)
    assert set().union(*map(days_of, found)) == days_of(period) - covered
    assert all(a.last + timedelta(days=1) < b.first for a, b in itertools.pairwise(found))
