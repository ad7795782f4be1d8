"""What stands on the paper of a biên bản: template 1.9 of Decree 30/2020/NĐ-CP, Annex III.

Contents after Decision 45/2018/QĐ-TTg: chair and those present, course, opinions, votes,
conclusions.

Pure: plain values in, plain text out.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from conference.attendance.models import AttendanceStatus
from conference.attendance.service import STATUS_WORDS, Sheet, SiteLine
from conference.attendance.summary import CAME
from conference.documents.paper import (
    END_MARK,
    Issuer,
    Paper,
    Paragraph,
    Signature,
    capital,
    clock,
    day,
    number_line,
    paragraphs,
)
from conference.minutes import marks
from conference.minutes.draft import OPEN
from conference.minutes.service import Text, addressed
from conference.scheduling.models import Meeting

KIND: Final = "BIÊN BẢN"


def compose(issuer: Issuer, meeting: Meeting, sheet: Sheet, text: Text) -> Paper:
    """The paper of ``meeting``'s minutes with the edited ``text``."""
    return Paper(
        kind=KIND,
        parent_name=issuer.parent_name.upper(),
        issuer=issuer.name.upper(),
        number=number_line(text.number, "BB", issuer.symbol),
        title=f"Cuộc họp {meeting.title}",
        body=tuple(_body(meeting, sheet, text)),
        left=Signature(("THƯ KÝ",), meeting.secretary.full_name if meeting.secretary else ""),
        right=Signature(("CHỦ TỌA",), meeting.chair.full_name),
        recipients=_recipients(meeting),
    )


def _body(meeting: Meeting, sheet: Sheet, text: Text) -> list[Paragraph]:
    begun = meeting.opened_at or meeting.starts_at
    secretary = addressed(meeting.secretary) if meeting.secretary else OPEN
    parts = [
        Paragraph(f"{clock(begun)}, {day(begun)}.", lead="Thời gian bắt đầu:"),
        Paragraph(_place(meeting, sheet), lead="Địa điểm:"),
        Paragraph("", lead="Thành phần tham dự:"),
        *_attendance(sheet),
        Paragraph(f"{capital(addressed(meeting.chair))}.", lead="Chủ trì (chủ tọa):"),
        Paragraph(f"{capital(secretary)}.", lead="Thư ký (người ghi biên bản):"),
        Paragraph("", lead="Nội dung (theo diễn biến cuộc họp):"),
        *paragraphs(marks.without(text.course) or OPEN),
    ]
    if text.conclusion:
        parts += [
            Paragraph("", lead="Kết luận của chủ tọa:"),
            *paragraphs(marks.without(text.conclusion)),
        ]
    return [*parts, Paragraph(_closing(meeting.ended_at))]


def _place(meeting: Meeting, sheet: Sheet) -> str:
    online = f"họp trực tuyến với {sheet.totals.invited} điểm cầu"
    return f"{meeting.location}; {online}." if meeting.location else f"{capital(online)}."


def _attendance(sheet: Sheet) -> list[Paragraph]:
    totals = sheet.totals
    people = f", {totals.delegates} đại biểu tại các điểm cầu" if totals.delegates else ""
    present = [line for line in sheet.sites if line.counted_as in CAME]
    away = [line for line in sheet.sites if line.counted_as not in CAME]
    parts = [
        Paragraph(
            f"- Có mặt {totals.came}/{totals.invited} điểm cầu{people}"
            f"{_list(_present(line) for line in present)}.",
            is_item=True,
        )
    ]
    if sheet.people:
        named = (f"{one.name} ({one.unit})" if one.unit else one.name for one in sheet.people)
        parts.append(Paragraph(f"- Đại biểu{_list(named)}.", is_item=True))
    if away:
        listed = _list(_absent(line) for line in away)
        parts.append(Paragraph(f"- Vắng {len(away)} điểm cầu{listed}.", is_item=True))
    return parts


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


def _closing(ended_at: datetime | None) -> str:
    if ended_at is None:
        return f"Cuộc họp kết thúc vào {OPEN} giờ {OPEN}, ngày {OPEN}{END_MARK}"
    return f"Cuộc họp kết thúc vào {clock(ended_at)}, {day(ended_at)}{END_MARK}"


def _recipients(meeting: Meeting) -> tuple[str, ...]:
    first = f"- {capital(addressed(meeting.chair))} (để báo cáo);"
    return (first, "- Các cơ quan, đơn vị dự họp;", "- Lưu: VT, Hồ sơ.")
