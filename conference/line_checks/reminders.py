"""Asking sites to check their lines: when, whom, and once.

Twice at most: when checks open (a day before) and shortly before the start, each only to sites
that have not passed. A reminder is written once for one start of the meeting (a unique row says
so, whichever process was first); a meeting that was moved is reminded of anew. What was missed
while the service was down is not made up for: the first reminder gives way to the last one, and
the last one to the meeting itself. A letter that waited too long for the mail server is dropped
(`conference.invitations.delivery`).
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from conference.directory.models import Site
from conference.invitations.message import Office, mail_address
from conference.invitations.models import (
    ABOUT_CHECKS,
    Channel,
    Delivery,
    OutboxMessage,
    Purpose,
)
from conference.invitations.service import NO_ADDRESS
from conference.line_checks import letter, service
from conference.line_checks.letter import Words
from conference.line_checks.models import LineCheck, LineCheckReminder, Stage
from conference.line_checks.wording import GRADE_WORDS
from conference.scheduling.invitees import present_sites
from conference.scheduling.local_time import clock_text, period_text
from conference.scheduling.models import ANNOUNCED, InvitedSite, Meeting
from conference.scheduling.planning import thresholds_of
from conference.scheduling.thresholds import Thresholds
from config.settings import Settings

LAST_USE: Final = timedelta(minutes=10)
"""So short before the start a site goes into the room instead of checking."""
QUIET: Final = {Stage.OPENED: timedelta(hours=2), Stage.LAST: timedelta(minutes=15)}
"""Who was written to so recently needs no reminder of the letter just received."""
_PURPOSES: Final = {Stage.OPENED: Purpose.CHECK_OPENED, Stage.LAST: Purpose.CHECK_LAST}


def check_link(public_url: str, join_code: str) -> str:
    """The address at which one site checks its line for one meeting."""
    return f"{public_url}/vao/{join_code}/kiem-tra"


def stage_at(starts_at: datetime, at: datetime, limits: Thresholds) -> Stage | None:
    """Which reminder is useful ``at`` for a meeting that starts then; None = none. Pure."""
    before = starts_at - at
    if before <= LAST_USE:
        return None
    if before <= timedelta(minutes=limits.check_remind_minutes):
        return Stage.LAST
    return Stage.OPENED if before <= timedelta(hours=limits.check_hours) else None


def expires_at(stage: Stage, starts_at: datetime, limits: Thresholds) -> datetime:
    """From when on a reminder that waits is of no use. Pure."""
    if stage is Stage.LAST:
        return starts_at - LAST_USE
    return starts_at - timedelta(minutes=limits.check_remind_minutes)


@dataclass(frozen=True, slots=True)
class _Order:
    """Reminders of one meeting that are to be written together."""

    meeting: Meeting
    stage: Stage
    checks: Mapping[int, LineCheck]
    until: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class Reminder:
    """Writes reminders into the outbox, in the name of one office."""

    office: Office
    public_url: str
    has_gateway: bool = False

    @classmethod
    def of(cls, settings: Settings) -> "Reminder":
        """The one of this installation."""
        office = Office(settings.mail.sender_name, settings.mail.sender, settings.office.hotline)
        return cls(office, settings.public_url, bool(settings.gateway.url))

    def remind_due(self, session: Session, at: datetime) -> int:
        """Write what is due over all meetings; how many sites were reminded."""
        limits = thresholds_of(session)
        query = (
            select(Meeting)
            .where(
                Meeting.status.in_(ANNOUNCED),
                Meeting.starts_at > at + LAST_USE,
                Meeting.starts_at <= at + timedelta(hours=limits.check_hours),
            )
            .options(selectinload(Meeting.sites))
        )
        return sum(self._meeting(session, one, limits, at) for one in session.scalars(query))

    def _meeting(self, session: Session, meeting: Meeting, limits: Thresholds, at: datetime) -> int:
        stage = stage_at(meeting.starts_at, at, limits)
        if stage is None:
            return 0
        done = _reminded(session, meeting, stage) | _written_to_lately(session, meeting, stage, at)
        checks = service.newest(session, meeting, limits)
        sites = [one for one in not_passed(meeting, checks) if one.id not in done]
        for one in sites:
            session.add(
                LineCheckReminder(
                    meeting_id=meeting.id, invited_site_id=one.id, stage=stage,
                    starts_at=meeting.starts_at, written_at=at,
                )
            )  # fmt: skip
        if sites:
            session.flush()  # another process that was first is found here, not after the letters
            until = expires_at(stage, meeting.starts_at, limits)
            self._write(session, sites, _Order(meeting, stage, checks, until, at))
        return len(sites)

    def remind(
        self, session: Session, meeting: Meeting, sites: Sequence[InvitedSite], at: datetime
    ) -> int:
        """Write to ``sites`` now because somebody asked for it; how many."""
        limits = thresholds_of(session)
        is_near = meeting.starts_at - at <= timedelta(minutes=limits.check_remind_minutes)
        stage = Stage.LAST if is_near else Stage.OPENED
        waiting = _waiting(session, meeting)
        wanted = [one for one in sites if one.id not in waiting]
        checks = service.newest(session, meeting, limits)
        if wanted:
            # what a person asks for in the last minutes is theirs to judge
            order = _Order(meeting, stage, checks, meeting.starts_at, at)
            self._write(session, wanted, order)
        return len(wanted)

    def _write(self, session: Session, sites: Sequence[InvitedSite], order: _Order) -> None:
        rooms = _rooms(session, [one.site_id for one in sites])
        for site in sites:
            room = rooms[site.site_id]
            words = self._words(order.meeting, site, order.checks.get(site.id))
            for name, address in _recipients(site, room):
                row = _row(site, words, order)
                row.recipient = address[:254]
                usable = mail_address(address)
                if usable:
                    row.content = letter.compose(
                        order.stage, words, self.office, letter.Recipient(name, usable),
                        message_id=self._id(), at=order.at,
                    )  # fmt: skip
                else:
                    row.state, row.last_error = Delivery.FAILED, NO_ADDRESS
                session.add(row)
            phone = _phone(room)
            if self.has_gateway and phone:
                row = _row(site, words, order)
                row.channel, row.recipient = Channel.WEBHOOK, phone
                row.content = letter.notice(order.stage, words, phone, self._id())
                session.add(row)

    def _id(self) -> str:
        domain = self.office.address.rpartition("@")[2] or "localhost"
        return f"<{secrets.token_hex(12)}.check@{domain}>"

    def _words(self, meeting: Meeting, site: InvitedSite, check: LineCheck | None) -> Words:
        last = ""
        if check is not None:
            last = f"{GRADE_WORDS[check.grade]} (lúc {clock_text(check.checked_at)})"
        return Words(
            title=meeting.title,
            starts_at=meeting.starts_at,
            period=period_text(meeting.starts_at, meeting.ends_at),
            site_name=site.site_name,
            link=check_link(self.public_url, site.join_code),
            last_result=last,
            office_name=self.office.name,
            hotline=self.office.hotline,
        )


def _row(site: InvitedSite, words: Words, order: _Order) -> OutboxMessage:
    """A row to be filled with recipient and content."""
    meeting = order.meeting
    return OutboxMessage(
        meeting_id=meeting.id, invited_site_id=site.id, purpose=_PURPOSES[order.stage],
        channel=Channel.MAIL, recipient="", subject=letter.subject(order.stage, words), content="",
        ics_sequence=meeting.ics_sequence, state=Delivery.WAITING, attempts=0,
        next_attempt_at=order.at, expires_at=order.until, about_start=meeting.starts_at,
        lease_owner="", lease_until=None, last_error="", created_at=order.at, sent_at=None,
    )  # fmt: skip


def not_passed(meeting: Meeting, checks: Mapping[int, LineCheck]) -> list[InvitedSite]:
    """Invited sites without a check, or whose newest one is red, in protocol order."""
    return [
        site
        for site in present_sites(meeting)
        if site.id not in checks or not checks[site.id].grade.is_passed
    ]


def _recipients(site: InvitedSite, room: Site) -> list[tuple[str, str]]:
    """Name and address of the site's mailbox and of its technician, if that is another."""
    found = [(site.site_name, room.email.strip())]
    person = room.technician
    if person is not None and person.email.strip():
        found.append((person.full_name, person.email.strip()))
    return list({address: (name, address) for name, address in found}.values())


