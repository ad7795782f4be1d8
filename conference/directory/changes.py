"""Changing the tree: one act for a reform, checked, previewed, recorded with its legal ground.

Nothing is overwritten. The units concerned end the day before the change takes effect, new rows
begin on the day, links say who took over from whom. Rooms go along the main line to the first new
unit; offices go along only where the unit stays the same but for its name or place, because a
merged unit appoints its people anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, selectinload

from conference.database import Base
from conference.directory.history import Span, change_faults, day_before
from conference.directory.keeping import code_fault, unit_faults
from conference.directory.models import (
    Appointment,
    ChangeKind,
    FormerHolder,
    Person,
    Site,
    Succession,
    Unit,
    UnitChange,
    UnitCode,
)
from conference.directory.units import short_name
from conference.directory.vietnamese import fold
from conference.errors import InvalidError, NotFoundError

_SAME_UNIT = frozenset({ChangeKind.RENAMED, ChangeKind.MOVED})


@dataclass(frozen=True, slots=True)
class NewUnit:
    """A unit that a change opens; level and place follow the first unit that it closes."""

    name: str
    code: str
    type: str


@dataclass(frozen=True, slots=True)
class ChangeDraft:
    """A change as typed."""

    kind: ChangeKind
    effective_on: date
    reference: str
    closing: tuple[int, ...]
    """Units that end, the main one first."""
    opening: tuple[NewUnit, ...] = ()
    """Units that begin, the main one first; for MOVED none is named, it keeps name and code."""
    parent_id: int | None = None
    """Where a MOVED unit goes."""


@dataclass(frozen=True, slots=True)
class Effects:
    """What a change touches, for the person to see before it is recorded."""

    closing: Sequence[Unit]
    sites: int
    people: int
    """Offices held in the units that end."""
    children: int
    """Units below them, which follow the main line."""


def effects(session: Session, draft: ChangeDraft) -> Effects:
    """Check ``draft`` and say what it touches. Raises InvalidError or NotFoundError."""
    closing = _closing(session, draft)
    _check(session, draft, closing)
    ids = [unit.id for unit in closing]

    def count(model: type[Base], *conditions: ColumnElement[bool]) -> int:
        query = select(func.count()).select_from(model).where(*conditions)
        return session.scalar(query) or 0

    return Effects(
        closing=closing,
        sites=count(Site, Site.unit_id.in_(ids)),
        people=count(Appointment, Appointment.unit_id.in_(ids), _held(draft.effective_on)),
        children=count(Unit, Unit.parent_id.in_(ids), _lasting(draft.effective_on)),
    )


def record_change(
    session: Session, draft: ChangeDraft, *, recorded_by: str, at: datetime
) -> UnitChange:
    """Carry out ``draft`` in the caller's transaction. Raises InvalidError or NotFoundError."""
    closing = _closing(session, draft)
    _check(session, draft, closing)
    opened = [
        _open(closing[0], new, draft, rank) for rank, new in enumerate(_named(draft, closing))
    ]
    session.add_all(opened)
    session.flush()
    heirs: list[int | None] = [unit.id for unit in opened] if opened else [None]
    change = UnitChange(
        kind=draft.kind,
        effective_on=draft.effective_on,
        reference=draft.reference,
        recorded_by=recorded_by,
        recorded_at=at,
        links=[
            Succession(predecessor_id=old.id, successor_id=heir)
            for old in closing
            for heir in heirs
        ],
    )
    session.add(change)
    last = day_before(draft.effective_on)
    for unit in closing:
        unit.valid_to = last
    if opened:
        hand_over_sites(session, {unit.id: opened[0] for unit in closing}, last)
    _end_offices(session, draft, closing, opened)
    session.flush()
    return change


def hand_over_sites(session: Session, heirs: dict[int, Unit], last: date) -> None:
    """Rooms of the units ``heirs`` names go to their heirs after ``last``.

    A site that bears its unit's name takes the heir's; where several come together, the later
    ones say which seat they were.
    """
    query = select(Site).where(Site.unit_id.in_(heirs)).options(selectinload(Site.unit))
    order = {unit_id: place for place, unit_id in enumerate(heirs)}
    taken: set[tuple[int, str]] = set()
    for site in sorted(session.scalars(query), key=lambda one: (order[one.unit_id], one.id)):
        heir = heirs[site.unit_id]
        session.add(FormerHolder(site=site, unit_id=site.unit_id, until_day=last))
        old_name = short_name(site.unit.name)
        if site.name == old_name:
            name = short_name(heir.name)
            is_second = (heir.id, name) in taken
            taken.add((heir.id, name))
            site.name = (f"{name} ({old_name} cũ)" if is_second else name)[:200]
        site.unit = heir


