"""People and the offices they hold over time.

What a list of today needs (title, unit, rank, right to chair) stands on the person; it is the main
office in force, the one with the highest rank, and `refresh` copies it there. Every office stays
on record with its period, so that a list of an earlier day can name people as they were.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from conference.directory.history import day_before
from conference.directory.models import Appointment, Person, Unit
from conference.directory.sites import is_mail_address
from conference.directory.vietnamese import closeness, fold, name_sort_key
from conference.errors import InvalidError, NotFoundError

LOWEST_RANK: Final = 1000
"""Rank of people without protocol order."""


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """What may be said about a person apart from offices."""

    full_name: str
    email: str = ""
    phone: str = ""
    sort_name: str = ""
    """Name to sort by where the full name would sort wrongly; empty = the full name."""


@dataclass(frozen=True, slots=True)
class Office:
    """An office as typed."""

    title: str
    unit_id: int | None
    protocol_order: int = LOWEST_RANK
    may_chair: bool = False
    valid_from: date | None = None
    valid_to: date | None = None


def in_force(day: date) -> ColumnElement[bool]:
    """SQL condition: the appointment is in force on ``day``."""
    return or_(Appointment.valid_from.is_(None), Appointment.valid_from <= day) & or_(
        Appointment.valid_to.is_(None), Appointment.valid_to >= day
    )


def find_person(session: Session, person_id: int) -> Person:
    """The person with all offices. Raises NotFoundError."""
    options = [selectinload(Person.appointments).joinedload(Appointment.unit)]
    person = session.get(Person, person_id, options=options)
    if person is None:
        raise NotFoundError
    return person


def create_person(session: Session, facts: PersonFacts) -> Person:
    """Store somebody new. Raises InvalidError."""
    person = Person(appointments=[])
    _write(person, facts)
    session.add(person)
    session.flush()
    return person


def update_person(session: Session, person_id: int, facts: PersonFacts) -> dict[str, list[object]]:
    """Write ``facts``; what changed as ``{field: [before, after]}``. Raises InvalidError."""
    person = find_person(session, person_id)
    names = ("full_name", "email", "phone")
    before = {name: getattr(person, name) for name in names}
    _write(person, facts)
    return {
        name: [before[name], getattr(person, name)]
        for name in names
        if before[name] != getattr(person, name)
    }


def appoint(session: Session, person_id: int, office: Office, today: date) -> Appointment:
    """Give a person an office. Raises InvalidError."""
    person = find_person(session, person_id)
    faults = office_faults(office)
    if office.unit_id is not None and session.get(Unit, office.unit_id) is None:
        faults["unit"] = "Không tìm thấy đơn vị này."
    if faults:
        raise InvalidError(faults)
    made = Appointment(
        unit_id=office.unit_id,
        title=office.title,
        protocol_order=office.protocol_order,
        may_chair=office.may_chair,
        valid_from=office.valid_from,
        valid_to=office.valid_to,
    )
    person.appointments.append(made)
    session.flush()
    refresh(session, today, [person])
    return made


def dismiss(session: Session, appointment_id: int, first_day_without: date, today: date) -> Person:
    """End an office the day before ``first_day_without``. Raises InvalidError, NotFoundError."""
    office = session.get(Appointment, appointment_id)
    if office is None:
        raise NotFoundError
    last = day_before(first_day_without)
    if office.valid_from is not None and last < office.valid_from:
        raise InvalidError({"valid_to": "Ngày thôi giữ chức trước ngày nhận chức."})
    office.valid_to = last
    session.flush()
    person = find_person(session, office.person_id)
    refresh(session, today, [person])
    return person


def refresh(session: Session, today: date, people: Iterable[Person] | None = None) -> int:
    """Copy the main office in force onto ``people`` (all if None); how many changed.

    Whoever never had an office is left as is; whoever has none any more keeps the last title and
    may no longer chair.
    """
    if people is None:
        options = selectinload(Person.appointments)
        people = session.scalars(select(Person).options(options)).all()
    changed = 0
    for person in people:
        held = [one for one in person.appointments if _is_in_force(one, today)]
        if not person.appointments:
            continue
        before = (person.title, person.unit_id, person.protocol_order, person.may_chair)
        if held:
            main = min(held, key=lambda one: (one.protocol_order, one.id))
            person.title, person.unit_id = main.title, main.unit_id
            person.protocol_order = main.protocol_order
        person.may_chair = any(one.may_chair for one in held)
        after = (person.title, person.unit_id, person.protocol_order, person.may_chair)
        changed += before != after
    session.flush()
    return changed


def titles_on(session: Session, day: date, person_ids: Iterable[int]) -> dict[int, str]:
    """Title of each person's main office on ``day``; people without one then are left out."""
    query = (
        select(Appointment)
        .where(in_force(day), Appointment.person_id.in_(list(person_ids)))
        .order_by(Appointment.protocol_order.desc(), Appointment.id.desc())
    )
    return {office.person_id: office.title for office in session.scalars(query)}


