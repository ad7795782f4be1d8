"""The minutes of a meeting: draft from the log, save with a version check, history.

Two people may edit at once: `save_merged` puts what each changed together (`conference.minutes.
merge`), so the second sees the first's change and no word is lost. Every saved text stays as a
revision. Once the signed paper is filed the text is closed; what comes later is an addendum.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from conference.attendance import service as attendance
from conference.attendance.models import AttendanceStatus
from conference.attendance.service import Rule, Sheet
from conference.attendance.summary import CAME
from conference.conduct import log, voting
from conference.conduct.log import Kind
from conference.conduct.models import Vote
from conference.directory.models import Person
from conference.errors import ConflictError, InvalidError
from conference.minutes.draft import Course, Point, Poll, Speech, draft
from conference.minutes.merge import merge
from conference.minutes.models import Minutes, MinutesAddendum, MinutesRevision
from conference.scheduling.journal import LogEntry
from conference.scheduling.lifecycle import Trigger
from conference.scheduling.models import Meeting
from conference.scheduling.papers import papers_of
from conference.scheduling.progress import paper_arrived

MAX_LENGTH: Final = 200_000
MAX_NUMBER_LENGTH: Final = 60
SAME_EDIT_S: Final = 60
"""Saves of one editor within a minute of the last are one revision: autosaving is no history."""


class MinutesClashError(ConflictError):
    """Somebody else has saved since; ``current`` is what stands there now."""

    code = "clash"

    def __init__(self, current: Minutes) -> None:
        self.current = current
        super().__init__(f"{current.updated_by} vừa sửa biên bản.")


@dataclass(frozen=True, slots=True)
class Text:
    """What an editor sends."""

    number: str
    course: str
    conclusion: str


def find(session: Session, meeting_id: int) -> Minutes | None:
    """The minutes of a meeting, or None before the first save."""
    return session.scalar(select(Minutes).where(Minutes.meeting_id == meeting_id))


def save(
    session: Session,
    meeting: Meeting,
    text: Text,
    *,
    version: int,
    by: str,
    at: datetime,
    is_kept: bool = False,
) -> Minutes:
    """Store ``text``, written on top of ``version`` (0 = there was none).

    Autosaves of one editor within `SAME_EDIT_S` are one revision, unless the last ``is_kept``.

    Raises MinutesClashError when another text is there by now, InvalidError when it is too long.
    Saving what already stands there changes nothing.
    """
    text = _checked(text)
    row = _locked(session, meeting.id)
    if row is None:
        return _first(session, meeting.id, text, by, at)
    if _is_same(row, text):
        return row
    if row.signed_at is not None:
        raise ConflictError("Biên bản đã ký; chỉ được thêm phụ lục.", code="signed")
    if row.version != version:
        raise MinutesClashError(row)
    previous = row.version
    row.number, row.course, row.conclusion = text.number, text.course, text.conclusion
    is_going_on = (
        not is_kept and row.updated_by == by and (at - row.updated_at).total_seconds() < SAME_EDIT_S
    )
    row.updated_by, row.updated_at = by, at
    session.flush()
    _keep(session, row, replaces=previous if is_going_on else None)
    return row


def _locked(session: Session, meeting_id: int) -> Minutes | None:
    query = select(Minutes).where(Minutes.meeting_id == meeting_id)
    return session.scalar(query.with_for_update())


@dataclass(frozen=True, slots=True)
class Saved:
    """What stands there after saving."""

    row: Minutes
    merged_from: str
    """Who else's change was put together with this one; empty when nobody's."""
    clashes: int
    """Places where both wordings stand side by side."""


def save_merged(
    session: Session, meeting: Meeting, text: Text, *, base: Text, by: str, at: datetime
) -> Saved:
    """Store ``text``, written on top of ``base``, together with what others wrote meanwhile.

    Raises InvalidError when the text is too long, ConflictError once the minutes are signed.
    """
    text, base = _checked(text), _checked(base)
    row = _locked(session, meeting.id)
    if row is None:
        try:
            return Saved(save(session, meeting, text, version=0, by=by, at=at), "", 0)
        except MinutesClashError as clash:
            row = clash.current  # somebody began in this moment
    now = Text(row.number, row.course, row.conclusion)
    if now == base:
        return Saved(save(session, meeting, text, version=row.version, by=by, at=at), "", 0)
    other = row.updated_by
    course = merge(base.course, text.course, now.course)
    conclusion = merge(base.conclusion, text.conclusion, now.conclusion)
    number = now.number if text.number == base.number else text.number
    both = Text(number, course.text, conclusion.text)
    row = save(session, meeting, both, version=row.version, by=by, at=at, is_kept=True)
    return Saved(row, other, course.clashes + conclusion.clashes)


def sign(session: Session, row: Minutes, at: datetime) -> None:
    """Close the text: its signed paper is in the file, and the meeting's life goes on."""
    row.signed_at = row.signed_at or at
    session.flush()
    paper_arrived(session, row.meeting_id, Trigger.SIGN_MINUTES, by="", at=at)


def add_addendum(session: Session, row: Minutes, text: str, *, by: str, at: datetime) -> None:
    """Add what became known after the signature. Raises InvalidError, ConflictError before it."""
    text = _plain(text)
    if not text:
        raise InvalidError({"addendum": "Nhập nội dung phụ lục."})
    if len(text) > MAX_LENGTH:
        raise InvalidError({"addendum": "Nội dung quá dài."})
    if row.signed_at is None:
        raise ConflictError("Biên bản chưa ký, sửa được ngay.", code="not_signed")
    session.add(MinutesAddendum(minutes_id=row.id, text=text, added_by=by, added_at=at))
    session.flush()


