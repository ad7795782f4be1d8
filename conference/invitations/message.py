"""The e-mail of an invitation, a change or a cancellation.

Structure (RFC 2046, RFC 6047 for the calendar part)::

    multipart/mixed
    ├── multipart/alternative
    │   ├── text/plain
    │   ├── multipart/related: text/html, image/png (QR of the join link)
    │   └── text/calendar; method=REQUEST | CANCEL
    └── application/ics, the same object as a file, for mail programs that ignore the above

Built with `email.mime` under ``compat32``: several times faster than `EmailMessage`, which parses
and refolds every header, and one meeting writes 134 letters while the secretary waits.

What people typed reaches headers only without control characters, and HTML only escaped. Pure:
time and Message-ID are given; the same letter gives the same bytes but for MIME boundaries.
"""

import enum
import io
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.charset import BASE64, Charset
from email.encoders import encode_base64
from email.errors import HeaderParseError
from email.header import Header
from email.headerregistry import Address
from email.message import Message
from email.mime.application import MIMEApplication
from email.mime.base import MIMEBase
from email.mime.image import MIMEImage
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.policy import compat32
from email.utils import format_datetime, formataddr
from typing import Final

import segno
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from conference.invitations import calendar, recurring
from conference.invitations.calendar import Method, Occasion
from conference.scheduling.local_time import clock_text, date_text, local_day, period_text

QR_SCALE: Final = 4
"""Pixels for each module; version 4 with its quiet zone becomes 164 px wide."""
QR_MASK: Final = 2
"""Any of the eight masks reads alike; choosing the prettiest costs most of the time."""
MAX_SUBJECT: Final = 400

_pages = Environment(
    loader=PackageLoader("conference.invitations"),
    autoescape=select_autoescape(["html"]),
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=StrictUndefined,
)


class Reason(enum.Enum):
    """Why a letter is written; the value opens its subject."""

    INVITED = "Mời họp trực tuyến"
    CHANGED = "Thay đổi cuộc họp"
    POSTPONED = "Hoãn họp"
    CANCELLED = "Hủy họp"
    WITHDRAWN = "Thôi mời họp"
    REPLACED = "Thay lịch họp"
    """The series goes on under another event, to which another letter invites."""
    REMINDED = "Nhắc trả lời giấy mời"

    @property
    def method(self) -> Method:
        """The iTIP method: a postponed meeting leaves calendars until it has a new time."""
        is_held = self in {Reason.INVITED, Reason.CHANGED, Reason.REMINDED}
        return Method.REQUEST if is_held else Method.CANCEL


@dataclass(frozen=True, slots=True)
class AgendaLine:
    """One agenda item as the letter shows it."""

    title: str
    presenter: str
    minutes: int | None


@dataclass(frozen=True, slots=True)
class Event:
    """The meeting as letters show it: the same for every site."""

    title: str
    scope_words: str
    starts_at: datetime
    ends_at: datetime
    chair: str
    location: str
    description: str
    external: str
    agenda: Sequence[AgendaLine]
    uid: str
    sequence: int
    explanation: str
    """Why it is postponed or cancelled; empty otherwise."""
    slot: datetime | None = None
    """Its place in its series (RECURRENCE-ID); None for a meeting of its own."""


@dataclass(frozen=True, slots=True)
class Series:
    """What one site is invited to of a series after a change."""

    rule: str
    meetings: Sequence[Event]
    """All that its calendar shall show, those that were held too; each has a slot."""
    ahead: Sequence[Event]
    """Those of them that are still to come."""
    off: Sequence[Event] = ()
    """Those that this letter calls off."""


@dataclass(frozen=True, slots=True)
class Office:
    """Who writes."""

    name: str
    address: str
    hotline: str


@dataclass(frozen=True, slots=True)
class Letter:
    """One e-mail to one site."""

    reason: Reason
    event: Event
    office: Office
    recipient: str
    site_name: str
    unit_name: str
    link: str
    message_id: str
    at: datetime
    reply_link: str = ""
    """Where the site answers and names its delegates."""
    series: Series | None = None
    """The letter is about the whole series; ``event`` is its next meeting."""

    @property
    def method(self) -> Method:
        """The iTIP method; a series goes on while the site is wanted at any of its meetings."""
        if self.series is None:
            return self.reason.method
        return Method.REQUEST if self.series.meetings else Method.CANCEL


def one_line(text: str) -> str:
    """``text`` safe for a header: control characters and line breaks become single spaces."""
    spaced = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text)
    return " ".join(spaced.split())


def mail_address(text: str) -> str | None:
    """``text`` as an addr-spec that SMTP can carry, or None."""
    if not re.fullmatch(r"[\x21-\x7e]{3,254}", text) or re.search(r"[,;<>()\[\]\\\"]", text):
        return None
    try:
        address = Address(addr_spec=text)
    except (ValueError, IndexError, HeaderParseError):
        return None
    return text if address.username and "." in address.domain else None


def subject(letter: Letter) -> str:
    """The subject line."""
    event = letter.event
    when = f"{clock_text(event.starts_at)} {date_text(local_day(event.starts_at))}"
    if letter.series is not None and len(letter.series.ahead) > 1:
        when = f"{len(letter.series.ahead)} cuộc, từ {when}"
    return one_line(f"{letter.reason.value}: {event.title} ({when})")[:MAX_SUBJECT]


def qr_png(link: str) -> bytes:
    """``link`` as a QR code (ISO/IEC 18004, level M), black on white, with its quiet zone."""
    picture = io.BytesIO()
    code = segno.make_qr(link, error="m", boost_error=False, mask=QR_MASK)
    code.save(picture, kind="png", scale=QR_SCALE)
    return picture.getvalue()


