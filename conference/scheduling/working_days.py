"""Which days offices work, and counting in working days.

Monday to Friday, except holidays and days in lieu; also a weekend day that was swapped for another
by the yearly announcement. The table an office edits decides; for a year of which the table holds
nothing, the holidays of the Labour Code 2019 (Art. 111 and 112) are computed: 01/01, Tết from its
eve to mùng 4, Giỗ Tổ (10/3 lunar), 30/4, 01/5, 02/9 with a day beside it, and a working day in
lieu of each that falls on a weekend. 24/11 (Ngày Văn hóa Việt Nam) counts only once the office
switches it on: its amendment of the law was pending. Pure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from conference.scheduling import lunar
from conference.scheduling.models import DayKind

_DAY: Final = timedelta(days=1)
FIRST_YEAR: Final = 1968
LAST_YEAR: Final = 2099
"""UTC+7 became the calendar's clock in 1968; the astronomy is good to 2100."""


@dataclass(frozen=True, slots=True)
class SpecialDay:
    """A day that differs from its place in the week, and why."""

    day: date
    kind: DayKind
    name: str


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """Special days by date; every other weekday is a working day."""

    special: Mapping[date, SpecialDay]

    def is_working(self, day: date) -> bool:
        """Whether offices work on ``day``."""
        found = self.special.get(day)
        if found is None:
            return day.weekday() < 5
        return found.kind is DayKind.WORKING_SWAP

    def before(self, day: date, count: int) -> date:
        """The day that is ``count`` working days before ``day``, itself not counted."""
        return self._step(day, count, -_DAY)

    def after(self, day: date, count: int) -> date:
        """The day that is ``count`` working days after ``day``, itself not counted."""
        return self._step(day, count, _DAY)

    def between(self, first: date, last: date) -> int:
        """Working days after ``first`` up to and with ``last``; negative if ``last`` is earlier."""
        if last < first:
            return -self.between(last, first)
        days = (first + _DAY * offset for offset in range(1, (last - first).days + 1))
        return sum(map(self.is_working, days))

    def _step(self, day: date, count: int, step: timedelta) -> date:
        while count > 0:
            day += step
            count -= self.is_working(day)
        return day


def statutory(year: int, *, has_culture_day: bool = False) -> list[SpecialDay]:
    """Days off that the law gives in ``year``, with days in lieu; empty outside the known years."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return []
    tet = lunar.new_year(year)
    named = [(date(year, 1, 1), "Tết Dương lịch"), (tet - _DAY, "Tết Nguyên đán (giao thừa)")]
    named += [(tet + _DAY * n, f"Tết Nguyên đán (mùng {n + 1})") for n in range(4)]
    named += [
        (lunar.solar_day(year, 3, 10), "Giỗ Tổ Hùng Vương"),
        (date(year, 4, 30), "Ngày Chiến thắng"),
        (date(year, 5, 1), "Ngày Quốc tế lao động"),
        (date(year, 9, 2), "Quốc khánh"),
        (_beside_national_day(year), "Quốc khánh (ngày liền kề)"),
    ]
    if has_culture_day:
        named.append((date(year, 11, 24), "Ngày Văn hóa Việt Nam"))
    named.sort()
    taken = {day for day, _ in named}
    found = [SpecialDay(day, DayKind.HOLIDAY, name) for day, name in named]
    for day, name in named:
        if day.weekday() >= 5:
            free = day
            while free.weekday() >= 5 or free in taken:
                free += _DAY
            taken.add(free)
            found.append(SpecialDay(free, DayKind.IN_LIEU, f"Nghỉ bù {name}"))
    return sorted(found, key=lambda one: one.day)


def _beside_national_day(year: int) -> date:
    """The second day of 02/9: before it if that is a weekday, else after it."""
    before = date(year, 9, 1)
    return before if before.weekday() < 5 else date(year, 9, 3)


def calendar_of(
    stored: Iterable[SpecialDay], years: Iterable[int], *, has_culture_day: bool = False
) -> WorkingCalendar:
    """The calendar for ``years``: what is ``stored``, and the law's days for years without any."""
    special = {one.day: one for one in stored}
    known = {day.year for day in special}
    for year in years:
        if year not in known:
            for one in statutory(year, has_culture_day=has_culture_day):
                special.setdefault(one.day, one)
    return WorkingCalendar(special)