def _checked(text: Text) -> Text:
    fields = {}
    if len(text.number) > MAX_NUMBER_LENGTH:
        fields["number"] = f"Số dài quá {MAX_NUMBER_LENGTH} ký tự."
    for name in ("course", "conclusion"):
        if len(getattr(text, name)) > MAX_LENGTH:
            fields[name] = "Nội dung quá dài."
    if fields:
        raise InvalidError(fields)
    return Text(text.number.strip(), _plain(text.course), _plain(text.conclusion))


def _plain(text: str) -> str:
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in lines if c in "\n\t" or c.isprintable()).strip()


def _is_same(row: Minutes, text: Text) -> bool:
    return (row.number, row.course, row.conclusion) == (text.number, text.course, text.conclusion)


def _first(session: Session, meeting_id: int, text: Text, by: str, at: datetime) -> Minutes:
    row = Minutes(
        meeting_id=meeting_id, number=text.number, course=text.course,
        conclusion=text.conclusion, updated_by=by, updated_at=at,
    )  # fmt: skip
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        current = find(session, meeting_id)
        assert current is not None  # the unique key was taken in this moment
        raise MinutesClashError(current) from None
    _keep(session, row, replaces=None)
    return row


def _keep(session: Session, row: Minutes, *, replaces: int | None) -> None:
    if replaces is not None:
        query = select(MinutesRevision).where(
            MinutesRevision.minutes_id == row.id, MinutesRevision.version == replaces
        )
        last = session.scalar(query)
        if last is not None:
            session.delete(last)
            session.flush()
    session.add(
        MinutesRevision(
            minutes_id=row.id, version=row.version, course=row.course,
            conclusion=row.conclusion, saved_by=row.updated_by, saved_at=row.updated_at,
        )
    )  # fmt: skip
    session.flush()


def history(session: Session, minutes: Minutes) -> Sequence[MinutesRevision]:
    """All kept texts, newest first."""
    query = select(MinutesRevision).where(MinutesRevision.minutes_id == minutes.id)
    return session.scalars(query.order_by(MinutesRevision.version.desc())).all()


# --- from the log --------------------------------------------------------------------------------


def draft_from_log(
    session: Session,
    meeting: Meeting,
    at: datetime,
    rule: Rule | None = None,
    *,
    recorded_from: datetime | None = None,
) -> str:
    """The first text of the minutes, from agenda, roll call, floor log, votes and papers."""
    sheet = attendance.sheet(session, meeting, at, rule)
    course = course_of(meeting, sheet, log.entries(session, meeting.id), at)
    polls = tuple(
        Poll(vote.question, vote.closed_at, vote.is_secret, *_totals(session, vote))
        for vote in voting.votes(session, meeting.id)
        if vote.closed_at is not None
    )
    papers = tuple(paper.filename for paper in papers_of(session, meeting.id))
    return draft(replace(course, polls=polls, papers=papers, recorded_from=recorded_from))


def _totals(session: Session, vote: Vote) -> tuple[int, int, int]:
    found = voting.count(session, vote)
    return found.in_favour, found.against, found.abstaining


def course_of(meeting: Meeting, sheet: Sheet, entries: Sequence[LogEntry], at: datetime) -> Course:
    """The facts a draft is made of."""
    called: dict[int, datetime] = {}
    recorded_by = ""
    for entry in entries:
        if entry.kind == Kind.AGENDA_SELECTED.value:
            called.setdefault(int(entry.detail["item_id"]), entry.at)
        if entry.kind == Kind.RECORDING_REQUESTED.value:
            recorded_by = recorded_by or entry.actor
    return Course(
        chair=addressed(meeting.chair),
        opened_at=meeting.opened_at,
        points=tuple(
            Point(item.title, item.presenter, called.get(item.id)) for item in meeting.agenda
        ),
        speeches=tuple(_speeches(entries, meeting.ended_at or at)),
        invited=sheet.totals.invited,
        came=sheet.totals.came,
        delegates=sheet.totals.delegates,
        recorded_by=recorded_by,
        absent=tuple(
            f"{line.site.unit_name} ({line.note})" if line.note else line.site.unit_name
            for line in sheet.sites
            if line.counted_as not in CAME
        ),
        substitutes=tuple(
            f"{one.delegate.full_name} thay {one.delegate.stands_in_for}"
            for one in sheet.delegates
            if one.status is AttendanceStatus.SUBSTITUTE
        ),
    )


def _speeches(entries: Sequence[LogEntry], until: datetime) -> list[Speech]:
    speeches: list[Speech] = []
    speaking: LogEntry | None = None
    for entry in entries:
        ends = entry.kind in {Kind.FLOOR_GIVEN.value, Kind.FLOOR_ENDED.value}
        if ends and speaking is not None:
            speeches.append(_speech(speaking, entry.at))
            speaking = None
        if entry.kind == Kind.FLOOR_GIVEN.value:
            speaking = entry
    if speaking is not None:
        speeches.append(_speech(speaking, until))
    return speeches


def _speech(given: LogEntry, until: datetime) -> Speech:
    seconds = max(0, int((until - given.at).total_seconds()))
    return Speech(given.subject, given.at, seconds)


def addressed(person: Person) -> str:
    """``đồng chí Nguyễn Văn Ước, Phó Chủ tịch UBND tỉnh``."""
    title = f", {person.title}" if person.title else ""
    return f"đồng chí {person.full_name}{title}"