def _closing(session: Session, draft: ChangeDraft) -> list[Unit]:
    wanted = list(dict.fromkeys(draft.closing))
    query = select(Unit).where(Unit.id.in_(wanted)).options(selectinload(Unit.codes))
    found = {unit.id: unit for unit in session.scalars(query)}
    if len(found) != len(wanted):
        raise NotFoundError
    return [found[unit_id] for unit_id in wanted]


def _named(draft: ChangeDraft, closing: Sequence[Unit]) -> list[NewUnit]:
    if draft.kind is ChangeKind.MOVED:
        return [NewUnit(unit.name, unit.code, unit.type) for unit in closing]
    return list(draft.opening)


def _check(session: Session, draft: ChangeDraft, closing: Sequence[Unit]) -> None:
    spans = [Span(u.id, u.parent_id, u.valid_from, u.valid_to) for u in closing]
    named = _named(draft, closing)
    faults: dict[str, str] = {}
    about_units = change_faults(draft.kind, draft.effective_on, spans, len(named))
    if about_units:
        faults["units"] = " ".join(about_units)
    if not draft.reference.strip():
        faults["reference"] = "Nêu văn bản làm căn cứ, ví dụ 1677/NQ-UBTVQH15."
    elif len(draft.reference) > 200:
        faults["reference"] = "Căn cứ dài quá 200 ký tự."
    if draft.kind is ChangeKind.MOVED:
        faults |= _parent_fault(session, draft, closing)
    freed = {unit.id for unit in closing}
    codes: set[str] = set()
    for place, new in enumerate(named, start=1):
        found = unit_faults(new.name, new.code, new.type)
        if not found and new.code in codes:
            found["code"] = f"Mã {new.code} được nêu hai lần."
        if not found:
            found |= code_fault(session, new.code, draft.effective_on, None, ignoring=freed)
        codes.add(new.code)
        if found:
            where = f"Đơn vị mới {place}: " if len(named) > 1 else ""
            faults.setdefault("opening", where + " ".join(found.values()))
    if faults:
        raise InvalidError(faults)


def _parent_fault(session: Session, draft: ChangeDraft, closing: Sequence[Unit]) -> dict[str, str]:
    parent = session.get(Unit, draft.parent_id) if draft.parent_id is not None else None
    if parent is None:
        return {"parent": "Chọn đơn vị cấp trên mới."}
    above: Unit | None = parent
    while above is not None:
        if above in closing:
            return {"parent": "Không thể đặt một đơn vị dưới chính nó."}
        above = above.parent
    span = Span(parent.id, parent.parent_id, parent.valid_from, parent.valid_to)
    if not span.holds_on(draft.effective_on):
        return {"parent": "Đơn vị cấp trên không tồn tại vào ngày hiệu lực."}
    return {}


def _open(main: Unit, new: NewUnit, draft: ChangeDraft, rank: int) -> Unit:
    is_same = draft.kind in _SAME_UNIT
    return Unit(
        code=new.code,
        name=new.name,
        name_folded=fold(new.name)[:200],
        type=new.type,
        level=main.level,
        parent_id=draft.parent_id if draft.kind is ChangeKind.MOVED else main.parent_id,
        protocol_order=main.protocol_order + rank,
        valid_from=draft.effective_on,
        valid_to=None,
        codes=[UnitCode(system=c.system, code=c.code) for c in main.codes] if is_same else [],
    )


def _end_offices(
    session: Session, draft: ChangeDraft, closing: Sequence[Unit], opened: Sequence[Unit]
) -> None:
    ids = [unit.id for unit in closing]
    query = select(Appointment).where(Appointment.unit_id.in_(ids), _held(draft.effective_on))
    goes_on = draft.kind in _SAME_UNIT
    for office in session.scalars(query):
        last = office.valid_to
        office.valid_to = day_before(draft.effective_on)
        if goes_on:
            session.add(
                Appointment(
                    person_id=office.person_id,
                    unit_id=opened[0].id,
                    title=office.title,
                    protocol_order=office.protocol_order,
                    may_chair=office.may_chair,
                    valid_from=draft.effective_on,
                    valid_to=last,
                )
            )
    if opened:
        for person in session.scalars(select(Person).where(Person.unit_id.in_(ids))):
            person.unit_id = opened[0].id


def _held(day: date) -> ColumnElement[bool]:
    return or_(Appointment.valid_to.is_(None), Appointment.valid_to >= day)


def _lasting(day: date) -> ColumnElement[bool]:
    return or_(Unit.valid_to.is_(None), Unit.valid_to >= day)
