"""The hồ sơ of a meeting: what belongs into it, what is there, what is still missing.

A file of a meeting is complete when a clerk a year later needs to ask nobody: invitation, papers,
attendance, recording (or the fact that none was decided), minutes, log.
"""

import enum
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from conference.archive.models import Recording, RecordingState
from conference.attendance.models import AttendanceMark
from conference.conclusions.models import Notice
from conference.invitations.models import Delivery, OutboxMessage
from conference.minutes.models import Minutes
from conference.scheduling.journal import LogEntry
from conference.scheduling.models import Meeting, Paper, Scope


class Completeness(enum.Enum):
    """How far one part of the file is."""

    COMPLETE = "complete"
    PENDING = "pending"
    MISSING = "missing"
    NONE = "none"
    """There is none and none is needed."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the file, as a line on the meeting's page."""

    tab: str
    """Last part of the address of the page that shows it."""
    label: str
    completeness: Completeness
    count: int
    of: int
    """Out of how many; 0 when there is no such figure."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is there, as plain figures."""

    is_over: bool
    invited: int
    mails: int
    mails_sent: int
    papers: int
    marked: int
    recordings: int
    recordings_published: int
    recordings_failed: int
    has_minutes: bool
    log_entries: int
    needs_notice: bool
    """Conclusions of a central meeting come from the centre."""
    has_notice: bool
    """A notice with its day of issue."""


def facts_of(session: Session, meeting: Meeting) -> Facts:
    """Count what the rows of ``meeting`` hold."""

    def count(query: object) -> int:
        return session.scalar(query) or 0  # type: ignore[call-overload]

    mails = select(func.count()).where(OutboxMessage.meeting_id == meeting.id)
    recordings = select(func.count()).where(Recording.meeting_id == meeting.id)
    failed = (RecordingState.FAILED_START, RecordingState.FAILED_COMPOSE)
    return Facts(
        is_over=meeting.is_over,
        invited=sum(site.withdrawn_at is None for site in meeting.sites),
        mails=count(mails),
        mails_sent=count(mails.where(OutboxMessage.state == Delivery.SENT)),
        papers=count(select(func.count()).where(Paper.meeting_id == meeting.id)),
        marked=count(select(func.count()).where(AttendanceMark.meeting_id == meeting.id)),
        recordings=count(recordings),
        recordings_published=count(recordings.where(Recording.state == RecordingState.PUBLISHED)),
        recordings_failed=count(recordings.where(Recording.state.in_(failed))),
        has_minutes=count(select(func.count()).where(Minutes.meeting_id == meeting.id)) > 0,
        log_entries=count(select(func.count()).where(LogEntry.meeting_id == meeting.id)),
        needs_notice=meeting.scope is not Scope.CENTRAL,
        has_notice=count(
            select(func.count()).where(
                Notice.meeting_id == meeting.id, Notice.issued_on.is_not(None)
            )
        )
        > 0,
    )


def parts(facts: Facts) -> list[Part]:
    """The file's table of contents with what is still missing. Pure."""
    done, pending, missing = Completeness.COMPLETE, Completeness.PENDING, Completeness.MISSING
    late = missing if facts.is_over else pending
    return [
        Part(
            "giay-moi", "Giấy mời",
            done if facts.mails and facts.mails == facts.mails_sent else pending,
            facts.mails_sent, facts.mails,
        ),
        Part("tai-lieu", "Tài liệu", done if facts.papers else Completeness.NONE, facts.papers, 0),
        Part(
            "diem-danh", "Điểm danh",
            done if facts.invited and facts.marked >= facts.invited else late,
            facts.marked, facts.invited,
        ),
        Part("ban-ghi", "Bản ghi", _recordings(facts), facts.recordings_published,
             facts.recordings),
        Part("bien-ban", "Biên bản", done if facts.has_minutes else late, int(facts.has_minutes),
             1),
        Part("ket-luan", "Kết luận", _notice(facts, late), int(facts.has_notice), 0),
        Part("nhat-ky", "Nhật ký", done if facts.log_entries else late, facts.log_entries, 0),
    ]  # fmt: skip


def _notice(facts: Facts, late: Completeness) -> Completeness:
    if facts.has_notice:
        return Completeness.COMPLETE
    return late if facts.needs_notice else Completeness.NONE


def _recordings(facts: Facts) -> Completeness:
    if not facts.recordings:
        return Completeness.NONE  # the chair did not decide to record
    if facts.recordings_published + facts.recordings_failed < facts.recordings:
        return Completeness.PENDING
    return Completeness.COMPLETE if facts.recordings_published else Completeness.MISSING
