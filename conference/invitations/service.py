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
from conference.directory.models import Person, Site
from conference.errors import ConflictError, NotFoundError
from conference.invitations import gateway
from conference.invitations.message import (
    AgendaLine,
    Event,
    Letter,
    Office,
    Reason,
    compose,
    mail_address,
    subject,
)
from conference.invitations.models import Channel, Delivery, OutboxMessage, Purpose
from conference.scheduling.announcement import Announcement
from conference.scheduling.models import HELD, PLANNED, InvitedSite, Meeting, Scope, Status
from config.settings import Settings

SCOPE_WORDS: Final = {Scope.CENTRAL: "Trung ương với tỉnh", Scope.INTRA: "Nội tỉnh"}
NO_ADDRESS: Final = "Điểm cầu chưa có địa chỉ thư điện tử dùng được."

_PURPOSE: Final = {
    Reason.INVITED: Purpose.REQUEST,
    Reason.CHANGED: Purpose.UPDATE,
    Reason.REMINDED: Purpose.REMINDER,
}


def join_link(public_url: str, join_code: str) -> str:
    """The address at which one site enters one meeting."""
    return f"{public_url}/vao/{join_code}"


def reply_link(public_url: str, join_code: str) -> str:
    """The address at which one site answers one invitation."""
    return f"{public_url}/tra-loi/{join_code}"


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
        called_off = {
            Status.POSTPONED: Reason.POSTPONED,
            Status.CANCELLED: Reason.CANCELLED,
        }.get(meeting.status, Reason.WITHDRAWN)
        letters = [
            *((site, Reason.INVITED) for site in announcement.invited),
            *((site, Reason.CHANGED) for site in announcement.updated),
            *((site, called_off) for site in announcement.called_off),
        ]
        if letters:
            self._write(session, meeting, letters, at)

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
        known = _contacts(session, [site.site_id for site, _ in letters])
        event = _event(session, meeting)
        for site, reason in letters:
            email, phone = known.get(site.site_id, ("", ""))
            letter = self._letter(meeting, event, site, reason, at)
            session.add(self._row(meeting, letter, site, email.strip()))
            if self.has_gateway and phone.strip():
                session.add(self._short(meeting, letter, site, phone.strip()))

    def _letter(
        self, meeting: Meeting, event: Event, site: InvitedSite, reason: Reason, at: datetime
    ) -> Letter:
        domain = self.office.address.rpartition("@")[2] or "localhost"
        return Letter(
            reason=reason,
            event=event,
            office=self.office,
            recipient="",
            site_name=site.site_name,
            unit_name=site.unit_name,
            link=join_link(self.public_url, site.join_code),
            reply_link=reply_link(self.public_url, site.join_code),
            message_id=f"<{secrets.token_hex(12)}.{meeting.ics_sequence}@{domain}>",
            at=at,
        )

    def _row(
        self, meeting: Meeting, letter: Letter, site: InvitedSite, known: str
    ) -> OutboxMessage:
        usable = mail_address(known)
        row = _waiting(meeting, letter, site, usable or known[:254])
        row.content = compose(replace(letter, recipient=usable)) if usable else ""
        if not usable:
            row.state, row.last_error = Delivery.FAILED, NO_ADDRESS
        return row

    def _short(
        self, meeting: Meeting, letter: Letter, site: InvitedSite, phone: str
    ) -> OutboxMessage:
        row = _waiting(meeting, letter, site, phone[:254])
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
            .where(OutboxMessage.id.in_(wanted), OutboxMessage.meeting_id == meeting_id)
            .options(joinedload(OutboxMessage.invited_site))
        )
        rows = session.scalars(query).all()
        if len(rows) != len(wanted):
            raise NotFoundError
        meeting = session.get(Meeting, meeting_id, options=[selectinload(Meeting.agenda)])
        assert meeting is not None  # its letters refer to it
        if meeting.status in HELD | PLANNED:
            raise ConflictError("Cuộc họp không còn gửi thư mời.")
        anew: dict[int, tuple[InvitedSite, Reason]] = {}
        for row in rows:
            if row.state is Delivery.WAITING:
                row.next_attempt_at = at
            else:
                anew[row.invited_site_id] = (row.invited_site, _present_reason(meeting, row))
        if anew:
            self._write(session, meeting, list(anew.values()), at)
        audit.record(
            session, at=at, actor=actor, action="invitation.resent", object_type="meeting",
            object_id=meeting_id, address=address, detail={"letters": len(rows)},
        )  # fmt: skip
        session.flush()
        return len(rows)


def _waiting(meeting: Meeting, letter: Letter, site: InvitedSite, recipient: str) -> OutboxMessage:
    """A row to be filled with content."""
    return OutboxMessage(
        meeting_id=meeting.id,
        invited_site_id=site.id,
        purpose=_PURPOSE.get(letter.reason, Purpose.CANCEL),
        channel=Channel.MAIL,
        recipient=recipient,
        subject=subject(letter),
        ics_sequence=meeting.ics_sequence,
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


def _event(session: Session, meeting: Meeting) -> Event:
    chair = session.get(Person, meeting.chair_id)
    assert chair is not None  # a foreign key
    external = ", ".join(filter(None, [meeting.external_host, meeting.external_reference]))
    return Event(
        title=meeting.title,
        scope_words=SCOPE_WORDS[meeting.scope],
        starts_at=meeting.starts_at,
        ends_at=meeting.ends_at,
        chair=", ".join(filter(None, [chair.full_name, chair.title])),
        location=meeting.location,
        description=meeting.description,
        external=external,
        agenda=[AgendaLine(i.title, i.presenter, i.minutes) for i in meeting.agenda],
        uid=meeting.ics_uid,
        sequence=meeting.ics_sequence,
        explanation=meeting.status_reason,
    )
