"""Take answers of invited sites, from the page and from mail; the overview of a meeting's answers.

An answer replaces the one before. Named delegates go to the list of the meeting's delegates
(`conference.attendance.delegates`), where attendance is marked; a substitute waits for the chair's
consent. A mail counts only when its sender is the address the invitation went to, and never makes
anything but an answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from conference.access import audit
from conference.access.policy import Actor
from conference.attendance import delegates
from conference.attendance.models import AttendanceStatus, Delegate
from conference.directory.models import Site
from conference.directory.vietnamese import fold
from conference.errors import ConflictError, InvalidError, NotFoundError
from conference.replies.itip import Incoming, MailAnswer
from conference.replies.models import (
    Answer,
    Consent,
    Handling,
    IncomingMessage,
    SiteReply,
    Source,
    Substitution,
)
from conference.scheduling import journal
from conference.scheduling.local_time import local_day
from conference.scheduling.models import ANNOUNCED, InvitedSite, Meeting, MeetingSeries, Status

MAX_HEADCOUNT: Final = 2000
MAX_NOTE: Final = 1000
SOURCE: Final = "reply"
"""Mark of delegates that a site named itself."""
ANSWER_WORDS: Final = {
    Answer.ACCEPTED: "Dự họp",
    Answer.TENTATIVE: "Chưa chắc chắn",
    Answer.DECLINED: "Không dự",
}
_OPEN: Final = ANNOUNCED | {Status.LIVE}


@dataclass(frozen=True, slots=True)
class ReplyDraft:
    """An answer as typed."""

    answer: Answer | None
    headcount: int | None
    names: str
    """People who come, one to a line (`conference.attendance.delegates.parse`)."""
    note: str = ""
    absent: str = ""
    substitute: str = ""
    substitute_title: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One site in the overview."""

    site: InvitedSite
    reply: SiteReply | None
    names: tuple[str, ...]
    substitution: Substitution | None
    is_outdated: bool
    """Answered before the meeting was changed."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many sites said what."""

    invited: int
    accepted: int
    tentative: int
    declined: int
    headcount: int

    @property
    def open(self) -> int:
        """Sites that have not answered."""
        return self.invited - self.accepted - self.tentative - self.declined


def is_open(meeting: Meeting, at: datetime) -> bool:
    """Whether answers are still taken: invited, and not over."""
    return meeting.status in _OPEN and meeting.ended_at is None and at < meeting.ends_at


def later_places(
    session: Session, meeting: Meeting, site: InvitedSite, at: datetime
) -> list[tuple[Meeting, InvitedSite]]:
    """The site's places in the later meetings of the series that still take answers."""
    if meeting.series_id is None:
        return []
    found = _places(session, meeting.series_id, site.site_id)
    return [
        (one, place)
        for one, place in found
        if one.starts_at > meeting.starts_at and is_open(one, at)
    ]


def _places(session: Session, series_id: int, site_id: int) -> list[tuple[Meeting, InvitedSite]]:
    query = (
        select(Meeting, InvitedSite)
        .join(InvitedSite, InvitedSite.meeting_id == Meeting.id)
        .where(
            Meeting.series_id == series_id,
            InvitedSite.site_id == site_id,
            InvitedSite.withdrawn_at.is_(None),
        )
        .order_by(Meeting.starts_at)
    )
    return [(meeting, place) for meeting, place in session.execute(query)]


def reply_of(session: Session, site: InvitedSite) -> SiteReply | None:
    """The answer in force."""
    return session.scalar(select(SiteReply).where(SiteReply.invited_site_id == site.id))


def substitution_of(session: Session, site: InvitedSite) -> Substitution | None:
    """The substitute that was asked for last."""
    query = select(Substitution).where(Substitution.invited_site_id == site.id)
    return session.scalars(query.order_by(Substitution.id.desc())).first()


def names_of(session: Session, site: InvitedSite) -> list[str]:
    """Delegates the site named, as it would type them."""
    query = select(Delegate).where(Delegate.invited_site_id == site.id, Delegate.source == SOURCE)
    rows = session.scalars(query.order_by(Delegate.position, Delegate.id))
    return [", ".join(filter(None, [row.full_name, row.title])) for row in rows]


