"""Letters to invited sites: written into the outbox in the transaction that causes them.

`MailAnnouncer` is the port's real side (`conference.scheduling.announcement`): a change of the
schedule and the letters about it are committed together or not at all. A site without a usable
address gets a row too, failed, saying so, for the secretary to see.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from conference.access import audit
from conference.access.policy import Actor
from conference.directory.models import Site
from conference.errors import ConflictError, NotFoundError
from conference.invitations import gateway
from conference.invitations.ledger import about
from conference.invitations.links import join_link, reply_link
from conference.invitations.message import (
    Letter,
    Office,
    Reason,
    compose,
    mail_address,
    subject,
)
from conference.invitations.models import (
    ABOUT_CHECKS,
    Channel,
    Delivery,
    OutboxMessage,
    Purpose,
)
from conference.invitations.series_letters import (
    Note,
    event_of,
    notes_for,
    reason_off,
    whole_again,
)
from conference.scheduling.announcement import Announcement, Change
from conference.scheduling.models import (
    HELD,
    PLANNED,
    InvitedSite,
    Meeting,
    MeetingSeries,
    Status,
)
from config.settings import Settings

NO_ADDRESS: Final = "Điểm cầu chưa có địa chỉ thư điện tử dùng được."

_PURPOSE: Final = {
    Reason.INVITED: Purpose.REQUEST,
    Reason.CHANGED: Purpose.UPDATE,
    Reason.REMINDED: Purpose.REMINDER,
}


@dataclass(frozen=True, slots=True)
class MailAnnouncer:
    """Announces by e-mail, in the name of one office."""

    office: Office
    public_url: str
    has_gateway: bool = False

    @classmethod
    def of(cls, settings: Settings) -> "MailAnnouncer":
        """The announcer of this installation."""
        office = Office(settings.mail.sender_name, settings.mail.sender, settings.office.hotline)
        return cls(office, settings.public_url, bool(settings.gateway.url))

    def announce(
        self, session: Session, meeting: Meeting, announcement: Announcement, at: datetime
    ) -> None:
        """Write the letters of one change."""
        called_off = reason_off(meeting)
        letters = [
            *((site, Reason.INVITED) for site in announcement.invited),
            *((site, Reason.CHANGED) for site in announcement.updated),
            *((site, called_off) for site in announcement.called_off),
        ]
        if letters:
            self._write(session, meeting, letters, at)

    def announce_series(
        self,
        session: Session,
        series: MeetingSeries,
        changes: Sequence[Change],
        at: datetime,
        parted_from: MeetingSeries | None = None,
    ) -> None:
        """Write one letter to each site about all that changed in a series."""
        self._post(session, notes_for(session, series, changes, at, parted_from), at)

    def remind(
        self, session: Session, meeting: Meeting, sites: Sequence[InvitedSite], at: datetime
    ) -> int:
        """Ask sites that did not answer to do so; how many."""
        if sites:
            self._write(session, meeting, [(site, Reason.REMINDED) for site in sites], at)
        return len(sites)

    def _write(
        self,
        session: Session,
        meeting: Meeting,
        letters: Sequence[tuple[InvitedSite, Reason]],
        at: datetime,
    ) -> None:
        event = event_of(meeting)
        notes = [Note(site, reason, event, site.join_code) for site, reason in letters]
        self._post(session, notes, at)

    def _post(self, session: Session, notes: Sequence[Note], at: datetime) -> None:
        known = _contacts(session, [note.site.site_id for note in notes])
        for note in notes:
            email, phone = known.get(note.site.site_id, ("", ""))
            letter = self._letter(note, at)
            session.add(self._row(note, letter, email.strip()))
            if self.has_gateway and phone.strip():
                session.add(self._short(note, letter, phone.strip()))

    def _letter(self, note: Note, at: datetime) -> Letter:
        domain = self.office.address.rpartition("@")[2] or "localhost"
        return Letter(
            reason=note.reason,
            event=note.event,
            office=self.office,
            recipient="",
            site_name=note.site.site_name,
            unit_name=note.site.unit_name,
            link=join_link(self.public_url, note.code),
            reply_link=reply_link(self.public_url, note.code),
            message_id=f"<{secrets.token_hex(12)}.{note.event.sequence}@{domain}>",
            at=at,
            series=note.series,
        )

    def _row(self, note: Note, letter: Letter, known: str) -> OutboxMessage:
        usable = mail_address(known)
        row = _waiting(note, letter, usable or known[:254])
        row.content = compose(replace(letter, recipient=usable)) if usable else ""
        if not usable:
            row.state, row.last_error = Delivery.FAILED, NO_ADDRESS
        return row

    def _short(self, note: Note, letter: Letter, phone: str) -> OutboxMessage:
        row = _waiting(note, letter, phone[:254])
        row.channel, row.content = Channel.WEBHOOK, gateway.notice(letter, phone)
        return row

    def resend(
        self,
        session: Session,
        meeting_id: int,
        message_ids: Iterable[int],
        *,
        actor: Actor,
        at: datetime,
        address: str = "",
    ) -> int:
        """Send letters again as the meeting now stands; how many.

        Waiting ones are tried at once; others are written anew, to the site's present address.
        Raises NotFoundError for a letter of another meeting, ConflictError if the meeting is over.
        """
        wanted = set(message_ids)
        query = (
            select(OutboxMessage)
            .where(OutboxMessage.id.in_(wanted), about(meeting_id))
            .options(joinedload(OutboxMessage.invited_site))
        )
        rows = session.scalars(query).all()
        if len(rows) != len(wanted) or any(row.purpose in ABOUT_CHECKS for row in rows):
            raise NotFoundError  # line checks are reminded of on their own board
        meeting = session.get(Meeting, meeting_id, options=[selectinload(Meeting.agenda)])
        assert meeting is not None  # its letters refer to it
        if meeting.status in HELD | PLANNED:
            raise ConflictError("Cuộc họp không còn gửi thư mời.")
        anew: dict[int, tuple[InvitedSite, Reason]] = {}
        series: dict[int, Note] = {}
        for row in rows:
            if row.state is Delivery.WAITING:
                row.next_attempt_at = at
            elif row.series_id is not None:
                of = session.get_one(MeetingSeries, row.series_id)
                series[row.invited_site.id] = whole_again(session, of, row.invited_site, at)
            else:
                anew[row.invited_site.id] = (row.invited_site, _present_reason(meeting, row))
        if anew:
            self._write(session, meeting, list(anew.values()), at)
        self._post(session, list(series.values()), at)
        audit.record(
            session, at=at, actor=actor, action="invitation.resent", object_type="meeting",
            object_id=meeting_id, address=address, detail={"letters": len(rows)},
        )  # fmt: skip
        session.flush()
        return len(rows)


def _waiting(note: Note, letter: Letter, recipient: str) -> OutboxMessage:
    """A row to be filled with content."""
    return OutboxMessage(
        meeting_id=note.site.meeting_id,
        invited_site_id=note.site.id,
        series_id=note.series_id,
        purpose=_PURPOSE.get(letter.reason, Purpose.CANCEL),
        channel=Channel.MAIL,
        recipient=recipient,
        subject=subject(letter),
        ics_sequence=note.event.sequence,
        state=Delivery.WAITING,
        attempts=0,
        next_attempt_at=letter.at,
        lease_owner="",
        lease_until=None,
        last_error="",
        created_at=letter.at,
        sent_at=None,
    )


def _present_reason(meeting: Meeting, row: OutboxMessage) -> Reason:
    """What to tell a site now, whatever the old letter said."""
    if meeting.status is Status.CANCELLED:
        return Reason.CANCELLED
    if meeting.status is Status.POSTPONED:
        return Reason.POSTPONED
    if row.invited_site.withdrawn_at is not None:
        return Reason.WITHDRAWN
    return Reason.INVITED


def _contacts(session: Session, site_ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    query = select(Site.id, Site.email, Site.technician_phone).where(Site.id.in_(site_ids))
    return {site_id: (email, phone) for site_id, email, phone in session.execute(query)}
