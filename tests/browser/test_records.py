"""Attendance, recordings and minutes under the hands of the secretary, in a real browser."""

import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask.sessions import SecureCookieSessionInterface
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from conference.access.models import Account
from conference.archive.models import Recording, RecordingState
from conference.attendance.evidence import Observation, record
from conference.attendance.models import EvidenceKind, EvidenceSource
from conference.minutes import service as minutes
from conference.scheduling.models import Meeting, Status
from tests.support.browser import new_context
from tests.support.held_meeting import HeldMeeting, held_meeting
from tests.support.live_meeting import STARTS_AT
from web.http.session import User
from web.services import EXTENSION

pytestmark = pytest.mark.browser


@dataclass
class Desk:
    """The secretary's browser and the meeting it looks at."""

    held: HeldMeeting
    page: Page
    _chromium: Browser
    _url: str

    def open(self, tab: str) -> Page:
        self.page.goto(f"/cuoc-hop/{self.held.meeting_id}/{tab}")
        return self.page

    def page_of(self, account: Account) -> Page:
        """A page in a browser of its own, logged in as ``account``."""
        return _page(self._chromium, self._url, self.held, account)


@pytest.fixture
def desk(tmp_path: Path, chromium: Browser) -> Iterator[Desk]:
    with desks(tmp_path, chromium, sites=6) as made:
        yield made


@contextmanager
def desks(folder: Path, chromium: Browser, *, sites: int) -> Iterator[Desk]:
    """A served meeting of ``sites`` communes; the browsers are closed at the end."""
    known = set(chromium.contexts)
    with held_meeting(folder, sites=sites) as held:
        held.app.config["WTF_CSRF_ENABLED"] = True
        server = make_server("127.0.0.1", 0, held.app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.port}"
        yield Desk(held, _page(chromium, url, held, held.live.secretary), chromium, url)
        for context in set(chromium.contexts) - known:
            context.close()
        server.shutdown()
        thread.join()
        server.server_close()


def _page(chromium: Browser, url: str, held: HeldMeeting, account: Account) -> Page:
    context = new_context(chromium, url)
    context.add_cookies([{"name": "diemcau", "value": _login(held, account), "url": url}])
    return context.new_page()


def _login(held: HeldMeeting, account: Account) -> str:
    with held.database.reading() as session:
        user_id = User(session.get_one(Account, account.id)).get_id()
    signer = SecureCookieSessionInterface().get_signing_serializer(held.app)
    assert signer is not None
    return str(signer.dumps({"_user_id": user_id, "_fresh": True}))


def test_the_sheet_lives_and_a_mark_stays(desk: Desk) -> None:
    page = desk.open("diem-danh")
    row = page.locator("#sheet-rows tr").nth(1)
    expect(row).to_contain_text("Chưa điểm danh")

    def join(session: object) -> None:
        one = Observation(
            desk.held.site_identity(1), "PA_1", EvidenceKind.JOINED, EvidenceSource.WEBHOOK,
            STARTS_AT, "EV_1",
        )  # fmt: skip
        record(session, desk.held.meeting_id, [one], STARTS_AT)  # type: ignore[arg-type]

    desk.held.change(join)
    expect(row).to_contain_text("Đang họp", timeout=10_000)  # without a reload
    row.get_by_role("link", name="Điểm danh UBND").click()
    dialog = page.locator("#mark-dialog")
    dialog.get_by_label("Số người").fill("99999")
    dialog.get_by_label("Ghi chú").fill("Họp tại hội trường")
    dialog.get_by_role("button", name="Lưu").click()
    expect(dialog).to_contain_text("Số người từ 0 đến 2000")
    expect(dialog.get_by_label("Ghi chú")).to_have_value("Họp tại hội trường")
    dialog.get_by_label("Số người").fill("31")
    dialog.get_by_role("button", name="Lưu").click()
    expect(dialog).to_be_hidden()
    expect(row).to_contain_text("Họp tại hội trường")
    expect(row).to_contain_text("Trần Thị Bích")
    page.get_by_label("Tìm đơn vị").fill("pxi 2")
    expect(page.locator("#sheet-rows tr:visible")).to_have_count(1)


