"""Tables from strangers' files, and tables for other people's spreadsheets.

Reading accepts XLSX, CSV (comma, semicolon or tab; UTF-8, or UTF-16 with its mark) and pasted
lines, and gives rows of plain text with the row numbers their author sees. It refuses before it
unpacks: a packed file beyond 10 MB, more than 100 MB unpacked, a ratio above 100 (zip bombs), more
rows or columns than a directory has. Formulas are refused, not computed. XML goes through
defusedxml (openpyxl uses it where it is installed).

Writing neutralises what a spreadsheet would run: a text that begins with ``= + - @``, tab or
carriage return gets an apostrophe before it (OWASP, *CSV Injection*); reading takes it off again.
"""

import csv
import io
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import openpyxl
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from conference.directory.vietnamese import fold
from conference.errors import InvalidError

MAX_PACKED_BYTES: Final = 10 * 1024 * 1024
MAX_UNPACKED_BYTES: Final = 100 * 1024 * 1024
MAX_RATIO: Final = 100
MAX_ROWS: Final = 20_000
MAX_COLUMNS: Final = 50
MAX_CELL: Final = 5_000
MAX_FAULTS: Final = 500
"""Faults listed for one file; the rest is only counted."""
_RUN_BY_SPREADSHEETS: Final = ("=", "+", "-", "@", "\t", "\r")
_RATIO_COUNTS_FROM_BYTES: Final = 1024 * 1024
"""Small sheets of equal lines pack well and harm nobody."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a kind of table."""

    key: str
    title: str
    """As written on export, and accepted on import however it is marked or cased."""
    others: tuple[str, ...] = ()
    """Further headings that are understood."""
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: the number its author sees, and the text of each known column."""

    number: int
    texts: Mapping[str, str]

    def __getitem__(self, key: str) -> str:
        return self.texts.get(key, "")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in one place of a table; row 0 is the file itself."""

    row: int
    column: str
    message: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table that could be read, with the faults of reading it."""

    rows: tuple[Row, ...]
    columns: frozenset[str]
    """Keys of the columns that are there; others keep their stored values on import."""
    faults: tuple[Fault, ...]


def read_table(data: bytes, columns: Sequence[Column]) -> Table:
    """Rows of a file. Raises InvalidError (field ``file``) for what is no readable table."""
    if len(data) > MAX_PACKED_BYTES:
        raise _unreadable(f"Tệp lớn hơn {MAX_PACKED_BYTES // 1024**2} MB.")
    lines = _read_xlsx(data) if data[:4] == b"PK\x03\x04" else _read_csv(_decoded(data))
    return _as_table(lines, columns)


def headings_of(data: bytes) -> list[str]:
    """The first line of a file that says anything. Raises InvalidError as `read_table` does."""
    if len(data) > MAX_PACKED_BYTES:
        raise _unreadable(f"Tệp lớn hơn {MAX_PACKED_BYTES // 1024**2} MB.")
    lines = _read_xlsx(data) if data[:4] == b"PK\x03\x04" else _read_csv(_decoded(data))
    for _number, values, _faults in lines:
        texts = [_clean(value) for value in values]
        if any(texts):
            return [text for text in texts if text]
    raise _unreadable("Tệp trống.")


def meanings(headings: Sequence[str], columns: Sequence[Column]) -> dict[str, str]:
    """Key of the column that each heading means; empty for none."""
    known = _names(columns)
    found: dict[str, str] = {}
    for heading in headings:
        column = known.get(fold(heading).rstrip(" *"))
        found[heading] = "" if column is None or column.key in found.values() else column.key
    return found


def read_pasted(text: str, columns: Sequence[Column]) -> Table:
    """Rows of pasted lines. Raises InvalidError (field ``file``)."""
    if len(text) > MAX_PACKED_BYTES:
        raise _unreadable(f"Nội dung dài hơn {MAX_PACKED_BYTES // 1024**2} MB.")
    return _as_table(_read_csv(text), columns)


def _unreadable(sentence: str) -> InvalidError:
    return InvalidError({"file": sentence})


Line = tuple[int, list[str], list[Fault]]


def _read_xlsx(data: bytes) -> Iterator[Line]:
    _check_packing(data)
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # a false claim of a million columns is not believed
        rows = sheet.iter_rows(max_col=MAX_COLUMNS, max_row=MAX_ROWS + 2, values_only=True)
        for number, values in enumerate(rows, start=1):
            texts, faults = [], []
            for place, value in enumerate(values):
                text = _text_of(value)
                if isinstance(value, str) and value.startswith("=") and len(value) > 1:
                    faults.append(Fault(number, get_column_letter(place + 1), "Ô chứa công thức."))
                    text = ""
                texts.append(text)
            yield number, texts, faults
    except InvalidError:
        raise
    except Exception as error:  # whatever a hostile or broken file makes the library raise
        raise _unreadable("Tệp XLSX hỏng hoặc không đúng định dạng.") from error


def _check_packing(data: bytes) -> None:
    """Refuse archives that would unpack to far more than they are."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise _unreadable("Tệp XLSX hỏng hoặc không đúng định dạng.") from error
    unpacked = sum(info.file_size for info in infos)
    is_bomb = unpacked > MAX_UNPACKED_BYTES or len(infos) > 1000
    is_dense = unpacked > _RATIO_COUNTS_FROM_BYTES and unpacked > MAX_RATIO * len(data)
    if is_bomb or is_dense or any(info.flag_bits & 1 for info in infos):
        raise _unreadable("Tệp nén bất thường hoặc có mật khẩu; hãy lưu lại rồi gửi lại.")


