"""The attendance record as a workbook and as CSV for the office.

*Điểm cầu* has a line for each invited site, *Đại biểu* one for each person, *Theo đơn vị* compares
who was expected with who came, *Vào ra* lists every single interval. Times are Vietnam's, as real
date cells. Text that a spreadsheet program could take for a formula is written as text (CWE-1236):
marked as quoted in the workbook, behind an apostrophe in CSV, which knows no types.
"""

import csv
from collections.abc import Iterable, Sequence
from datetime import datetime
from io import BytesIO, StringIO
from typing import Final

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from conference.attendance.record import AttendanceRecord, DelegateRecord, SiteRecord, minutes
from conference.scheduling.local_time import to_local

Value = str | int | float | datetime | None
Columns = Sequence[tuple[str, int]]
"""Headers with their widths in characters."""

SITES: Final = (
    ("STT", 6), ("Đơn vị", 32), ("Điểm cầu", 32), ("Trạng thái", 20),
    ("Đề xuất theo nhật ký", 20), ("Giờ vào", 18), ("Giờ ra", 18), ("Tổng phút", 11),
    ("Số lần rớt mạng", 16), ("Số người", 10), ("Ghi chú", 30), ("Người điểm danh", 22),
)  # fmt: skip
DELEGATES: Final = (
    ("STT", 6), ("Họ và tên", 28), ("Chức vụ", 28), ("Đơn vị", 32), ("Điểm cầu", 28),
    ("Trạng thái", 20), ("Đề xuất theo nhật ký", 20), ("Dự thay cho", 22), ("Giờ vào", 18),
    ("Giờ ra", 18), ("Tổng phút", 11), ("Ghi chú", 30), ("Người điểm danh", 22),
)  # fmt: skip
UNITS: Final = (
    ("STT", 6), ("Đơn vị", 40), ("Trạng thái", 20), ("Đại biểu dự kiến", 16),
    ("Đại biểu có mặt", 16), ("Chênh lệch", 12), ("Số người tại điểm cầu", 18),
)  # fmt: skip
STAYS: Final = (
    ("STT", 6), ("Đơn vị", 32), ("Tên", 32), ("Giờ vào", 18), ("Giờ ra", 18), ("Số phút", 11),
    ("Lý do ra", 24), ("Giờ ra ước tính", 16),
)  # fmt: skip
STILL_THERE: Final = "Đang họp"
_TIME_FORMAT: Final = "hh:mm:ss dd/mm/yyyy"
_FONT: Final = "Times New Roman"
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_THIN: Final = Side(style="thin", color="999999")


def workbook(record: AttendanceRecord) -> bytes:
    """The XLSX file of ``record``."""
    book = Workbook()
    first = book.active
    assert isinstance(first, Worksheet)  # a new workbook has one
    first.title = "Điểm cầu"
    _fill(first, "BẢNG ĐIỂM DANH ĐIỂM CẦU", record, SITES, _site_rows(record))
    first.append([])
    for text, figure in record.totals:
        _row(first, [None, text, figure], framed=False)
    for name, title, columns, rows in (
        ("Đại biểu", "BẢNG ĐIỂM DANH ĐẠI BIỂU", DELEGATES, _delegate_rows(record)),
        ("Theo đơn vị", "DỰ KIẾN VÀ THỰC TẾ THEO ĐƠN VỊ", UNITS, _unit_rows(record)),
        ("Vào ra", "NHẬT KÝ VÀO RA", STAYS, _stay_rows(record)),
    ):
        _fill(book.create_sheet(name), title, record, columns, rows)
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def csv_text(record: AttendanceRecord) -> bytes:
    """Sites and delegates in one CSV table (RFC 4180), UTF-8 with a mark for spreadsheets."""
    file = StringIO(newline="")
    writer = csv.writer(file)
    heads = ["Loại", *(name for name, _ in DELEGATES), "Số lần rớt mạng", "Số người"]
    writer.writerow(heads)
    for site in record.sites:
        cells: list[Value] = [
            site.number, "", "", site.unit, site.site, site.status, site.suggested, "",
            _local(site.first_join), _leave(site), minutes(site.seconds), site.note,
            site.marked_by, site.interruptions, site.headcount,
        ]  # fmt: skip
        writer.writerow([_csv_cell(cell) for cell in ("Điểm cầu", *cells)])
    for cells in _delegate_rows(record):
        writer.writerow([_csv_cell(cell) for cell in ("Đại biểu", *cells, "", "")])
    return b"\xef\xbb\xbf" + file.getvalue().encode()


