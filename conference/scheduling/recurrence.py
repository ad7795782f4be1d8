"""Meetings that come back: a rule as RFC 5545 writes it, and the days it names.

A rule is stored as the text of an RRULE (§3.3.10), with the days left out beside it (EXDATE,
§3.8.5.1), so that it can go into a calendar as it is; dateutil expands it. Offered are the rhythms
an office has: every n days or weeks, every n months on a day of the month or on the n-th weekday.
A month that lacks the day (31, or a fifth Monday) is left out, as the RFC says. Vietnam has no
summer time, so days alone decide and the hour stays. Pure.
"""

import enum
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from dateutil.rrule import rrulestr

from conference.scheduling.working_days import WorkingCalendar
from conference.sentences import say

MAX_OCCURRENCES: Final = 60
"""More than a weekly meeting of a year: each is a file of its own and is invited by letter."""
MAX_INTERVAL: Final = 12
WEEKDAY_CODES: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


class Rhythm(enum.Enum):
    """How a meeting comes back; the value stands in forms."""

    NONE = "none"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY_DAY = "monthly_day"
    """On the same day of the month."""
    MONTHLY_WEEKDAY = "monthly_weekday"
    """On the same weekday of the month, as the first meeting: second Tuesday, last Friday."""


class Scope(enum.Enum):
    """Which meetings of a series a change is for."""

    THIS = "this"
    FOLLOWING = "following"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Repetition:
    """A series as typed. One of ``count`` and ``until`` is given."""

    rhythm: Rhythm
    interval: int = 1
    count: int | None = None
    until: date | None = None
    """Last day on which it may take place."""
    left_out: frozenset[date] = frozenset()
    skips_days_off: bool = False


def faults(repetition: Repetition, first: date) -> dict[str, str]:
    """Sentence for each field of ``repetition`` that cannot be."""
    if repetition.rhythm is Rhythm.NONE:
        return {}
    found: dict[str, str] = {}
    if not 1 <= repetition.interval <= MAX_INTERVAL:
        found["repeat_interval"] = say("Nhập một số từ %(least)s đến %(most)s.",
                                       least=1, most=MAX_INTERVAL)  # fmt: skip
    if repetition.count is None and repetition.until is None:
        found["repeat_until"] = "Nhập ngày cuối hoặc số lần."
    elif repetition.count is not None and not 1 <= repetition.count <= MAX_OCCURRENCES:
        found["repeat_count"] = say("Nhập một số từ %(least)s đến %(most)s.",
                                    least=1, most=MAX_OCCURRENCES)  # fmt: skip
    elif repetition.until is not None and repetition.until < first:
        found["repeat_until"] = "Ngày cuối phải sau ngày họp đầu tiên."
    return found


def rule_of(repetition: Repetition, first: date) -> str:
    """The RRULE of a series that begins on ``first``."""
    assert repetition.rhythm is not Rhythm.NONE
    parts = {
        Rhythm.DAILY: ["FREQ=DAILY"],
        Rhythm.WEEKLY: ["FREQ=WEEKLY", f"BYDAY={_weekday(first)}"],
        Rhythm.MONTHLY_DAY: ["FREQ=MONTHLY", f"BYMONTHDAY={first.day}"],
        Rhythm.MONTHLY_WEEKDAY: ["FREQ=MONTHLY", f"BYDAY={_place_in_month(first)}"],
    }[repetition.rhythm]
    if repetition.interval > 1:
        parts.append(f"INTERVAL={repetition.interval}")
    if repetition.count is not None:
        parts.append(f"COUNT={repetition.count}")
    elif repetition.until is not None:
        parts.append(f"UNTIL={repetition.until:%Y%m%d}")
    return ";".join(parts)


def _place_in_month(day: date) -> str:
    """``2TU`` for the second Tuesday; the fifth of a month is its last, ``-1FR``."""
    place = (day.day - 1) // 7 + 1
    return f"{-1 if place == 5 else place}{WEEKDAY_CODES[day.weekday()]}"


def days(rule: str, first: date, left_out: Collection[date] = ()) -> list[date]:
    """Days of the series in order, without those ``left_out``; at most `MAX_OCCURRENCES`.

    Days left out count towards COUNT, as RFC 5545 §3.8.5.1 has it. Raises ValueError for a rule
    that cannot be read.
    """
    start = datetime(first.year, first.month, first.day)  # noqa: DTZ001 (days only)
    found: list[date] = []
    for number, moment in enumerate(rrulestr(rule, dtstart=start)):
        if number >= MAX_OCCURRENCES:
            break
        if moment.date() not in left_out:
            found.append(moment.date())
    return found


def days_until(rule: str, first: date, last: date) -> list[date]:
    """Days that ``rule``, begun on ``first``, names up to ``last``, however many."""
    start = datetime(first.year, first.month, first.day)  # noqa: DTZ001 (days only)
    end = datetime(last.year, last.month, last.day)  # noqa: DTZ001 (days only)
    return [moment.date() for moment in rrulestr(rule, dtstart=start).between(start, end, inc=True)]


def moved_rule(rule: str, first: date, first_after: date) -> str:
    """``rule`` for the same rhythm begun on ``first_after`` instead of ``first``.

    The weekday or the day of the month follows; UNTIL moves by as many days, COUNT stays.
    """
    by = first_after - first
    parts = []
    for part in rule.split(";"):
        name, _, value = part.partition("=")
        if name == "BYMONTHDAY":
            value = str(first_after.day)
        elif name == "BYDAY":
            is_placed = value[:-2] != ""
            value = _place_in_month(first_after) if is_placed else _weekday(first_after)
        elif name == "UNTIL":
            until = datetime.strptime(value, "%Y%m%d").date()  # noqa: DTZ007 (a day)
            value = f"{until + by:%Y%m%d}"
        parts.append(f"{name}={value}")
    return ";".join(parts)


def _weekday(day: date) -> str:
    return WEEKDAY_CODES[day.weekday()]


def days_off(days_wanted: Sequence[date], calendar: WorkingCalendar) -> frozenset[date]:
    """Those of the days on which offices do not work."""
    return frozenset(day for day in days_wanted if not calendar.is_working(day))


def shifted(moment: datetime, start_before: datetime, start_after: datetime) -> datetime:
    """``moment`` moved as the edited meeting was moved: by so many days, to the same hour.

    Vietnam's clock has no gaps, so days and hours may be added as plain time.
    """
    return moment + (start_after - start_before)


def rest_of(rule: str, first: date, from_day: date) -> str:
    """The rule of a series that is cut off before ``from_day``."""
    kept = [part for part in rule.split(";") if not part.startswith(("COUNT=", "UNTIL="))]
    last = max(first, from_day - timedelta(days=1))
    return ";".join([*kept, f"UNTIL={last:%Y%m%d}"])
