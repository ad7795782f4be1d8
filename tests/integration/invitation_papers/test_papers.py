"""Giấy mời and thông báo as offices print them."""

import hashlib
import json
import xml.etree.ElementTree as ET
import zipfile
from io import BytesIO

import pymupdf
import pytest
from docx import Document

from conference.attendance import service as attendance
from conference.documents import office_suite, pdf, word
from conference.documents.paper import Issuer
from conference.minutes import paper as minutes_paper
from conference.minutes.service import Text as MinutesText
from conference.scheduling import service as scheduling
from conference.scheduling.announcement import SilentAnnouncer
from conference.scheduling.models import Meeting
from tests.integration.pages.conftest import Pages, pages
from tests.support.official_layout import docx_faults, pdf_faults
from tests.support.province import AT

__all__ = ["pages"]

FORM = {
    "kind": "giay_moi", "number": "5", "issued_on": "02/01/2021",
    "addressees": "Giám đốc Sở Y tế\n- Lãnh đạo Ủy ban nhân dân huyện Đắk Glei;\n\n"
    "Chủ tịch UBND xã Ia Tơi",
    "places": "1. Điểm cầu tỉnh: Phòng họp số 1\n2. Điểm cầu cấp huyện: phòng họp của đơn vị",
    "requirements": "Kiểm tra đường truyền trước giờ họp 60 phút.",
    "contact": "Ông Long, 0260 3862 318",
    "authority": "TL. CHỦ TỊCH\nCHÁNH VĂN PHÒNG", "signer": "Lê Thị Dung",
    "recipients": "- Như trên;\n- Lưu: VT.", "version": "0",
}  # fmt: skip


@pytest.fixture
def meeting_id(pages: Pages) -> int:
    with pages.province.database.transaction() as session:
        meeting = scheduling.create_meeting(
            session, pages.province.draft(location="Phòng họp số 1"),
            actor=pages.province.secretary, at=AT, announcer=SilentAnnouncer(),
        )  # fmt: skip
        return meeting.id


def address(meeting_id: int, ending: str = "") -> str:
    return f"/cuoc-hop/{meeting_id}/giay-moi/van-ban{ending}"


def text_of(docx: bytes) -> str:
    word_file = Document(BytesIO(docx))
    cells = [c.text for t in word_file.tables for row in t.rows for c in row.cells]
    return "\n".join([*cells, *(p.text for p in word_file.paragraphs)])


def test_the_form_begins_with_every_invited_unit_and_no_number(
    pages: Pages, meeting_id: int
) -> None:
    page = pages.browser("thuky").get(address(meeting_id)).text
    assert "Lãnh đạo Văn phòng UBND tỉnh" in page
    assert 'name="number" ' in page
    assert 'name="number" value="0' not in page


def test_a_saved_letter_is_printed_by_the_decree(pages: Pages, meeting_id: int) -> None:
    browser = pages.browser("thuky")
    assert browser.post(address(meeting_id), data=FORM).status_code == 303
    docx = browser.get(address(meeting_id, ".docx")).data
    printed = browser.get(address(meeting_id, ".pdf")).data
    assert docx_faults(docx) == []
    assert pdf_faults(printed, "GIẤY MỜI") == []
    text = text_of(docx)
    for words in (
        "Số: 05/GM-VPUBND", "Kon Tum, ngày 02 tháng 01 năm 2021", "trân trọng kính mời:",
        "- Giám đốc Sở Y tế;", "8 giờ 00 phút, ngày 10 tháng 12 năm 2026 (thứ Năm)",
        "Lê Thị Dung", "./.",
    ):  # fmt: skip
        assert words in text
    with pymupdf.open(stream=printed) as file:
        flat = " ".join(" ".join(page.get_text() for page in file).split())
    assert "Số: 05/GM-VPUBND" in flat
    with pages.province.database.reading() as session:
        codes = [site.join_code for site in session.get_one(Meeting, meeting_id).sites]
    for code in codes:
        assert code not in text
        assert code not in flat