def _csv_cell(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%d/%m/%Y %H:%M:%S")
    if not isinstance(value, str):
        return str(value)
    text = "".join(c for c in value if c.isprintable() or c == "\n")
    return f"'{text}" if value.startswith(_FORMULA_STARTS) else text


def _site_rows(record: AttendanceRecord) -> Iterable[list[Value]]:
    for one in record.sites:
        yield [
            one.number, one.unit, one.site, one.status, one.suggested, _local(one.first_join),
            _leave(one), minutes(one.seconds), one.interruptions, one.headcount, one.note,
            one.marked_by,
        ]  # fmt: skip


def _leave(one: SiteRecord) -> datetime | str | None:
    return STILL_THERE if one.is_present else _local(one.last_leave)


def _delegate_rows(record: AttendanceRecord) -> Iterable[list[Value]]:
    for one in record.delegates:
        yield [
            one.number, one.name, one.title, one.unit, one.place, one.status, one.suggested,
            one.stands_in_for, _local(one.first_join), _delegate_leave(one),
            minutes(one.seconds), one.note, one.marked_by,
        ]  # fmt: skip


def _delegate_leave(one: DelegateRecord) -> datetime | str | None:
    is_there = one.first_join is not None and one.last_leave is None
    return STILL_THERE if is_there else _local(one.last_leave)


def _unit_rows(record: AttendanceRecord) -> Iterable[list[Value]]:
    for number, one in enumerate(record.units, 1):
        difference = one.came - one.expected if one.expected else None
        yield [number, one.unit, one.status, one.expected, one.came, difference, one.headcount]


def _stay_rows(record: AttendanceRecord) -> Iterable[list[Value]]:
    for number, one in enumerate(record.stays, 1):
        yield [
            number, one.unit, one.name, _local(one.start), _local(one.end) or STILL_THERE,
            minutes(one.seconds), one.reason, "x" if one.is_estimated else "",
        ]  # fmt: skip


def heading(record: AttendanceRecord) -> list[str]:
    """What stands above every table: meeting, time, chair, and how far it is signed."""
    lines = [
        record.meeting,
        f"Thời gian: {record.period}",
        f"Chủ trì: {record.chair}. Số liệu lúc {words(record.at)}.",
        f"Nối lại trong {record.merge_gap_s} giây tính là một lần có mặt; "
        f"vào sau {record.late_after_min} phút là đến muộn.",
    ]
    if record.signed_at is not None:
        why = f" Đính chính: {record.reason}" if record.reason else ""
        lines.append(
            f"Bản {record.version}, {record.signed_by} ký xác nhận lúc "
            f"{words(record.signed_at)}.{why}"
        )
    return lines


def _fill(
    page: Worksheet, title: str, record: AttendanceRecord, columns: Columns,
    rows: Iterable[Sequence[Value]],
) -> None:  # fmt: skip
    for text in (title, *heading(record)):
        page.append([text])
        cell = _cell(page, page.max_row, 1)
        _as_text(cell, text)
        cell.font = Font(name=_FONT, size=14 if text == title else 12, bold=text == title)
    page.append([])
    page.append([name for name, _ in columns])
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
    for column, (_, width) in enumerate(columns, 1):
        page.column_dimensions[get_column_letter(column)].width = width
    for values in rows:
        _row(page, values)


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


def words(at: datetime) -> str:
    """``08:00 10/12/2026``."""
    return to_local(at).strftime("%H:%M %d/%m/%Y")
