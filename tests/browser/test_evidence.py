"""What is left of a meeting, in the hands of those who answer for it: clerk, chair, auditor."""

import io
import re
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from conference.access.models import Account, Role
from conference.access.passwords import hash_password
from conference.archive.verify import check
from conference.attendance.evidence import Observation, record
from conference.attendance.models import EvidenceKind, EvidenceSource
from conference.scheduling.models import Meeting, Status
from tests.browser.test_records import Desk, desks
from tests.support.held_meeting import HeldMeeting
from tests.support.live_meeting import STARTS_AT, account
from tests.support.looking import look
from tests.support.signing import authority
from web.services import EXTENSION

pytestmark = pytest.mark.browser
ENDED_AT = STARTS_AT + timedelta(hours=2)


@pytest.fixture
def office(tmp_path: Path, chromium: Browser) -> Iterator["Evidence"]:
    with desks(tmp_path, chromium, sites=6) as made:
        yield Evidence(made)


class Evidence:
    """An ended meeting and the desks of those who work on its file."""

    def __init__(self, made: Desk) -> None:
        self.desk = made
        self.held: HeldMeeting = made.held
        self.held.change(self._end)
        self.held.clock.at = ENDED_AT + timedelta(hours=1)

    def _end(self, session: object) -> None:
        for number in range(4):
            identity = self.held.site_identity(number)
            for kind, at in ((EvidenceKind.JOINED, STARTS_AT), (EvidenceKind.LEFT, ENDED_AT)):
                seen = Observation(
                    identity, f"PA_{number}", kind, EvidenceSource.WEBHOOK, at,
                    f"EV_{number}_{kind.value}",
                )  # fmt: skip
                record(session, self.held.meeting_id, [seen], at)  # type: ignore[arg-type]
        meeting = session.get_one(Meeting, self.held.meeting_id)  # type: ignore[attr-defined]
        meeting.status, meeting.ended_at = Status.ENDED, ENDED_AT

    def auditor(self) -> Account:
        """Somebody who only reads."""
        made = []

        def add(session: object) -> None:
            one = account(session, "kiemtra", Role.AUDITOR, None)  # type: ignore[arg-type]
            one.password_hash = hash_password("x")
            session.flush()  # type: ignore[attr-defined]
            made.append(one)

        self.held.change(add)
        return made[0]

    def page(self, who: Account, tab: str = "tong-quan") -> Page:
        """A tab of the meeting's page as ``who`` sees it."""
        page = self.desk.page_of(who)
        page.goto(f"/cuoc-hop/{self.held.meeting_id}/{tab}")
        return page


def test_the_chair_signs_the_sheet_and_a_correction_makes_a_new_version(office: Evidence) -> None:
    clerk = office.page(office.held.live.clerk, "diem-danh")
    expect(clerk.get_by_role("button", name="Ký xác nhận")).to_have_count(0)
    clerk.get_by_role("button", name="Xác nhận theo nhật ký").press("Enter")
    expect(clerk.get_by_role("main")).to_contain_text("4/6")
    look(clerk, "flow-attendance-confirmed")

    chair = office.page(office.held.live.chair, "diem-danh")
    chair.get_by_role("button", name="Ký xác nhận").first.press("Enter")
    dialog = chair.locator("dialog#sign-dialog")
    expect(dialog).to_contain_text("Sau đó chỉ sửa được bằng đính chính có lý do.")
    dialog.get_by_role("button", name="Ký xác nhận").press("Enter")
    expect(chair.get_by_text("Đã khóa theo bản ký xác nhận số 1.")).to_be_visible()
    look(chair, "flow-attendance-signed")

    clerk.reload()
    expect(clerk.get_by_role("link", name=re.compile("^Sửa điểm danh"))).to_have_count(0)
    clerk.get_by_label("Lý do đính chính").fill("Xã Đăk Pxi 5 họp tại trụ sở huyện")
    clerk.keyboard.press("Enter")
    expect(clerk.get_by_text("Đang soạn bản đính chính số 2")).to_be_visible()
    clerk.get_by_role("link", name="Sửa điểm danh UBND xã đăk pxi 5").press("Enter")
    mark = clerk.locator("#mark-dialog")
    mark.get_by_label("Trạng thái").select_option(label="Có mặt trực tiếp")
    mark.get_by_label("Số người").fill("7")
    mark.get_by_role("button", name="Lưu").press("Enter")
    expect(mark).to_be_hidden()
    look(clerk, "flow-attendance-correcting")

    chair.reload()
    chair.get_by_role("button", name="Ký xác nhận").first.press("Enter")
    chair.locator("dialog#sign-dialog").get_by_role("button", name="Ký xác nhận").press("Enter")
    expect(chair.get_by_text("Đã khóa theo bản ký xác nhận số 2.")).to_be_visible()
    versions = chair.get_by_role("region", name="Các bản đã ký")
    expect(versions.get_by_role("listitem")).to_have_count(2)
    expect(versions).to_contain_text("Xã Đăk Pxi 5 họp tại trụ sở huyện")
    look(chair, "flow-attendance-versions")
    # the first version stays as it was signed
    whole = {}
    for number in (1, 2):
        with chair.expect_download() as kept:
            versions.get_by_role("link", name=f"Tải bản {number}, CSV").click()
        whole[number] = Path(kept.value.path()).read_text(encoding="utf-8-sig")
    assert "Có mặt trực tiếp" not in whole[1]
    assert "Có mặt trực tiếp" in whole[2]