def test_each_addressee_gets_a_paper_of_its_own(pages: Pages, meeting_id: int) -> None:
    browser = pages.browser("thuky")
    browser.post(address(meeting_id), data=FORM)
    with zipfile.ZipFile(BytesIO(browser.get(address(meeting_id, ".zip")).data)) as archive:
        names = archive.namelist()
        texts = [text_of(archive.read(name)) for name in names]
    assert names == [
        "001-giam-doc-so-y-te.docx", "002-lanh-dao-uy-ban-nhan-dan-huyen-dak-glei.docx",
        "003-chu-tich-ubnd-xa-ia-toi.docx",
    ]  # fmt: skip
    assert "kính mời: Giám đốc Sở Y tế." in texts[0]
    assert "Ia Tơi" not in texts[0]


def test_a_notice_stands_in_place_of_the_letter(pages: Pages, meeting_id: int) -> None:
    browser = pages.browser("vanthu")
    browser.post(address(meeting_id), data={**FORM, "kind": "thong_bao"})
    docx = browser.get(address(meeting_id, ".docx")).data
    assert docx_faults(docx) == []
    text = text_of(docx)
    assert "Số: 05/TB-VPUBND" in text
    assert "Thông báo này thay cho giấy mời./." in text


@pytest.mark.parametrize(
    ("field", "value"),
    [("requirements", "Vào họp tại https://hop.example/vao/abc"), ("addressees", "  \n - "),
     ("issued_on", "31/02/2021"), ("contact", "x" * 301)],
)  # fmt: skip
def test_what_cannot_stand_is_said_beside_its_field(
    pages: Pages, meeting_id: int, field: str, value: str
) -> None:
    answer = pages.browser("thuky").post(address(meeting_id), data={**FORM, field: value})
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert "Giám đốc Sở Y tế" in answer.text or field == "addressees"


def test_a_join_code_is_refused_wherever_it_stands(pages: Pages, meeting_id: int) -> None:
    with pages.province.database.reading() as session:
        code = session.get_one(Meeting, meeting_id).sites[0].join_code
    form = {**FORM, "signer": f"Mã {code}"}
    assert pages.browser("thuky").post(address(meeting_id), data=form).status_code == 422


def test_the_second_of_two_editors_is_told(pages: Pages, meeting_id: int) -> None:
    assert pages.browser("thuky").post(address(meeting_id), data=FORM).status_code == 303
    second = pages.browser("vanthu").post(address(meeting_id), data={**FORM, "signer": "Khác"})
    assert second.status_code == 409
    assert 'value="Khác"' in second.text


def test_sites_and_technicians_do_not_write_invitations(pages: Pages, meeting_id: int) -> None:
    for username in ("kythuat", "diemcau1"):
        assert pages.browser(username).get(address(meeting_id)).status_code in {403, 404}


# --- the office's own layout ---------------------------------------------------------------------


def upload(pages: Pages, content: bytes, username: str = "quantri") -> int:
    data = {"file": (BytesIO(content), "mau.docx")}
    answer = pages.browser(username).post("/quan-tri/mau-van-ban/giay_moi", data=data)
    return answer.status_code


def test_the_layout_to_start_from_can_be_edited_and_used(pages: Pages, meeting_id: int) -> None:
    start = pages.browser("quantri").get("/quan-tri/mau-van-ban/giay_moi.docx").data
    word_file = Document(BytesIO(start))
    word_file.add_paragraph("Mẫu của Văn phòng: {{ trich_yeu }}")
    edited = BytesIO()
    word_file.save(edited)
    assert upload(pages, edited.getvalue()) == 303
    browser = pages.browser("thuky")
    browser.post(address(meeting_id), data={**FORM, "signer": "Lê <b>& {{ 7*7 }}"})
    docx = browser.get(address(meeting_id, ".docx")).data
    text = text_of(docx)
    assert "Mẫu của Văn phòng: Dự giao ban tháng 12/2026" in text
    assert "- Giám đốc Sở Y tế;" in text
    assert "TL. CHỦ TỊCH" in text
    assert "Lê <b>& {{ 7*7 }}" in text
    assert "{%" not in text
    assert docx_faults(docx) == []
    dropped = pages.browser("quantri").post("/quan-tri/mau-van-ban/giay_moi", data={"drop": "1"})
    assert dropped.status_code == 303
    assert "Mẫu của Văn phòng" not in text_of(browser.get(address(meeting_id, ".docx")).data)


