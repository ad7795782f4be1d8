"""Papers of a meeting: what is taken, what is refused, what comes back."""

import hashlib
import io
import re

from flask.testing import FlaskClient
from sqlalchemy import select

from conference.scheduling.models import Meeting, Paper, Status
from tests.integration.pages.conftest import Pages
from tests.integration.pages.test_meetings import create, stored, text_of

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 8


def upload(
    pages: Pages, meeting_id: int, content: bytes = PDF, name: str = "Báo cáo.pdf", **form: str
) -> object:
    data = {"file": (io.BytesIO(content), name), "not_secret": "1"} | form
    if not data["not_secret"]:
        del data["not_secret"]
    return pages.browser().post(f"/cuoc-hop/{meeting_id}/tai-lieu", data=data)


def test_a_paper_comes_back_byte_for_byte_under_its_own_name(pages: Pages) -> None:
    meeting_id = create(pages)
    assert upload(pages, meeting_id).status_code == 302
    browser = pages.browser()
    page = browser.get(f"/cuoc-hop/{meeting_id}/tai-lieu")
    assert "Báo cáo.pdf" in page.text
    assert hashlib.sha256(PDF).hexdigest() in page.text
    answer = browser.get(f"/cuoc-hop/{meeting_id}/tai-lieu/1")
    assert answer.data == PDF
    assert answer.mimetype == "application/pdf"
    disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith("attachment;")
    assert "filename*=UTF-8''B%C3%A1o%20c%C3%A1o.pdf" in disposition
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    answer.close()
    [file] = list(pages.settings.papers_dir.iterdir())
    assert "cáo" not in file.name


def test_the_content_decides_and_not_the_name(pages: Pages) -> None:
    meeting_id = create(pages)
    for content, name in [
        (b"MZ\x90\x00" + bytes(100), "Báo cáo.pdf"),
        (PDF, "Báo cáo.docx"),
        (b"<html><script>alert(1)</script>", "trang.html"),
        (b"", "rong.txt"),
    ]:
        answer = upload(pages, meeting_id, content, name)
        assert answer.status_code == 422, name
    assert not list(pages.settings.papers_dir.glob("*"))


def test_a_paper_marked_secret_or_not_stated_is_refused(pages: Pages) -> None:
    meeting_id = create(pages)
    assert upload(pages, meeting_id, name="Phương án (TỐI MẬT).pdf").status_code == 422
    assert upload(pages, meeting_id, not_secret="").status_code == 422
    assert not list(pages.settings.papers_dir.glob("*"))


def test_a_huge_upload_is_refused_before_it_is_read(pages: Pages) -> None:
    meeting_id = create(pages)

    class Endless(io.RawIOBase):
        """Fails the test when somebody reads it."""

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: object) -> int:
            raise AssertionError("the body was read")

    answer = pages.browser().post(
        f"/cuoc-hop/{meeting_id}/tai-lieu",
        content_type="multipart/form-data; boundary=x",
        environ_overrides={"wsgi.input": Endless(), "CONTENT_LENGTH": str(2 << 30)},
        headers={"Accept": "application/json"},
    )
    assert answer.status_code == 413
    assert "quá lớn" in answer.get_json()["error"]["message"]


def test_scripts_get_documents_instead_of_pages(pages: Pages) -> None:
    meeting_id = create(pages)
    browser = pages.browser()
    headers = {"Accept": "application/json"}
    data = {"file": (io.BytesIO(PDF), "a.pdf"), "not_secret": "1"}
    answer = browser.post(f"/cuoc-hop/{meeting_id}/tai-lieu", data=data, headers=headers)
    assert answer.status_code == 201
    wrong = {"file": (io.BytesIO(b"MZ\x00"), "a.pdf"), "not_secret": "1"}
    answer = browser.post(f"/cuoc-hop/{meeting_id}/tai-lieu", data=wrong, headers=headers)
    assert answer.status_code == 422
    assert "Tệp sai loại" in answer.get_json()["error"]["message"]


def test_papers_are_for_those_who_take_part(pages: Pages) -> None:
    site_id = pages.province.actors["diemcau1"].site_id
    meeting_id = create(pages, sites=[str(site_id)])
    upload(pages, meeting_id)
    answer = pages.browser("diemcau1").get(f"/cuoc-hop/{meeting_id}/tai-lieu/1")
    assert answer.status_code == 200
    answer.close()
    assert pages.browser("diemcau2").get(f"/cuoc-hop/{meeting_id}/tai-lieu/1").status_code == 403
    assert pages.browser("kythuat").get(f"/cuoc-hop/{meeting_id}/tai-lieu/1").status_code == 403
    denied = pages.browser("diemcau1").post(f"/cuoc-hop/{meeting_id}/tai-lieu/1/go")
    assert denied.status_code == 403
    other = create(pages, title="Họp khác")
    assert pages.browser().get(f"/cuoc-hop/{other}/tai-lieu/1").status_code == 404


def test_a_removed_paper_is_gone_and_the_log_remembers(pages: Pages) -> None:
    meeting_id = create(pages)
    upload(pages, meeting_id)
    browser = pages.browser()
    page = browser.post(f"/cuoc-hop/{meeting_id}/tai-lieu/1/go", follow_redirects=True)
    assert "Chưa có tài liệu." in text_of(page)
    assert not list(pages.settings.papers_dir.glob("*"))
    log = text_of(browser.get(f"/cuoc-hop/{meeting_id}/nhat-ky"))
    assert "Thêm tài liệu “Báo cáo.pdf”" in log
    assert "Gỡ tài liệu “Báo cáo.pdf”" in log
    assert stored(pages, meeting_id).version == 2


def test_a_collected_paper_is_closed_to_participants_when_the_meeting_is_over(
    pages: Pages,
) -> None:
    site_id = pages.province.actors["diemcau1"].site_id
    meeting_id = create(pages, sites=[str(site_id)])
    office, site = pages.browser(), pages.browser("diemcau1")
    address = f"/cuoc-hop/{meeting_id}/tai-lieu"
    for name, mark in (("Tom tat.txt", "is_summary"), ("Mat doan.txt", "is_restricted")):
        office.post(address, data={"file": (io.BytesIO("Nội dung riêng".encode()), name),
                                   "not_secret": "1", mark: "1"})  # fmt: skip
    assert "Bản tóm tắt" in text_of(site.get(address))
    links = re.findall(rf'href="({address}/\d+)"', site.get(address).text)
    assert len(links) == 2
    with pages.province.database.transaction() as session:
        session.get_one(Meeting, meeting_id).status = Status.ENDED
        restricted = session.scalars(select(Paper).where(Paper.is_restricted)).one()
        assert restricted.text == ""  # the search does not know it

    def opened(browser: FlaskClient) -> list[int]:
        found = []
        for link in links:
            with browser.get(link) as answer:  # closes the file
                found.append(answer.status_code)
        return found

    assert (opened(site), opened(office)) == ([200, 403], [200, 200])
    assert "Đã thu hồi sau họp" in text_of(site.get(address))
