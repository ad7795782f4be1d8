"""What papers say: read where it can be read, and never in the way of an upload."""

import io
import itertools

import openpyxl
import pymupdf
import pytest
from docx import Document

from conference.scheduling.paper_text import MAX_BYTES, MAX_CHARACTERS, text_of
from conference.scheduling.paper_types import OFFICE_TYPES

DOCX, XLSX, _ = OFFICE_TYPES


def docx(*paragraphs: str, cell: str = "") -> io.BytesIO:
    document = Document()
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    if cell:
        document.add_table(1, 1).cell(0, 0).text = cell
    made = io.BytesIO()
    document.save(made)
    return made


def test_a_word_document_is_read_with_its_tables() -> None:
    lines = text_of(docx("Kế hoạch trồng sâm", cell="Tu Mơ Rông"), DOCX).split("\n")
    assert "Kế hoạch trồng sâm" in lines
    assert "Tu Mơ Rông" in lines


def test_a_workbook_is_read() -> None:
    book = openpyxl.Workbook()
    book.active.append(["Đơn vị", "Vốn giải ngân", 12])
    made = io.BytesIO()
    book.save(made)
    assert "Vốn giải ngân" in text_of(made, XLSX)


def test_a_pdf_is_read() -> None:
    with pymupdf.open() as document:
        document.new_page().insert_text((72, 72), "Bao cao thuy loi")
        made = io.BytesIO(document.tobytes())
    assert text_of(made, "application/pdf") == "Bao cao thuy loi"


def test_plain_text_loses_its_byte_order_mark() -> None:
    assert text_of(io.BytesIO("\ufeffDòng một\r\nDòng hai".encode()), "text/plain") == (
        "Dòng một\nDòng hai"
    )


@pytest.mark.parametrize("media_type", [DOCX, XLSX, "application/pdf", "image/png"])
def test_what_cannot_be_read_says_nothing(media_type: str) -> None:
    assert text_of(io.BytesIO(b"%PDF-1.7\nPK\x03\x04 broken"), media_type) == ""


def test_half_a_document_says_nothing() -> None:
    whole = docx(*(f"Đoạn {n}" for n in range(30))).getvalue()
    assert text_of(io.BytesIO(whole[: len(whole) // 2]), DOCX) == ""


def test_length_size_and_time_are_bounded() -> None:
    long = io.BytesIO(b"tu " * MAX_CHARACTERS)
    assert len(text_of(long, "text/plain")) <= MAX_CHARACTERS
    large = io.BytesIO(b"tu " * (MAX_BYTES // 3 + 1))
    assert text_of(large, "text/plain") == ""
    ticks = itertools.count(0, 3)
    many = io.BytesIO(b"dong\n" * 100)
    assert text_of(many, "text/plain", clock=lambda: next(ticks)) == "dong\ndong"
