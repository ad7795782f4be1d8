"""The background thread that empties the outbox, one in every web process.

Looks for due letters every two seconds, claims a batch under a lease, sends it over one
connection and writes down every outcome at once, so that a crash repeats at most one letter.
Without a configured mail server letters stay where they are. A database that is busy or away is
waited for: the thread logs and goes on.
"""

import logging
import os
import secrets
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Final, Protocol

from sqlalchemy.exc import SQLAlchemyError

from conference.database import Database
from conference.invitations import delivery
from conference.invitations.gateway import GatewaySender
from conference.invitations.mailer import MailerFactory, SmtpMailer
from conference.invitations.models import Channel
from config.settings import Mail, Settings

POLL_S: Final = 2.0
PATIENCE_S: Final = 25.0
"""How long stopping waits for a letter that is under way."""

_log = logging.getLogger(__name__)


class Office(Protocol):
    """What the worker needs of the process it runs in."""

    @property
    def settings(self) -> Settings:
        """All settings; only ``mail`` is used."""

    @property
    def database(self) -> Database:
        """The truth."""

    @property
    def clock(self) -> Callable[[], datetime]:
        """The time now, aware, UTC."""


def deliver_due(
    database: Database,
    mail: Mail,
    *,
    owner: str,
    clock: Callable[[], datetime],
    mailer: MailerFactory | None = None,
    channel: Channel = Channel.MAIL,
    is_stopping: Callable[[], bool] = lambda: False,
) -> int:
    """Send one batch of what is due on ``channel``; how many messages were tried."""
    with database.reading() as session:
        if not delivery.has_due(session, clock(), (channel,)):
            return 0
    with database.transaction() as session:
        batch = delivery.claim(session, owner=owner, at=clock(), channels=(channel,))
    tried = 0
    with (mailer or (lambda: SmtpMailer(mail)))() as connection:
        for letter in batch:
            if is_stopping():
                with database.transaction() as session:
                    delivery.release(session, owner=owner)
                break
            outcome = connection.send(letter.recipient, letter.content)
            with database.transaction() as session:
                delivery.settle(
                    session, letter.id, outcome,
                    owner=owner, at=clock(), max_attempts=mail.max_attempts,
                )  # fmt: skip
            tried += 1
    return tried


def _ways(settings: Settings) -> dict[Channel, MailerFactory]:
    """The channels that are configured."""
    ways: dict[Channel, MailerFactory] = {}
    if settings.mail.host:
        ways[Channel.MAIL] = lambda: SmtpMailer(settings.mail)
    if settings.gateway.url:
        ways[Channel.WEBHOOK] = lambda: GatewaySender(settings.gateway)
    return ways


def start_mail_worker(office: Office) -> Callable[[], None]:
    """Start the thread; the function returned stops it and waits until it has."""
    mail = office.settings.mail
    ways = _ways(office.settings)
    if not mail.host:
        _log.info("no mail server configured; letters wait in the outbox")
    if not ways:
        return lambda: None
    stopping = threading.Event()
    owner = f"{os.uname().nodename[:40]}:{os.getpid()}:{secrets.token_hex(4)}"

    def run() -> None:
        while not stopping.is_set():
            tried = 0
            try:
                for channel, sender in ways.items():
                    tried += deliver_due(
                        office.database, mail, owner=owner, clock=office.clock,
                        mailer=sender, channel=channel, is_stopping=stopping.is_set,
                    )  # fmt: skip
            except SQLAlchemyError:
                _log.warning("outbox not reachable; trying again", exc_info=True)
            except Exception:  # the thread's boundary: one bad letter must not end all mail
                _log.exception("mail worker stumbled; trying again")
            if tried == 0:
                stopping.wait(POLL_S)

    thread = threading.Thread(target=run, name="mail-worker", daemon=True)
    thread.start()

    def stop() -> None:
        stopping.set()
        thread.join(PATIENCE_S)

    return stop