def give(
    session: Session,
    meeting: Meeting,
    site: InvitedSite,
    draft: ReplyDraft,
    *,
    actor: Actor,
    source: Source,
    at: datetime,
    address: str = "",
) -> SiteReply:
    """Store a site's answer. Raises InvalidError by field, ConflictError when it is too late."""
    if not is_open(meeting, at) or site.withdrawn_at is not None:
        raise ConflictError("Cuộc họp không còn nhận trả lời.", code="closed")
    people = _checked(draft)
    assert draft.answer is not None  # checked
    row = _row(session, meeting, site)
    row.answer, row.headcount = draft.answer, draft.headcount
    row.note, row.source = draft.note.strip(), source
    row.replied_by, row.replied_at, row.ics_sequence = actor.name, at, meeting.ics_sequence
    is_coming = draft.answer is not Answer.DECLINED
    _name_delegates(session, meeting, site, people if is_coming else [])
    _ask_for_substitute(session, meeting, site, draft)
    session.flush()
    _note(session, meeting, site, row, actor, at, address)
    return row


def _checked(draft: ReplyDraft) -> list[delegates.Expected]:
    found: dict[str, str] = {}
    people: list[delegates.Expected] = []
    if draft.answer is None:
        found["answer"] = "Chọn một câu trả lời."
    if draft.headcount is not None and not 0 <= draft.headcount <= MAX_HEADCOUNT:
        found["headcount"] = f"Số người từ 0 đến {MAX_HEADCOUNT}."
    if draft.names.strip():
        try:
            people = delegates.parse(draft.names)
        except InvalidError as error:
            found |= error.fields
    if draft.headcount is not None and len(people) > draft.headcount and "headcount" not in found:
        found["headcount"] = f"Danh sách có {len(people)} người, nhiều hơn số người dự."
    if draft.answer is Answer.DECLINED and not draft.note.strip():
        found["note"] = "Nêu lý do không dự."
    if len(draft.note) > MAX_NOTE:
        found["note"] = f"Ghi chú dài quá {MAX_NOTE} ký tự."
    found |= _substitute_faults(draft)
    if found:
        raise InvalidError(found)
    return people


def _substitute_faults(draft: ReplyDraft) -> dict[str, str]:
    if draft.absent.strip() and not draft.substitute.strip():
        return {"substitute": "Nhập họ tên người dự thay."}
    if draft.substitute.strip() and not draft.absent.strip():
        return {"absent": "Nhập người vắng mặt."}
    limits = {"absent": 160, "substitute": 120, "substitute_title": 160}
    return {
        name: f"Dài quá {most} ký tự."
        for name, most in limits.items()
        if len(getattr(draft, name)) > most
    }


def _row(session: Session, meeting: Meeting, site: InvitedSite) -> SiteReply:
    row = reply_of(session, site)
    if row is None:
        row = SiteReply(meeting_id=meeting.id, invited_site_id=site.id)
        session.add(row)
    return row


def _name_delegates(
    session: Session, meeting: Meeting, site: InvitedSite, people: Sequence[delegates.Expected]
) -> None:
    """The site's list is what it says now; who was marked already stays."""
    wanted = {(fold(one.full_name), fold(one.title)) for one in people}
    agreed = substitution_of(session, site)
    if agreed is not None and agreed.consent is Consent.GRANTED:
        wanted.add((fold(agreed.substitute), fold(agreed.substitute_title)))
    query = select(Delegate).where(Delegate.invited_site_id == site.id, Delegate.source == SOURCE)
    for row in session.scalars(query):
        is_wanted = (fold(row.full_name), fold(row.title)) in wanted
        if not is_wanted and row.status is AttendanceStatus.UNMARKED:
            session.delete(row)
    session.flush()
    delegates.expect(session, meeting, site, people, source=SOURCE)


