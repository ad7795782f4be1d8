"""The kinds of tables that go in and out: units, sites, people, accounts."""

import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Final

from sqlalchemy.orm import Session

from conference.access import intake as accounts
from conference.directory import people_intake, site_intake, unit_intake
from conference.directory.intake import Plan
from conference.directory.tables import Column, Fault, Table, write_csv, write_xlsx


class Kind(enum.Enum):
    """What a table holds."""

    UNITS = "units"
    SITES = "sites"
    PEOPLE = "people"
    ACCOUNTS = "accounts"


COLUMNS: Final[Mapping[Kind, Sequence[Column]]] = {
    Kind.UNITS: unit_intake.UNIT_COLUMNS,
    Kind.SITES: site_intake.SITE_COLUMNS,
    Kind.PEOPLE: people_intake.PEOPLE_COLUMNS,
    Kind.ACCOUNTS: accounts.COLUMNS,
}
_ROWS: Final[Mapping[Kind, Callable[[Session], Iterable[Mapping[str, object]]]]] = {
    Kind.UNITS: unit_intake.unit_rows,
    Kind.SITES: site_intake.site_rows,
    Kind.PEOPLE: people_intake.people_rows,
    Kind.ACCOUNTS: accounts.account_rows,
}


def plan(session: Session, kind: Kind, table: Table, *, today: date, at: datetime) -> Plan:
    """What taking ``table`` in would do; each cell has at most one fault, the first found."""
    if kind is Kind.UNITS:
        found = unit_intake.plan_units(session, table)
    elif kind is Kind.SITES:
        found = site_intake.plan_sites(session, table, today)
    elif kind is Kind.PEOPLE:
        found = people_intake.plan_people(session, table, today)
    else:
        found = accounts.plan_accounts(session, table, today=today, at=at)
    first: dict[tuple[int, str], Fault] = {}
    for fault in found.faults:
        first.setdefault((fault.row, fault.column), fault)
    found.faults[:] = sorted(first.values(), key=lambda one: one.row)
    return found


def export(session: Session, kind: Kind, *, is_csv: bool) -> bytes:
    """Everything of one kind as a file that `plan` understands."""
    write = write_csv if is_csv else write_xlsx
    return write(COLUMNS[kind], _ROWS[kind](session))
