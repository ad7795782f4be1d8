"""Read the held meetings of one or more periods out of the database.

A fixed number of statements however many meetings there are: one for the meetings, one each for
their sites, letters, papers and broken connections. Nothing is decided here but what a row means;
adding up is `conference.statistics.figures`.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    CTE,
    ColumnElement,
    Row,
    Select,
    String,
    and_,
    case,
    cast,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session, joinedload

from conference.attendance.models import (
    AttendanceMark,
    AttendanceStatus,
    EvidenceKind,
    PresenceEvidence,
)
from conference.attendance.summary import CAME
from conference.conclusions.models import Notice
from conference.directory.models import Person, Site, Unit, UnitLevel
from conference.directory.units import LEVEL_RANK, valid_on
from conference.invitations.models import Delivery, OutboxMessage, Purpose
from conference.scheduling.advice import latest_send_day, notice_due
from conference.scheduling.local_time import local_day
from conference.scheduling.models import InvitedSite, Meeting, Paper, Scope, Status
from conference.scheduling.planning import Office, office_of
from conference.statistics.figures import HeldMeeting, InTime, SitesOfLevel
from conference.statistics.periods import Period

LOST: Final = frozenset(
    {
        "signal_close",
        "connection_timeout",
        "media_failure",
        "join_failure",
        "state_mismatch",
        "lost",
    }
)
"""Reasons of a broken connection (LiveKit DisconnectReason, lower case); nobody chose to leave."""
_DECIDED: Final = frozenset(AttendanceStatus) - {AttendanceStatus.UNMARKED}
_NOT_HELD: Final = (Status.DRAFT, Status.POSTPONED, Status.CANCELLED)


def was_held(*periods: Period) -> ColumnElement[bool]:
    """SQL condition: the meeting ended, and began in one of ``periods``; at any time if none."""
    ranges = [
        and_(Meeting.starts_at >= period.bounds[0], Meeting.starts_at < period.bounds[1])
        for period in periods
    ]
    return and_(
        Meeting.ended_at.is_not(None), Meeting.status.not_in(_NOT_HELD),
        Meeting.is_imported.is_(False),  # counted where it was held
        or_(true() if not ranges else false(), *ranges),
    )  # fmt: skip


def held_meetings(session: Session, *periods: Period) -> list[HeldMeeting]:
    """The meetings held in ``periods``, oldest first."""
    return meetings_of(session, was_held(*periods))


def meetings_of(session: Session, condition: ColumnElement[bool]) -> list[HeldMeeting]:
    """The held meetings for which ``condition`` is true, oldest first."""
    return with_sites(session, without_sites(session, condition), condition)


def with_sites(
    session: Session, held: Sequence[HeldMeeting], condition: ColumnElement[bool]
) -> list[HeldMeeting]:
    """``held`` with the figures of their sites; ``condition`` is true for each of them."""
    sites = sites_by_level(session, condition)
    broken = incidents(session, condition)
    return [
        replace(one, sites=sites.get(one.id, {}), incidents=broken.get(one.id, 0)) for one in held
    ]


def without_sites(session: Session, condition: ColumnElement[bool]) -> list[HeldMeeting]:
    """The held meetings for which ``condition`` is true, oldest first, and what was in time.

    Their sites and incidents, the larger part of the work, are left empty.
    """
    invited_at = _invited_at(session, condition)
    papers = _papers(session, condition)
    issued = _issued(session, condition)
    rows = session.execute(_facts(condition)).all()
    office = office_of(session, *{local_day(row.starts_at) for row in rows})
    found = []
    for row in rows:
        day = local_day(row.starts_at)
        is_intra = row.scope is Scope.INTRA
        has_deadline = is_intra and not row.is_ad_hoc
        deadline = latest_send_day(day, office) if has_deadline else None
        issued_on = issued.get(row.id) if is_intra else None
        found.append(
            HeldMeeting(
                id=row.id,
                title=row.title,
                scope=row.scope,
                kind=row.kind.value if row.kind else "",
                day=day,
                length_minutes=_length_minutes(row),
                chair=row.full_name,
                host=_host(row),
                invitation=_in_time(deadline, invited_at.get(row.id, [])),
                papers=_in_time(deadline, papers.get(row.id, [])),
                notice=_notice(issued_on, row.ended_at, office),
            )
        )
    return found


def _facts(condition: ColumnElement[bool]) -> Select[Any]:
    columns: tuple[Any, ...] = (
        Meeting.id, Meeting.title, Meeting.scope, Meeting.kind, Meeting.starts_at,
        Meeting.opened_at, Meeting.ended_at, Meeting.is_ad_hoc, Meeting.external_host,
        Person.full_name, Unit.name.label("unit"),
    )  # fmt: skip
    return (
        select(*columns)
        .join(Person, Meeting.chair_id == Person.id)
        .outerjoin(Unit, Person.unit_id == Unit.id)
        .where(condition)
        .order_by(Meeting.starts_at, Meeting.id)
    )


def _host(row: Row[Any]) -> str:
    if row.scope is Scope.CENTRAL:
        return row.external_host or "Trung ương"
    return row.unit or "Chưa rõ đơn vị"


def _length_minutes(row: Row[Any]) -> int:
    length: timedelta = row.ended_at - (row.opened_at or row.starts_at)
    return max(0, round(length.total_seconds() / 60))


def _in_time(deadline: date | None, sent: Sequence[datetime]) -> InTime:
    if deadline is None:
        return InTime()
    return InTime(sum(local_day(at) <= deadline for at in sent), len(sent))


def sites_by_level(
    session: Session, condition: ColumnElement[bool]
) -> Mapping[int, dict[UnitLevel, SitesOfLevel]]:
    """The sites of each meeting by the level of their units."""
    rows = _invited(condition)
    query = (
        select(rows.c.meeting_id, Unit.level, *_figures(rows))
        .join(Site, rows.c.site_id == Site.id)
        .join(Unit, Site.unit_id == Unit.id)
        .group_by(rows.c.meeting_id, Unit.level)
    )
    found: defaultdict[int, dict[UnitLevel, SitesOfLevel]] = defaultdict(dict)
    for meeting_id, level, *figures in session.execute(query):
        found[meeting_id][level] = SitesOfLevel(*(int(one or 0) for one in figures))
    return found


def _invited(condition: ColumnElement[bool]) -> CTE:
    """Each invitation of the meetings, with ``came`` (1 or 0) worked out once for it.

    Materialized: otherwise both databases work ``came`` out anew for each figure, and SQLite reads
    the invitations of all years in the order of the figures' names.
    """
    query = (
        select(
            InvitedSite.meeting_id,
            InvitedSite.site_id,
            InvitedSite.unit_name,
            InvitedSite.position,
            InvitedSite.delegates_count,
            case((_came(), 1), else_=0).label("came"),
        )
        .join(Meeting, InvitedSite.meeting_id == Meeting.id)
        .outerjoin(
            AttendanceMark,
            and_(
                AttendanceMark.meeting_id == InvitedSite.meeting_id,
                AttendanceMark.invited_site_id == InvitedSite.id,
            ),
        )
        .where(condition, InvitedSite.withdrawn_at.is_(None))
    )
    return query.cte("invited").prefix_with("MATERIALIZED")


def _came() -> ColumnElement[bool]:
    """SQL condition: the site came, by its mark, or by the connection log where there is none."""
    is_unmarked = or_(
        AttendanceMark.status.is_(None), AttendanceMark.status == AttendanceStatus.UNMARKED
    )
    return or_(AttendanceMark.status.in_(list(CAME)), and_(is_unmarked, _seen()))


def _seen() -> ColumnElement[bool]:
    """SQL condition: the connection log knows the invited site."""
    return (
        exists()
        .where(
            PresenceEvidence.meeting_id == InvitedSite.meeting_id,
            PresenceEvidence.identity == literal("site:") + cast(InvitedSite.id, String),
            PresenceEvidence.kind != EvidenceKind.LEFT,
        )
        .correlate(InvitedSite)
    )


def _is_marked(statuses: Collection[AttendanceStatus]) -> ColumnElement[bool]:
    """SQL condition: somebody marked the invited site with one of ``statuses``."""
    return (
        exists()
        .where(
            AttendanceMark.meeting_id == InvitedSite.meeting_id,
            AttendanceMark.invited_site_id == InvitedSite.id,
            AttendanceMark.status.in_(list(statuses)),
        )
        .correlate(InvitedSite)
    )


def has_uncounted() -> ColumnElement[bool]:
    """SQL condition: a site came to the meeting and reported no number of people."""
    return (
        exists()
        .where(
            InvitedSite.meeting_id == Meeting.id,
            InvitedSite.withdrawn_at.is_(None),
            InvitedSite.delegates_count.is_(None),
            or_(_is_marked(CAME), and_(~_is_marked(_DECIDED), _seen())),
        )
        .correlate(Meeting)
    )


def has_incidents() -> ColumnElement[bool]:
    """SQL condition: a connection broke while the meeting lasted."""
    return exists().where(*_lost()).correlate(Meeting)


def _figures(rows: CTE) -> tuple[ColumnElement[Any], ...]:
    """Invited, came, their delegates, and how many came without a count."""
    is_uncounted = case((rows.c.delegates_count.is_(None), 1), else_=0)
    return (
        func.count(),
        func.sum(rows.c.came),
        func.sum(rows.c.came * func.coalesce(rows.c.delegates_count, 0)),
        func.sum(rows.c.came * is_uncounted),
    )


def attendance_by_unit(
    session: Session, condition: ColumnElement[bool]
) -> list[tuple[str, int, SitesOfLevel]]:
    """Each unit by the name it then had, its first place in an invitation, how often it came."""
    rows = _invited(condition)
    query = select(rows.c.unit_name, func.min(rows.c.position), *_figures(rows))
    return [
        (name, position, SitesOfLevel(*(int(one or 0) for one in figures)))
        for name, position, *figures in session.execute(query.group_by(rows.c.unit_name))
    ]


def _invited_at(session: Session, condition: ColumnElement[bool]) -> Mapping[int, list[datetime]]:
    """When each meeting's first invitation left; one entry for each meeting that has one.

    A series is invited to by one letter, which stands with its first meeting: for the others the
    hour counts at which it was written.
    """
    # for each meeting by itself: a few looks into an index instead of every letter ever sent
    first_letter = (
        select(func.min(OutboxMessage.sent_at))
        .where(
            OutboxMessage.meeting_id == Meeting.id,
            OutboxMessage.purpose == Purpose.REQUEST,
            OutboxMessage.state == Delivery.SENT,
        )
        .correlate(Meeting)
        .scalar_subquery()
    )
    query = select(Meeting.id, Meeting.series_id, Meeting.invited_at, first_letter).where(
        condition, _has_deadline()
    )
    found = {}
    for meeting_id, series_id, invited_at, sent_at in session.execute(query):
        at = sent_at or (invited_at if series_id is not None else None)
        if at is not None:
            found[meeting_id] = [at]
    return found


def _has_deadline() -> ColumnElement[bool]:
    """SQL condition: letters and papers of the meeting have a last day."""
    return and_(Meeting.scope == Scope.INTRA, Meeting.is_ad_hoc.is_(False))


def _notice(issued_on: date | None, ended_at: datetime, office: Office) -> InTime:
    """Of issued notices only: whether one that is not there was needed, nobody has said."""
    if issued_on is None:
        return InTime()
    return InTime(int(issued_on <= notice_due(ended_at, office)), 1)


def _issued(session: Session, condition: ColumnElement[bool]) -> Mapping[int, date]:
    query = (
        select(Notice.meeting_id, Notice.issued_on)
        .join(Meeting, Notice.meeting_id == Meeting.id)
        .where(condition, Notice.issued_on.is_not(None))
    )
    return {meeting_id: day for meeting_id, day in session.execute(query) if day}


def _papers(session: Session, condition: ColumnElement[bool]) -> Mapping[int, list[datetime]]:
    """When each paper of a meeting came; what was added after its end is no paper for it."""
    query = (
        select(Paper.meeting_id, Paper.uploaded_at)
        .join(Meeting, Paper.meeting_id == Meeting.id)
        .where(condition, _has_deadline(), Paper.uploaded_at < Meeting.ended_at)
    )
    return _grouped(session.execute(query).all())


def _grouped(rows: Sequence[Any]) -> Mapping[int, list[datetime]]:
    found: defaultdict[int, list[datetime]] = defaultdict(list)
    for meeting_id, at in rows:
        found[meeting_id].append(at)
    return found


def incidents(session: Session, condition: ColumnElement[bool]) -> Mapping[int, int]:
    """How many connections broke in each meeting; nothing for those without."""
    # for each meeting by itself, as with the letters
    lost = select(func.count()).where(*_lost()).correlate(Meeting).scalar_subquery()
    rows = session.execute(select(Meeting.id, lost).where(condition))
    return {meeting_id: count for meeting_id, count in rows if count}


def _lost() -> tuple[ColumnElement[bool], ...]:
    return (
        PresenceEvidence.meeting_id == Meeting.id,
        PresenceEvidence.kind == EvidenceKind.LEFT,
        PresenceEvidence.reason.in_(LOST),
        PresenceEvidence.at < Meeting.ended_at,
    )


def units_on(session: Session, day: date) -> list[Unit]:
    """Units that exist on ``day``, parents loaded, by level and rank."""
    query = select(Unit).where(valid_on(day)).options(joinedload(Unit.parent))
    return sorted(
        session.scalars(query), key=lambda u: (LEVEL_RANK[u.level], u.protocol_order, u.code)
    )