def _phone(room: Site) -> str:
    person = room.technician
    return (room.technician_phone or (person.phone if person else "")).strip()[:254]


def _rooms(session: Session, site_ids: Iterable[int]) -> dict[int, Site]:
    query = select(Site).where(Site.id.in_(list(site_ids))).options(joinedload(Site.technician))
    return {room.id: room for room in session.scalars(query)}


def _reminded(session: Session, meeting: Meeting, stage: Stage) -> set[int]:
    query = select(LineCheckReminder.invited_site_id).where(
        LineCheckReminder.meeting_id == meeting.id,
        LineCheckReminder.stage == stage,
        LineCheckReminder.starts_at == meeting.starts_at,
    )
    return set(session.scalars(query))


def _written_to_lately(session: Session, meeting: Meeting, stage: Stage, at: datetime) -> set[int]:
    query = select(OutboxMessage.invited_site_id).where(
        OutboxMessage.meeting_id == meeting.id,
        OutboxMessage.purpose.in_((Purpose.REQUEST, Purpose.UPDATE)),
        OutboxMessage.created_at > at - QUIET[stage],
    )
    return set(session.scalars(query))


def _waiting(session: Session, meeting: Meeting) -> set[int]:
    query = select(OutboxMessage.invited_site_id).where(
        OutboxMessage.meeting_id == meeting.id,
        OutboxMessage.purpose.in_(ABOUT_CHECKS),
        OutboxMessage.state == Delivery.WAITING,
    )
    return set(session.scalars(query))
