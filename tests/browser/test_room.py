"""The room app on the conduct channel alone: the media engine of these tests lets nobody connect.

What is decided over the channel (opening, queue, floor, agenda, chat, end) must work for a chair
and a site even then; pictures and sound have their own tests.
"""

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from conference.access.passwords import hash_password
from conference.database import Database
from conference.engine.client import Engine
from conference.models import Base
from conference.scheduling.models import Meeting, RoomPreset, Status
from config.settings import Settings, load
from tests.support.browser import log_in, new_context, screenshot
from tests.support.fake_engine import FakeEngine
from tests.support.live_meeting import LiveMeeting, hold
from tests.support.service import free_ports
from web.app import create_app
from web.realtime import watcher

pytestmark = pytest.mark.browser

PASSWORD = "mat-khau-thu-phong-hop"
AXE = Path(__file__).parents[2] / "web/room/node_modules/axe-core/axe.min.js"
RUN_AXE = """async () => {
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const found = await axe.run(document, {runOnly: {type: 'tag', values: tags}});
  return found.violations.map((one) => [one.impact, one.id, one.nodes[0].html].join(' | '));
}"""
TARGETS = "button, select, a, input:not([type=checkbox], [type=radio]), label:has([type=radio])"
TOO_SMALL = """() => [...document.querySelectorAll('TARGETS')]
  .filter((one) => one.checkVisibility())
  .map((one) => [one.getBoundingClientRect(), one])
  .filter(([box]) => box.width < 48 || box.height < 48)
  .map(([box, one]) => `${one.outerHTML.slice(0, 80)} ${box.width}x${box.height}`)""".replace(
    "TARGETS", TARGETS
)


@dataclass
class Room:
    """A served meeting that nobody has opened yet, and its media engine in memory."""

    url: str
    live: LiveMeeting
    engine: FakeEngine
    database: Database
    watch: watcher.Watcher
    chromium: Browser

    def site(self, number: int = 0, size: str = "desktop") -> Page:
        """A site that has passed the device check."""
        page = new_context(self.chromium, self.url, size).new_page()
        page.goto(f"/vao/{self.live.sites[number].join_code}")
        page.get_by_role("button", name="Vào họp").click()
        return page

    def chair(self) -> Page:
        """The chair, past the device check."""
        page = new_context(self.chromium, self.url).new_page()
        log_in(page, self.live.chair.username, PASSWORD)
        page.goto(f"/phong/{self.live.meeting.id}")
        page.get_by_role("button", name="Vào họp").click()
        return page

    def open(self) -> Page:
        """The chair has opened the room."""
        page = self.chair()
        page.get_by_role("button", name="Mở phòng").click()
        expect(page.get_by_role("button", name="Mở phòng")).to_have_count(0)
        return page

    def enters_media(self, number: int) -> None:
        """The media engine lists site ``number``."""
        meeting = self.live.meeting
        identity = f"site:{self.live.sites[number].id}"
        self.engine.create_room(meeting.room_name)
        self.engine.enter(meeting.room_name, identity, at=datetime.now(UTC))
        self.watch.poll()


def prepared(folder: Path) -> tuple[LiveMeeting, Settings]:
    """Rows of a conference that starts now, in a data folder of their own."""
    (port,) = free_ports(1)
    settings = load(folder, environment={"": ""}, options={"media": {"port": port}})
    database = Database(settings.database_url)
    Base.metadata.create_all(database.engine)
    with database.transaction() as session:
        live = hold(
            session,
            sites=14,
            preset=RoomPreset.CONFERENCE,
            status=Status.INVITED,
            starts_at=datetime.now(UTC),
        )
        live.chair.password_hash = hash_password(PASSWORD)
    database.dispose()
    return live, settings


@pytest.fixture
def room(tmp_path: Path, chromium: Browser) -> Iterator[Room]:
    live, settings = prepared(tmp_path)
    engine = FakeEngine()
    database = Database(settings.database_url)
    app = create_app(settings, database=database, engine=cast(Engine, engine))
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, name="room")
    thread.start()
    watch = watcher.start(app)
    known = set(chromium.contexts)
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        yield Room(url, live, engine, database, watch, chromium)
    finally:
        for context in set(chromium.contexts) - known:
            context.close()
        watch.stop()
        server.shutdown()
        thread.join()
        server.server_close()
        database.dispose()


def is_in_view(page: Page, selector: str) -> bool:
    """Whether the whole element is seen without scrolling."""
    return bool(
        page.locator(selector).first.evaluate(
            "one => { const box = one.getBoundingClientRect();"
            " return box.top >= 0 && box.left >= 0 && box.bottom <= innerHeight"
            " && box.right <= innerWidth; }"
        )
    )


