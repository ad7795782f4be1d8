"""Cells of a workbook that no program can mistake for something to run.

Text from people is written as text: control characters are dropped, and what begins like a
formula is marked as quoted (CWE-1236). Sheets are set for printing on A4, the head on every page.
"""

import csv
from collections.abc import Sequence
from datetime import date, datetime
from io import BytesIO, StringIO
from typing import Final

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

Value = str | int | float | date | datetime | None

FONT: Final = "Times New Roman"
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_LINE: Final = Side(style="thin", color="999999")
_FRAME: Final = Border(top=_LINE, bottom=_LINE, left=_LINE, right=_LINE)


class Book:
    """A workbook that is filled sheet by sheet."""

    def __init__(self) -> None:
        self._book = Workbook()
        self._is_empty = True

    def sheet(
        self,
        name: str,
        headings: Sequence[str],
        headers: Sequence[str],
        widths: Sequence[float],
        rows: Sequence[Sequence[Value]],
    ) -> None:
        """Add a sheet: lines above, a head, framed rows; ``widths`` in characters."""
        page = self._next(name)
        for number, text in enumerate(headings):
            page.append([])
            cell = _cell(page, number + 1, 1)
            _write(cell, text)
            cell.font = Font(name=FONT, size=14 if number == 0 else 12, bold=number == 0)
        head = len(headings) + 2
        for column, text in enumerate(headers, start=1):
            cell = _cell(page, head, column)
            _write(cell, text)
            cell.font = Font(name=FONT, size=12, bold=True)
            cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
            cell.border = _FRAME
        for offset, values in enumerate(rows, start=1):
            for column, value in enumerate(values, start=1):
                cell = _cell(page, head + offset, column)
                _write(cell, value)
                cell.font = Font(name=FONT, size=12)
                cell.alignment = Alignment(vertical="top", wrap_text=True)
                cell.border = _FRAME
        _for_paper(page, head, widths)

    def content(self) -> bytes:
        """The XLSX file."""
        file = BytesIO()
        self._book.save(file)
        return file.getvalue()

    def _next(self, name: str) -> Worksheet:
        page = self._book.active if self._is_empty else self._book.create_sheet()
        assert isinstance(page, Worksheet)  # a new workbook has one
        self._is_empty = False
        page.title = name
        return page


def _cell(page: Worksheet, row: int, column: int) -> Cell:
    cell = page.cell(row, column)
    assert isinstance(cell, Cell)  # no cell of these sheets is merged
    return cell


def _write(cell: Cell, value: Value) -> None:
    if not isinstance(value, str):
        cell.value = value
        if isinstance(value, date):
            cell.number_format = "hh:mm dd/mm/yyyy" if isinstance(value, datetime) else "dd/mm/yyyy"
        return
    cell.value = "".join(c for c in value if c.isprintable() or c == "\n")
    cell.data_type = "s"
    if value.startswith(_FORMULA_STARTS):
        cell.quotePrefix = True


def _for_paper(page: Worksheet, head: int, widths: Sequence[float]) -> None:
    page.freeze_panes = f"A{head + 1}"
    page.print_title_rows = f"{head}:{head}"
    page.page_setup.orientation = "landscape"
    page.page_setup.paperSize = page.PAPERSIZE_A4
    page.page_setup.fitToHeight = 0
    page.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    for column, width in enumerate(widths, start=1):
        page.column_dimensions[get_column_letter(column)].width = width


def csv_text(headers: Sequence[str], rows: Sequence[Sequence[Value]]) -> str:
    """RFC 4180 text with a head; a field that begins like a formula gets an apostrophe before."""
    text = StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(headers)
    for row in rows:
        writer.writerow([_plain(value) for value in row])
    return text.getvalue()


def _plain(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        printable = "".join(c for c in value if c.isprintable() or c == "\n")
        return f"'{printable}" if printable.startswith(_FORMULA_STARTS) else printable
    return value.isoformat() if isinstance(value, date) else str(value)
