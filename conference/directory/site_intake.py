"""Taking in sites from a table, and giving them out. A site is known by its unit and its name."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from conference.directory.intake import Cells, Plan, differs, overwrite
from conference.directory.models import Site
from conference.directory.people_intake import units_by_code
from conference.directory.reading import read_flag, read_number
from conference.directory.sites import MAX_CAPACITY, MAX_LINE_MBPS, SiteFacts, site_faults
from conference.directory.tables import Column, Table
from conference.directory.vietnamese import fold

SITE_COLUMNS: Final = (
    Column("unit_code", "Mã đơn vị", is_required=True),
    Column("name", "Tên điểm cầu", ("Điểm cầu",), is_required=True),
    Column("room", "Phòng họp"),
    Column("capacity", "Số chỗ"),
    Column("line_mbps", "Đường truyền (Mb/s)", ("Đường truyền",)),
    Column("equipment", "Thiết bị"),
    Column("email", "Thư điện tử", ("Email",)),
    Column("technician_name", "Cán bộ kỹ thuật"),
    Column("technician_phone", "Điện thoại", ("Điện thoại kỹ thuật",)),
    Column("is_active", "Đang dùng"),
)
_LINES: Final = "; "
"""Between pieces of equipment: a cell has one line."""


def plan_sites(session: Session, table: Table, today: date) -> Plan:
    """What taking ``table`` in would do."""
    plan = Plan(len(table.rows), faults=list(table.faults))
    units = units_by_code(session, today)
    known = {(site.unit_id, fold(site.name)): site for site in session.scalars(select(Site))}
    seen: dict[tuple[int, str], int] = {}
    for row in table.rows:
        cells = Cells(row, SITE_COLUMNS, plan.faults)
        facts = _read(cells, table.columns, units)
        if not cells.is_sound:
            continue
        key = (facts.unit_id, fold(facts.name))
        if key in seen:
            cells.fault("name", f"Trùng với dòng {seen[key]}.")
            continue
        seen[key] = row.number
        _decide(session, plan, known.get(key), facts, table.columns)
    plan.finish = session.flush
    return plan


def _read(cells: Cells, columns: frozenset[str], units: Mapping[str, int]) -> SiteFacts:
    row = cells.row
    unit_id = units.get(row["unit_code"], 0)
    if row["unit_code"] and not unit_id:
        cells.fault("unit_code", f"Không có đơn vị nào mã {row['unit_code'][:40]}.")
    facts = SiteFacts(
        name=row["name"],
        room=row["room"],
        email=row["email"],
        capacity=cells.read("capacity", lambda text: read_number(text, 1, MAX_CAPACITY)),
        line_mbps=cells.read("line_mbps", lambda text: read_number(text, 1, MAX_LINE_MBPS)),
        equipment="\n".join(filter(None, map(str.strip, row["equipment"].split(";")))),
        technician_name=row["technician_name"],
        technician_phone=row["technician_phone"],
        is_active="is_active" not in columns or cells.read("is_active", read_flag, otherwise=True),
        unit_id=unit_id,
    )
    limits = {"name": 200, "room": 200, "technician_name": 120, "technician_phone": 40}
    for name, most in limits.items():
        if len(row[name]) > most:
            cells.fault(name, f"Dài quá {most} ký tự.")
    if row["name"]:
        cells.faults_of(site_faults(facts))
    return facts


def _decide(
    session: Session, plan: Plan, site: Site | None, facts: SiteFacts, columns: frozenset[str]
) -> None:
    written = [column.key for column in SITE_COLUMNS if column.key != "unit_code"]
    if site is None:
        values = {name: getattr(facts, name) for name in written}
        plan.new += 1
        plan.acts.append(lambda: session.add(Site(unit_id=facts.unit_id, **values)))
        return
    values = {name: getattr(facts, name) for name in written if name in columns}
    if differs(site, values):
        plan.changed += 1
        plan.acts.append(lambda: overwrite(site, values))


def site_rows(session: Session) -> Iterable[Mapping[str, object]]:
    """Every site as rows of `SITE_COLUMNS`."""
    query = select(Site).options(joinedload(Site.unit)).order_by(Site.id)
    for site in session.scalars(query):
        row = {column.key: getattr(site, column.key, "") for column in SITE_COLUMNS}
        lines = site.equipment.splitlines()
        yield row | {"unit_code": site.unit.code, "equipment": _LINES.join(lines)}
