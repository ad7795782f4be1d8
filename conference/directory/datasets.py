"""Units of two provinces as data: Kon Tum in 2020, and Quảng Ngãi since 1 July 2025.

``kontum-2020-units.csv``: 22 provincial units, 10 districts, 102 communes. ``quangngai-2025-
units.csv``: the province into which Kon Tum was merged by resolution 202/2025/QH15, without
districts, with the 96 communes of resolution 1677/NQ-UBTVQH15. ``succession-2025-07-01.csv`` says
which units of the first became which of the second. Communes of Quảng Ngãi outside Kon Tum begin
with the file, without a past.

Loaded after the other, the second ends the first's units and links them; loaded alone it is
simply a province. Loading twice changes nothing.
"""

import csv
import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from importlib.resources import files
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from conference.directory.changes import hand_over_sites
from conference.directory.history import day_before
from conference.directory.models import (
    ChangeKind,
    CodeSystem,
    Succession,
    Unit,
    UnitChange,
    UnitCode,
    UnitLevel,
)
from conference.directory.units import LEVEL_RANK, short_name
from conference.directory.vietnamese import fold, sort_key

_PLACE_ORDER: Final = ("thành phố", "phường", "thị trấn")  # before huyện and xã in official lists
REFORM_DAY: Final = date(2025, 7, 1)
DISTRICTS_END: Final = "203/2025/QH15"
"""The amendment of the constitution that ended the district level."""


class Dataset(enum.Enum):
    """A set of units that comes with the program."""

    KON_TUM_2020 = "kontum-2020"
    QUANG_NGAI_2025 = "quangngai-2025"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a file of units."""

    code: str
    name: str
    type: str
    level: UnitLevel
    parent_code: str
    valid_from: date | None
    valid_to: date | None


def _lines(name: str) -> Iterator[dict[str, str]]:
    source = files("conference.directory").joinpath("data", name)
    yield from csv.DictReader(source.read_text(encoding="utf-8").splitlines())


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def rows(dataset: Dataset) -> Iterator[Row]:
    """The set's units, parents before children."""
    for line in _lines(f"{dataset.value}-units.csv"):
        yield Row(
            line["code"], line["name"], line["type"], UnitLevel(line["level"]),
            line["parent_code"], _day(line["valid_from"]), _day(line["valid_to"]),
        )  # fmt: skip


def in_protocol_order(units: Iterable[Row]) -> list[Row]:
    """``units`` by level: the file's order of precedence for provincial units, then names.

    Communes follow the order of their districts; a city, its wards and towns go before the others.
    """
    places: dict[str, int] = {}

    def rank(row: Row) -> tuple[int, int, int, str]:
        kind = _PLACE_ORDER.index(row.type) if row.type in _PLACE_ORDER else len(_PLACE_ORDER)
        named = row.level in {UnitLevel.DISTRICT, UnitLevel.COMMUNE}
        name = sort_key(short_name(row.name)) if named else row.code
        return LEVEL_RANK[row.level], places.get(row.parent_code, 0), kind * named, name

    known = list(units)
    places |= {row.code: place for place, row in enumerate(sorted(known, key=rank))}
    return sorted(known, key=rank)


def load_units(session: Session, dataset: Dataset, *, is_timeless: bool = False) -> dict[str, Unit]:
    """Add the units of ``dataset`` and return them by code; empty if they are there already.

    ``is_timeless`` leaves the end of validity away, for a sample that is to be tried today.
    """
    ordered = in_protocol_order(rows(dataset))
    root = ordered[0]
    if session.scalar(select(Unit.id).where(Unit.code == root.code)) is not None:
        return {}
    units: dict[str, Unit] = {}
    for rank, row in enumerate(ordered, start=1):
        places = row.level in {UnitLevel.DISTRICT, UnitLevel.COMMUNE}
        units[row.code] = Unit(
            code=row.code,
            name=row.name,
            name_folded=fold(row.name),
            type=row.type,
            level=row.level,
            parent=units.get(row.parent_code),
            protocol_order=rank,
            valid_from=None if is_timeless else row.valid_from,
            valid_to=None if is_timeless else row.valid_to,
            codes=[UnitCode(system=CodeSystem.STATISTICAL, code=row.code)] if places else [],
        )
    session.add_all(units.values())
    session.flush()
    return units


def load(session: Session, dataset: Dataset, *, recorded_by: str, at: datetime) -> int:
    """Add ``dataset`` with its history; how many units were added."""
    added = load_units(session, dataset)
    if added and dataset is Dataset.QUANG_NGAI_2025:
        _succeed(session, added, recorded_by, at)
    return len(added)


def _succeed(session: Session, heirs: dict[str, Unit], recorded_by: str, at: datetime) -> None:
    """Let the units of the second set take over from those of the first that are there."""
    new_ids = {unit.id for unit in heirs.values()}
    open_then = or_(Unit.valid_to.is_(None), Unit.valid_to >= day_before(REFORM_DAY))
    found = session.scalars(select(Unit).where(open_then, Unit.id.not_in(new_ids)))
    old = {unit.code: unit for unit in found}
    lines = [
        line for line in _lines("succession-2025-07-01.csv") if line["predecessor_code"] in old
    ]
    by_heir: dict[tuple[str, str], list[Unit]] = {}
    for line in lines:
        key = line["successor_code"], line["resolution"]
        by_heir.setdefault(key, []).append(old[line["predecessor_code"]])
    changes = [
        _change(_kind(heirs[code], olds), resolution, [(one, heirs[code]) for one in olds])
        for (code, resolution), olds in by_heir.items()
    ]
    linked = {unit.id for units in by_heir.values() for unit in units}
    ended = [
        unit for unit in old.values() if unit.id not in linked and unit.level is UnitLevel.DISTRICT
    ]
    if ended:
        changes.append(_change(ChangeKind.ABOLISHED, DISTRICTS_END, [(one, None) for one in ended]))
    for change in changes:
        change.recorded_by, change.recorded_at = recorded_by, at
    session.add_all(changes)
    last = day_before(REFORM_DAY)
    for unit in old.values():
        if unit.id in linked or unit in ended or _is_below(unit, linked):
            unit.valid_to = last
    hand_over_sites(
        session, {old.id: heirs[code] for (code, _), olds in by_heir.items() for old in olds}, last
    )
    session.flush()


def _is_below(unit: Unit, linked: set[int]) -> bool:
    """Whether a unit's province was taken over, though the file names no heir for the unit."""
    return unit.parent_id in linked


def _kind(heir: Unit, predecessors: list[Unit]) -> ChangeKind:
    if len(predecessors) > 1 or heir.level is UnitLevel.PROVINCE:
        return ChangeKind.MERGED
    return ChangeKind.MOVED if predecessors[0].name == heir.name else ChangeKind.RENAMED


def _change(
    kind: ChangeKind, resolution: str, pairs: Iterable[tuple[Unit, Unit | None]]
) -> UnitChange:
    """A change on the day of the reform; who recorded it is filled in by `_succeed`."""
    return UnitChange(
        kind=kind,
        effective_on=REFORM_DAY,
        reference=f"Nghị quyết {resolution}",
        links=[
            Succession(predecessor_id=old.id, successor_id=new.id if new is not None else None)
            for old, new in pairs
        ],
    )
