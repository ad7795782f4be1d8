"""The figures of a period as a workbook: overview, meetings, units."""

from typing import Final

from conference.documents.spreadsheet import Book, Value
from conference.scheduling.local_time import to_local
from conference.statistics import periods
from conference.statistics.figures import Figures, InTime
from conference.statistics.report import ANNEX_HEADERS, SCOPE_WORDS, length_text
from conference.statistics.service import Overview
from conference.statistics.wording import LEVEL_WORDS

UNIT_HEADERS: Final = (
    "STT", "Đơn vị", "Số lần được mời", "Số lần dự", "Lượt đại biểu", "Lần chưa báo số người",
)  # fmt: skip


def document(found: Overview) -> bytes:
    """The XLSX file of ``found``."""
    book = Book()
    stand = f"Số liệu lúc {to_local(found.at).strftime('%H:%M %d/%m/%Y')}"
    headings = ("THỐNG KÊ HỌP TRỰC TUYẾN", periods.name(found.period), found.sentence, stand)
    headers = ("Chỉ tiêu", periods.name(found.period), periods.name(found.earlier))
    book.sheet("Tổng hợp", headings, headers, (52, 26, 26), _lines(found))
    book.sheet(
        "Cuộc họp", headings[:2], ANNEX_HEADERS, (6, 44, 14, 26, 14, 12, 12, 12, 30),
        [_meeting_row(n, found) for n in range(len(found.meetings))],
    )  # fmt: skip
    book.sheet(
        "Đơn vị", headings[:2], UNIT_HEADERS, (6, 44, 16, 14, 16, 22),
        [
            (n, name, one.invited, one.came, one.delegates, one.without_count)
            for n, (name, one) in enumerate(found.units, start=1)
        ],
    )  # fmt: skip
    return book.content()


def _lines(found: Overview) -> list[tuple[Value, ...]]:
    now, before = found.figures, found.before
    rows: list[tuple[Value, ...]] = [
        ("Cuộc họp", now.meetings, before.meetings),
        ("Trung ương với tỉnh", now.central, before.central),
        ("Nội tỉnh", now.intra, before.intra),
        ("Giờ họp", round(now.hours, 1), round(before.hours, 1)),
        ("Lượt điểm cầu được mời", now.sites.invited, before.sites.invited),
        ("Lượt điểm cầu dự họp", now.sites.came, before.sites.came),
        ("Lượt đại biểu", now.sites.delegates, before.sites.delegates),
        ("Lượt điểm cầu chưa báo số người", now.sites.without_count, before.sites.without_count),
        ("Lần kết nối gián đoạn", now.incidents, before.incidents),
        ("Giấy mời đúng hạn (%)", _percent(now.invitations), _percent(before.invitations)),
        ("Tài liệu đúng hạn (%)", _percent(now.papers), _percent(before.papers)),
        ("Thông báo kết luận đúng hạn (%)", _percent(now.notices), _percent(before.notices)),
    ]
    rows += [
        (f"Lượt điểm cầu dự họp, {words.lower()}", *_came(level, now, before))
        for level, words in LEVEL_WORDS.items()
        if level in now.by_level or level in before.by_level
    ]
    saved = found.savings
    rows += [
        ("Lượt đi lại giảm (ước tính)", saved.travellers, None),
        ("Quãng đường giảm, km (ước tính)", saved.kilometres, None),
        ("Giờ đi đường giảm (ước tính)", saved.hours, None),
        ("Chi phí giảm, đồng (ước tính)", saved.dong, None),
    ]
    return rows


def _came(level: object, *figures: Figures) -> tuple[int, ...]:
    return tuple(
        one.by_level[level].came if level in one.by_level else 0  # type: ignore[index]
        for one in figures
    )


def _percent(figure: InTime) -> float | None:
    return None if figure.share is None else round(figure.share * 100, 1)


def _meeting_row(index: int, found: Overview) -> tuple[Value, ...]:
    one = found.meetings[index]
    sites = one.all_sites
    note = f"{sites.without_count} điểm chưa báo số người" if sites.without_count else ""
    return (
        index + 1, one.title, one.day, one.chair, SCOPE_WORDS[one.scope],
        sites.came, sites.delegates or None, length_text(one.length_minutes), note,
    )  # fmt: skip