def test_a_signed_paper_is_filed_checked_and_leaves_in_the_package(
    office: Evidence, tmp_path: Path
) -> None:
    folder = office.held.app.extensions[EXTENSION].settings.authorities_dir
    folder.mkdir(parents=True)
    (folder / "ca.pem").write_bytes(authority().pem())
    clerk = office.page(office.held.live.clerk, "bien-ban")
    clerk.get_by_role("button", name="Tạo dự thảo từ nhật ký").press("Enter")
    clerk.get_by_label("Kết luận của chủ tọa").fill("Thống nhất như dự thảo.")
    clerk.get_by_role("button", name="Lưu", exact=True).press("Enter")
    expect(clerk.locator("#minutes-state")).to_contain_text("Đã lưu")
    with clerk.expect_download() as printed:
        clerk.get_by_role("link", name="Tải PDF").click()
    page = clerk.locator("section", has=clerk.get_by_role("heading", name="Bản đã ký số"))

    fake = tmp_path / "gia.pdf"
    fake.write_bytes(b"<html><script>alert(1)</script>")
    page.get_by_label("Tệp PDF đã ký").set_input_files(fake)
    page.get_by_role("button", name="Tải lên bản đã ký").press("Enter")
    expect(clerk.get_by_role("main")).to_contain_text("PDF")
    expect(page.get_by_text("Chữ ký hợp lệ")).to_have_count(0)
    look(clerk, "flow-signed-refused")

    with ThreadPoolExecutor(1) as elsewhere:  # signing runs an event loop of its own
        genuine = elsewhere.submit(
            authority().sign, Path(printed.value.path()).read_bytes()
        ).result()
    changed = tmp_path / "doi.pdf"
    at = genuine.index(b"stream") + 40  # in the text that was signed
    changed.write_bytes(genuine[:at] + bytes([genuine[at] ^ 1]) + genuine[at + 1 :])
    page.get_by_label("Tệp PDF đã ký").set_input_files(changed)
    page.get_by_role("button", name="Tải lên bản đã ký").press("Enter")
    expect(page.get_by_role("listitem")).to_have_count(1)
    expect(page.get_by_text("Chữ ký hợp lệ")).to_have_count(0)
    expect(clerk.get_by_label("Kết luận của chủ tọa")).to_be_visible()  # it closes nothing

    signed = tmp_path / "Biên bản đã ký.pdf"
    signed.write_bytes(genuine)
    page.get_by_label("Tệp PDF đã ký").set_input_files(signed)
    page.get_by_role("button", name="Tải lên bản đã ký").press("Enter")
    expect(page.get_by_text("Chữ ký hợp lệ")).to_be_visible()
    expect(clerk.get_by_text("Đã ký; chỉ được thêm phụ lục.")).to_be_visible()
    expect(clerk.get_by_label("Kết luận của chủ tọa")).to_have_count(0)
    look(clerk, "flow-signed-minutes")

    clerk.goto(f"/cuoc-hop/{office.held.meeting_id}/tong-quan")
    look(clerk, "flow-clerk-overview")
    with clerk.expect_download() as package:
        clerk.get_by_role("link", name="Tải gói hồ sơ").click()
    content = Path(package.value.path()).read_bytes()
    assert check(io.BytesIO(content)).faults == ()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert any(archive.read(name) == genuine for name in archive.namelist())
        assert not any(".." in name or name.startswith("/") for name in archive.namelist())


def test_the_auditor_reads_who_did_what_and_can_change_nothing(office: Evidence) -> None:
    clerk = office.page(office.held.live.clerk, "diem-danh")
    with clerk.expect_download():
        clerk.get_by_text("Tải về", exact=True).click()
        clerk.get_by_role("link", name="XLSX").click()
    auditor = office.page(office.auditor(), "nhat-ky")
    look(auditor, "flow-auditor-meeting-log")
    auditor.goto("/nhat-ky")
    row = auditor.get_by_role("row", name=re.compile("Tải bảng điểm danh")).first
    expect(row).to_contain_text("vanthu.a")
    auditor.get_by_role("button", name="Kiểm tra toàn vẹn").press("Enter")
    expect(auditor.get_by_text(re.compile("Nguyên vẹn: [0-9]+ mục"))).to_be_visible()
    look(auditor, "flow-auditor-log")
    for tab in ("tong-quan", "thanh-phan", "diem-danh", "bien-ban", "ket-luan", "nhat-ky"):
        auditor.goto(f"/cuoc-hop/{office.held.meeting_id}/{tab}")
        expect(auditor.locator("main form[method=post]")).to_have_count(0)
        expect(auditor.locator("main a[href*='/vao/']")).to_have_count(0)
    for tab in ("tai-lieu", "giay-moi", "ban-ghi", "ho-so.zip"):
        answer = auditor.request.get(f"/cuoc-hop/{office.held.meeting_id}/{tab}")
        assert answer.status == 403, tab