def test_a_chapter_leads_into_the_recording(desk: Desk) -> None:
    folder = desk.held.app.extensions[EXTENSION].settings.recordings_dir / "r1"
    folder.mkdir(parents=True)
    subprocess.run(
        ["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i",
         "testsrc=size=320x180:rate=10:duration=30", "-c:v", "libx264", "-preset", "ultrafast",
         "-g", "10", "-movflags", "+faststart", str(folder / "recording.mp4")],
        check=True,
    )  # fmt: skip

    def publish(session: object) -> None:
        session.add(  # type: ignore[attr-defined]
            Recording(
                meeting_id=desk.held.meeting_id, state=RecordingState.PUBLISHED, folder="r1",
                state_since=STARTS_AT, decided_by="Nguyễn Văn Ước", requested_at=STARTS_AT,
                started_at=STARTS_AT, duration_s=30.0,
                chapters=[{"at_s": 20.0, "title": "Thảo luận", "identity": ""}],
                speeches=[
                    {"from_s": at_s, "to_s": at_s + 3, "name": name, "identity": ""}
                    for at_s, name in ((4.0, "Xã Đăk Pxi"), (12.0, "Sở Tài chính"))
                ],
            )
        )  # fmt: skip

    desk.held.change(publish)
    page = desk.open("ban-ghi")
    video = page.locator("video")
    expect(video).to_have_js_property("duration", 30)
    page.get_by_role("link", name="Thảo luận").click()
    expect(video).not_to_have_js_property("currentTime", 0)
    assert video.evaluate("v => v.currentTime") >= 20
    expect(page.get_by_role("link", name="Thảo luận")).to_have_attribute("aria-current", "true")
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("link", name="Sở Tài chính")).to_have_attribute("aria-current", "true")
    page.get_by_role("searchbox", name="Tìm người phát biểu").fill("dak pxi")
    expect(page.get_by_role("link", name="Sở Tài chính")).to_be_hidden()
    page.get_by_role("link", name="Xã Đăk Pxi").click()
    page.wait_for_function("() => Math.abs(document.querySelector('video').currentTime - 4) < 2")
    page.keyboard.press("l")
    page.wait_for_function("() => document.querySelector('video').currentTime >= 13")


def test_minutes_save_themselves_and_two_editors_see_each_other(desk: Desk) -> None:
    page = desk.open("bien-ban")
    page.get_by_role("button", name="Tạo dự thảo từ nhật ký").click()
    course = page.get_by_label("Nội dung (theo diễn biến)")
    expect(course).to_have_value(re.compile("khai mạc cuộc họp"))
    course.fill("Mở đầu.\n\nKết thúc.")
    state = page.locator("#minutes-state")
    expect(state).to_have_text("Chưa lưu…")
    expect(state).to_contain_text("Đã lưu", timeout=5_000)
    with page.expect_response(lambda answer: answer.request.method == "POST", timeout=8_000):
        course.press_sequentially(" và viết mãi không nghỉ" * 4, delay=75)  # 7 s without a pause
    course.fill("Mở đầu.\n\nKết thúc.")
    expect(state).to_contain_text("Đã lưu", timeout=10_000)

    other = page.context.new_page()
    other.goto(page.url)
    theirs = other.get_by_label("Nội dung (theo diễn biến)")
    theirs.fill("Mở đầu.\n\nXã A phát biểu.\n\nKết thúc.")
    course.fill("Mở đầu lúc 8 giờ.\n\nKết thúc.")
    both = "Mở đầu lúc 8 giờ.\n\nXã A phát biểu.\n\nKết thúc."
    expect(course).to_have_value(both, timeout=15_000)
    expect(theirs).to_have_value(both, timeout=15_000)
    page.get_by_role("button", name=re.compile("^Chèn: Mở phòng họp|^Chèn: Chuyển"))
    other.close()
    with desk.held.database.reading() as session:
        row = minutes.find(session, desk.held.meeting_id)
        assert row is not None
        assert row.course == both
        assert len(minutes.history(session, row)) >= 2


def test_a_task_is_given_and_confirmed_by_keyboard_alone(desk: Desk) -> None:
    def end(session: object) -> None:
        meeting = session.get_one(Meeting, desk.held.meeting_id)  # type: ignore[attr-defined]
        meeting.status, meeting.ended_at = Status.ENDED, STARTS_AT

    desk.held.change(end)
    page = desk.open("ket-luan")
    expect(page.get_by_text("Hạn ban hành: 17/12/2026")).to_be_visible()
    page.get_by_label("Nội dung").focus()
    page.keyboard.type("Rà soát nước sinh hoạt")
    page.keyboard.press("Tab")
    page.keyboard.type("UBND xã đăk pxi 2")  # choosing in a list by typing
    page.get_by_label("Thời hạn").fill("20/12/2026")
    page.get_by_label("Nhắc trước (ngày)").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("row", name=re.compile("Rà soát nước"))).to_contain_text("pxi 2")
    page.get_by_role("link", name="Cập nhật nhiệm vụ 1").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Kết quả thực hiện").fill("Đã rà soát")
    page.locator("select[name=state]").select_option("done")
    page.get_by_label("Kết quả thực hiện").press("Enter")
    expect(page.get_by_role("main").get_by_role("listitem")).to_contain_text("Hoàn thành")
