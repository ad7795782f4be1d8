"""Lịch công tác tuần: Monday to Sunday by half-day, with clashes, internal and public.

The internal version is what is planned now; the public one is what was last published, word for
word, with its revision number. Public lines carry neither requests nor names of officers, and no
links. Pure.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from conference.scheduling.local_time import clock_text, date_text, local_day, to_local

NOON: Final = time(12)
EVENING: Final = time(18)
HALVES: Final = ("Sáng", "Chiều", "Tối")


@dataclass(frozen=True, slots=True)
class Line:
    """One meeting in the schedule."""

    meeting_id: int
    starts_at: str
    """ISO 8601, UTC: what is stored is what was published."""
    ends_at: str
    title: str
    location: str
    leaders: tuple[str, ...]
    scope: str
    is_firm: bool
    """Announced, not only asked for or approved."""

    @property
    def begins(self) -> datetime:
        """When it starts."""
        return datetime.fromisoformat(self.starts_at)

    @property
    def ends(self) -> datetime:
        """When it ends."""
        return datetime.fromisoformat(self.ends_at)

    @property
    def clock(self) -> str:
        """``8:00``."""
        return clock_text(self.begins)


@dataclass(frozen=True, slots=True)
class Row:
    """A line in the table, with what clashes with it."""

    line: Line
    clashes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Half:
    """Morning, afternoon or evening of one day."""

    name: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the week."""

    day: date
    halves: tuple[Half, ...]

    @property
    def height(self) -> int:
        """Rows of the table; a half-day without meetings takes one."""
        return sum(max(1, len(half.rows)) for half in self.halves)


def monday_of(day: date) -> date:
    """The Monday of the week of ``day``."""
    return day - timedelta(days=day.weekday())


def parse_week(text: str) -> date | None:
    """Monday of ``2026-W50`` (ISO 8601), or None."""
    found = re.fullmatch(r"(\d{4})-W(\d{2})", text, re.ASCII)
    if not found or not 2000 <= int(found[1]) <= 2100:
        return None
    try:
        return date.fromisocalendar(int(found[1]), int(found[2]), 1)
    except ValueError:
        return None


def week_text(monday: date) -> str:
    """``2026-W50``."""
    year, week, _weekday = monday.isocalendar()
    return f"{year}-W{week:02d}"


def title(monday: date, number: int) -> str:
    """``Tuần 50: từ ngày 07/12/2026 đến ngày 13/12/2026 (Điều chỉnh lần 2)``."""
    last = monday + timedelta(days=6)
    text = (
        f"Tuần {monday.isocalendar().week}: từ ngày {date_text(monday)} đến ngày {date_text(last)}"
    )
    return f"{text} (Điều chỉnh lần {number})" if number > 0 else text


def days(monday: date, lines: Iterable[Line]) -> list[Day]:
    """The seven days; every day has morning and afternoon, an evening when something is there."""
    known = sorted(lines, key=lambda line: (line.begins, line.title))
    clashes = clashes_of(known)
    found = []
    for offset in range(7):
        day = monday + timedelta(days=offset)
        rows: dict[str, list[Row]] = {name: [] for name in HALVES}
        for line in known:
            if local_day(line.begins) == day:
                rows[half_of(line.begins)].append(Row(line, clashes.get(line.meeting_id, ())))
        halves = [Half(name, tuple(rows[name])) for name in HALVES if name != "Tối" or rows[name]]
        found.append(Day(day, tuple(halves)))
    return found


def half_of(at: datetime) -> str:
    """The half-day in which a meeting begins."""
    clock = to_local(at).time()
    return HALVES[0] if clock < NOON else HALVES[1] if clock < EVENING else HALVES[2]


def clashes_of(lines: Sequence[Line]) -> dict[int, tuple[str, ...]]:
    """Who or what is wanted twice at the same time, by meeting: leaders and rooms."""
    found: dict[int, list[str]] = {}
    for number, one in enumerate(lines):
        for other in lines[number + 1 :]:
            if one.begins < other.ends and other.begins < one.ends:
                shared = [name for name in one.leaders if name in other.leaders]
                if one.location and one.location == other.location:
                    shared.append(one.location)
                if shared:
                    found.setdefault(one.meeting_id, []).extend(shared)
                    found.setdefault(other.meeting_id, []).extend(shared)
    return {key: tuple(dict.fromkeys(names)) for key, names in found.items()}


def to_stored(lines: Iterable[Line]) -> list[dict[str, Any]]:
    """Plain values to be kept."""
    return [asdict(line) for line in lines]


def from_stored(values: Iterable[dict[str, Any]]) -> list[Line]:
    """What was kept."""
    return [Line(**{**one, "leaders": tuple(one["leaders"])}) for one in values]


def changes(before: Sequence[Line], now: Sequence[Line]) -> int:
    """How many meetings were added, taken off or changed since ``before``."""
    old = {line.meeting_id: line for line in before}
    new = {line.meeting_id: line for line in now}
    return sum(old.get(key) != new.get(key) for key in old.keys() | new.keys())
