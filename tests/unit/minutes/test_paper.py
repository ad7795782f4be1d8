"""The official paper: what is printed, and how, in both formats."""

import io
import re
from datetime import datetime, timedelta

import docx
import pymupdf
import pytest
from docx.document import Document
from docx.shared import Mm, Pt
from sqlalchemy.orm import Session

from conference.attendance import service as attendance
from conference.attendance.models import AttendanceStatus
from conference.documents import pdf, word
from conference.documents.paper import Issuer, Paper, number_line
from conference.minutes import paper, service
from conference.minutes.service import Text
from tests.support.live_meeting import STARTS_AT, LiveMeeting, hold

AT: datetime = STARTS_AT + timedelta(hours=2)
ISSUER = Issuer("Ủy ban nhân dân tỉnh Kon Tum", "Văn phòng UBND tỉnh", "VPUBND")
TRICK = "<b>#let x = 1</b> *không đậm* $1^2$ {{ x }}"


@pytest.fixture
def printed(session: Session, held: LiveMeeting) -> Paper:
    attendance.mark(
        session, held.meeting, held.sites[2].id, status=AttendanceStatus.EXCUSED,
        note="mất điện", delegates_count=None, by="Bích", at=AT,
    )  # fmt: skip
    course = service.draft_from_log(session, held.meeting, AT)
    sheet = attendance.sheet(session, held.meeting, AT)
    text = Text("7", course, f"1. Giao Sở Tài chính rà soát.\n\n{TRICK}")
    return paper.compose(ISSUER, held.meeting, sheet, text)


@pytest.fixture
def opened(printed: Paper) -> Document:
    return docx.Document(io.BytesIO(word.document(printed, AT)))


def words(document: Document) -> str:
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([*cells, *(paragraph.text for paragraph in document.paragraphs)])


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("7", "Số: 07/BB-VPUBND"), ("07/BB-VPUBND", "Số: 07/BB-VPUBND"),
        ("Số: 12/BB-UBND", "Số: 12/BB-UBND"), ("", "Số:        /BB-VPUBND"),
    ],
)  # fmt: skip
def test_the_number_is_printed_as_typed_and_never_made_up(typed: str, line: str) -> None:
    assert number_line(typed, "BB", "VPUBND") == line


def test_everything_the_decision_asks_for_is_on_the_paper(opened: Document) -> None:
    text = words(opened)
    for wanted in (
        "ỦY BAN NHÂN DÂN TỈNH KON TUM", "VĂN PHÒNG UBND TỈNH",
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc", "Số: 07/BB-VPUBND",
        "BIÊN BẢN", "Cuộc họp Giao ban tháng 12/2026",
        "Thời gian bắt đầu: 8 giờ 00 phút, ngày 10 tháng 12 năm 2026.",
        "Có mặt 2/3 điểm cầu, 27 đại biểu", "Vắng 1 điểm cầu",
        "(mất điện)", "Chủ trì (chủ tọa): Đồng chí Nguyễn Văn Ước, Phó Chủ tịch UBND tỉnh.",
        "Thư ký (người ghi biên bản): Đồng chí Trần Thị Bích", "Kết luận của chủ tọa:",
        "Cuộc họp kết thúc vào 9 giờ 30 phút, ngày 10 tháng 12 năm 2026./.",
        "THƯ KÝ", "CHỦ TỌA", "Nơi nhận:", "- Lưu: VT, Hồ sơ.",
    ):  # fmt: skip
        assert wanted in text


def test_the_page_is_the_decrees(opened: Document) -> None:
    section = opened.sections[0]
    sides = (section.page_width, section.page_height)
    assert [round((side or 0) / Mm(1)) for side in sides] == [210, 297]
    margins = (section.top_margin, section.bottom_margin, section.left_margin, section.right_margin)
    assert [round((side or 0) / Mm(1)) for side in margins] == [20, 20, 30, 15]
    assert section.different_first_page_header_footer
    assert "PAGE" in section.header._element.xml
    assert "PAGE" not in section.first_page_header._element.xml
    runs = [run for paragraph in opened.paragraphs for run in paragraph.runs]
    assert {run.font.name for run in runs} == {"Times New Roman"}
    body = next(p for p in opened.paragraphs if p.text.startswith("Thời gian bắt đầu"))
    assert body.runs[-1].font.size == Pt(14)


def test_signatures_stand_secretary_left_chair_right(opened: Document) -> None:
    left, right = opened.tables[1].rows[0].cells
    assert left.text.startswith("THƯ KÝ")
    assert left.text.endswith("Trần Thị Bích")
    assert right.text.startswith("CHỦ TỌA")
    assert right.text.endswith("Nguyễn Văn Ước")


def test_what_people_type_is_text_in_both_formats(printed: Paper, opened: Document) -> None:
    assert TRICK in words(opened)
    assert squeezed(TRICK) in squeezed(pdf_text(printed))


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def pdf_text(printed: Paper) -> str:
    with pymupdf.open(stream=pdf.document(printed, AT)) as file:
        return "\n".join(page.get_text() for page in file)


def test_the_pdf_says_the_same_in_a_face_that_it_carries(printed: Paper, opened: Document) -> None:
    flat = squeezed(pdf_text(printed))
    for paragraph in opened.paragraphs:
        assert squeezed(paragraph.text) in flat
    with pymupdf.open(stream=pdf.document(printed, AT)) as file:
        fonts = {font[3] for page in file for font in page.get_fonts()}
        assert {name.split("+")[-1] for name in fonts} == {
            "Tinos-Regular", "Tinos-Bold", "Tinos-BoldItalic",
        }  # fmt: skip
        assert round(file[0].rect.width / 72 * 25.4) == 210


def test_page_numbers_begin_on_the_second_page(session: Session, held: LiveMeeting) -> None:
    sheet = attendance.sheet(session, held.meeting, AT)
    long = "\n\n".join(f"Đoạn {number}: " + "nội dung " * 60 for number in range(30))
    printed = paper.compose(ISSUER, held.meeting, sheet, Text("", long, ""))
    with pymupdf.open(stream=pdf.document(printed, AT)) as file:
        assert len(file) > 2
        heads = [page.get_text("text", clip=(0, 0, 595, 56)).strip() for page in file]
    assert heads == ["", *(str(number) for number in range(2, len(heads) + 1))]


def test_the_same_minutes_give_the_same_file(printed: Paper) -> None:
    assert pdf.document(printed, AT) == pdf.document(printed, AT)


def test_minutes_of_134_sites_stay_readable(session: Session) -> None:
    live = hold(session, sites=134, tag="big")
    sheet = attendance.sheet(session, live.meeting, AT)
    printed = paper.compose(ISSUER, live.meeting, sheet, Text("", "", ""))
    assert "Vắng 134 điểm cầu" in squeezed_words(printed)
    assert pdf.document(printed, AT).startswith(b"%PDF")


def squeezed_words(printed: Paper) -> str:
    return " ".join(paragraph.text for paragraph in printed.body)
