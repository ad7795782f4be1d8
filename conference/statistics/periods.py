"""Periods of a report: their days, their names, and the same period of the year before.

Offices report by month, quarter, half-year, nine months and year, and often cut a year off in
November; so a period is any two days, both included, and has a name when it is one of the usual
ones. A meeting belongs to the period of its first day in Vietnam. Pure.
"""

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from conference.scheduling.local_time import date_text, day_bounds

LONGEST_YEARS: Final = 30
EARLIEST: Final = date(2000, 1, 1)
_ROMAN: Final = ("I", "II", "III", "IV")


class PeriodError(ValueError):
    """The two days are no period; the message is for the person who typed them."""


@dataclass(frozen=True, slots=True)
class Period:
    """From the first day to the last, both included."""

    first: date
    last: date

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """First instant of the period and first instant after it."""
        return day_bounds(self.first)[0], day_bounds(self.last)[1]

    @property
    def days(self) -> int:
        """How many days the period has."""
        return (self.last - self.first).days + 1

    def contains(self, day: date) -> bool:
        """Whether ``day`` lies in the period."""
        return self.first <= day <= self.last


def year(number: int) -> Period:
    """A calendar year."""
    return Period(date(number, 1, 1), date(number, 12, 31))


def month(number: int, month_number: int) -> Period:
    """A calendar month."""
    first = date(number, month_number, 1)
    return Period(first, _last_of_month(first))


def quarter(number: int, quarter_number: int) -> Period:
    """A quarter, 1 to 4."""
    first = date(number, quarter_number * 3 - 2, 1)
    return Period(first, _last_of_month(first.replace(month=quarter_number * 3)))


def week(day: date) -> Period:
    """Monday to Sunday around ``day``."""
    first = day - timedelta(days=day.weekday())
    return Period(first, first + timedelta(days=6))


def same_period_last_year(period: Period) -> Period:
    """The period a year earlier; 29 February becomes the 28th, a month's end stays its end."""
    return Period(_year_before(period.first), _year_before(period.last))


def checked(first: date | None, last: date | None) -> Period:
    """The period from ``first`` to ``last``. Raises PeriodError with a sentence for people."""
    if first is None or last is None:
        raise PeriodError("Nhập đủ ngày đầu và ngày cuối của kỳ.")
    if last < first:
        raise PeriodError("Ngày cuối kỳ phải sau ngày đầu kỳ.")
    if first < EARLIEST or (last - first).days > LONGEST_YEARS * 366:
        raise PeriodError(f"Kỳ thống kê từ năm {EARLIEST.year}, dài nhất {LONGEST_YEARS} năm.")
    return Period(first, last)


def parse_day(text: str) -> date | None:
    """A day as ``2020-12-31`` or ``31/12/2020``; None when it is no day of the calendar."""
    text = text.strip()
    written = re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})", text, re.ASCII)
    if written:
        numbers = (written[1], written[2], written[3])
    else:
        written = re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", text, re.ASCII)
        if not written:
            return None
        numbers = (written[3], written[2], written[1])
    try:
        return date(int(numbers[0]), int(numbers[1]), int(numbers[2]))
    except ValueError:
        return None


def name(period: Period) -> str:
    """``Năm 2020``, ``Quý I/2021``, ``Tháng 5/2021`` …, else ``Từ ngày … đến ngày …``."""
    first, last = period.first, period.last
    if first.year == last.year and first.day == 1 and last == _last_of_month(last):
        usual = _usual(first.year, first.month, last.month)
        if usual:
            return usual
    if first == date(first.year, 1, 1) and last == date(last.year, 12, 31):
        return f"Giai đoạn {first.year}–{last.year}"
    if first == last:
        return f"Ngày {date_text(first)}"
    return f"Từ ngày {date_text(first)} đến ngày {date_text(last)}"


def _usual(number: int, first_month: int, last_month: int) -> str:
    if (first_month, last_month) == (1, 12):
        return f"Năm {number}"
    if first_month == last_month:
        return f"Tháng {first_month}/{number}"
    if last_month - first_month == 2 and last_month % 3 == 0:
        return f"Quý {_ROMAN[last_month // 3 - 1]}/{number}"
    return {
        (1, 6): f"6 tháng đầu năm {number}",
        (7, 12): f"6 tháng cuối năm {number}",
        (1, 9): f"9 tháng đầu năm {number}",
    }.get((first_month, last_month), "")


def _last_of_month(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def _year_before(day: date) -> date:
    if day == _last_of_month(day):
        return _last_of_month(date(day.year - 1, day.month, 1))
    return day.replace(year=day.year - 1)