def _ask_for_substitute(
    session: Session, meeting: Meeting, site: InvitedSite, draft: ReplyDraft
) -> None:
    asked = tuple(
        " ".join(text.split()) for text in (draft.absent, draft.substitute, draft.substitute_title)
    )
    known = substitution_of(session, site)
    if known and (known.absent, known.substitute, known.substitute_title) == asked:
        return
    if known and known.consent is Consent.ASKED:
        session.delete(known)  # taken back or replaced before anybody decided
    if draft.answer is Answer.DECLINED or not asked[1]:
        return
    session.add(
        Substitution(
            meeting_id=meeting.id, invited_site_id=site.id, absent=asked[0], substitute=asked[1],
            substitute_title=asked[2], consent=Consent.ASKED, decided_by="", decided_at=None,
        )
    )  # fmt: skip


def _note(  # noqa: PLR0917 (the values of one call above)
    session: Session, meeting: Meeting, site: InvitedSite, row: SiteReply, actor: Actor,
    at: datetime, address: str,
) -> None:  # fmt: skip
    audit.record(
        session, at=at, actor=actor, action="reply.given", object_type="meeting",
        object_id=meeting.id, address=address,
        detail={"site": site.id, "answer": row.answer.value, "source": row.source.value},
    )  # fmt: skip
    session.add(
        journal.LogEntry(
            meeting_id=meeting.id, at=at, kind="reply_given", actor=actor.name, identity="",
            subject=site.site_name[:300], detail={"answer": row.answer.value},
        )
    )  # fmt: skip


def decide(
    session: Session,
    meeting: Meeting,
    substitution_id: int,
    consent: Consent,
    *,
    actor: Actor,
    at: datetime,
    address: str = "",
) -> Substitution:
    """The chair (or who acts for the chair) agrees to a substitute or does not."""
    row = session.get(
        Substitution, substitution_id, options=[joinedload(Substitution.invited_site)]
    )
    if row is None or row.meeting_id != meeting.id:
        raise NotFoundError
    if meeting.ended_at is not None:
        raise ConflictError("Cuộc họp đã kết thúc.")
    row.consent, row.decided_by, row.decided_at = consent, actor.name, at
    if consent is Consent.GRANTED:
        person = delegates.Expected(row.substitute, row.substitute_title, row.absent)
        delegates.expect(session, meeting, row.invited_site, [person], source=SOURCE)
    audit.record(
        session, at=at, actor=actor, action=f"substitution.{consent.value}",
        object_type="meeting", object_id=meeting.id, address=address,
        detail={"absent": row.absent, "substitute": row.substitute},
    )  # fmt: skip
    return row


def overview(session: Session, meeting: Meeting) -> list[Line]:
    """Every invited site with its answer, in protocol order."""
    replies = {
        row.invited_site_id: row
        for row in session.scalars(select(SiteReply).where(SiteReply.meeting_id == meeting.id))
    }
    subs: dict[int, Substitution] = {}
    query = select(Substitution).where(Substitution.meeting_id == meeting.id)
    for row in session.scalars(query.order_by(Substitution.id)):
        subs[row.invited_site_id] = row
    names: dict[int, list[str]] = {}
    people = select(Delegate).where(Delegate.meeting_id == meeting.id, Delegate.source == SOURCE)
    for one in session.scalars(people.order_by(Delegate.position, Delegate.id)):
        if one.invited_site_id is not None:
            names.setdefault(one.invited_site_id, []).append(one.full_name)
    return [
        Line(
            site, reply := replies.get(site.id), tuple(names.get(site.id, ())), subs.get(site.id),
            reply is not None and reply.ics_sequence < meeting.ics_sequence,
        )
        for site in meeting.sites
        if site.withdrawn_at is None
    ]  # fmt: skip


def tally(lines: Sequence[Line]) -> Tally:
    """Add up."""
    answers = [line.reply.answer for line in lines if line.reply]
    coming = [line.reply for line in lines if line.reply and line.reply.answer is Answer.ACCEPTED]
    return Tally(
        invited=len(lines),
        accepted=len(coming),
        tentative=answers.count(Answer.TENTATIVE),
        declined=answers.count(Answer.DECLINED),
        headcount=sum(reply.headcount or 0 for reply in coming),
    )


# --- by mail -------------------------------------------------------------------------------------


