"""The hồ sơ of a meeting: what belongs into it, what is there, what is still missing.

A file of a meeting is complete when a clerk a year later needs to ask nobody: invitation, papers,
attendance, recording (or the fact that none was decided), minutes, log.
"""

import enum
from dataclasses import dataclass

from sqlalchemy import ColumnElement, ScalarSelect, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from conference.archive.models import Recording, RecordingState
from conference.attendance.models import AttendanceMark
from conference.conclusions.models import Notice
from conference.invitations.ledger import about
from conference.invitations.models import ABOUT_CHECKS, Delivery, OutboxMessage
from conference.line_checks.models import LineCheck
from conference.minutes.models import Minutes
from conference.replies.models import SiteReply
from conference.scheduling.journal import LogEntry
from conference.scheduling.models import Meeting, Paper, Scope
from conference.sentences import Sentence, say
from conference.signatures.models import SignedKind, SignedPaper, Verdict

Counted = ScalarSelect[int]


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
    note: str = ""
    """What exactly is missing."""

    @property
    def said(self) -> str:
        """The part's name with what is missing."""
        return f"{self.label}: {self.note}" if self.note else self.label


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
    signed_minutes: int
    """Signed papers of the minutes whose signature is not broken."""
    replies: int
    """Sites that answered, or were there without."""
    log_entries: int
    needs_notice: bool
    """Conclusions of a central meeting come from the centre."""
    has_notice: bool
    """A notice with its day of issue."""
    checked: int = 0
    """Sites with a line check."""


def facts_of(session: Session, meeting: Meeting) -> Facts:
    """Count what the rows of ``meeting`` hold; all counts in one statement."""

    def rows(owner: InstrumentedAttribute[int], *conditions: ColumnElement[bool]) -> Counted:
        return select(func.count()).where(owner == meeting.id, *conditions).scalar_subquery()

    mails = (
        select(func.count())
        .select_from(OutboxMessage)
        .where(about(meeting.id), OutboxMessage.purpose.not_in(ABOUT_CHECKS))
    )
    failed = (RecordingState.FAILED_START, RecordingState.FAILED_COMPOSE)
    counted = session.execute(
        select(
            mails.scalar_subquery(),
            mails.where(OutboxMessage.state == Delivery.SENT).scalar_subquery(),
            rows(Paper.meeting_id),
            rows(AttendanceMark.meeting_id),
            rows(Recording.meeting_id),
            rows(Recording.meeting_id, Recording.state == RecordingState.PUBLISHED),
            rows(Recording.meeting_id, Recording.state.in_(failed)),
            rows(Minutes.meeting_id),
            rows(LogEntry.meeting_id),
            rows(Notice.meeting_id, Notice.issued_on.is_not(None)),
            rows(
                SignedPaper.meeting_id,
                SignedPaper.kind == SignedKind.MINUTES,
                SignedPaper.verdict.in_([Verdict.VALID, Verdict.UNKNOWN]),
            ),
            rows(SiteReply.meeting_id),
            select(func.count(LineCheck.invited_site_id.distinct()))
            .where(LineCheck.meeting_id == meeting.id)
            .scalar_subquery(),
        )
    ).one()
    letters, sent, papers, marked, recordings, published, broken, *rest = counted
    minutes, lines, notices, signed, replies, checked = rest
    return Facts(
        is_over=meeting.is_over,
        invited=sum(site.withdrawn_at is None for site in meeting.sites),
        mails=letters,
        mails_sent=sent,
        papers=papers,
        marked=marked,
        recordings=recordings,
        recordings_published=published,
        recordings_failed=broken,
        has_minutes=minutes > 0,
        signed_minutes=signed,
        replies=replies,
        log_entries=lines,
        needs_notice=meeting.scope is not Scope.CENTRAL,
        has_notice=notices > 0,
        checked=checked,
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
            _short(say("%(n)s/%(of)s thư đã gửi", n=facts.mails_sent, of=facts.mails)),
        ),
        Part(
            "tra-loi", "Trả lời giấy mời",
            done if facts.invited and facts.replies >= facts.invited
            else (pending if not facts.is_over and facts.invited else Completeness.NONE),
            facts.replies, facts.invited,
            _short(say("%(n)s/%(of)s điểm cầu trả lời", n=facts.replies, of=facts.invited)),
        ),
        Part("tai-lieu", "Tài liệu", done if facts.papers else Completeness.NONE, facts.papers, 0),
        Part("kiem-tra", "Kiểm tra đường truyền", _checks(facts), facts.checked, facts.invited),
        Part(
            "diem-danh", "Điểm danh",
            done if facts.invited and facts.marked >= facts.invited else late,
            facts.marked, facts.invited,
            _short(say("%(n)s/%(of)s điểm cầu đã điểm danh", n=facts.marked, of=facts.invited)),
        ),
        Part("ban-ghi", "Bản ghi", _recordings(facts), facts.recordings_published,
             facts.recordings, _recording_note(facts)),
        Part("bien-ban", "Biên bản", done if facts.has_minutes else late, int(facts.has_minutes),
             1, "" if facts.has_minutes else say("chưa lập")),
        _signed(facts, late),
        Part("ket-luan", "Kết luận", _notice(facts, late), int(facts.has_notice), 0,
             "" if facts.has_notice else say("chưa ban hành thông báo")),
        Part("nhat-ky", "Nhật ký", done if facts.log_entries else late, facts.log_entries, 0),
    ]  # fmt: skip


def _checks(facts: Facts) -> Completeness:
    """Checks may be left out, and none can be made up for once the meeting is over."""
    if not facts.checked:
        return Completeness.NONE
    is_done = facts.is_over or facts.checked >= facts.invited
    return Completeness.COMPLETE if is_done else Completeness.PENDING


def _short(said: Sentence) -> str:
    """``said`` while something is missing; nothing when all are there."""
    return said if said.facts["n"] < said.facts["of"] else ""


def _recording_note(facts: Facts) -> str:
    if facts.recordings_failed and not facts.recordings_published:
        return say("không dựng được")
    return _short(
        say("%(n)s/%(of)s bản ghi xem được", n=facts.recordings_published, of=facts.recordings)
    )


def _signed(facts: Facts, late: Completeness) -> Part:
    """The minutes with signatures; of a central meeting the centre keeps them."""
    is_there = facts.signed_minutes > 0
    missing = late if facts.needs_notice else Completeness.NONE
    return Part(
        "bien-ban", "Bản ký của biên bản", Completeness.COMPLETE if is_there else missing,
        facts.signed_minutes, 0, "" if is_there else say("chưa có bản ký"),
    )  # fmt: skip


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
