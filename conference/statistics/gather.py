"""Read the held meetings of one or more periods out of the database.

A fixed number of statements however many meetings there are: one for the meetings, one each for
their sites, letters, papers and broken connections. Nothing is decided here but what a row means;
adding up is `conference.statistics.figures`.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import (
    CTE,
    ColumnElement,
    String,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
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
_NOT_HELD: Final = (Status.DRAFT, Status.POSTPONED, Status.CANCELLED)


def was_held(*periods: Period) -> ColumnElement[bool]:
    """SQL condition: the meeting ended, and began in one of ``periods``."""
    ranges = [
        and_(Meeting.starts_at >= period.bounds[0], Meeting.starts_at < period.bounds[1])
        for period in periods
    ]
    return and_(
        Meeting.ended_at.is_not(None), Meeting.status.not_in(_NOT_HELD),
        Meeting.is_imported.is_(False),  # counted where it was held
        or_(*ranges),
    )  # fmt: skip


def held_meetings(session: Session, *periods: Period) -> list[HeldMeeting]:
    """The meetings held in ``periods``, oldest first."""
    condition = was_held(*periods)
    sites = _sites(session, condition)
    invited_at = _invited_at(session, condition)
    papers = _papers(session, condition)
    broken = _broken(session, condition)
    issued = _issued(session, condition)
    query = (
        select(Meeting, Person.full_name, Unit.name)
        .join(Person, Meeting.chair_id == Person.id)
        .outerjoin(Unit, Person.unit_id == Unit.id)
        .where(condition)
        .order_by(Meeting.starts_at, Meeting.id)
    )
    found = []
    rows = session.execute(query).all()
    office = office_of(session, *(local_day(meeting.starts_at) for meeting, *_ in rows))
    for meeting, chair, unit in rows:
        day = local_day(meeting.starts_at)
        is_intra = meeting.scope is Scope.INTRA
        has_deadline = is_intra and not meeting.is_ad_hoc
        deadline = latest_send_day(day, office) if has_deadline else None
        found.append(
            HeldMeeting(
                id=meeting.id,
                title=meeting.title,
                scope=meeting.scope,
                kind=_kind(meeting),
                day=day,
                length_minutes=_length_minutes(meeting),
                chair=chair,
                host=_host(meeting, unit),
                sites=sites.get(meeting.id, {}),
                invitation=_in_time(deadline, invited_at.get(meeting.id, [])),
                papers=_in_time(deadline, papers.get(meeting.id, [])),
                notice=_notice(issued.get(meeting.id), meeting, office) if is_intra else InTime(),
                incidents=broken.get(meeting.id, 0),
            )
        )
    return found


def _kind(meeting: Meeting) -> str:
    kind = getattr(meeting, "kind", "")
    return str(getattr(kind, "value", kind) or "")


def _host(meeting: Meeting, unit: str | None) -> str:
    if meeting.scope is Scope.CENTRAL:
        return meeting.external_host or "Trung ương"
    return unit or "Chưa rõ đơn vị"


def _length_minutes(meeting: Meeting) -> int:
    began = meeting.opened_at or meeting.starts_at
    assert meeting.ended_at is not None  # the condition asks for it
    return max(0, round((meeting.ended_at - began).total_seconds() / 60))


def _in_time(deadline: date | None, sent: Sequence[datetime]) -> InTime:
    if deadline is None:
        return InTime()
    return InTime(sum(local_day(at) <= deadline for at in sent), len(sent))


def _sites(
    session: Session, condition: ColumnElement[bool]
) -> Mapping[int, dict[UnitLevel, SitesOfLevel]]:
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
    seen = exists().where(
        PresenceEvidence.meeting_id == InvitedSite.meeting_id,
        PresenceEvidence.identity == literal("site:") + cast(InvitedSite.id, String),
        PresenceEvidence.kind != EvidenceKind.LEFT,
    )
    is_unmarked = or_(
        AttendanceMark.status.is_(None), AttendanceMark.status == AttendanceStatus.UNMARKED
    )
    return or_(AttendanceMark.status.in_(list(CAME)), and_(is_unmarked, seen))


def _figures(rows: CTE) -> tuple[ColumnElement[Any], ...]:
    """Invited, came, their delegates, and how many came without a count."""
    is_uncounted = case((rows.c.delegates_count.is_(None), 1), else_=0)
    return (
        func.count(),
        func.sum(rows.c.came),
        func.sum(rows.c.came * func.coalesce(rows.c.delegates_count, 0)),
        func.sum(rows.c.came * is_uncounted),
    )


def attendance_by_unit(session: Session, period: Period) -> list[tuple[str, SitesOfLevel]]:
    """How often each unit was invited and came in ``period``, by the name it then had."""
    rows = _invited(was_held(period))
    query = (
        select(rows.c.unit_name, *_figures(rows))
        .group_by(rows.c.unit_name)
        .order_by(func.min(rows.c.position), rows.c.unit_name)
    )
    return [
        (name, SitesOfLevel(*(int(one or 0) for one in figures)))
        for name, *figures in session.execute(query)
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
    query = select(Meeting.id, Meeting.series_id, Meeting.invited_at, first_letter).where(condition)
    found = {}
    for meeting_id, series_id, invited_at, sent_at in session.execute(query):
        at = sent_at or (invited_at if series_id is not None else None)
        if at is not None:
            found[meeting_id] = [at]
    return found


def _notice(issued_on: date | None, meeting: Meeting, office: Office) -> InTime:
    """Of issued notices only: whether one that is not there was needed, nobody has said."""
    if issued_on is None or meeting.ended_at is None:
        return InTime()
    return InTime(int(issued_on <= notice_due(meeting.ended_at, office)), 1)


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
        .where(condition, Paper.uploaded_at < Meeting.ended_at)
    )
    return _grouped(session.execute(query).all())


def _grouped(rows: Sequence[Any]) -> Mapping[int, list[datetime]]:
    found: defaultdict[int, list[datetime]] = defaultdict(list)
    for meeting_id, at in rows:
        found[meeting_id].append(at)
    return found


def _broken(session: Session, condition: ColumnElement[bool]) -> Mapping[int, int]:
    # for each meeting by itself, as with the letters
    lost = (
        select(func.count())
        .where(
            PresenceEvidence.meeting_id == Meeting.id,
            PresenceEvidence.kind == EvidenceKind.LEFT,
            PresenceEvidence.reason.in_(LOST),
            PresenceEvidence.at < Meeting.ended_at,
        )
        .correlate(Meeting)
        .scalar_subquery()
    )
    rows = session.execute(select(Meeting.id, lost).where(condition))
    return {meeting_id: count for meeting_id, count in rows if count}


def units_on(session: Session, day: date) -> list[Unit]:
    """Units that exist on ``day``, parents loaded, by level and rank."""
    query = select(Unit).where(valid_on(day)).options(joinedload(Unit.parent))
    return sorted(
        session.scalars(query), key=lambda u: (LEVEL_RANK[u.level], u.protocol_order, u.code)
    )