def offices_of(session: Session, unit_id: int) -> Sequence[Appointment]:
    """All offices in a unit, those in force first, then by rank and name."""
    query = (
        select(Appointment)
        .join(Appointment.person)
        .where(Appointment.unit_id == unit_id)
        .options(joinedload(Appointment.person))
        .order_by(
            Appointment.valid_to.is_not(None), Appointment.protocol_order, Person.sort_key,
        )
    )  # fmt: skip
    return session.scalars(query).all()


def search(session: Session, text: str, *, limit: int, offset: int = 0) -> tuple[list[Person], int]:
    """People by rank, given name, family name; all words of ``text`` in name or title.

    With a text, names with the same marks come first. Also how many there are in all.
    """
    query = select(Person.id, Person.full_name)
    for word in fold(text).split()[:8]:
        query = query.where(Person.name_folded.contains(word, autoescape=True))
    query = query.order_by(Person.protocol_order, Person.sort_key)
    if text.strip():
        ranked = sorted(session.execute(query), key=lambda row: closeness(text, row.full_name))
        total = len(ranked)
        wanted = [row.id for row in ranked[offset : offset + limit]]
    else:
        total = count(session)
        wanted = [row.id for row in session.execute(query.limit(limit).offset(offset))]
    loaded = select(Person).where(Person.id.in_(wanted)).options(joinedload(Person.unit))
    known = {person.id: person for person in session.scalars(loaded)}
    return [known[one] for one in wanted], total


def count(session: Session) -> int:
    """How many people there are."""
    return session.scalar(select(func.count()).select_from(Person)) or 0


def technicians(session: Session) -> Sequence[Person]:
    """People whose title says that they look after technology, by name."""
    query = select(Person).where(Person.title.icontains("kỹ thuật"))
    return session.scalars(query.order_by(Person.sort_key)).all()


def person_faults(facts: PersonFacts) -> dict[str, str]:
    """What is wrong with a person's facts, by field."""
    found = {}
    if not facts.full_name:
        found["full_name"] = "Nhập họ và tên."
    elif len(facts.full_name) > 120:
        found["full_name"] = "Họ và tên dài quá 120 ký tự."
    if facts.email and (not is_mail_address(facts.email) or len(facts.email) > 254):
        found["email"] = "Địa chỉ thư không đúng; ví dụ ten@tinh.gov.vn."
    if len(facts.phone) > 40:
        found["phone"] = "Số điện thoại dài quá 40 ký tự."
    return found


def office_faults(office: Office) -> dict[str, str]:
    """What is wrong with an office, by field."""
    found = {}
    if not office.title:
        found["title"] = "Nhập chức vụ."
    elif len(office.title) > 160:
        found["title"] = "Chức vụ dài quá 160 ký tự."
    if office.valid_from and office.valid_to and office.valid_to < office.valid_from:
        found["valid_to"] = "Ngày kết thúc trước ngày bắt đầu."
    if not 0 <= office.protocol_order <= 1_000_000:
        found["protocol_order"] = "Thứ tự nghi thức từ 0 đến 1000000."
    return found


def _is_in_force(office: Appointment, day: date) -> bool:
    begun = office.valid_from is None or office.valid_from <= day
    return begun and (office.valid_to is None or office.valid_to >= day)


def _write(person: Person, facts: PersonFacts) -> None:
    faults = person_faults(facts)
    if faults:
        raise InvalidError(faults)
    person.full_name = facts.full_name
    person.name_folded = fold(facts.full_name)[:120]
    person.sort_key = name_sort_key(facts.sort_name or facts.full_name)[:120]
    person.email = facts.email
    person.phone = facts.phone
