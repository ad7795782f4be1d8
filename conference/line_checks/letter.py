"""The e-mail and the short message that ask a site to check its line.

Plain and HTML, no calendar part: it invites nobody. What people typed reaches headers only
without control characters, and HTML only escaped. Pure: time and Message-ID are given.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from conference.invitations.message import MAX_SUBJECT, Office, one_line
from conference.line_checks.models import Stage

_SUBJECTS: Final = {
    Stage.OPENED: "Mời kiểm tra đường truyền",
    Stage.LAST: "Nhắc kiểm tra đường truyền",
}
_HEADINGS: Final = {
    Stage.OPENED: "Đề nghị {} kiểm tra đường truyền trước cuộc họp",
    Stage.LAST: "{} chưa kiểm tra đạt; cuộc họp sắp bắt đầu",
}

_pages = Environment(
    loader=PackageLoader("conference.line_checks"),
    autoescape=select_autoescape(["html"]),
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=StrictUndefined,
)


@dataclass(frozen=True, slots=True)
class Words:
    """What a reminder says."""

    title: str
    starts_at: datetime
    period: str
    site_name: str
    link: str
    last_result: str
    """How the newest check ended; empty when there was none."""
    office_name: str
    hotline: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a letter goes to; the address has passed `mail_address`."""

    name: str
    address: str


def subject(stage: Stage, words: Words) -> str:
    """The subject line."""
    return one_line(f"{_SUBJECTS[stage]}: {words.title} ({words.period})")[:MAX_SUBJECT]


def compose(
    stage: Stage,
    words: Words,
    office: Office,
    to: Recipient,
    *,
    message_id: str,
    at: datetime,
) -> str:
    """The whole RFC 5322 message: ASCII, CRLF."""
    heading = _HEADINGS[stage].format(words.site_name)
    message = EmailMessage(policy=SMTP)
    message["From"] = _address(office.name, office.address)
    message["To"] = _address(to.name, to.address)
    message["Subject"] = subject(stage, words)
    message["Date"] = format_datetime(at)
    message["Message-ID"] = message_id
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = "vi"
    for ending, subtype in (("txt", "plain"), ("html", "html")):
        text = _pages.get_template(f"reminder.{ending}").render(words=words, heading=heading)
        if subtype == "plain":
            message.set_content(text, subtype=subtype, cte="base64")
        else:
            message.add_alternative(text, subtype=subtype, cte="base64")
    return message.as_bytes().decode("ascii")


def _address(name: str, address: str) -> Address:
    return Address(display_name=one_line(name), addr_spec=address)


def notice(stage: Stage, words: Words, phone: str, message_id: str) -> str:
    """The JSON document for the office's gateway (`conference.invitations.gateway`)."""
    return json.dumps(
        {
            "id": message_id.strip("<>"),
            "event": f"check_{stage.value}",
            "to": phone,
            "site": one_line(words.site_name),
            "title": one_line(words.title),
            "starts_at": words.starts_at.isoformat(),
            "link": words.link,
            "text": one_line(f"{_SUBJECTS[stage]}: {words.title}. {words.period}. {words.link}"),
        },
        ensure_ascii=False,
    )
