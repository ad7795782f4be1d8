"""What became of a unit, and what it was before: periods and successions, without a database.

A unit row is one period; links say which rows took over from which (many to many: renamed, moved,
merged, split, rearranged, abolished). Two questions are kept apart:

* *All heirs*: every row that took over a part, however far; for figures that follow a territory.
* *The main line*: the first-named link at each step; for what cannot be divided, such as a room
  or the parent of a unit that itself did not change.

Both bounds of a period are inclusive; None is open. Pure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from conference.directory.models import ChangeKind

_MANY: Final = 1_000

PARTS: Final[Mapping[ChangeKind, tuple[range, range]]] = {
    ChangeKind.RENAMED: (range(1, 2), range(1, 2)),
    ChangeKind.MOVED: (range(1, 2), range(1, 2)),
    ChangeKind.MERGED: (range(2, _MANY), range(1, 2)),
    ChangeKind.SPLIT: (range(1, 2), range(2, _MANY)),
    ChangeKind.REARRANGED: (range(2, _MANY), range(2, _MANY)),
    ChangeKind.ABOLISHED: (range(1, _MANY), range(1)),
}
"""How many units each kind of change closes, and how many it opens."""


@dataclass(frozen=True, slots=True)
class Span:
    """One row of the tree: when it held, and below which row it was placed."""

    unit_id: int
    parent_id: int | None
    first: date | None
    last: date | None

    def holds_on(self, day: date) -> bool:
        """Whether the row is in force on ``day``."""
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


def overlap(first: date | None, last: date | None, span: Span) -> bool:
    """Whether two periods have a day in common."""
    starts_in_time = last is None or span.first is None or span.first <= last
    return starts_in_time and (first is None or span.last is None or first <= span.last)


class History:
    """All rows of the tree and the links between them."""

    def __init__(self, spans: Iterable[Span], links: Iterable[tuple[int, int]]) -> None:
        self._spans = {span.unit_id: span for span in spans}
        self._after: dict[int, list[int]] = {}
        self._before: dict[int, list[int]] = {}
        for predecessor, successor in links:
            self._after.setdefault(predecessor, []).append(successor)
            self._before.setdefault(successor, []).append(predecessor)

    def holds_on(self, unit_id: int, day: date) -> bool:
        """Whether ``unit_id`` is in force on ``day``."""
        return self._spans[unit_id].holds_on(day)

    def successors(self, unit_id: int) -> tuple[int, ...]:
        """Rows that took over from ``unit_id`` directly, the main one first."""
        return tuple(self._after.get(unit_id, ()))

    def predecessors(self, unit_id: int) -> tuple[int, ...]:
        """Rows that ``unit_id`` took over from directly, the main one first."""
        return tuple(self._before.get(unit_id, ()))

    def heirs_on(self, unit_id: int, day: date) -> frozenset[int]:
        """Rows in force on ``day`` that hold a part of what ``unit_id`` held; maybe itself."""
        return self._reached(unit_id, day, self._after)

    def forerunners_on(self, unit_id: int, day: date) -> frozenset[int]:
        """Rows in force on ``day`` of which a part came to ``unit_id``; maybe itself."""
        return self._reached(unit_id, day, self._before)

    def main_line_on(self, unit_id: int, day: date) -> int | None:
        """The row that stands for ``unit_id`` on ``day``; None before it began or after it ended.

        Goes forward along the first-named successors, or back along the first-named predecessors.
        """
        step = self._after if self._ended_before(unit_id, day) else self._before
        seen: set[int] = set()
        at: int | None = unit_id
        while at is not None and at not in seen:
            if self.holds_on(at, day):
                return at
            seen.add(at)
            at = next(iter(step.get(at, ())), None)
        return None

    def parent_on(self, unit_id: int, day: date) -> int | None:
        """Below which row ``unit_id`` stands on ``day``.

        A parent that changed is followed along its main line; where it was abolished, its own
        parent takes its place, as the provinces did for the communes of abolished districts.
        """
        seen: set[int] = set()
        parent = self._spans[unit_id].parent_id
        while parent is not None and parent not in seen:
            seen.add(parent)
            found = self.main_line_on(parent, day)
            if found is not None and found != unit_id:
                return found
            parent = self._spans[parent].parent_id
        return None

    def _ended_before(self, unit_id: int, day: date) -> bool:
        last = self._spans[unit_id].last
        return last is not None and last < day

    def _reached(self, unit_id: int, day: date, step: Mapping[int, list[int]]) -> frozenset[int]:
        seen = {unit_id}
        waiting = [unit_id]
        while waiting:
            for following in step.get(waiting.pop(), ()):
                if following not in seen:
                    seen.add(following)
                    waiting.append(following)
        return frozenset(one for one in seen if self.holds_on(one, day))


def day_before(day: date) -> date:
    """The last day of what ends when something else begins on ``day``."""
    return day - timedelta(days=1)


def change_faults(kind: ChangeKind, on: date, closing: Iterable[Span], opened: int) -> list[str]:
    """Why a change cannot be recorded; empty when it can. Sentences for the person who typed it."""
    rows = list(closing)
    before, after = PARTS[kind]
    found = []
    if len(rows) not in before:
        least = before.start
        found.append(f"Chọn {'đúng' if len(before) == 1 else 'ít nhất'} {least} đơn vị.")
    if opened not in after:
        least = after.start
        found.append(f"Nêu {'đúng' if len(after) == 1 else 'ít nhất'} {least} đơn vị mới.")
    if any(not row.holds_on(day_before(on)) for row in rows):
        found.append("Có đơn vị chưa có hoặc không còn vào ngày trước ngày hiệu lực.")
    elif any(not row.holds_on(on) for row in rows):
        found.append("Có đơn vị đã kết thúc trước ngày hiệu lực.")
    if any(row.last is not None for row in rows):
        found.append("Có đơn vị đã được ghi một thay đổi khác về sau.")
    return found