def take_mail(
    session: Session,
    incoming: Incoming,
    *,
    at: datetime,
    otherwise: Handling = Handling.NOT_A_REPLY,
) -> Handling:
    """Apply the answers of one message, once; what became of it, ``otherwise`` if it has none."""
    known = session.scalar(
        select(IncomingMessage).where(IncomingMessage.message_id == incoming.message_id)
    )
    if known is not None and incoming.message_id:
        return known.handling
    handling, meeting_id = otherwise, None
    for answer in incoming.answers:
        handling, meeting_id = _apply(session, incoming, answer, at)
    session.add(
        IncomingMessage(
            message_id=incoming.message_id or f"none-{at.isoformat()}",
            received_at=at, sender=incoming.sender, subject=incoming.subject, handling=handling,
            meeting_id=meeting_id,
        )
    )  # fmt: skip
    session.flush()
    return handling


def _apply(
    session: Session, incoming: Incoming, answer: MailAnswer, at: datetime
) -> tuple[Handling, int | None]:
    found = _meant(session, answer)
    if not found:
        return Handling.UNKNOWN_MEETING, None
    handled = [(_apply_to(session, meeting, incoming, answer, at), meeting.id) for meeting in found]
    return next((one for one in handled if one[0] is Handling.APPLIED), handled[0])


def _meant(session: Session, answer: MailAnswer) -> list[Meeting]:
    """The meeting of the answered UID; of a series the one of its RECURRENCE-ID, else all."""
    single = session.scalar(select(Meeting).where(Meeting.ics_uid == answer.uid))
    if single is not None:
        return [single]
    series = session.scalar(select(MeetingSeries).where(MeetingSeries.ics_uid == answer.uid))
    if series is None:
        return []
    if answer.recurrence_at is None:
        return list(series.meetings)
    slots = [(one, series.slot(one)) for one in series.meetings]
    found = [one for one, slot in slots if slot == answer.recurrence_at]
    if not found:  # some programs name the day alone, or the hour to which it was moved
        day = local_day(answer.recurrence_at)
        found = [one for one, slot in slots if slot is not None and local_day(slot) == day]
    return found[:1]


def _apply_to(
    session: Session, meeting: Meeting, incoming: Incoming, answer: MailAnswer, at: datetime
) -> Handling:
    query = (
        select(InvitedSite)
        .join(Site, InvitedSite.site_id == Site.id)
        .where(InvitedSite.meeting_id == meeting.id, InvitedSite.withdrawn_at.is_(None))
        .options(joinedload(InvitedSite.site))
    )
    site = next(
        (s for s in session.scalars(query) if s.site.email.strip().lower() == answer.attendee), None
    )
    if site is None or incoming.sender != answer.attendee:
        return Handling.UNKNOWN_SENDER
    known = reply_of(session, site)
    newest = max(known.ics_sequence if known else 0, 0)
    if answer.sequence < newest or not is_open(meeting, at):
        return Handling.OUTDATED
    row = _row(session, meeting, site)
    row.answer, row.source, row.note = answer.answer, Source.MAIL, answer.comment
    row.headcount = known.headcount if known else None
    row.replied_by, row.replied_at = incoming.sender, at
    row.ics_sequence = min(answer.sequence, meeting.ics_sequence)
    session.flush()
    who = Actor(account_id=None, role=None, name=incoming.sender, invited_site_id=site.id)
    _note(session, meeting, site, row, who, at, "")
    return Handling.APPLIED


def unanswered(session: Session, meeting: Meeting) -> list[InvitedSite]:
    """Sites that have not answered the meeting."""
    answered = select(SiteReply.invited_site_id).where(SiteReply.meeting_id == meeting.id)
    query = select(InvitedSite).where(
        InvitedSite.meeting_id == meeting.id,
        InvitedSite.withdrawn_at.is_(None),
        InvitedSite.id.not_in(answered),
    )
    return list(session.scalars(query.order_by(InvitedSite.position)))


REMIND_BEFORE: Final = timedelta(hours=24)
"""Sites that did not answer are reminded once, a day before the meeting."""