def no_faults(page: Page, name: str) -> None:
    """Nothing for axe to find, no target below 48 px, no sideways scrolling; with a picture."""
    screenshot(page, name)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    assert page.evaluate(RUN_AXE) == []
    assert page.evaluate(TOO_SMALL) == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_a_site_waits_until_the_chair_opens_the_room(room: Room) -> None:
    site = room.site()
    expect(site.get_by_text("Chờ chủ tọa mở phòng.")).to_be_visible()
    screenshot(site, "room-lobby")
    room.open()
    expect(site.get_by_role("button", name="Xin phát biểu")).to_be_visible()
    with room.database.reading() as session:
        assert session.get_one(Meeting, room.live.meeting.id).status is Status.LIVE


def test_the_floor_goes_from_request_to_end_with_everything_in_view(room: Room) -> None:
    chair, site = room.open(), room.site()
    expect(site.get_by_role("button", name="Xin phát biểu")).to_be_visible()
    site.keyboard.press("Alt+p")
    expect(site.get_by_test_id("speaker").get_by_text("Đã đăng ký, thứ 1.")).to_be_visible()
    row = chair.get_by_role("region", name="Hàng chờ").get_by_role("listitem")
    expect(row).to_have_count(1)
    for selector in (".queue-row", ".speaker-line", "button:has-text('Tắt tiếng tất cả')"):
        assert is_in_view(chair, selector), selector
    row.get_by_role("button", name="Mời").click()
    expect(site.get_by_role("alertdialog")).to_contain_text("Mời đồng chí phát biểu")
    expect(site.get_by_role("button", name="Bật micro")).to_be_focused()
    expect(chair.get_by_role("timer")).to_be_visible()
    assert is_in_view(chair, ".speaker-timer")
    screenshot(chair, "room-chair-desktop")
    screenshot(site, "room-called-desktop")
    site.get_by_role("button", name="Chưa sẵn sàng").click()
    expect(chair.get_by_text("Chưa có ai phát biểu.")).to_be_visible()
    expect(site.get_by_role("alertdialog")).to_have_count(0)


def test_a_call_never_takes_the_keyboard_from_somebody_who_types(room: Room) -> None:
    chair, site = room.open(), room.site()
    site.get_by_role("button", name="Xin phát biểu").click()
    site.get_by_role("button", name="Trao đổi").click()
    text = site.get_by_role("textbox", name="Viết tin gửi mọi người")
    text.fill("Đang gõ")
    chair.get_by_role("region", name="Hàng chờ").get_by_role("button", name="Mời").click()
    expect(site.get_by_role("alertdialog")).to_be_visible()
    expect(text).to_be_focused()


def test_the_queue_is_put_in_order_with_the_keyboard(room: Room) -> None:
    chair = room.open()
    sites = [room.site(0), room.site(1)]
    for site in sites:
        site.get_by_role("button", name="Xin phát biểu").click()
        expect(site.get_by_role("button", name="Rút đăng ký")).to_be_visible()
    names = chair.locator(".queue-name")
    expect(names).to_have_count(2)
    first, second = names.all_inner_texts()
    chair.get_by_role("button", name=f"Đưa {second} lên").press("Enter")
    expect(names.first).to_have_text(second)
    chair.get_by_role("button", name=f"Bỏ đăng ký của {second}").press("Enter")
    expect(names).to_have_text([first])
    expect(sites[1].get_by_role("button", name="Xin phát biểu")).to_be_visible()


def test_messages_reach_the_others_and_are_counted(room: Room) -> None:
    chair, site = room.open(), room.site()
    site.get_by_role("button", name="Trao đổi").click()
    site.get_by_role("textbox", name="Viết tin gửi mọi người").fill("<b>Kính báo cáo</b>")
    site.keyboard.press("Enter")
    expect(site.locator(".message-text")).to_have_text("<b>Kính báo cáo</b>")
    expect(chair.get_by_role("tab", name="Trao đổi").locator(".tab-count")).to_have_text("1")
    chair.keyboard.press("Alt+t")
    expect(chair.locator(".message-text")).to_have_text("<b>Kính báo cáo</b>")
    expect(chair.locator(".tab-count")).to_have_count(0)


def test_the_roster_finds_without_marks_and_follows_presence(room: Room) -> None:
    chair = room.open()
    room.enters_media(5)
    expect(chair.locator(".top-bar")).to_contain_text("1/14")
    chair.get_by_role("searchbox", name="Tìm điểm cầu").fill("dak pxi 6")
    rows = chair.locator(".roster-row")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Có mặt")
    rows.get_by_role("button", name="Thao tác khác").click()
    rows.get_by_role("button", name="Mời ra").click()
    dialog = chair.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Quay lại")).to_be_focused()
    dialog.get_by_role("button", name="Mời ra").click()
    expect(dialog).to_have_count(0)
    identity = f"site:{room.live.sites[5].id}"
    assert ("remove_participant", room.live.meeting.room_name, identity) in room.engine.calls


