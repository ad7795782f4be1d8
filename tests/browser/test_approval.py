"""Request, approval, series and two editors, by the people whose part it is, by keyboard."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from conference.access.sample import PASSWORD
from tests.browser.test_planning import address, classify
from tests.support.browser import SIZES, invite, log_in, new_context, screenshot
from tests.support.looking import AXE, RUN_AXE

pytestmark = pytest.mark.browser
__all__ = ["address"]
PASTE = """(text) => {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/plain", text);
  const paste = new ClipboardEvent("paste", {clipboardData, bubbles: true, cancelable: true});
  document.querySelector("[name=agenda_title]").dispatchEvent(paste);
}"""
CHAIR = "Nguyễn Văn An, Chủ tịch UBND tỉnh (mẫu)"


@pytest.fixture
def office(address: str, chromium: Browser) -> Iterator[dict[str, Page]]:
    """The officer, the chief of office and the administrator, each at their own desk."""
    contexts = {name: new_context(chromium, address) for name in ("thuky", "cvp", "quantri")}
    pages = {}
    for name, context in contexts.items():
        pages[name] = context.new_page()
        log_in(pages[name], name, PASSWORD)
    yield pages
    for context in contexts.values():
        context.close()


def tab_to(page: Page, name: str, most: int = 60) -> None:
    """Go to the control called ``name`` with the Tab key alone."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText.trim()") == name:
            return
    raise AssertionError(f"Tab does not reach {name}")


def fill(page: Page, title: str, day: str = "10/12/2026") -> None:
    classify(page)
    page.check("input[name=scope][value=intra]")
    page.fill("#title", title)
    page.fill("#day", day)
    page.fill("#starts", "8:00")
    page.fill("#ends", "10:00")
    page.select_option("#chair", label=CHAIR)
    page.click("[data-all=district]")


def no_faults(page: Page) -> None:
    # as tall as its content: what a list has scrolled away is not out of reach
    height = int(page.evaluate("document.documentElement.scrollHeight"))
    page.set_viewport_size({"width": SIZES["desktop"][0], "height": height})
    page.evaluate(AXE.read_text(encoding="utf-8"))
    assert page.evaluate(RUN_AXE) == []
    width, height = SIZES["desktop"]
    page.set_viewport_size({"width": width, "height": height})


def test_a_request_is_asked_about_once_approved_and_invited_by_keyboard(
    office: dict[str, Page],
) -> None:
    officer, chief = office["thuky"], office["cvp"]
    fill(officer, "Họp xin duyệt")
    officer.focus("button[name=request]")
    officer.keyboard.press("Enter")
    question = officer.locator(".summary-question")
    expect(question).to_be_focused()
    expect(question).to_contain_text("cảnh báo. Vẫn trình?")
    expect(officer.locator("#title")).to_have_value("Họp xin duyệt")
    no_faults(officer)
    screenshot(officer, "submit-question-desktop")
    officer.fill("#warnings_reason", "Lãnh đạo yêu cầu")
    tab_to(officer, "Vẫn trình")
    officer.keyboard.press("Enter")
    officer.wait_for_url("**/tong-quan")
    expect(officer.get_by_role("button", name="Duyệt", exact=True)).to_have_count(0)

    chief.goto(officer.url)
    no_faults(chief)
    tab_to(chief, "Duyệt")
    chief.keyboard.press("Enter")
    expect(chief.locator(".steps [aria-current]")).to_have_text("Đã duyệt")
    screenshot(chief, "meeting-approved-desktop")

    officer.reload()
    tab_to(officer, "Gửi lời mời")
    officer.keyboard.press("Enter")
    dialog = officer.locator("dialog[open]")
    expect(dialog).to_contain_text("10 điểm cầu sẽ nhận thư mời.")
    dialog.get_by_role("button", name="Gửi lời mời").press("Enter")
    expect(officer.locator(".steps [aria-current]")).to_have_text("Đã mời")


def test_the_second_editor_takes_a_field_over_and_keeps_the_rest(office: dict[str, Page]) -> None:
    first, second = office["quantri"], office["thuky"]
    fill(second, "Họp hai người sửa")
    second.click("button[name=draft]")
    second.wait_for_url("**/tong-quan")
    edit = second.url.replace("tong-quan", "sua")
    second.goto(edit)
    first.goto(edit)
    first.fill("#location", "Hội trường lớn")
    first.fill("#starts", "9:00")
    first.click("button[name=draft]")
    first.wait_for_url("**/tong-quan")
    second.fill("#title", "Tên của tôi")
    second.click("button[name=draft]")
    table = second.locator(".difference")
    expect(table).to_contain_text("Hội trường lớn")
    expect(table.locator("tbody tr")).to_have_count(3)
    no_faults(second)
    screenshot(second, "edit-clash-desktop")
    second.get_by_role("button", name="Lấy bản đã lưu: Địa điểm chính").press("Enter")
    expect(second.locator("#location")).to_have_value("Hội trường lớn")
    second.get_by_role("button", name="Giữ bản của tôi").press("Enter")
    second.wait_for_url("**/tong-quan")
    expect(second.locator("h1")).to_have_text("Tên của tôi")
    expect(second.get_by_text("Hội trường lớn")).to_be_visible()


def test_a_clash_is_shown_while_typing_and_one_press_finds_a_free_time(
    office: dict[str, Page],
) -> None:
    page = office["thuky"]
    fill(page, "Họp trước", day="15/12/2026")
    invite(page)
    fill(page, "Họp trùng giờ", day="15/12/2026")
    expect(page.locator("#advice")).to_contain_text("Trùng lịch: Nguyễn Văn An")
    screenshot(page, "meeting-clash-desktop")
    no_faults(page)
    page.locator("[data-free-day]").press("Enter")
    expect(page.locator("#starts")).to_have_value("13:00")
    expect(page.locator("#ends")).to_have_value("15:00")
    expect(page.locator("#advice")).not_to_contain_text("Trùng lịch")


def test_ten_thousand_pasted_lines_fill_the_agenda_and_the_rest_is_kept(
    office: dict[str, Page],
) -> None:
    page = office["thuky"]
    classify(page)
    page.evaluate(PASTE, "\n".join(f"Dòng {n}" for n in range(10_000)))
    expect(page.locator(".agenda-row")).to_have_count(100)
    expect(page.locator("#agenda-pasted")).to_contain_text("Đã dán 10000 dòng")
    kept = page.locator("#agenda-rest-text").input_value().split("\n")
    assert (len(kept), kept[0], kept[-1]) == (9900, "Dòng 100", "Dòng 9999")


def test_a_series_is_planned_and_one_meeting_changed_from_the_form(office: dict[str, Page]) -> None:
    page = office["thuky"]
    fill(page, "Giao ban tuần", day="05/01/2027")
    expect(page.locator("#repeat")).to_be_hidden()
    page.select_option("#rhythm", "weekly")
    page.fill("#repeat_count", "4")
    screenshot(page, "meeting-series-desktop")
    no_faults(page)
    page.click("button[name=draft]")
    page.wait_for_url("**/tong-quan")
    expect(page.get_by_text("Đã lưu 4 cuộc họp của chuỗi.")).to_be_visible()
    page.goto(page.url.replace("tong-quan", "sua"))
    page.get_by_label("Cả chuỗi").check()
    page.fill("#title", "Giao ban thứ Ba")
    page.click("button[name=draft]")
    page.wait_for_url("**/tong-quan")
    page.goto("/cuoc-hop?q=giao+ban+thu+ba")
    expect(page.locator(".meeting-table tbody tr")).to_have_count(4)
