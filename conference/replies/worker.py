"""The background thread of correspondence: reads answers, reminds sites and units.

Once a minute. Reminders are rows of the outbox, written once for each site a day before the
meeting; several web processes may run this, the row that is already there tells the second one.
"""

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Final, Protocol

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session, selectinload

from conference.conclusions import reminders
from conference.database import Database
from conference.invitations.models import OutboxMessage, Purpose
from conference.invitations.service import MailAnnouncer
from conference.line_checks.reminders import Reminder
from conference.replies import mailbox, service
from conference.scheduling.models import ANNOUNCED, Meeting
from config.settings import Settings

POLL_S: Final = 60.0
PATIENCE_S: Final = 35.0

_log = logging.getLogger(__name__)


class Office(Protocol):
    """What the worker needs of the process it runs in."""

    @property
    def settings(self) -> Settings:
        """All settings."""

    @property
    def database(self) -> Database:
        """The truth."""

    @property
    def clock(self) -> Callable[[], datetime]:
        """The time now, aware, UTC."""


def remind_due(session: Session, announcer: MailAnnouncer, at: datetime) -> int:
    """Remind sites of meetings within a day that neither answered nor were reminded; how many."""
    query = (
        select(Meeting)
        .where(
            Meeting.status.in_(ANNOUNCED),
            Meeting.starts_at > at,
            Meeting.starts_at <= at + service.REMIND_BEFORE,
        )
        .options(selectinload(Meeting.agenda))
    )
    count = 0
    for meeting in session.scalars(query):
        known = select(OutboxMessage.invited_site_id).where(
            OutboxMessage.meeting_id == meeting.id, OutboxMessage.purpose == Purpose.REMINDER
        )
        reminded = set(session.scalars(known))
        invited_lately = select(OutboxMessage.invited_site_id).where(
            OutboxMessage.meeting_id == meeting.id,
            OutboxMessage.created_at > at - service.REMIND_BEFORE / 2,
        )
        # who was invited in the last hours needs no reminder of the letter just received
        skipped = reminded | set(session.scalars(invited_lately))
        sites = [one for one in service.unanswered(session, meeting) if one.id not in skipped]
        count += announcer.remind(session, meeting, sites, at)
    return count


def work_once(office: Office) -> None:
    """Read the mailbox and write the reminders that are due."""
    settings = office.settings
    if settings.mail.imap_host:
        try:
            handled = mailbox.poll(office.database, settings.mail, office.clock)
            if handled:
                _log.info("mailbox: %s", ", ".join(one.value for one in handled))
        except mailbox.MailboxError as error:
            _log.warning("mailbox not readable, trying again: %s", error)
    if settings.mail.host or settings.gateway.url:
        with office.database.transaction() as session:
            remind_due(session, MailAnnouncer.of(settings), office.clock())
        try:
            with office.database.transaction() as session:
                Reminder.of(settings).remind_due(session, office.clock())
        except IntegrityError:
            _log.info("another process has written the reminders of line checks")
    if settings.mail.host:
        sender = reminders.Sender(settings.office.name, settings.mail.sender, settings.public_url)
        with office.database.transaction() as session:
            reminders.write_due(session, sender, office.clock())


def start_correspondence(office: Office) -> Callable[[], None]:
    """Start the thread; the function returned stops it and waits until it has."""
    mail = office.settings.mail
    if not (mail.host or mail.imap_host or office.settings.gateway.url):
        return lambda: None
    stopping = threading.Event()

    def run() -> None:
        while not stopping.is_set():
            try:
                work_once(office)
            except SQLAlchemyError:
                _log.warning("correspondence: database not reachable; trying again", exc_info=True)
            except Exception:  # the thread's boundary
                _log.exception("correspondence stumbled; trying again")
            stopping.wait(POLL_S)

    thread = threading.Thread(target=run, name="correspondence", daemon=True)
    thread.start()

    def stop() -> None:
        stopping.set()
        thread.join(PATIENCE_S)

    return stop