def test_the_agenda_moves_on_by_key_for_everybody(room: Room) -> None:
    chair, site = room.open(), room.site()
    expect(site.get_by_role("button", name="Xin phát biểu")).to_be_visible()
    chair.keyboard.press("Alt+a")
    expect(site.locator(".top-item")).to_have_text("Mục 1/4: Khai mạc")
    chair.get_by_role("button", name="Mục tiếp").click()
    expect(site.locator(".top-item")).to_have_text("Mục 2/4: Báo cáo tình hình")


def test_ending_asks_first_and_ends_for_all(room: Room) -> None:
    chair, site = room.open(), room.site()
    expect(site.get_by_role("button", name="Xin phát biểu")).to_be_visible()
    chair.get_by_role("button", name="Kết thúc cho tất cả").click()
    expect(chair.get_by_role("button", name="Quay lại")).to_be_focused()
    chair.keyboard.press("Escape")
    expect(chair.get_by_role("dialog")).to_have_count(0)
    chair.get_by_role("button", name="Kết thúc cho tất cả").click()
    chair.get_by_role("dialog").get_by_role("button", name="Kết thúc cuộc họp").click()
    for page in (chair, site):
        expect(page.get_by_text("Cuộc họp đã kết thúc.")).to_be_visible()


def test_a_second_device_takes_the_place_of_the_first(room: Room) -> None:
    room.open()
    first = room.site()
    expect(first.get_by_role("button", name="Xin phát biểu")).to_be_visible()
    second = room.site()
    expect(first.get_by_text("Tài khoản đã vào họp ở thiết bị khác.")).to_be_visible()
    expect(second.get_by_role("button", name="Xin phát biểu")).to_be_visible()
    first.get_by_role("button", name="Dùng thiết bị này").click()
    expect(second.get_by_text("Tài khoản đã vào họp ở thiết bị khác.")).to_be_visible()


def test_without_the_channel_its_buttons_lock_and_come_back(room: Room) -> None:
    chair = room.open()
    site = room.site()
    request = site.get_by_role("button", name="Xin phát biểu")
    expect(request).to_be_visible()
    site.context.set_offline(True)
    expect(site.locator(".banners").get_by_text("Vẫn nghe, nói được")).to_be_visible()
    expect(request).to_have_attribute("aria-disabled", "true")
    site.context.set_offline(False)
    expect(request).not_to_have_attribute("aria-disabled", "true")
    request.click()
    expect(chair.locator(".queue-row")).to_have_count(1)


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_a_vote_is_put_cast_changed_closed_and_published(room: Room, size: str) -> None:
    chair, site, other = room.open(), room.site(0, size), room.site(1)
    expect(other.get_by_role("button", name="Xin phát biểu")).to_be_visible()
    chair.get_by_role("region", name="Biểu quyết").get_by_role(
        "button", name="Mở biểu quyết"
    ).click()
    asked = chair.get_by_role("dialog")
    asked.get_by_role("textbox").fill("Thông qua dự thảo Nghị quyết về nhiệm vụ năm 2027")
    asked.get_by_role("button", name="Mở biểu quyết").click()
    expect(asked).to_have_count(0)
    card = site.get_by_test_id("vote")
    expect(card).to_contain_text("Thông qua dự thảo Nghị quyết")
    no_faults(site, f"room-vote-{size}")
    card.get_by_role("radio", name="Tán thành", exact=True).check()
    card.get_by_role("button", name="Gửi phiếu").click()
    expect(card.get_by_role("status")).to_contain_text("Đã ghi nhận: Tán thành.")
    card.get_by_role("radio", name="Không tán thành").check()
    card.get_by_role("button", name="Gửi phiếu").click()
    expect(card.get_by_role("status")).to_contain_text("Đã ghi nhận: Không tán thành.")
    other.keyboard.press("Alt+b")
    other.keyboard.press("Space")
    expect(other.get_by_role("radio", name="Tán thành", exact=True)).to_be_checked()
    other.keyboard.press("Enter")
    expect(other.get_by_test_id("vote").get_by_role("status")).to_contain_text("Tán thành")
    desk = chair.locator(".vote-desk")
    expect(desk).to_contain_text("2/15 phiếu")
    desk.get_by_label("Tán thành", exact=True).fill("12")
    desk.get_by_role("button", name="Ghi số phiếu").click()
    expect(chair.get_by_text("Đã ghi số phiếu giơ tay.")).to_be_visible()
    desk.get_by_role("button", name="Kết thúc biểu quyết").click()
    expect(card).to_contain_text("Chờ công bố kết quả.")
    expect(desk.get_by_role("row", name="Tán thành 13")).to_be_visible()
    screenshot(chair, f"room-vote-chair-{size}")
    desk.get_by_role("button", name="Công bố kết quả").click()
    expect(card.get_by_role("row", name="Tán thành 13 92,9 %")).to_be_visible()
    expect(card.get_by_role("row", name="Không tán thành 1 7,1 %")).to_be_visible()
    no_faults(site, f"room-vote-result-{size}")
    no_faults(chair, f"room-vote-published-{size}")
    card.get_by_role("button", name="Đóng").click()
    expect(card).to_have_count(0)


