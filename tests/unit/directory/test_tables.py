"""Tables from strangers: what is read, what is refused before it does harm."""

import io
import zipfile

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conference.directory.tables import (
    MAX_ROWS,
    Column,
    cell_text,
    read_pasted,
    read_table,
    write_csv,
    write_xlsx,
)
from conference.errors import InvalidError

COLUMNS = (
    Column("code", "Mã", is_required=True),
    Column("name", "Tên đơn vị", ("Tên",)),
)


def refused(data: bytes) -> str:
    with pytest.raises(InvalidError) as caught:
        read_table(data, COLUMNS)
    return caught.value.fields["file"]


def workbook(rows: list[list[object]]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


@pytest.mark.parametrize("heading", ["Mã;Tên đơn vị", "MA;ten don vi", "mã *;TÊN"])
def test_headings_are_understood_however_they_are_written(heading: str) -> None:
    table = read_table(f"{heading}\n1;Sở A\n\n2;Sở B\n".encode(), COLUMNS)
    assert [(row.number, row["code"], row["name"]) for row in table.rows] == [
        (2, "1", "Sở A"), (4, "2", "Sở B"),
    ]  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_is_read_with_and_without_its_mark(encoding: str) -> None:
    table = read_table("Mã\tTên\n1\tĐắk Glei".encode(encoding), COLUMNS)
    assert table.rows[0]["name"] == "Đắk Glei"


def test_decomposed_letters_and_control_characters_are_put_right() -> None:
    table = read_pasted("Mã,Tên\n1,  Đa\u0306\u0301k\u0000".replace("\0", "\x07"), COLUMNS)
    assert table.rows[0]["name"] == "Đắk"


def test_texts_in_old_fonts_are_refused_with_what_to_do() -> None:
    assert "UTF-8" in refused("Mã;Tên\n1;Sở".encode("cp1258", errors="replace") + b"\xff")


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (101 * 1024 * 1024))
    assert "bất thường" in refused(data.getvalue())


def test_a_sheet_packed_more_than_a_hundredfold_is_refused() -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (20 * 1024 * 1024))
    assert "bất thường" in refused(data.getvalue())


def test_entities_that_grow_without_end_are_not_expanded() -> None:
    whole = workbook([["Mã", "Tên"], ["1", "Sở"]])
    laughs = b'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
    data = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(data, "w") as new:
        for info in old.infolist():
            content = old.read(info)
            if info.filename.endswith("sheet1.xml"):
                content = (
                    laughs + content.partition(b"?>")[2] if b"?>" in content else laughs + content
                )
            new.writestr(info.filename, content)
    assert "hỏng" in refused(data.getvalue())


def test_a_formula_is_a_fault_of_its_cell() -> None:
    table = read_table(workbook([["Mã", "Tên"], ["1", "=HYPERLINK(1)"]]), COLUMNS)
    assert [(one.row, one.column) for one in table.faults] == [(2, "B")]


def test_what_is_missing_is_named() -> None:
    assert "Mã" in refused("Tên\nSở A".encode())
    table = read_pasted("Mã;Tên\n;Sở A", COLUMNS)
    assert [(one.row, one.column) for one in table.faults] == [(2, "Mã")]
    assert refused(b"") == "Tệp trống."
    assert refused(b"Ma\n\0") == "Tệp không phải là văn bản."


def test_ten_thousand_pasted_lines_are_read_and_too_many_are_refused() -> None:
    lines = "".join(f"{number}\tXã {number}\n" for number in range(10_000))
    assert len(read_pasted("Mã\tTên\n" + lines, COLUMNS).rows) == 10_000
    with pytest.raises(InvalidError):
        read_pasted("Mã\n" + "1\n" * (MAX_ROWS + 1), COLUMNS)


@given(st.binary(max_size=300))
@settings(max_examples=150)
def test_any_bytes_give_a_table_or_a_refusal(data: bytes) -> None:
    for given_bytes in (data, b"PK\x03\x04" + data, "Mã\n".encode() + data):
        fields = {"file"}
        try:
            read_table(given_bytes, COLUMNS)
        except InvalidError as error:
            fields = set(error.fields)
        assert fields == {"file"}


texts = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp", "Co", "Cn")), max_size=30)


@given(st.lists(st.tuples(st.integers(1, 99), texts), min_size=1, max_size=5))
@settings(max_examples=40)
def test_what_is_written_is_read_again_and_nothing_is_run(rows: list[tuple[int, str]]) -> None:
    known = [{"code": str(code), "name": name} for code, name in rows]
    expected = read_pasted("Mã\tTên\n" + "", COLUMNS)
    assert expected.rows == ()
    for write in (write_csv, write_xlsx):
        table = read_table(write(COLUMNS, known), COLUMNS)
        assert table.faults == ()
        assert [row["code"] for row in table.rows] == [row["code"] for row in known]


@pytest.mark.parametrize("text", ["=1+1", "+84 905", "-2", "@SUM(A1)", "\t=1"])
def test_a_text_that_a_spreadsheet_would_run_is_neutralised(text: str) -> None:
    assert cell_text(text) == f"'{text}"
    sheet = openpyxl.load_workbook(
        io.BytesIO(write_xlsx(COLUMNS, [{"code": "1", "name": text}]))
    ).active
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
