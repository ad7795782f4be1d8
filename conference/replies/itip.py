"""Read an answer that a calendar program sent by mail: iTIP REPLY (RFC 5546 §3.2.3, RFC 6047).

Outlook, Gmail and Apple Calendar send a ``text/calendar; method=REPLY`` part with one event that
holds our UID and one attendee with its PARTSTAT; Outlook leaves DESCRIPTION out, Gmail repeats the
whole event, some send the object as an attachment only. Everything else in a message is ignored:
a REQUEST, PUBLISH or CANCEL from outside changes nothing here. Any bytes give a list of answers,
possibly empty, or MailError. Pure.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any, Final

from icalendar import Calendar

from conference.replies.models import Answer
from conference.scheduling.local_time import VIETNAM

MAX_BYTES: Final = 2 * 1024 * 1024
MAX_CALENDARS: Final = 4
MAX_EVENTS: Final = 20
MAX_TEXT: Final = 1000
ANSWERS: Final = {
    "ACCEPTED": Answer.ACCEPTED,
    "TENTATIVE": Answer.TENTATIVE,
    "DECLINED": Answer.DECLINED,
}


class MailError(ValueError):
    """The bytes are no message that can be read."""


@dataclass(frozen=True, slots=True)
class MailAnswer:
    """One attendee's answer to one event."""

    uid: str
    attendee: str
    """Address in lower case."""
    answer: Answer
    sequence: int
    comment: str
    recurrence_at: datetime | None
    """The one occurrence that is answered; None = the whole event."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as far as it matters here."""

    message_id: str
    sender: str
    """Address of From in lower case."""
    subject: str
    answers: tuple[MailAnswer, ...]


def read(content: bytes) -> Incoming:
    """What ``content`` (an RFC 5322 message) answers. Raises MailError."""
    if not content or len(content) > MAX_BYTES:
        raise MailError("empty or too large")
    try:
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)  # the policy makes it so
        return Incoming(
            message_id=_header(message, "Message-ID")[:300],
            sender=_address(_header(message, "From")),
            subject=_header(message, "Subject")[:300],
            answers=tuple(_answers(message))[:MAX_EVENTS],
        )
    except MailError:
        raise
    except Exception as error:  # the library raises many things for malformed mail
        raise MailError(str(error)[:200]) from error


def _header(message: EmailMessage, name: str) -> str:
    text = str(message.get(name, ""))
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _address(text: str) -> str:
    return parseaddr(text)[1].strip().lower()[:254]


def _answers(message: EmailMessage) -> Iterator[MailAnswer]:
    seen = set()
    for calendar in _calendars(message):
        if str(calendar.get("METHOD", "")).upper() != "REPLY":
            continue
        found = [_answer(event) for event in calendar.walk("VEVENT")[:MAX_EVENTS]]
        # what is said of the whole series comes before what is said of one of its meetings
        for answer in sorted(filter(None, found), key=lambda one: one.recurrence_at is not None):
            if answer not in seen:
                seen.add(answer)
                yield answer


def _calendars(message: EmailMessage) -> Iterator[Any]:
    parts = [part for part in message.walk() if _is_calendar(part)]
    for part in parts[:MAX_CALENDARS]:
        content = part.get_payload(decode=True)
        if not isinstance(content, bytes):
            continue
        try:
            yield from Calendar.from_ical(content, multiple=True)
        except (ValueError, KeyError, IndexError, AttributeError, TypeError):
            continue  # not a calendar after all


def _is_calendar(part: Any) -> bool:
    if part.get_content_type() in {"text/calendar", "application/ics"}:
        return True
    return str(part.get_filename() or "").lower().endswith(".ics")


def _answer(event: Any) -> MailAnswer | None:
    attendees = event.get("ATTENDEE", [])
    attendees = attendees if isinstance(attendees, list) else [attendees]
    uid = str(event.get("UID", "")).strip()
    if not uid or len(attendees) != 1:  # RFC 5546 §3.2.3: exactly one attendee answers
        return None
    attendee = attendees[0]
    answer = ANSWERS.get(str(attendee.params.get("PARTSTAT", "")).upper())
    address = re.sub(r"^mailto:", "", str(attendee), flags=re.IGNORECASE).strip().lower()
    if answer is None or not address:
        return None
    return MailAnswer(
        uid=uid[:120],
        attendee=address[:254],
        answer=answer,
        sequence=_number(event.get("SEQUENCE")),
        comment=_comment(event),
        recurrence_at=_instant(event.get("RECURRENCE-ID")),
    )


def _number(value: Any) -> int:
    try:
        return min(max(int(value), 0), 1_000_000)
    except (TypeError, ValueError):
        return 0


def _comment(event: Any) -> str:
    value = event.get("COMMENT", "")
    text = "\n".join(map(str, value)) if isinstance(value, list) else str(value)
    return "".join(c for c in text if c.isprintable() or c == "\n").strip()[:MAX_TEXT]


def _instant(value: Any) -> datetime | None:
    """A day alone and a time without a known zone are Vietnam's: our events name no other."""
    at = getattr(value, "dt", None)
    if isinstance(at, date) and not isinstance(at, datetime):
        at = datetime(at.year, at.month, at.day)  # noqa: DTZ001 (its zone follows)
    if not isinstance(at, datetime):
        return None
    return (at.replace(tzinfo=VIETNAM) if at.tzinfo is None else at).astimezone(UTC)
