"""Fetch unseen messages of the office's mailbox (IMAP4rev1, RFC 3501) and take their answers.

A message is marked as seen only after what it said is committed, so one that is lost on the way is
read again; a message that cannot be read is marked too, or it would stop the others. Blocking.
"""

import hashlib
import imaplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from conference.database import Database
from conference.replies import itip, service
from conference.replies.itip import Incoming
from conference.replies.models import Handling
from config.settings import Mail

TIMEOUT_S: Final = 30.0
BATCH: Final = 50


class MailboxError(Exception):
    """The mailbox cannot be reached or read now."""


def take(database: Database, content: bytes, at: datetime) -> Handling:
    """Read one message and apply what it answers."""
    try:
        incoming = itip.read(content)
    except itip.MailError:
        incoming = Incoming(f"unreadable-{hashlib.sha256(content).hexdigest()}", "", "", ())
        with database.transaction() as session:
            return service.take_mail(session, incoming, at=at, otherwise=Handling.UNREADABLE)
    with database.transaction() as session:
        return service.take_mail(session, incoming, at=at)


def poll(database: Database, mail: Mail, clock: Callable[[], datetime]) -> list[Handling]:
    """Take what is unseen; what became of each. Raises MailboxError."""
    handled = []
    try:
        with _open(mail) as box:
            for number in _unseen(box)[:BATCH]:
                content = _content(box, number)
                handled.append(take(database, content, clock()))
                box.store(number, "+FLAGS", "\\Seen")
    except (imaplib.IMAP4.error, OSError, ssl.SSLError) as error:
        raise MailboxError(str(error)[:300]) from error
    return handled


@contextmanager
def _open(mail: Mail) -> Iterator[imaplib.IMAP4]:
    context = ssl.create_default_context()
    box: imaplib.IMAP4
    if mail.imap_tls == "tls":
        box = imaplib.IMAP4_SSL(
            mail.imap_host, mail.imap_port, ssl_context=context, timeout=TIMEOUT_S
        )
    else:
        box = imaplib.IMAP4(mail.imap_host, mail.imap_port, timeout=TIMEOUT_S)
    try:
        if mail.imap_tls == "starttls":
            box.starttls(context)
        box.login(mail.imap_user, mail.imap_password)
        kind, _data = box.select(mail.imap_folder)
        if kind != "OK":
            raise MailboxError(f"no folder {mail.imap_folder}")
        yield box
    finally:
        try:
            box.logout()
        except (imaplib.IMAP4.error, OSError):
            box.shutdown()


def _unseen(box: imaplib.IMAP4) -> list[str]:
    _kind, data = box.search(None, "UNSEEN")
    return [word.decode() for word in (data[0] or b"").split()]


def _content(box: imaplib.IMAP4, number: str) -> bytes:
    _kind, data = box.fetch(number, f"(BODY.PEEK[]<0.{itip.MAX_BYTES + 1}>)")
    parts = [part[1] for part in data if isinstance(part, tuple)]
    return parts[0] if parts and isinstance(parts[0], bytes) else b""
