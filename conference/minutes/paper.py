"""What stands on the paper of a biên bản, part by part, before any file format.

Layout after Decree 30/2020/NĐ-CP, Annex I, and template 1.9 of Annex III; contents after Decision
45/2018/QĐ-TTg. The number is the registry's: it is printed as typed, or left open, never made up.

Pure: plain values in, plain text out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from conference.attendance.models import AttendanceStatus
from conference.attendance.service import STATUS_WORDS, Sheet, SiteLine
from conference.attendance.summary import CAME
from conference.minutes.draft import OPEN, clock, day
from conference.minutes.service import Text, addressed
from conference.scheduling.models import Meeting

NATION: Final = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"
MOTTO: Final = "Độc lập - Tự do - Hạnh phúc"
KIND: Final = "BIÊN BẢN"
END_MARK: Final = "./."


@dataclass(frozen=True, slots=True)
class Issuer:
    """The office that issues the document; from the settings."""

    parent_name: str
    name: str
    symbol: str
    """Last part of the number: ``VPUBND`` in ``07/BB-VPUBND``."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph of the body; ``lead`` is its first words in bold."""

    text: str
    lead: str = ""
    is_item: bool = False
    """A line of a list: no first-line indent beyond the list's own."""


@dataclass(frozen=True, slots=True)
class Paper:
    """Everything that is printed, in order."""

    parent_name: str
    issuer: str
    number: str
    title: str
    body: tuple[Paragraph, ...]
    secretary: str
    chair: str
    recipients: tuple[str, ...]


def compose(issuer: Issuer, meeting: Meeting, sheet: Sheet, text: Text) -> Paper:
    """The paper of ``meeting``'s minutes with the edited ``text``."""
    return Paper(
        parent_name=issuer.parent_name.upper(),
        issuer=issuer.name.upper(),
        number=number_line(text.number, issuer.symbol),
        title=f"Cuộc họp {meeting.title}",
        body=tuple(_body(meeting, sheet, text)),
        secretary=meeting.secretary.full_name if meeting.secretary else "",
        chair=meeting.chair.full_name,
        recipients=_recipients(meeting),
    )


def number_line(number: str, symbol: str) -> str:
    """``Số: 07/BB-VPUBND``; a bare number gets the symbol, a missing one an open space."""
    typed = number.strip().removeprefix("Số:").strip()
    if not typed:
        return f"Số:        /BB-{symbol}"
    if typed.isdigit():
        return f"Số: {int(typed):02d}/BB-{symbol}"
    return f"Số: {typed}"


def _body(meeting: Meeting, sheet: Sheet, text: Text) -> list[Paragraph]:
    begun = meeting.opened_at or meeting.starts_at
    secretary = addressed(meeting.secretary) if meeting.secretary else OPEN
    paragraphs = [
        Paragraph(f"{clock(begun)}, {day(begun)}.", lead="Thời gian bắt đầu:"),
        Paragraph(_place(meeting, sheet), lead="Địa điểm:"),
        Paragraph("", lead="Thành phần tham dự:"),
        *_attendance(sheet),
        Paragraph(f"{_capital(addressed(meeting.chair))}.", lead="Chủ trì (chủ tọa):"),
        Paragraph(f"{_capital(secretary)}.", lead="Thư ký (người ghi biên bản):"),
        Paragraph("", lead="Nội dung (theo diễn biến cuộc họp):"),
        *_paragraphs(text.course or OPEN),
    ]
    if text.conclusion:
        paragraphs += [
            Paragraph("", lead="Kết luận của chủ tọa:"),
            *_paragraphs(text.conclusion),
        ]
    return [*paragraphs, Paragraph(_closing(meeting.ended_at))]


def _place(meeting: Meeting, sheet: Sheet) -> str:
    online = f"họp trực tuyến với {sheet.totals.invited} điểm cầu"
    return f"{meeting.location}; {online}." if meeting.location else f"{_capital(online)}."


def _attendance(sheet: Sheet) -> list[Paragraph]:
    totals = sheet.totals
    people = f", {totals.delegates} đại biểu tại các điểm cầu" if totals.delegates else ""
    present = [line for line in sheet.sites if line.counted_as in CAME]
    away = [line for line in sheet.sites if line.counted_as not in CAME]
    paragraphs = [
        Paragraph(
            f"- Có mặt {totals.came}/{totals.invited} điểm cầu{people}"
            f"{_list(_present(line) for line in present)}.",
            is_item=True,
        )
    ]
    if sheet.people:
        named = (f"{one.name} ({one.unit})" if one.unit else one.name for one in sheet.people)
        paragraphs.append(Paragraph(f"- Đại biểu{_list(named)}.", is_item=True))
    if away:
        listed = _list(_absent(line) for line in away)
        paragraphs.append(Paragraph(f"- Vắng {len(away)} điểm cầu{listed}.", is_item=True))
    return paragraphs


def _list(names: Iterable[str]) -> str:
    joined = "; ".join(names)
    return f": {joined}" if joined else ""


def _present(line: SiteLine) -> str:
    notes = []
    if line.counted_as is not AttendanceStatus.PRESENT:
        notes.append(STATUS_WORDS[line.counted_as].lower())
    if line.site.delegates_count:
        notes.append(f"{line.site.delegates_count} người")
    return f"{line.site.unit_name} ({', '.join(notes)})" if notes else line.site.unit_name


def _absent(line: SiteLine) -> str:
    is_excused = line.counted_as is AttendanceStatus.EXCUSED
    reason = line.note or ("có lý do" if is_excused else "")
    return f"{line.site.unit_name} ({reason})" if reason else line.site.unit_name


def _paragraphs(text: str) -> Sequence[Paragraph]:
    lines = (line.strip() for line in text.splitlines())
    return [Paragraph(line, is_item=line.startswith("- ")) for line in lines if line]


def _closing(ended_at: datetime | None) -> str:
    if ended_at is None:
        return f"Cuộc họp kết thúc vào {OPEN} giờ {OPEN}, ngày {OPEN}{END_MARK}"
    return f"Cuộc họp kết thúc vào {clock(ended_at)}, {day(ended_at)}{END_MARK}"


def _recipients(meeting: Meeting) -> tuple[str, ...]:
    first = f"- {_capital(addressed(meeting.chair))} (để báo cáo);"
    return (first, "- Các cơ quan, đơn vị dự họp;", "- Lưu: VT, Hồ sơ.")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
