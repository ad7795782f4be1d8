"""The office's own rules as stored: special days of the calendar, and thresholds.

`Office` bundles what the rules need to know; read once for each request. Changes are audited.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from conference.access import audit
from conference.access.policy import Actor
from conference.errors import InvalidError
from conference.scheduling import thresholds, working_days
from conference.scheduling.models import CalendarDay, DayKind, PlanningSetting
from conference.scheduling.thresholds import Thresholds
from conference.scheduling.working_days import SpecialDay, WorkingCalendar
from conference.sentences import say

MAX_NAME: Final = 120


@dataclass(frozen=True, slots=True)
class Office:
    """What is particular about this office when meetings are planned."""

    calendar: WorkingCalendar = field(default_factory=lambda: WorkingCalendar({}))
    thresholds: Thresholds = field(default_factory=Thresholds)


def office_of(session: Session, *days: date | None) -> Office:
    """The office's rules, with a calendar that covers the years around ``days``."""
    found = thresholds_of(session)
    years = {day.year + shift for day in days if day for shift in (-1, 0, 1)}
    stored = [SpecialDay(row.day, row.kind, row.name) for row in _rows(session, years)]
    has_culture_day = bool(found.culture_day)
    calendar = working_days.calendar_of(stored, years, has_culture_day=has_culture_day)
    return Office(calendar, found)


def thresholds_of(session: Session) -> Thresholds:
    """The numbers in force."""
    rows = session.execute(select(PlanningSetting.name, PlanningSetting.value)).all()
    return thresholds.from_stored({row.name: row.value for row in rows})


def days_of(session: Session, year: int) -> tuple[list[SpecialDay], bool]:
    """Special days of ``year`` by date, and whether they are the office's own or the law's."""
    rows = _rows(session, {year})
    if rows:
        return [SpecialDay(row.day, row.kind, row.name) for row in rows], True
    has_culture_day = bool(thresholds_of(session).culture_day)
    return working_days.statutory(year, has_culture_day=has_culture_day), False


def _rows(session: Session, years: set[int]) -> list[CalendarDay]:
    if not years:
        return []
    first, last = date(max(1, min(years)), 1, 1), date(min(9999, max(years)), 12, 31)
    query = select(CalendarDay).where(CalendarDay.day.between(first, last))
    return list(session.scalars(query.order_by(CalendarDay.day)))


def keep_day(
    session: Session,
    day: date,
    kind: DayKind,
    name: str,
    *,
    actor: Actor,
    at: datetime,
    address: str = "",
) -> None:
    """Add a special day or change it; the law's days of the year are taken over first.

    Raises InvalidError naming the field at fault.
    """
    name = " ".join(name.split())
    faults: dict[str, str] = {}
    if not name:
        faults["name"] = "Nhập tên ngày."
    elif len(name) > MAX_NAME:
        faults["name"] = say("Tên dài quá %(n)s ký tự.", n=MAX_NAME)
    if kind is DayKind.WORKING_SWAP and day.weekday() < 5:
        faults["kind"] = "Ngày làm bù phải là thứ Bảy hoặc Chủ nhật."
    if kind is DayKind.IN_LIEU and day.weekday() >= 5:
        faults["kind"] = "Ngày nghỉ bù phải là ngày trong tuần."
    if faults:
        raise InvalidError(faults)
    take_over(session, day.year)
    row = session.get(CalendarDay, day)
    if row is None:
        session.add(CalendarDay(day=day, kind=kind, name=name))
    else:
        row.kind, row.name = kind, name
    _audit(session, actor, at, address, day.isoformat(), {"kind": kind.value, "name": name})


def drop_day(session: Session, day: date, *, actor: Actor, at: datetime, address: str = "") -> None:
    """Make ``day`` ordinary again; a day that is ordinary is no error."""
    take_over(session, day.year)
    session.execute(delete(CalendarDay).where(CalendarDay.day == day))
    _audit(session, actor, at, address, day.isoformat(), {"kind": None})


def take_over(session: Session, year: int) -> None:
    """Store the law's days of a year that has none of its own yet, to be edited from then on."""
    days, is_own = days_of(session, year)
    if not is_own:
        session.add_all(CalendarDay(day=one.day, kind=one.kind, name=one.name) for one in days)
        session.flush()


def set_thresholds(
    session: Session,
    values: Mapping[str, int | None],
    *,
    actor: Actor,
    at: datetime,
    address: str = "",
) -> None:
    """Store an office's numbers. Raises InvalidError naming those at fault."""
    faults = thresholds.faults(values)
    if faults:
        raise InvalidError(faults)
    numbers = {name: value for name, value in values.items() if value is not None}
    session.execute(delete(PlanningSetting))
    own = thresholds.changed({name: numbers[name] for name in thresholds.LIMITS})
    session.add_all(
        PlanningSetting(name=name, value=str(value), changed_by=actor.name, changed_at=at)
        for name, value in own.items()
    )
    _audit(session, actor, at, address, "thresholds", own)


def _audit(  # noqa: PLR0917 (session, actor, time, address come together everywhere)
    session: Session,
    actor: Actor,
    at: datetime,
    address: str,
    about: str,
    detail: Mapping[str, object],
) -> None:
    audit.record(
        session, at=at, actor=actor, action="planning.changed", object_type="planning",
        object_id=about, address=address, detail=dict(detail),
    )  # fmt: skip
    session.flush()
