"""What waits for somebody: meetings to announce, letters that failed, minutes to write.

Each chore is found from rows, never stored, so it disappears by being done. A draft is overdue
when its invitations can no longer be in time (QĐ 45/2018: three working days before the meeting);
a failed letter or recording is overdue at once.
"""

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from conference.access.policy import Actor, Verb, may
from conference.archive.models import Recording, RecordingState
from conference.invitations.models import ABOUT_CHECKS, Delivery, OutboxMessage
from conference.line_checks.reminders import not_passed
from conference.line_checks.service import newest_of
from conference.minutes.models import Minutes
from conference.scheduling.advice import latest_send_day
from conference.scheduling.facts import meeting_facts
from conference.scheduling.local_time import date_text, local_day
from conference.scheduling.models import ANNOUNCED, Meeting, Scope, Status
from conference.scheduling.planning import Office, office_of
from conference.scheduling.thresholds import Thresholds

LOOK_BACK: Final = timedelta(days=60)
"""Older meetings no longer ask for anything on the first page."""
MAX_CHORES: Final = 30


class Kind(enum.Enum):
    """What is to be done; the value is the tab of the meeting where it is done."""

    APPROVE = "tong-quan#content"
    SEND_INVITATIONS = "tong-quan"
    REPAIR_LETTERS = "giay-moi"
    WRITE_MINUTES = "bien-ban"
    REPAIR_RECORDING = "ban-ghi"
    CHECK_LINE = "tong-quan#kiem-tra"
    """A site has not passed its line check."""
    WATCH_CHECKS = "kiem-tra"
    """Sites have not."""


@dataclass(frozen=True, slots=True)
class Chore:
    """One thing that waits."""

    kind: Kind
    meeting_id: int
    title: str
    starts_at: datetime
    note: str
    is_overdue: bool


def chores(session: Session, *, actor: Actor, at: datetime) -> list[Chore]:
    """What waits for ``actor``, overdue first, then by the meeting's time."""
    office = office_of(session, local_day(at))
    found = [
        *_requests(session, actor, at, office),
        *_drafts(session, actor, at, office),
        *_failures(session, actor, at),
        *_checks(session, actor, at, office.thresholds),
    ]
    found += _minutes(session, actor, at)
    found.sort(key=lambda chore: (not chore.is_overdue, chore.starts_at))
    return found[:MAX_CHORES]


def _requests(session: Session, actor: Actor, at: datetime, office: Office) -> Iterator[Chore]:
    """Meetings that ``actor`` may approve; overdue when an invitation can no longer be in time."""
    query = select(Meeting).where(Meeting.status == Status.REQUESTED, Meeting.ends_at > at)
    for meeting in session.scalars(query.order_by(Meeting.starts_at).limit(MAX_CHORES)):
        if may(actor, Verb.MEETING_APPROVE, meeting_facts(meeting)):
            last = latest_send_day(local_day(meeting.starts_at), office)
            note = f"Chậm nhất {date_text(last)}"
            yield _chore(Kind.APPROVE, meeting, note, is_overdue=local_day(at) > last)


def _drafts(session: Session, actor: Actor, at: datetime, office: Office) -> Iterator[Chore]:
    waits = Meeting.status.in_([Status.DRAFT, Status.APPROVED])
    query = select(Meeting).where(waits, Meeting.ends_at > at)
    for meeting in session.scalars(query.order_by(Meeting.starts_at).limit(MAX_CHORES)):
        if not may(actor, Verb.MEETING_EDIT, meeting_facts(meeting)):
            continue
        last = latest_send_day(local_day(meeting.starts_at), office)
        has_deadline = meeting.scope is not Scope.CENTRAL
        note = f"Chậm nhất {date_text(last)}" if has_deadline else ""
        is_late = has_deadline and local_day(at) > last
        yield _chore(Kind.SEND_INVITATIONS, meeting, note, is_overdue=is_late)


def _failures(session: Session, actor: Actor, at: datetime) -> Iterator[Chore]:
    since = at - LOOK_BACK
    letters = (
        select(Meeting, func.count())
        .join(OutboxMessage, OutboxMessage.meeting_id == Meeting.id)
        .where(
            OutboxMessage.state == Delivery.FAILED,
            OutboxMessage.purpose.not_in(ABOUT_CHECKS),
            Meeting.ends_at > at,
        )
        .group_by(Meeting.id)
    )
    for meeting, count in session.execute(letters).all():
        if may(actor, Verb.INVITATION_VIEW, meeting_facts(meeting)):
            note = f"{count} thư không gửi được"
            yield _chore(Kind.REPAIR_LETTERS, meeting, note, is_overdue=True)
    broken = [RecordingState.FAILED_START, RecordingState.FAILED_COMPOSE]
    recordings = (
        select(Recording)
        .where(Recording.state.in_(broken), Recording.requested_at > since)
        .options(selectinload(Recording.meeting))
    )
    for recording in session.scalars(recordings):
        if may(actor, Verb.RECORDING_VIEW, meeting_facts(recording.meeting)):
            yield _chore(Kind.REPAIR_RECORDING, recording.meeting, "", is_overdue=True)


def _checks(session: Session, actor: Actor, at: datetime, limits: Thresholds) -> Iterator[Chore]:
    """Line checks that are open and not passed: one's own, or those that one watches."""
    query = select(Meeting).where(
        Meeting.status.in_(ANNOUNCED),
        Meeting.starts_at > at,
        Meeting.starts_at <= at + timedelta(hours=limits.check_hours),
    )
    meetings = session.scalars(query.options(selectinload(Meeting.sites)).limit(MAX_CHORES)).all()
    if not meetings:
        return
    checks = newest_of(session, meetings, limits)
    for meeting in meetings:
        waiting = not_passed(meeting, checks)
        is_late = meeting.starts_at - at <= timedelta(minutes=limits.check_remind_minutes)
        if any(site.site_id == actor.site_id for site in waiting):
            yield _chore(Kind.CHECK_LINE, meeting, "", is_overdue=is_late)
        elif waiting and may(actor, Verb.LINE_CHECK, meeting_facts(meeting)):
            note = f"{len(waiting)} điểm cầu chưa đạt"
            yield _chore(Kind.WATCH_CHECKS, meeting, note, is_overdue=is_late)


def _minutes(session: Session, actor: Actor, at: datetime) -> Iterator[Chore]:
    query = (
        select(Meeting)
        .outerjoin(Minutes, Minutes.meeting_id == Meeting.id)
        .where(
            Meeting.status == Status.ENDED,
            Meeting.is_imported.is_(False),
            Meeting.ends_at > at - LOOK_BACK,
            Minutes.id.is_(None),
        )
        .order_by(Meeting.starts_at.desc())
        .limit(MAX_CHORES)
    )
    for meeting in session.scalars(query):
        if may(actor, Verb.MINUTES_EDIT, meeting_facts(meeting)):
            yield _chore(Kind.WRITE_MINUTES, meeting, "", is_overdue=False)


def _chore(kind: Kind, meeting: Meeting, note: str, *, is_overdue: bool) -> Chore:
    return Chore(kind, meeting.id, meeting.title, meeting.starts_at, note, is_overdue)
