"""Taking in units from a table, and giving them out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from conference.directory import keeping
from conference.directory.history import Span, overlap
from conference.directory.intake import Cells, Plan, differs, overwrite
from conference.directory.models import Unit, UnitLevel
from conference.directory.reading import read_day, read_number, read_word
from conference.directory.tables import Column, Fault, Table
from conference.directory.vietnamese import fold

LEVEL_WORDS: Final = {
    "cấp tỉnh": UnitLevel.PROVINCE,
    "sở, ban, ngành": UnitLevel.PROVINCIAL_UNIT,
    "cấp huyện": UnitLevel.DISTRICT,
    "cấp xã": UnitLevel.COMMUNE,
    **{level.value: level for level in UnitLevel},
}
LEVEL_NAMES: Final = {level: word for word, level in reversed(LEVEL_WORDS.items())}

UNIT_COLUMNS: Final = (
    Column("code", "Mã", is_required=True),
    Column("name", "Tên đơn vị", ("Tên",), is_required=True),
    Column("type", "Loại đơn vị", ("Loại",), is_required=True),
    Column("level", "Cấp", is_required=True),
    Column("parent_code", "Mã cấp trên"),
    Column("protocol_order", "Thứ tự"),
    Column("valid_from", "Từ ngày"),
    Column("valid_to", "Đến ngày"),
)


@dataclass(slots=True)
class _UnitRow:
    """A row of units, read."""

    number: int
    code: str
    name: str
    type: str
    level: UnitLevel
    parent_code: str
    protocol_order: int
    valid_from: date | None
    valid_to: date | None
    unit: Unit | None = None


def plan_units(session: Session, table: Table) -> Plan:
    """What taking ``table`` in would do to the tree. Parents may stand anywhere in the table."""
    plan = Plan(len(table.rows), faults=list(table.faults))
    known = list(session.scalars(select(Unit).options(selectinload(Unit.codes))))
    by_key = {(unit.code, unit.valid_from): unit for unit in known}
    rows: list[_UnitRow] = []
    for row in table.rows:
        cells = Cells(row, UNIT_COLUMNS, plan.faults)
        read = _read_unit(cells, by_key)
        if cells.is_sound:
            rows.append(read)
    _check_units(rows, known, plan)
    created: dict[int, Unit] = {}
    for read in rows:
        _plan_unit(session, read, created, plan)
    if not plan.faults:
        plan.acts.append(lambda: _place(session, rows, known, created))
    return plan


def _read_unit(cells: Cells, by_key: Mapping[tuple[str, date | None], Unit]) -> _UnitRow:
    row = cells.row
    valid_from = cells.read("valid_from", read_day)
    unit = by_key.get((row["code"], valid_from))
    read = _UnitRow(
        number=row.number,
        code=row["code"],
        name=row["name"],
        type=row["type"],
        level=cells.read("level", lambda text: read_word(text, LEVEL_WORDS), UnitLevel.COMMUNE),
        parent_code=row["parent_code"],
        protocol_order=cells.read(
            "protocol_order", lambda text: read_number(text, 0, 1_000_000), row.number
        ),
        valid_from=valid_from,
        valid_to=cells.read("valid_to", read_day),
        unit=unit,
    )
    if read.valid_from and read.valid_to and read.valid_to < read.valid_from:
        cells.fault("valid_to", "Ngày kết thúc trước ngày bắt đầu.")
    if not read.parent_code and read.level is not UnitLevel.PROVINCE:
        cells.fault("parent_code", "Nêu mã đơn vị cấp trên.")
    if read.parent_code == read.code:
        cells.fault("parent_code", "Không thể đặt một đơn vị dưới chính nó.")
    cells.faults_of(keeping.unit_faults(read.name, read.code, read.type))
    return read


def _check_units(rows: Sequence[_UnitRow], known: Sequence[Unit], plan: Plan) -> None:
    """Codes once on each day, parents that exist and are no circle."""
    mine = {id(row.unit) for row in rows if row.unit is not None}
    spans: dict[str, list[tuple[Span, str]]] = {}
    for unit in known:
        if id(unit) not in mine:
            span = Span(unit.id, unit.parent_id, unit.valid_from, unit.valid_to)
            spans.setdefault(unit.code, []).append((span, unit.name))
    for row in rows:
        taken = spans.setdefault(row.code, [])
        for span, name in taken:
            if overlap(row.valid_from, row.valid_to, span):
                plan.faults.append(Fault(row.number, "Mã", f"Mã này đang là mã của {name}."))
                break
        taken.append((Span(0, None, row.valid_from, row.valid_to), row.name))
    above = {row.code: row.parent_code for row in rows}
    for row in rows:
        if row.parent_code and row.parent_code not in spans:
            sentence = f"Không có đơn vị nào mã {row.parent_code[:40]}."
            plan.faults.append(Fault(row.number, "Mã cấp trên", sentence))
        elif _is_circle(row.code, above):
            plan.faults.append(Fault(row.number, "Mã cấp trên", "Các đơn vị nối vòng vào nhau."))


def _is_circle(code: str, above: Mapping[str, str]) -> bool:
    seen = {code}
    at = above.get(code, "")
    while at:
        if at in seen:
            return at == code
        seen.add(at)
        at = above.get(at, "")
    return False


def _plan_unit(session: Session, read: _UnitRow, created: dict[int, Unit], plan: Plan) -> None:
    values = {
        "code": read.code,
        "name": read.name,
        "name_folded": fold(read.name)[:200],
        "type": read.type,
        "level": read.level,
        "protocol_order": read.protocol_order,
        "valid_from": read.valid_from,
        "valid_to": read.valid_to,
    }
    if read.unit is None:
        plan.new += 1

        def create() -> None:
            made = Unit(**values, codes=[])
            created[read.number] = made
            session.add(made)

        plan.acts.append(create)
        return
    unit = read.unit
    parent = unit.parent.code if unit.parent else ""
    if parent != read.parent_code or differs(unit, values):
        plan.changed += 1
        plan.acts.append(lambda: overwrite(unit, values))


def _place(
    session: Session, rows: Sequence[_UnitRow], known: Sequence[Unit], created: Mapping[int, Unit]
) -> None:
    """Put every row below the unit that has the parent's code in its time."""
    session.flush()
    of_rows = {row.number: row.unit or created[row.number] for row in rows}
    by_code: dict[str, list[Unit]] = {}
    for unit in (*known, *created.values()):
        by_code.setdefault(unit.code, []).append(unit)
    for row in rows:
        candidates = by_code.get(row.parent_code, [])
        fitting = [
            one
            for one in candidates
            if overlap(
                row.valid_from, row.valid_to, Span(one.id, None, one.valid_from, one.valid_to)
            )
        ]
        parents = [one.id for one in fitting or candidates]
        of_rows[row.number].parent_id = parents[-1] if parents else None
    session.flush()


def unit_rows(session: Session) -> Iterable[Mapping[str, object]]:
    """All units as rows of `UNIT_COLUMNS`."""
    query = select(Unit).options(selectinload(Unit.parent))
    for unit in session.scalars(query.order_by(Unit.protocol_order, Unit.code, Unit.id)):
        yield {
            "code": unit.code,
            "name": unit.name,
            "type": unit.type,
            "level": LEVEL_NAMES[unit.level],
            "parent_code": unit.parent.code if unit.parent else "",
            "protocol_order": unit.protocol_order,
            "valid_from": unit.valid_from,
            "valid_to": unit.valid_to,
        }
