"""The attendance sheet as a workbook for the office: three sheets of plain cells.

*Điểm cầu* has a line for each invited site, *Đại biểu* one for each person who joined with an
account, *Vào ra* every single interval. Times are Vietnam's, as real date cells. Text that a
spreadsheet program could take for a formula is written as text (CWE-1236).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from io import BytesIO
from typing import Final

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from conference.attendance.intervals import Interval
from conference.attendance.models import AttendanceStatus
from conference.attendance.service import LEAVE_WORDS, STATUS_WORDS, Sheet, SiteLine
from conference.scheduling.local_time import period_text, to_local
from conference.scheduling.models import Meeting

Value = str | int | float | datetime | None

SITE_HEADERS: Final = (
    "STT", "Đơn vị", "Điểm cầu", "Trạng thái", "Đề xuất theo nhật ký", "Giờ vào", "Giờ ra",
    "Tổng phút", "Số lần rớt mạng", "Số người", "Ghi chú", "Người điểm danh",
)  # fmt: skip
PERSON_HEADERS: Final = (
    "STT", "Họ và tên", "Đơn vị", "Giờ vào", "Giờ ra", "Tổng phút", "Số lần rớt mạng",
)  # fmt: skip
INTERVAL_HEADERS: Final = (
    "STT", "Đơn vị", "Tên", "Giờ vào", "Giờ ra", "Số phút", "Lý do ra", "Giờ ra ước tính",
)  # fmt: skip
_SITE_WIDTHS: Final = (6, 32, 32, 20, 20, 18, 18, 11, 16, 10, 30, 22)
_TIME_FORMAT: Final = "hh:mm:ss dd/mm/yyyy"
_FONT: Final = "Times New Roman"
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_THIN: Final = Side(style="thin", color="999999")


def workbook(meeting: Meeting, sheet: Sheet) -> bytes:
    """The XLSX file of ``sheet``."""
    book = Workbook()
    first = book.active
    assert isinstance(first, Worksheet)  # a new workbook has one
    first.title = "Điểm cầu"
    _sites(first, meeting, sheet)
    _people(book.create_sheet("Đại biểu"), meeting, sheet)
    _intervals(book.create_sheet("Vào ra"), meeting, sheet)
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def _sites(page: Worksheet, meeting: Meeting, sheet: Sheet) -> None:
    _head(page, "BẢNG ĐIỂM DANH ĐIỂM CẦU", meeting, sheet, SITE_HEADERS, _SITE_WIDTHS)
    for line in sheet.sites:
        _row(page, _site_cells(line))
    page.append([])
    for text, figure in _total_lines(sheet):
        _row(page, [None, text, figure], framed=False)


def _site_cells(line: SiteLine) -> list[Value]:
    found = line.presence
    is_suggested = found.suggestion is not AttendanceStatus.UNMARKED
    return [
        line.number,
        line.site.unit_name,
        line.site.site_name,
        STATUS_WORDS[line.status],
        STATUS_WORDS[found.suggestion] if is_suggested else "",
        _local(found.first_join),
        "Đang họp" if found.is_present else _local(found.last_leave),
        _minutes(found.total.total_seconds()),
        found.interruptions,
        line.site.delegates_count,
        line.note,
        line.mark.marked_by if line.mark else "",
    ]


def _total_lines(sheet: Sheet) -> list[tuple[str, int]]:
    totals = sheet.totals
    return [
        ("Tổng số điểm cầu được mời", totals.invited),
        ("Có mặt", totals.came),
        ("Trong đó đến muộn", totals.late),
        ("Trong đó về sớm", totals.left_early),
        ("Vắng có lý do", totals.excused),
        ("Vắng", totals.absent),
        ("Chưa điểm danh", sheet.totals.invited - sheet.marked),
        ("Tổng số đại biểu tại các điểm cầu", totals.delegates),
        ("Điểm cầu có mặt chưa báo số người", totals.sites_without_count),
    ]


def _people(page: Worksheet, meeting: Meeting, sheet: Sheet) -> None:
    widths = (6, 30, 36, 18, 18, 11, 16)
    _head(page, "BẢNG ĐIỂM DANH ĐẠI BIỂU", meeting, sheet, PERSON_HEADERS, widths)
    for number, line in enumerate(sheet.people, 1):
        found = line.presence
        _row(
            page,
            [
                number,
                line.name,
                line.unit,
                _local(found.first_join),
                "Đang họp" if found.is_present else _local(found.last_leave),
                _minutes(found.total.total_seconds()),
                found.interruptions,
            ],
        )


def _intervals(page: Worksheet, meeting: Meeting, sheet: Sheet) -> None:
    widths = (6, 32, 32, 18, 18, 11, 24, 16)
    _head(page, "NHẬT KÝ VÀO RA", meeting, sheet, INTERVAL_HEADERS, widths)
    named: list[tuple[str, str, Iterable[Interval]]] = [
        (line.site.unit_name, line.site.site_name, line.intervals) for line in sheet.sites
    ]
    named += [(line.unit, line.name, line.intervals) for line in sheet.people]
    number = 0
    for unit, name, intervals in named:
        for one in intervals:
            number += 1
            _row(
                page,
                [
                    number,
                    unit,
                    name,
                    _local(one.start),
                    _local(one.end) or "Đang họp",
                    _minutes(one.length(sheet.at).total_seconds()),
                    LEAVE_WORDS.get(one.reason, one.reason),
                    "x" if one.is_estimated else "",
                ],
            )


def _head(  # noqa: PLR0917 (what stands above every table)
    page: Worksheet,
    title: str,
    meeting: Meeting,
    sheet: Sheet,
    headers: Sequence[str],
    widths: Sequence[int],
) -> None:
    lines = (
        title,
        meeting.title,
        f"Thời gian: {period_text(meeting.starts_at, meeting.ends_at)}",
        f"Chủ trì: {meeting.chair.full_name}. Số liệu lúc {_words(sheet.at)}.",
    )
    for text in lines:
        page.append([text])
        cell = _cell(page, page.max_row, 1)
        _as_text(cell, text)
        cell.font = Font(name=_FONT, size=14 if text == title else 12, bold=text == title)
    page.append([])
    page.append(list(headers))
    for head in page[page.max_row]:
        head.font = Font(name=_FONT, size=12, bold=True)
        head.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
        head.border = Border(top=_THIN, bottom=_THIN, left=_THIN, right=_THIN)
    page.freeze_panes = f"A{page.max_row + 1}"
    page.print_title_rows = f"{page.max_row}:{page.max_row}"
    page.page_setup.orientation = "landscape"
    page.page_setup.paperSize = page.PAPERSIZE_A4
    page.page_setup.fitToHeight = 0
    page.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    for column, width in enumerate(widths, 1):
        page.column_dimensions[get_column_letter(column)].width = width


def _row(page: Worksheet, values: Sequence[Value], *, framed: bool = True) -> None:
    number = page.max_row + 1 if page.max_row > 1 else 1
    for column, value in enumerate(values, 1):
        cell = _cell(page, number, column)
        if isinstance(value, str):
            _as_text(cell, value)
        else:
            cell.value = value
        if isinstance(value, datetime):
            cell.number_format = _TIME_FORMAT
        cell.font = Font(name=_FONT, size=12)
        cell.alignment = Alignment(vertical="top", wrap_text=True)
        if framed:
            cell.border = Border(top=_THIN, bottom=_THIN, left=_THIN, right=_THIN)


def _cell(page: Worksheet, row: int, column: int) -> Cell:
    cell = page.cell(row, column)
    assert isinstance(cell, Cell)  # no cell of these pages is merged
    return cell


def _as_text(cell: Cell, text: str) -> None:
    """Write ``text`` so that no program runs it: as a string cell, marked as quoted."""
    cell.value = "".join(c for c in text if c.isprintable() or c == "\n")
    cell.data_type = "s"
    if text.startswith(_FORMULA_STARTS):
        cell.quotePrefix = True


def _local(at: datetime | None) -> datetime | None:
    # a workbook has no time zones: the cell holds what the office's clock showed
    return None if at is None else to_local(at).replace(tzinfo=None, microsecond=0)


def _words(at: datetime) -> str:
    return to_local(at).strftime("%H:%M %d/%m/%Y")


def _minutes(seconds: float) -> float:
    return round(seconds / 60, 1)
