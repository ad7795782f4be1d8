"""What stands on an official invitation: template 1.7 of Decree 30/2020/NĐ-CP, Annex III.

Least contents after Decision 45/2018/QĐ-TTg: chair, attendees, content, time, place, requirements,
contact, signature. A notice (THÔNG BÁO, template 1.4) may stand in its place and says so in its
last sentence. How to join (links, codes, QR) goes to each site in a message of its own, never into
the paper. Pure.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from conference.directory.models import UnitLevel
from conference.documents.paper import (
    END_MARK,
    Issuer,
    Paper,
    Paragraph,
    Signature,
    clock,
    day,
    number_line,
    open_day,
    paragraphs,
)
from conference.invitation_papers.models import PaperKind
from conference.scheduling.local_time import local_day, weekday_text
from conference.scheduling.models import Meeting

KIND_WORDS: Final = {PaperKind.INVITATION: "GIẤY MỜI", PaperKind.NOTICE: "THÔNG BÁO"}
SYMBOLS: Final = {PaperKind.INVITATION: "GM", PaperKind.NOTICE: "TB"}
IN_PLACE: Final = "Thông báo này thay cho giấy mời"
MAX_ADDRESSEES: Final = 500
MAX_TEXT: Final = 20_000
_LINK: Final = re.compile(r"/vao/|https?://", re.IGNORECASE)
LINK_REFUSED: Final = (
    "Văn bản không ghi đường dẫn, mã vào họp; mỗi điểm cầu nhận đường dẫn trong thư riêng."
)


@dataclass(frozen=True, slots=True)
class Text:
    """What the office types; the rest is the meeting's own."""

    kind: PaperKind
    number: str
    issued_on: date | None
    addressees: str
    places: str
    requirements: str
    contact: str
    authority: str
    signer: str
    recipients: str

    @property
    def invited(self) -> list[str]:
        """The addressees, one to an entry, without signs of a list."""
        lines = (line.strip(" \t-;.") for line in self.addressees.splitlines())
        return [line for line in lines if line]


@dataclass(frozen=True, slots=True)
class InvitedUnit:
    """A unit whose site is invited."""

    unit_name: str
    level: UnitLevel


def first_text(
    meeting: Meeting, units: Sequence[InvitedUnit], *, hotline: str, issuer: Issuer
) -> Text:
    """What the form holds before anybody has typed: the leaders of every invited unit."""
    return Text(
        kind=PaperKind.INVITATION,
        number="",
        issued_on=None,
        addressees="\n".join(f"Lãnh đạo {one.unit_name}" for one in units),
        places=places_text(meeting.location, units),
        requirements=(
            "Cán bộ kỹ thuật các điểm cầu có mặt trước giờ họp 60 phút để kiểm tra đường truyền, "
            "âm thanh, hình ảnh."
        ),
        contact=f"Bộ phận kỹ thuật {issuer.name}{f', điện thoại {hotline}' if hotline else ''}",
        authority="TL. CHỦ TỊCH\nCHÁNH VĂN PHÒNG",
        signer="",
        recipients=f"- Như trên;\n- Lưu: VT, {issuer.symbol}.",
    )


def places_text(location: str, units: Iterable[InvitedUnit]) -> str:
    """The sites class by class: ``1. Điểm cầu tỉnh: …``, ``2. Điểm cầu cấp huyện: …``."""
    counts = dict.fromkeys(UnitLevel, 0)
    for one in units:
        counts[one.level] += 1
    lines = [f"Điểm cầu tỉnh: {location or '…'}"]
    words = {
        UnitLevel.PROVINCIAL_UNIT: "Điểm cầu các sở, ban, ngành",
        UnitLevel.DISTRICT: "Điểm cầu cấp huyện",
        UnitLevel.COMMUNE: "Điểm cầu các xã, phường",
    }
    lines += [
        f"{text}: phòng họp trực tuyến của đơn vị ({counts[level]} điểm cầu)"
        for level, text in words.items()
        if counts[level]
    ]
    return "\n".join(f"{number}. {line}" for number, line in enumerate(lines, start=1))