def compose(letter: Letter) -> str:
    """The whole RFC 5322 message: ASCII, CRLF. ``recipient`` has passed `mail_address`."""
    method = letter.method
    content_id = f"qr.{letter.message_id.strip('<>')}"
    words = _words(letter)
    ics = calendar.render(_occasion(letter))
    html = _pages.get_template("letter.html").render(words, content_id=content_id)
    page: MIMEBase = _text(html, "html")
    if method is Method.REQUEST:
        page = _together("related", page, _qr_part(letter.link, content_id))
    invitation = _text(ics.decode(), "calendar")
    invitation.set_param("method", method.value)
    file = MIMEApplication(ics, "ics", encode_base64)
    file.add_header("Content-Disposition", "attachment", filename="lich-hop.ics")
    plain = _text(_pages.get_template("letter.txt").render(words), "plain")
    message = _together("mixed", _together("alternative", plain, page, invitation), file)
    message["From"] = formataddr((one_line(letter.office.name), letter.office.address))
    message["To"] = formataddr((one_line(letter.site_name), letter.recipient))
    encoded = Header(subject(letter), "utf-8", header_name="Subject")
    message["Subject"] = encoded  # type: ignore[assignment]  # compat32 takes Header objects
    message["Date"] = format_datetime(letter.at)
    message["Message-ID"] = letter.message_id
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = "vi"
    return message.as_bytes(policy=_WIRE).decode("ascii")


_WIRE: Final = compat32.clone(linesep="\r\n")
_UTF8: Final = Charset("utf-8")
_UTF8.body_encoding = BASE64


def _text(text: str, subtype: str) -> MIMENonMultipart:
    """A text part with canonical line ends (RFC 2046 §4.1.1)."""
    part = MIMENonMultipart("text", subtype, charset="utf-8")
    part.set_payload("\r\n".join(text.splitlines()) + "\r\n", _UTF8)
    return part


def _together(kind: str, *parts: Message) -> MIMEMultipart:
    return MIMEMultipart(kind, _subparts=parts)


def _qr_part(link: str, content_id: str) -> MIMEImage:
    part = MIMEImage(qr_png(link), "png")
    part.add_header("Content-ID", f"<{content_id}>")
    part.add_header("Content-Disposition", "inline", filename="ma-vao-hop.png")
    return part


def _words(letter: Letter) -> dict[str, object]:
    return {
        "letter": letter,
        "event": letter.event,
        "office": letter.office,
        "is_held": letter.reason.method is Method.REQUEST,
        "ahead": _periods(letter.series.ahead if letter.series else ()),
        "off": _periods(letter.series.off if letter.series else ()),
        "period": period_text(letter.event.starts_at, letter.event.ends_at),
        "heading": _HEADINGS[letter.reason].format(letter.site_name),
    }


_HEADINGS: Final = {
    Reason.INVITED: "Kính mời {} dự họp trực tuyến",
    Reason.CHANGED: "Cuộc họp có thay đổi, kính báo {}",
    Reason.POSTPONED: "Cuộc họp hoãn, thời gian mới sẽ báo sau",
    Reason.CANCELLED: "Cuộc họp đã hủy",
    Reason.REMINDED: "Đề nghị {} trả lời giấy mời họp trực tuyến",
    Reason.REPLACED: "Lịch họp này được thay bằng lịch mới; thư mời mới gửi riêng cho {}",
    Reason.WITHDRAWN: "{} không còn trong thành phần cuộc họp này",
}


def _occasion(letter: Letter) -> Occasion:
    event, series = letter.event, letter.series
    whole = None
    if series is not None and series.meetings:
        whole = recurring.whole(series.rule, [_occurrence(letter, one) for one in series.meetings])
    summary, location, description = _said(letter, event)
    return Occasion(
        method=letter.method,
        uid=event.uid,
        sequence=event.sequence,
        stamped_at=letter.at,
        starts_at=event.starts_at,
        ends_at=event.ends_at,
        summary=summary,
        description=description,
        location=location,
        link=letter.link,
        organizer=letter.office.address,
        organizer_name=one_line(letter.office.name),
        attendee=letter.recipient,
        attendee_name=one_line(letter.site_name),
        slot=event.slot if series is None else None,
        whole=whole,
    )


def _occurrence(letter: Letter, event: Event) -> recurring.Occurrence:
    assert event.slot is not None  # meetings of a series have one
    return recurring.Occurrence(event.slot, event.starts_at, event.ends_at, _said(letter, event))


def _periods(events: Sequence[Event]) -> list[str]:
    return [period_text(one.starts_at, one.ends_at) for one in events]


def _said(letter: Letter, event: Event) -> tuple[str, str, str]:
    """Summary, location and description of one meeting in the site's calendar."""
    lines = [f"Chủ trì: {event.chair}"]
    if letter.method is Method.REQUEST:
        lines += [f"Vào họp: {letter.link}"]
        if letter.reply_link:
            lines += [f"Trả lời, đăng ký đại biểu: {letter.reply_link}"]
    elif event.explanation:
        lines += [f"Lý do: {event.explanation}"]
    lines += [f"{n}. {line.title}" for n, line in enumerate(event.agenda, start=1)]
    if letter.office.hotline:
        lines += [f"Hỗ trợ: {letter.office.hotline}"]
    place = one_line(event.location) or f"Điểm cầu {one_line(letter.site_name)}"
    return one_line(event.title), place, "\n".join(lines)
