"""Taking in people with their offices from a table, and giving them out.

A person is known by the mail address, else by name and unit.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from conference.directory import people
from conference.directory.history import Span
from conference.directory.intake import Cells, Plan, differs, overwrite
from conference.directory.models import Appointment, Person, Unit
from conference.directory.people import LOWEST_RANK, Office, PersonFacts
from conference.directory.reading import read_day, read_flag, read_number
from conference.directory.tables import Column, Table
from conference.directory.vietnamese import fold, name_sort_key

PEOPLE_COLUMNS: Final = (
    Column("full_name", "Họ và tên", is_required=True),
    Column("title", "Chức vụ"),
    Column("unit_code", "Mã đơn vị"),
    Column("protocol_order", "Thứ tự"),
    Column("may_chair", "Được chủ trì"),
    Column("valid_from", "Từ ngày"),
    Column("valid_to", "Đến ngày"),
    Column("email", "Thư điện tử", ("Email",)),
    Column("phone", "Điện thoại"),
)


def plan_people(session: Session, table: Table, today: date) -> Plan:
    """What taking ``table`` in would do. A person is known by address, else by name and unit."""
    plan = Plan(len(table.rows), faults=list(table.faults))
    register = PeopleRegister(session, today)
    for row in table.rows:
        cells = Cells(row, PEOPLE_COLUMNS, plan.faults)
        register.plan(cells, table.columns, plan)
    plan.finish = register.finish
    return plan


class PeopleRegister:
    """People as they are, by address and by name and unit, while a table is taken in."""

    def __init__(self, session: Session, today: date) -> None:
        self._session = session
        self._today = today
        query = select(Person).options(selectinload(Person.appointments))
        everybody = session.scalars(query).all()
        self._by_email = {person.email.lower(): person for person in everybody if person.email}
        self._by_name: dict[tuple[str, int | None], Person] = {}
        for person in everybody:
            self._by_name.setdefault((person.full_name, person.unit_id), person)
        self.units = units_by_code(session, today)
        self._seen: dict[object, int] = {}
        self._touched: list[Person] = []

    def find(self, name: str, email: str, unit_id: int | None) -> Person | None:
        """Who is meant, if known."""
        if email and email.lower() in self._by_email:
            return self._by_email[email.lower()]
        person = self._by_name.get((name, unit_id))
        # the same name with another address is somebody else
        return person if person is None or not (email and person.email) else None

    def add(self, person: Person) -> None:
        """Remember somebody who was created while the table is taken in."""
        if person.email:
            self._by_email[person.email.lower()] = person
        self._by_name.setdefault((person.full_name, person.unit_id), person)
        self._touched.append(person)

    def plan(self, cells: Cells, columns: frozenset[str], plan: Plan) -> None:
        """Decide what one row does."""
        facts, office = self._read(cells)
        if not cells.is_sound:
            return
        unit_id = office.unit_id if office else None
        who = facts.email.lower() or (facts.full_name, unit_id)
        key = (who, unit_id, office.title if office else "", office.valid_from if office else None)
        if key in self._seen:
            cells.fault("full_name", f"Trùng với dòng {self._seen[key]}.")
            return
        self._seen[key] = cells.row.number
        person = self.find(facts.full_name, facts.email, unit_id)
        if person is None:
            plan.new += 1
            plan.acts.append(lambda: self._create(facts, office))
        elif self._differs(person, facts, office, columns):
            plan.changed += 1
            plan.acts.append(lambda: self._update(person, facts, office, columns))

    def finish(self) -> None:
        """Write what was created and copy the offices in force onto the people."""
        self._session.flush()
        people.refresh(self._session, self._today, self._touched)

    def _read(self, cells: Cells) -> tuple[PersonFacts, Office | None]:
        row = cells.row
        facts = PersonFacts(row["full_name"], row["email"], row["phone"])
        cells.faults_of(people.person_faults(facts))
        unit_id = self.units.get(row["unit_code"])
        if row["unit_code"] and unit_id is None:
            cells.fault("unit_code", f"Không có đơn vị nào mã {row['unit_code'][:40]}.")
        office = Office(
            title=row["title"],
            unit_id=unit_id,
            protocol_order=cells.read(
                "protocol_order", lambda text: read_number(text, 0, 1_000_000), LOWEST_RANK
            ),
            may_chair=cells.read("may_chair", read_flag, otherwise=False),
            valid_from=cells.read("valid_from", read_day),
            valid_to=cells.read("valid_to", read_day),
        )
        if not office.title:
            return facts, None
        cells.faults_of(people.office_faults(office))
        return facts, office

    def _create(self, facts: PersonFacts, office: Office | None) -> None:
        person = self.find(facts.full_name, facts.email, office.unit_id if office else None)
        if person is None:
            self.add(new_person(self._session, facts, office))
        elif office is not None:  # a second office of somebody the table brought before
            person.appointments.append(_appointment(office))

    def _update(
        self, person: Person, facts: PersonFacts, office: Office | None, columns: frozenset[str]
    ) -> None:
        overwrite(person, self._values(facts, columns))
        if office is not None:
            kept = _same_office(person, office)
            if kept is None:
                person.appointments.append(_appointment(office))
            else:
                overwrite(kept, _office_values(office))
        self._touched.append(person)

    def _differs(
        self, person: Person, facts: PersonFacts, office: Office | None, columns: frozenset[str]
    ) -> bool:
        if differs(person, self._values(facts, columns)):
            return True
        if office is None:
            return False
        kept = _same_office(person, office)
        return kept is None or differs(kept, _office_values(office))

    @staticmethod
    def _values(facts: PersonFacts, columns: frozenset[str]) -> dict[str, object]:
        values: dict[str, object] = {
            "full_name": facts.full_name,
            "name_folded": fold(facts.full_name)[:120],
            "sort_key": name_sort_key(facts.full_name)[:120],
        }
        values |= {key: getattr(facts, key) for key in ("email", "phone") if key in columns}
        return values


def units_by_code(session: Session, today: date) -> dict[str, int]:
    """Unit by main code: the one in force today, else the latest."""
    rows = session.execute(select(Unit.code, Unit.id, Unit.valid_from, Unit.valid_to))
    ranked = sorted(
        rows,
        key=lambda row: (
            Span(row.id, None, row.valid_from, row.valid_to).holds_on(today),
            row.valid_from or date.min,
        ),
    )
    return {row.code: row.id for row in ranked}


def new_person(session: Session, facts: PersonFacts, office: Office | None) -> Person:
    """Somebody new with one office, not flushed yet."""
    person = Person(
        full_name=facts.full_name,
        name_folded=fold(facts.full_name)[:120],
        sort_key=name_sort_key(facts.full_name)[:120],
        email=facts.email,
        phone=facts.phone,
        title=office.title if office else "",
        unit_id=office.unit_id if office else None,
        protocol_order=office.protocol_order if office else LOWEST_RANK,
        may_chair=office.may_chair if office else False,
        appointments=[_appointment(office)] if office else [],
    )
    session.add(person)
    return person


def _office_values(office: Office | Appointment) -> dict[str, object]:
    return {
        "unit_id": office.unit_id,
        "title": office.title,
        "protocol_order": office.protocol_order,
        "may_chair": office.may_chair,
        "valid_from": office.valid_from,
        "valid_to": office.valid_to,
    }


def _appointment(office: Office) -> Appointment:
    return Appointment(**_office_values(office))


def _same_office(person: Person, office: Office) -> Appointment | None:
    """The office on record that a row speaks of: same unit, title and first day."""
    for kept in person.appointments:
        if (kept.unit_id, kept.title, kept.valid_from) == (
            office.unit_id, office.title, office.valid_from,
        ):  # fmt: skip
            return kept
    return None


def people_rows(session: Session) -> Iterable[Mapping[str, object]]:
    """Everybody with each office as rows of `PEOPLE_COLUMNS`."""
    options = selectinload(Person.appointments).joinedload(Appointment.unit)
    query = select(Person).options(options).order_by(Person.protocol_order, Person.sort_key)
    for person in session.scalars(query):
        base = {"full_name": person.full_name, "email": person.email, "phone": person.phone}
        if not person.appointments:
            yield base
        for office in person.appointments:
            unit_code = office.unit.code if office.unit else ""
            yield base | _office_values(office) | {"unit_code": unit_code}