def faults(text: Text, join_codes: Iterable[str]) -> dict[str, str]:
    """Sentence for each field that cannot be accepted; empty = none."""
    found = {}
    if not text.invited:
        found["addressees"] = "Nhập ít nhất một nơi được mời."
    elif len(text.invited) > MAX_ADDRESSEES:
        found["addressees"] = f"Nhiều nhất {MAX_ADDRESSEES} nơi được mời."
    secrets = [code for code in join_codes if code]
    fields = (
        "addressees", "places", "requirements", "contact", "authority", "signer", "recipients",
        "number",
    )  # fmt: skip
    for name in fields:
        value = getattr(text, name)
        if _LINK.search(value) or any(code in value for code in secrets):
            found[name] = LINK_REFUSED
        elif len(value) > MAX_TEXT:
            found[name] = "Nội dung quá dài."
    return found


def compose(issuer: Issuer, meeting: Meeting, text: Text, addressee: str | None = None) -> Paper:
    """The paper to all addressees, or to ``addressee`` alone."""
    to = [addressee] if addressee else text.invited
    return Paper(
        kind=KIND_WORDS[text.kind],
        parent_name=issuer.parent_name.upper(),
        issuer=issuer.name.upper(),
        number=number_line(text.number, SYMBOLS[text.kind], issuer.symbol),
        title=subject(text.kind, meeting.title),
        body=tuple(_body(issuer, meeting, text, to)),
        right=Signature(tuple(_lines(text.authority)) or ("",), text.signer),
        recipients=tuple(_lines(text.recipients)),
        place_date=_place_date(issuer.place, text.issued_on),
    )


def subject(kind: PaperKind, title: str) -> str:
    """Trích yếu: ``Họp …`` for a letter, ``Về việc tổ chức …`` for a notice."""
    starts = title.lower().startswith(("họp", "hội nghị", "giao ban", "tập huấn"))
    event = title if starts else f"Cuộc họp {title}"
    if kind is PaperKind.INVITATION:
        return f"Dự {event[:1].lower()}{event[1:]}"
    return f"Về việc tổ chức {event[:1].lower()}{event[1:]}"


def _body(issuer: Issuer, meeting: Meeting, text: Text, to: Sequence[str]) -> list[Paragraph]:
    parts = _opening(issuer, text, to)
    parts += [
        Paragraph(f"{meeting.title}.", lead="Nội dung:"),
        Paragraph(f"{_chair(meeting)}.", lead="Chủ trì:"),
        Paragraph(f"{time_text(meeting)}.", lead="Thời gian:"),
        Paragraph("Họp trực tuyến.", lead="Hình thức:"),
    ]
    places = _lines(text.places)
    parts.append(Paragraph("" if len(places) > 1 else " ".join(places), lead="Địa điểm:"))
    parts += [Paragraph(_ended(line), is_item=True) for line in places if len(places) > 1]
    if text.requirements.strip():
        parts.append(Paragraph("", lead="Yêu cầu:"))
        parts += paragraphs(text.requirements)
    if text.contact.strip():
        parts.append(Paragraph(_ended(text.contact.strip()), lead="Đầu mối liên hệ:"))
    if text.kind is PaperKind.NOTICE:
        return [*parts, Paragraph(f"{IN_PLACE}{END_MARK}")]
    return [*parts, Paragraph(f"Kính mời các đại biểu về dự đúng thành phần, thời gian{END_MARK}")]


def _opening(issuer: Issuer, text: Text, to: Sequence[str]) -> list[Paragraph]:
    if text.kind is PaperKind.NOTICE:
        lead = f"{issuer.name} thông báo tổ chức cuộc họp, thành phần gồm:"
    else:
        lead = f"{issuer.name} trân trọng kính mời:"
    if len(to) == 1:
        return [Paragraph(f"{to[0]}.", lead=lead)]
    listed = [Paragraph(f"- {one};", is_item=True) for one in to[:-1]]
    return [Paragraph("", lead=lead), *listed, Paragraph(f"- {to[-1]}.", is_item=True)]


def time_text(meeting: Meeting) -> str:
    """``13 giờ 30 phút, ngày 31 tháng 7 năm 2026 (thứ Sáu)``."""
    starts_at = meeting.starts_at
    return f"{clock(starts_at)}, {day(starts_at)} ({weekday_text(local_day(starts_at))})"


def _chair(meeting: Meeting) -> str:
    chair = meeting.chair
    return f"Đồng chí {chair.full_name}{f', {chair.title}' if chair.title else ''}"


def _place_date(place: str, issued_on: date | None) -> str:
    return open_day(place) if issued_on is None else f"{place}, {day(issued_on)}"


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _ended(text: str) -> str:
    return text if text.endswith((".", ";", ":")) else f"{text}."