def _decoded(data: bytes) -> str:
    marks = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
    try:
        return data.decode(marks.get(data[:2], "utf-8-sig"))
    except UnicodeDecodeError as error:
        raise _unreadable(
            "Tệp không dùng bảng mã Unicode (UTF-8); hãy lưu lại dạng UTF-8."
        ) from error


def _read_csv(text: str) -> Iterator[Line]:
    if "\0" in text:
        raise _unreadable("Tệp không phải là văn bản.")
    first = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max("\t;,", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=False)
    try:
        for number, values in enumerate(reader, start=1):
            yield number, values[:MAX_COLUMNS], []
    except csv.Error as error:
        raise _unreadable("Có ô dài bất thường hoặc thiếu dấu ngoặc kép.") from error


def _as_table(lines: Iterable[Line], columns: Sequence[Column]) -> Table:
    places: dict[int, Column] | None = None
    rows: list[Row] = []
    faults: list[Fault] = []
    for number, values, found in lines:
        texts = [_clean(value) for value in values]
        if not any(texts) and not found:
            continue
        if places is None:
            places = _places(texts, columns)
            continue
        if len(rows) >= MAX_ROWS:
            raise _unreadable(f"Tệp có hơn {MAX_ROWS} dòng; hãy chia nhỏ.")
        faults += found
        row = Row(number, {c.key: texts[at] for at, c in places.items() if at < len(texts)})
        faults += _cell_faults(row, places.values())
        rows.append(row)
    if places is None:
        raise _unreadable("Tệp trống.")
    keys = frozenset(column.key for column in places.values())
    return Table(tuple(rows), keys, tuple(faults))


def _names(columns: Sequence[Column]) -> dict[str, Column]:
    return {
        fold(name).rstrip(" *"): column
        for column in columns
        for name in (column.title, column.key, *column.others)
    }


def _places(headings: Sequence[str], columns: Sequence[Column]) -> dict[int, Column]:
    known = _names(columns)
    places: dict[int, Column] = {}
    for at, heading in enumerate(headings):
        column = known.get(fold(heading).rstrip(" *"))
        if column is not None and column not in places.values():
            places[at] = column
    missing = [c.title for c in columns if c.is_required and c not in places.values()]
    if missing:
        raise _unreadable(f"Dòng đầu thiếu cột: {', '.join(missing)}.")
    return places


def _cell_faults(row: Row, columns: Iterable[Column]) -> Iterator[Fault]:
    for column in columns:
        if column.is_required and not row[column.key]:
            yield Fault(row.number, column.title, "Không được để trống.")
        if len(row[column.key]) > MAX_CELL:
            yield Fault(row.number, column.title, f"Dài quá {MAX_CELL} ký tự.")


def _text_of(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, bool):
        return "x" if value else ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _clean(text: str) -> str:
    """One line, composed (NFC), without control characters and the apostrophe of `cell_text`."""
    if len(text) > 1 and text[0] == "'" and text[1] in _RUN_BY_SPREADSHEETS:
        text = text[1:]
    composed = unicodedata.normalize("NFC", text)
    kept = (" " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in composed)
    return " ".join("".join(kept).split())


def cell_text(text: str) -> str:
    """``text`` so that no spreadsheet runs it."""
    return f"'{text}" if text.startswith(_RUN_BY_SPREADSHEETS) else text


def write_csv(columns: Sequence[Column], rows: Iterable[Mapping[str, object]]) -> bytes:
    """A CSV file that spreadsheets open as Vietnamese (UTF-8 with mark)."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([column.title for column in columns])
    for row in rows:
        writer.writerow([cell_text(_shown(row.get(column.key))) for column in columns])
    return text.getvalue().encode("utf-8-sig")


def write_xlsx(columns: Sequence[Column], rows: Iterable[Mapping[str, object]]) -> bytes:
    """An XLSX file of one sheet; every cell is text, none a formula."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Danh sách")
    sheet.freeze_panes = "A2"
    for place, column in enumerate(columns, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = max(14, len(column.title) + 4)
    headings = []
    for column in columns:
        cell = WriteOnlyCell(sheet, column.title)
        cell.font = Font(bold=True)
        headings.append(cell)
    sheet.append(headings)
    for row in rows:
        sheet.append([_text_cell(sheet, _shown(row.get(column.key))) for column in columns])
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def _text_cell(sheet: Any, text: str) -> Any:
    safe = cell_text(text)
    if not safe.startswith("'"):
        return safe
    cell = WriteOnlyCell(sheet, safe)
    cell.data_type = "s"
    return cell


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "x" if value else ""
    if isinstance(value, date):
        return f"{value.day:02d}/{value.month:02d}/{value.year}"
    return _printable(str(value))


def _printable(text: str) -> str:
    """``text`` without characters that XML 1.0 cannot carry."""
    return "".join(c if c >= " " or c in "\t\n" else " " for c in text)
