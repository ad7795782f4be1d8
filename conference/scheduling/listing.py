"""Finding meetings: the list with its filters, one day's meetings, a site's next one.

Searching compares folded words (title, chair); titles that contain the query with its own
marks come first. Whoever may not see every meeting sees those they are part of, by the same ties
as `conference.access.policy`.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, true
from sqlalchemy.orm import Session

from conference.access.policy import RULES, Actor, Tie, Verb, may
from conference.directory.models import Person
from conference.directory.vietnamese import fold, has_exactly
from conference.scheduling.local_time import day_bounds, local_day
from conference.scheduling.models import ANNOUNCED, PLANNED, InvitedSite, Meeting, Scope, Status

PAGE_SIZE: Final = 25
MAX_WORDS: Final = 12


class Period(enum.Enum):
    """Which time a list shows; the value stands in the address."""

    UPCOMING = "sap-toi"
    WEEK = "tuan-nay"
    MONTH = "thang-nay"
    PAST = "da-qua"


@dataclass(frozen=True, slots=True)
class Filters:
    """What somebody looks for."""

    query: str = ""
    scope: Scope | None = None
    status: Status | None = None
    period: Period | None = None


@dataclass(frozen=True, slots=True)
class MeetingRow:
    """One line of a list."""

    id: int
    title: str
    scope: Scope
    status: Status
    starts_at: datetime
    ends_at: datetime
    location: str
    chair_name: str
    chair_title: str
    sites_count: int
    is_imported: bool


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list."""

    rows: Sequence[MeetingRow]
    total: int
    number: int

    @property
    def count(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // PAGE_SIZE))


def find_meetings(
    session: Session, filters: Filters, *, actor: Actor, at: datetime, page: int = 1
) -> Page:
    """The ``page``-th part (from 1) of the meetings that fit and that ``actor`` may see."""
    condition = and_(visible_to(actor), _fits(filters, at))
    found = session.execute(
        select(Meeting.id, Meeting.title, Meeting.starts_at)
        .join(Meeting.chair)
        .where(condition)
        .order_by(Meeting.starts_at.desc(), Meeting.id.desc())
    ).all()
    ids = [row.id for row in _ranked(found, filters)]
    number = min(max(page, 1), max(1, -(-len(ids) // PAGE_SIZE)))
    shown = ids[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
    rows = {row.id: row for row in _rows(session, Meeting.id.in_(shown))}
    return Page([rows[meeting_id] for meeting_id in shown], len(ids), number)


def meetings_between(
    session: Session, start: datetime, end: datetime, *, actor: Actor
) -> list[MeetingRow]:
    """Meetings that ``actor`` may see and that take place in part between the two instants."""
    condition = and_(visible_to(actor), Meeting.starts_at < end, Meeting.ends_at > start)
    return _rows(session, condition)


def meetings_on(session: Session, day: date, *, actor: Actor) -> list[MeetingRow]:
    """The meetings of one day in Vietnam, by hour."""
    return meetings_between(session, *day_bounds(day), actor=actor)


def upcoming(session: Session, *, actor: Actor, at: datetime, limit: int = 5) -> list[MeetingRow]:
    """The next meetings from ``at`` on that will be held."""
    query = and_(
        visible_to(actor),
        Meeting.ends_at > at,
        Meeting.status.in_([*ANNOUNCED, Status.LIVE]),
    )
    return _rows(session, query, limit=limit)


def next_meeting_of_site(session: Session, site_id: int, at: datetime) -> MeetingRow | None:
    """The next meeting that ``site_id`` is invited to and that will be held."""
    condition = and_(
        _is_invited(InvitedSite.site_id == site_id),
        Meeting.status.in_([*ANNOUNCED, Status.LIVE]),
        Meeting.ends_at > at,
    )
    return next(iter(_rows(session, condition, limit=1)), None)


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """SQL condition: ``actor`` may see the meeting (the policy's MEETING_VIEW)."""
    return permitted(actor, Verb.MEETING_VIEW)


def permitted(actor: Actor, verb: Verb) -> ColumnElement[bool]:
    """SQL condition: the policy allows ``actor`` to do ``verb`` to the meeting."""
    if may(actor, verb):
        return true()
    allowing = RULES[verb].ties
    ties: list[ColumnElement[bool]] = []
    if Tie.CREATOR in allowing and actor.account_id is not None:
        ties.append(Meeting.created_by_id == actor.account_id)
    if Tie.CHAIR in allowing and actor.person_id is not None:
        ties.append(Meeting.chair_id == actor.person_id)
    if Tie.SECRETARY in allowing and actor.person_id is not None:
        ties.append(Meeting.secretary_id == actor.person_id)
    announced = Meeting.status.not_in(PLANNED)
    if Tie.SITE in allowing and actor.site_id is not None:
        ties.append(announced & _is_invited(InvitedSite.site_id == actor.site_id))
    if Tie.SITE in allowing and actor.invited_site_id is not None:
        ties.append(announced & _is_invited(InvitedSite.id == actor.invited_site_id))
    return or_(*ties) if ties else false()


def _is_invited(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return (
        select(InvitedSite.id)
        .where(InvitedSite.meeting_id == Meeting.id, InvitedSite.withdrawn_at.is_(None), condition)
        .exists()
    )


def _fits(filters: Filters, at: datetime) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = [true()]
    conditions += [
        or_(
            Meeting.title_folded.contains(word, autoescape=True),
            Person.name_folded.contains(word, autoescape=True),
        )
        for word in fold(filters.query).split()[:MAX_WORDS]
    ]
    if filters.scope is not None:
        conditions.append(Meeting.scope == filters.scope)
    if filters.status is not None:
        conditions.append(Meeting.status == filters.status)
    if filters.period is not None:
        conditions.append(_in_period(filters.period, at))
    return and_(*conditions)


def _in_period(period: Period, at: datetime) -> ColumnElement[bool]:
    if period is Period.UPCOMING:
        return Meeting.ends_at >= at
    if period is Period.PAST:
        return Meeting.ends_at < at
    today = local_day(at)
    if period is Period.WEEK:
        first = today - timedelta(days=today.weekday())
        following = first + timedelta(days=7)
    else:
        first = today.replace(day=1)
        following = (first + timedelta(days=31)).replace(day=1)
    return and_(
        Meeting.starts_at < day_bounds(following)[0], Meeting.ends_at > day_bounds(first)[0]
    )


def _ranked(found: Sequence[Any], filters: Filters) -> Sequence[Any]:
    """Exact marks first, else by time: newest first, but the nearest first of what is to come."""
    rows = list(found)
    if filters.period in {Period.UPCOMING, Period.WEEK}:
        rows.reverse()
    if filters.query.strip():
        rows.sort(key=lambda row: not has_exactly(filters.query, row.title))
    return rows


def _rows(
    session: Session, condition: ColumnElement[bool], limit: int | None = None
) -> list[MeetingRow]:
    """Lines by start, with the number of sites counted in the same query."""
    count = (
        select(func.count())
        .where(InvitedSite.meeting_id == Meeting.id, InvitedSite.withdrawn_at.is_(None))
        .correlate(Meeting)
        .scalar_subquery()
    )
    query: Select[Any] = (
        select(
            Meeting.id, Meeting.title, Meeting.scope, Meeting.status, Meeting.starts_at,
            Meeting.ends_at, Meeting.location, Person.full_name, Person.title, count,
            Meeting.is_imported,
        )
        .join(Meeting.chair)
        .where(condition)
        .order_by(Meeting.starts_at, Meeting.id)
    )  # fmt: skip
    return [MeetingRow(*row) for row in session.execute(query.limit(limit))]