def hostile(text: str) -> bytes:
    word_file = Document()
    word_file.add_paragraph(text)
    file = BytesIO()
    word_file.save(file)
    return file.getvalue()


def bomb() -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"0" * (31 * 1024 * 1024))
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [b"", b"not a file", bomb(), hostile("{{ khong_co }}"), hostile("{% for x in %}"),
     hostile("{{ ''.__class__.__mro__ }}"), hostile("{% for x in range(10**9) %}a{% endfor %}")],
    ids=["nothing", "no docx", "bomb", "unknown field", "syntax", "escape", "endless"],
)  # fmt: skip
def test_a_layout_that_is_broken_or_hostile_is_refused(pages: Pages, content: bytes) -> None:
    assert upload(pages, content) == 422
    assert "mau.docx" not in pages.browser("quantri").get("/quan-tri/mau-van-ban").text


def test_only_the_office_sets_layouts(pages: Pages) -> None:
    assert upload(pages, hostile("x"), "diemcau1") == 403
    assert upload(pages, hostile("x"), "thuky") == 403


# --- as a word processor prints it ---------------------------------------------------------------


@pytest.mark.skipif(office_suite.find() is None, reason="LibreOffice is not installed")
@pytest.mark.timeout(300)
def test_libreoffice_prints_letter_and_minutes_as_the_decree_asks(
    pages: Pages, meeting_id: int
) -> None:
    browser = pages.browser("thuky")
    many = "\n".join(f"Lãnh đạo Ủy ban nhân dân xã số {n}" for n in range(1, 60))
    browser.post(address(meeting_id), data={**FORM, "addressees": many})
    printed = office_suite.to_pdf(browser.get(address(meeting_id, ".docx")).data)
    assert pdf_faults(printed, "GIẤY MỜI") == []
    with pymupdf.open(stream=printed) as file:
        assert len(file) >= 2


def test_minutes_keep_the_same_layout(pages: Pages, meeting_id: int) -> None:
    with pages.province.database.transaction() as session:
        meeting = session.get_one(Meeting, meeting_id)
        sheet = attendance.sheet(session, meeting, AT)
        long = "\n".join(["Các điểm cầu thảo luận về tình hình thực hiện nhiệm vụ. " * 5] * 20)
        issuer = Issuer("Ủy ban nhân dân tỉnh Kon Tum", "Văn phòng", "VPUBND", "Kon Tum")
        made = minutes_paper.compose(issuer, meeting, sheet, MinutesText("7", long, "Kết luận"))
    assert docx_faults(word.document(made, AT)) == []
    assert pdf_faults(pdf.document(made, AT), "BIÊN BẢN") == []


def test_papers_are_handed_over_with_their_metadata(pages: Pages, meeting_id: int) -> None:
    browser = pages.browser("vanthu")
    package = address(meeting_id).replace("van-ban", "chuyen-van-ban.zip")
    assert browser.get(package).status_code == 409
    browser.post(address(meeting_id), data={**FORM, "signer": "Lê <Thị> Dung"})
    with zipfile.ZipFile(BytesIO(browser.get(package).data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert set(files) == {
        f"giay-moi/{name}" for name in ("van-ban.docx", "van-ban.pdf", "metadata.json", "edxml.xml")
    }
    told = json.loads(files["giay-moi/metadata.json"])
    assert (told["symbol"], told["issued_on"]) == ("05/GM-VPUBND", "2021-01-02")
    digests = {one["name"]: one["sha256"] for one in told["files"]}
    for name, digest in digests.items():
        assert hashlib.sha256(files[f"giay-moi/{name}"]).hexdigest() == digest
    root = ET.fromstring(files["giay-moi/edxml.xml"])
    assert root.findtext("Code/CodeNumber") == "05"
    assert root.findtext("Code/CodeNotation") == "GM-VPUBND"
    assert root.findtext("PromulgationInfo/PromulgationDate") == "02/01/2021"
    assert root.findtext("SignerInfo/FullName") == "Lê <Thị> Dung"
    assert len(root.findall("To")) == 3
