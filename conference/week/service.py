"""The week schedule out of the meetings, and its published revisions."""

from datetime import UTC, date, datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from conference.access import audit
from conference.access.policy import Actor
from conference.errors import ConflictError, InvalidError
from conference.scheduling.local_time import day_bounds
from conference.scheduling.models import CALLED_OFF, Meeting, Status
from conference.week.models import WeekRevision
from conference.week.schedule import Line, changes, from_stored, to_stored

MAX_REASON: Final = 500
_NOT_PLANNED: Final = (*CALLED_OFF, Status.DRAFT)
_ONLY_ASKED: Final = (Status.REQUESTED, Status.APPROVED)


def planned(session: Session, monday: date, *, with_requests: bool) -> list[Line]:
    """The week as it is planned now."""
    start = day_bounds(monday)[0]
    end = day_bounds(monday + timedelta(days=7))[0]
    left_out = _NOT_PLANNED if with_requests else (*_NOT_PLANNED, Status.REQUESTED)
    query = (
        select(Meeting)
        .where(Meeting.starts_at >= start, Meeting.starts_at < end, Meeting.status.not_in(left_out))
        .where(Meeting.is_imported.is_(False))
        .options(joinedload(Meeting.chair))
        .order_by(Meeting.starts_at, Meeting.id)
    )
    return [
        Line(
            meeting_id=one.id,
            starts_at=one.starts_at.astimezone(UTC).isoformat(),
            ends_at=one.ends_at.astimezone(UTC).isoformat(),
            title=one.title,
            location=one.location,
            leaders=(", ".join(filter(None, [one.chair.full_name, one.chair.title])),),
            scope=one.scope.value,
            is_firm=one.status not in _ONLY_ASKED,
        )
        for one in session.scalars(query)
    ]


def latest(session: Session, monday: date) -> WeekRevision | None:
    """What was published last for the week."""
    query = select(WeekRevision).where(WeekRevision.monday == monday)
    return session.scalars(query.order_by(WeekRevision.number.desc())).first()


def published(session: Session, first: date, last: date) -> list[WeekRevision]:
    """The newest revision of every published week between two Mondays, by week."""
    query = (
        select(WeekRevision)
        .where(WeekRevision.monday >= first, WeekRevision.monday <= last)
        .order_by(WeekRevision.monday, WeekRevision.number)
    )
    return list({row.monday: row for row in session.scalars(query)}.values())


def pending(session: Session, monday: date) -> int:
    """How many meetings differ from what was published; all of them before the first time."""
    row = latest(session, monday)
    before = from_stored(row.lines) if row else []
    return changes(before, planned(session, monday, with_requests=False))


def publish(
    session: Session,
    monday: date,
    reason: str,
    *,
    actor: Actor,
    at: datetime,
    address: str = "",
) -> WeekRevision:
    """Publish the week as planned now; an adjustment of a published week needs a reason.

    Raises InvalidError without one, ConflictError when nothing has changed.
    """
    reason = " ".join(reason.split())
    before = latest(session, monday)
    if before is not None and not reason:
        raise InvalidError({"reason": "Nêu lý do điều chỉnh."})
    if len(reason) > MAX_REASON:
        raise InvalidError({"reason": f"Lý do dài quá {MAX_REASON} ký tự."})
    lines = planned(session, monday, with_requests=False)
    if before is not None and not changes(from_stored(before.lines), lines):
        raise ConflictError("Lịch chưa có gì thay đổi so với bản đã công bố.", code="unchanged")
    row = WeekRevision(
        monday=monday,
        number=before.number + 1 if before else 0,
        reason=reason,
        lines=to_stored(lines),
        published_by=actor.name,
        published_at=at,
    )
    session.add(row)
    session.flush()
    audit.record(
        session, at=at, actor=actor, action="week.published", object_type="week",
        object_id=monday.isoformat(), address=address, note=reason,
        detail={"number": row.number, "meetings": len(lines)},
    )  # fmt: skip
    return row