def test_a_ballot_pressed_while_the_channel_is_away_arrives_when_it_is_back(room: Room) -> None:
    chair, site = room.open(), room.site()
    desk = chair.locator(".vote-desk")
    desk.get_by_role("button", name="Mở biểu quyết").click()
    asked = chair.get_by_role("dialog")
    asked.get_by_role("textbox").fill("Bầu tổ kiểm phiếu")
    asked.get_by_role("checkbox", name="Bỏ phiếu kín").check()
    asked.get_by_role("button", name="Mở biểu quyết").click()
    card = site.get_by_test_id("vote")
    card.get_by_role("radio", name="Tán thành", exact=True).check()
    site.context.set_offline(True)
    expect(site.locator(".banners").get_by_text("Vẫn nghe, nói được")).to_be_visible()
    card.get_by_role("button", name="Gửi phiếu").click()
    expect(card).to_contain_text("Chưa gửi được phiếu; đang thử lại.")
    site.context.set_offline(False)
    expect(card).to_contain_text("Đã bỏ phiếu kín.")
    expect(desk).to_contain_text("1/15 phiếu")


def test_a_speech_has_its_time_and_the_chair_can_add_and_remind(room: Room) -> None:
    chair, site = room.open(), room.site()
    site.get_by_role("button", name="Xin phát biểu").click()
    chair.get_by_role("region", name="Hàng chờ").get_by_role("button", name="Mời").click()
    timer = chair.get_by_role("timer")
    expect(timer).to_contain_text("/05:00")
    chair.get_by_role("button", name="+1 phút").click()
    expect(timer).to_contain_text("/06:00")
    chair.keyboard.press("Alt+w")
    expect(site.get_by_text("Chủ tọa nhắc: sắp hết thời gian phát biểu.")).to_be_visible()


def test_the_chair_shows_one_site_to_everybody(room: Room) -> None:
    chair = room.open()
    room.enters_media(5)
    chair.get_by_role("searchbox", name="Tìm điểm cầu").fill("dak pxi 6")
    row = chair.locator(".roster-row")
    row.get_by_role("button", name="Thao tác khác").click()
    row.get_by_role("button", name="Ghim hình").click()
    expect(row).to_contain_text("Đang ghim")
    row.get_by_role("button", name="Bỏ ghim hình").click()
    expect(row).not_to_contain_text("Đang ghim")


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_the_room_has_no_fault_and_no_small_target(room: Room, size: str) -> None:
    chair, site = room.open(), room.site(0, size)
    site.get_by_role("button", name="Xin phát biểu").click()
    expect(chair.locator(".queue-row")).to_have_count(1)
    if size == "phone":
        chair.set_viewport_size({"width": 390, "height": 844})
        chair.get_by_role("tab", name="Hàng chờ").click()
    for name, page in (("chair", chair), ("site", site)):
        no_faults(page, f"room-{name}-{size}-queue")
    site.get_by_role("button", name="Thêm").click()
    site.get_by_role("menuitem", name="Phím tắt").click()
    assert site.evaluate(RUN_AXE) == []


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_saving_bandwidth_is_chosen_at_the_door_and_changed_in_the_room(
    room: Room, size: str
) -> None:
    page = new_context(room.chromium, room.url, size).new_page()
    page.goto(f"/vao/{room.live.sites[0].join_code}")
    switch = page.get_by_label("Tiết kiệm băng thông")
    expect(switch).not_to_be_checked()
    switch.check()
    screenshot(page, f"room-prejoin-saving-{size}")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    assert page.evaluate(RUN_AXE) == []
    with page.expect_request("**/token") as asked:
        page.get_by_role("button", name="Vào họp").click()
        room.open()
    assert asked.value.post_data_json["is_saving"] is True
    page.get_by_role("button", name="Thêm").click()
    item = page.get_by_role("menuitem", name="Tiết kiệm băng thông")
    expect(item).to_contain_text("Đang bật")
    screenshot(page, f"room-menu-saving-{size}")
    item.click()
    page.get_by_role("button", name="Thêm").click()
    expect(item).not_to_contain_text("Đang bật")
    page.reload()
    expect(page.get_by_label("Tiết kiệm băng thông")).not_to_be_checked()
