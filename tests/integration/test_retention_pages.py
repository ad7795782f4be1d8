"""The registry keeps, holds and destroys files on the pages; nobody else does."""

from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pymupdf
import pytest
from docx import Document
from sqlalchemy import select

from conference.access.models import Account, AuditEntry, Role
from conference.conclusions.models import Task, TaskState
from conference.scheduling.models import Meeting, Status
from tests.support.held_meeting import HeldMeeting, held_meeting
from tests.support.live_meeting import account
from tests.support.whole_file import whole_file
from web.services import EXTENSION

LATER = datetime(2037, 1, 5, 3, 0, tzinfo=UTC)


@pytest.fixture
def held(tmp_path: Path) -> Iterator[HeldMeeting]:
    with held_meeting(tmp_path, status=Status.ENDED) as meeting:
        meeting.clock.at = LATER
        yield meeting


def test_from_the_term_to_the_record(held: HeldMeeting, tmp_path: Path) -> None:
    settings = held.app.extensions[EXTENSION].settings
    with held.database.transaction() as session:
        admin = account(session, "quantri", Role.ADMINISTRATOR, None)
        whole = whole_file(session, settings.data_dir, tag="z")
        for task in session.scalars(select(Task)):
            task.state = TaskState.DONE
        number = whole.meeting.id
        whole.meeting.title = "Giao ban sẽ tiêu hủy <b>"
    clerk, other = held.browser(held.live.clerk), held.browser(admin)
    assert "Chưa xác định" in clerk.get(f"/luu-tru/ho-so/{number}").text
    refused = clerk.post("/luu-tru", data={"files": [number], "propose": "1"})
    assert refused.status_code == 422
    assert "Không được tiêu hủy" in refused.text
    assert f'value="{number}"' in refused.text
    assert clerk.post("/luu-tru", data={"files": [number], "code": "cong-viec"}).status_code == 303
    assert "sẽ tiêu hủy" in clerk.get("/luu-tru?xem=het-han").text
    held_back = clerk.post(f"/luu-tru/ho-so/{number}/tam-giu", data={"reason": ""})
    assert held_back.status_code == 422
    clerk.post(f"/luu-tru/ho-so/{number}/tam-giu", data={"reason": "Khiếu nại"})
    assert "sẽ tiêu hủy" not in clerk.get("/luu-tru?xem=het-han").text
    assert "sẽ tiêu hủy" in clerk.get("/luu-tru?xem=tam-giu").text
    clerk.post("/luu-tru/bo-tam-giu/1")
    made = clerk.post("/luu-tru", data={"files": [number], "propose": "1"})
    path = made.headers["Location"]
    own = clerk.post(f"{path}/quyet-dinh", data={"number": "1", "day": "2037-01-05",
                                                 "signatory": "A"})  # fmt: skip
    assert own.status_code == 403
    bad = other.post(f"{path}/quyet-dinh", data={"number": "", "day": "x", "signatory": "B C"})
    assert bad.status_code == 422
    assert 'value="B C"' in bad.text
    other.post(f"{path}/quyet-dinh", data={"number": "12/QĐ-UBND", "day": "2037-01-05",
                                           "signatory": "Nguyễn Văn Ước"})  # fmt: skip
    assert clerk.post(f"{path}/thuc-hien", data={"number": "11"}).status_code == 422
    assert clerk.get(f"{path}/bien-ban.pdf").status_code == 404
    assert clerk.post(f"{path}/thuc-hien", data={"number": "12/QĐ-UBND"}).status_code == 303
    page = clerk.get(path)
    assert "đúng như khi tiêu hủy" in page.text
    assert "<b>" not in page.text.partition("sẽ tiêu hủy")[2][:20]
    assert clerk.get(f"/cuoc-hop/{number}/tong-quan").status_code == 404
    with held.database.reading() as session:
        assert session.get(Meeting, number) is None
        found = session.scalars(select(AuditEntry.action)).all()
        assert {"destruction.propose", "destruction.decide", "destruction.execute"} <= set(found)
    record = pymupdf.open(stream=clerk.get(f"{path}/bien-ban.pdf").data, filetype="pdf")
    text = " ".join("".join(sheet.get_text() for sheet in record).split())
    assert "Quyết định số 12/QĐ-UBND" in text
    assert "Tiêu hủy hồ sơ" in text
    listed = Document(BytesIO(clerk.get(f"{path}/danh-muc.docx").data))
    assert "Giao ban sẽ tiêu hủy" in listed.tables[1].cell(1, 1).text


def test_nobody_but_registry_and_administrator_sees_or_does_any_of_it(held: HeldMeeting) -> None:
    others: list[Account | None] = [held.live.secretary, held.live.chair, None]
    for who in others:
        browser = held.browser(who)
        for path in ("/luu-tru", "/luu-tru/thoi-han", "/luu-tru/tieu-huy", "/luu-tru/nhap"):
            assert browser.get(path).status_code in {302, 403}
        assert browser.post("/luu-tru", data={"files": [1], "code": "giao-ban"}).status_code in {
            302, 403,
        }  # fmt: skip


def test_the_schedule_is_the_offices_own(held: HeldMeeting) -> None:
    clerk = held.browser(held.live.clerk)
    bad = clerk.post("/luu-tru/thoi-han", data={"code": "sở ", "name": "", "years": "năm"})
    assert bad.status_code == 422
    clerk.post("/luu-tru/thoi-han", data={"code": "giao-ban", "name": "Giao ban", "years": "7"})
    page = clerk.get("/luu-tru/thoi-han").text
    assert "7 năm" in page
    assert "Hội nghị tổng kết năm" in page
