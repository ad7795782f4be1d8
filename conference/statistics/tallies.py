"""Sums over the sites of past months, kept so that ten years are not read invitation by invitation.

A kept month holds what its records said when it was reckoned. Whatever changes those records (a
correction, a file taken in or destroyed, a unit that changes its level) removes the month in the
same transaction; a month that is not kept is read from its records. So figures never depend on
what is kept. `fill` keeps months anew once they are over.

Two writers: a change removes its months last, right before it commits; `fill` locks the table
first. It therefore sees the change, or its own row is removed by it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, delete, event, exists, func, inspect, or_, select, text
from sqlalchemy.orm import ORMExecuteState, Session

from conference.attendance.models import AttendanceMark, PresenceEvidence
from conference.database import Database
from conference.directory.models import Site, Unit, UnitLevel
from conference.scheduling.local_time import day_bounds, local_day
from conference.scheduling.models import InvitedSite, Meeting
from conference.statistics import gather, periods
from conference.statistics.figures import HeldMeeting, SitesOfLevel
from conference.statistics.models import MonthTally
from conference.statistics.periods import Period

REST: Final = timedelta(days=1)
"""How long a month is over before it is kept: late observations would remove it again."""

_ONE_DAY: Final = timedelta(days=1)
_TOUCHED: Final = "statistics: touched"
_COUNTED: Final[Mapping[type[Any], tuple[str, ...]]] = {
    Meeting: ("starts_at", "ended_at", "status", "is_imported"),
    InvitedSite: ("site_id", "unit_name", "position", "delegates_count", "withdrawn_at"),
    AttendanceMark: ("status", "invited_site_id"),
    PresenceEvidence: ("identity", "kind", "reason", "at"),
    Site: ("unit_id",),
    Unit: ("level",),
}
"""What the sums are reckoned from."""
_OF_EVERY_MONTH: Final = (Site, Unit)
_TABLES: Final = {model.__tablename__: model for model in _COUNTED}


# --- reading -------------------------------------------------------------------------------------


class Kept:
    """The kept months that lie wholly in one of the periods; read with one statement."""

    def __init__(self, session: Session, *wanted: Period) -> None:
        inside = [
            and_(MonthTally.begins_at >= one.bounds[0], MonthTally.ends_at <= one.bounds[1])
            for one in wanted
        ]
        query = select(MonthTally.month, MonthTally.content).where(or_(*inside))
        self._months: dict[date, Any] = {row.month: row.content for row in session.execute(query)}

    def with_sites(
        self, session: Session, held: Sequence[HeldMeeting], *wanted: Period
    ) -> list[HeldMeeting]:
        """``held``, the meetings of ``wanted``, with the figures of their sites."""
        gaps = [gap for one in wanted for gap in uncovered(one, self._months)]
        condition = gather.was_held(*gaps)
        sites = dict(gather.sites_by_level(session, condition)) if gaps else {}
        incidents = dict(gather.incidents(session, condition)) if gaps else {}
        for content in self._months.values():
            for number, (broken, levels) in content["meetings"].items():
                sites[int(number)] = {
                    UnitLevel(level): SitesOfLevel(*figures) for level, figures in levels.items()
                }
                incidents[int(number)] = broken
        return [
            replace(one, sites=sites.get(one.id, {}), incidents=incidents.get(one.id, 0))
            for one in held
        ]

    def units(self, session: Session, wanted: Period) -> list[tuple[str, SitesOfLevel]]:
        """How often each unit was invited and came in ``wanted``, by the name it then had."""
        gaps = uncovered(wanted, self._months)
        rows = gather.attendance_by_unit(session, gather.was_held(*gaps)) if gaps else []
        sums = {name: [position, *_numbers(figures)] for name, position, figures in rows}
        inside = [one for month, one in self._months.items() if _is_inside(month, wanted)]
        for name, *figures in (row for content in inside for row in content["units"]):
            total = sums.get(name)
            if total is None:
                sums[name] = figures
                continue
            total[0] = min(total[0], figures[0])
            for index in range(1, len(figures)):
                total[index] += figures[index]
        order = sorted(sums, key=lambda name: (sums[name][0], name))
        return [(name, SitesOfLevel(*sums[name][1:])) for name in order]


def held_meetings(session: Session, *wanted: Period) -> list[HeldMeeting]:
    """The meetings held in ``wanted``, oldest first, with the help of what is kept."""
    held = gather.without_sites(session, gather.was_held(*wanted))
    return Kept(session, *wanted).with_sites(session, held, *wanted)


def uncovered(period: Period, months: Collection[date]) -> list[Period]:
    """The days of ``period`` outside those ``months`` (first days) that lie in it. Pure."""
    found = []
    begin = period.first
    for month in sorted(one for one in months if _is_inside(one, period)):
        if begin < month:
            found.append(Period(begin, month - _ONE_DAY))
        begin = _month(month).last + _ONE_DAY
    return [*found, Period(begin, period.last)] if begin <= period.last else found


def _is_inside(month: date, period: Period) -> bool:
    return period.first <= month and _month(month).last <= period.last


def _month(day: date) -> Period:
    return periods.month(day.year, day.month)


# --- keeping -------------------------------------------------------------------------------------


def fill(database: Database, at: datetime, most: int | None = None) -> int:
    """Keep the oldest months that are over and not kept, ``most`` at once; how many it kept."""
    before = day_bounds(local_day(at - REST).replace(day=1))[0]
    count = 0
    while most is None or count < most:
        with database.reading() as session:
            if _oldest(session, before) is None:
                return count
        with database.transaction() as session:
            _lock(session)
            starts_at = _oldest(session, before)  # another process may have been faster
            if starts_at is not None:
                session.add(_reckoned(session, _month(local_day(starts_at))))
                count += 1
    return count


def rebuild(database: Database, at: datetime) -> int:
    """Reckon every month that is over anew; how many are kept."""
    with database.transaction() as session:
        session.execute(delete(MonthTally))
    return fill(database, at)


def _oldest(session: Session, before: datetime) -> datetime | None:
    """Begin of the first held meeting in a month that is over and not kept."""
    is_kept = exists().where(
        Meeting.starts_at >= MonthTally.begins_at, Meeting.starts_at < MonthTally.ends_at
    )
    return session.scalar(
        select(func.min(Meeting.starts_at)).where(
            gather.was_held(), Meeting.starts_at < before, ~is_kept
        )
    )


def _lock(session: Session) -> None:
    # SQLite has one writer at a time, and a transaction that may write is it from its beginning
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE month_tally IN SHARE ROW EXCLUSIVE MODE"))


def _reckoned(session: Session, month: Period) -> MonthTally:
    condition = gather.was_held(month)
    incidents = gather.incidents(session, condition)
    sites = gather.sites_by_level(session, condition)
    meetings = {
        str(number): [
            incidents.get(number, 0),
            {
                level.value: _numbers(figures)
                for level, figures in sorted(
                    sites.get(number, {}).items(), key=lambda item: item[0].value
                )
            },
        ]
        for number in sorted({*sites, *incidents})
    }
    units = [
        [name, position, *_numbers(figures)]
        for name, position, figures in sorted(
            gather.attendance_by_unit(session, condition), key=lambda row: row[:2]
        )
    ]
    begins_at, ends_at = month.bounds
    return MonthTally(
        month=month.first,
        begins_at=begins_at,
        ends_at=ends_at,
        content={"meetings": meetings, "units": units},
    )


def _numbers(figures: SitesOfLevel) -> list[int]:
    return [figures.invited, figures.came, figures.delegates, figures.without_count]


# --- following sessions --------------------------------------------------------------------------


@dataclass(slots=True)
class _Touched:
    """What a session changed so far."""

    meetings: set[int] = field(default_factory=set)
    starts: set[datetime] = field(default_factory=set)
    """Begins of meetings that are new, moved or gone."""
    is_everything: bool = False

    def months(self) -> ColumnElement[bool] | None:
        """SQL condition: the months it changed; None when there are none."""
        conditions = [
            and_(MonthTally.begins_at <= at, MonthTally.ends_at > at) for at in sorted(self.starts)
        ]
        if self.meetings:
            is_in_it = exists().where(
                Meeting.id.in_(self.meetings),
                Meeting.starts_at >= MonthTally.begins_at,
                Meeting.starts_at < MonthTally.ends_at,
            )
            conditions.append(is_in_it)
        return or_(*conditions) if conditions else None


def _touched(session: Session) -> _Touched:
    found: _Touched = session.info.setdefault(_TOUCHED, _Touched())
    return found


@event.listens_for(Session, "after_flush")
def _note_flushed(session: Session, _context: object) -> None:
    for row in (*session.new, *session.deleted, *session.dirty):
        names = _COUNTED.get(type(row))
        if names is None:
            continue
        is_changed = row in session.dirty
        if is_changed and not _differs(row, names):
            continue
        if isinstance(row, _OF_EVERY_MONTH):
            _touched(session).is_everything |= is_changed  # nobody was invited to a new one
        elif isinstance(row, Meeting):
            _note_moved(_touched(session), row, is_changed)
        else:
            _touched(session).meetings.add(row.meeting_id)


def _note_moved(touched: _Touched, meeting: Meeting, is_changed: bool) -> None:
    history = inspect(meeting).attrs.starts_at.history
    touched.starts.update({meeting.starts_at, *(history.deleted or ())})
    # set without having been read: from which month it went, nobody knows
    touched.is_everything |= is_changed and bool(history.added) and not history.deleted


def _differs(row: object, names: Iterable[str]) -> bool:
    attributes = inspect(row, raiseerr=True).attrs
    return any(attributes[name].history.has_changes() for name in names)


@event.listens_for(Session, "do_orm_execute")
def _note_statement(state: ORMExecuteState) -> None:
    """Statements that change many rows at once: the meetings they name, else every month."""
    if not (state.is_insert or state.is_update or state.is_delete):
        return
    model = _TABLES.get(getattr(getattr(state.statement, "table", None), "name", ""))
    if model is None:
        return
    touched = _touched(state.session)
    if not state.is_insert:
        touched.is_everything = True
    elif model not in _OF_EVERY_MONTH:
        given = state.parameters or {}
        numbers = {
            row.get("meeting_id") for row in ([given] if isinstance(given, Mapping) else given)
        }
        touched.meetings.update(number for number in numbers if number is not None)
        touched.is_everything |= None in numbers


@event.listens_for(Session, "before_commit")
def _remove_touched(session: Session) -> None:
    session.flush()
    touched: _Touched | None = session.info.pop(_TOUCHED, None)
    if touched is None:
        return
    months = touched.months()
    gone = delete(MonthTally).execution_options(synchronize_session=False)
    if touched.is_everything:
        session.execute(gone)
    elif months is not None:
        session.execute(gone.where(months))


@event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    session.info.pop(_TOUCHED, None)
