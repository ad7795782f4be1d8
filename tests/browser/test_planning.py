"""Planning a meeting in a real browser: the classification first, the tree, the agenda, papers."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from conference.access.sample import PASSWORD
from tests.support.browser import invite, log_in, new_context
from tests.support.page_server import page_server
from tests.support.service import wait_until

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with page_server(tmp_path_factory.mktemp("pages")) as url:
        yield url


@pytest.fixture
def page(address: str, chromium: Browser) -> Iterator[Page]:
    context = new_context(chromium, address)
    found = context.new_page()
    log_in(found, "thuky", PASSWORD)
    yield found
    context.close()


def classify(page: Page) -> None:
    page.goto("/cuoc-hop/tao")
    page.check("input[name=classification][value=khong]")


def plan(page: Page, title: str) -> str:
    """Plan a meeting with two clicks in the tree; its address."""
    classify(page)
    page.check("input[name=scope][value=intra]")
    page.fill("#title", title)
    page.fill("#day", "10/12/2026")
    page.fill("#starts", "8:00")
    page.fill("#ends", "11h30")
    page.select_option("#chair", label="Nguyễn Văn An, Chủ tịch UBND tỉnh (mẫu)")
    page.select_option("#secretary", label="Hoàng Thị Hạnh, Chuyên viên tổng hợp (mẫu)")
    page.click("[data-all=commune]")
    invite(page)
    return page.url.rpartition("/")[0]


def test_nothing_can_be_typed_before_the_classification_and_nothing_after_secret(
    page: Page,
) -> None:
    page.goto("/cuoc-hop/tao")
    expect(page.locator("#title")).to_be_disabled()
    expect(page.get_by_text("Chọn độ mật trước khi nhập.")).to_be_visible()
    page.check("input[name=classification][value=mat]")
    expect(page.locator("#title")).to_be_disabled()
    expect(page.locator("button[name=invite]")).to_be_disabled()
    expect(page.get_by_role("alert").get_by_text("Không được họp nội dung Mật")).to_be_visible()
    page.check("input[name=classification][value=khong]")
    expect(page.locator("#title")).to_be_enabled()


def test_all_communes_are_one_click_and_every_one_is_invited(page: Page) -> None:
    address = plan(page, "Giao ban toàn tỉnh")
    page.goto(f"{address}/thanh-phan")
    expect(page.locator("#site-rows tr")).to_have_count(102)
    page.fill("[data-filter='#site-rows']", "dak pxi")
    expect(page.locator("#site-rows tr:visible")).to_have_count(1)
    expect(page.locator("#site-rows tr:visible")).to_contain_text("Xã Đắk PXi")
    page.locator("#site-rows tr:visible [data-qr]").click()
    expect(page.locator("#qr-dialog img")).to_be_visible()
    assert page.locator("#qr-image").evaluate("picture => picture.decode().then(() => true)")


def test_a_group_shows_a_dash_when_some_of_it_are_chosen(page: Page) -> None:
    classify(page)
    page.fill("#tree-search", "so y te")
    page.get_by_label("Sở Y tế", exact=True).check()
    page.fill("#tree-search", "")
    group = page.locator("[data-group=provincial_unit] > .tree-row [data-group-box]")
    assert group.evaluate("box => box.indeterminate")
    expect(page.locator("#selected li")).to_have_count(1)
    page.click("[data-all=provincial_unit]")
    expect(group).to_be_checked()
    assert not group.evaluate("box => box.indeterminate")
    page.get_by_role("button", name="Bỏ Sở Y tế").click()
    assert group.evaluate("box => box.indeterminate")
    expect(page.locator("#selected li")).to_have_count(21)


def test_sites_are_chosen_with_the_keyboard_alone(page: Page) -> None:
    classify(page)
    page.focus("#tree-search")
    page.keyboard.type("ia toi")
    page.keyboard.press("ArrowDown")  # the group of communes
    page.keyboard.press("ArrowDown")  # its district
    page.keyboard.press("ArrowDown")  # the commune
    page.keyboard.press("Space")
    expect(page.locator("#selected li")).to_contain_text("Xã Ia Tơi")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_label("Xã Ia Tơi", exact=True)).to_be_hidden()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_label("Xã Ia Tơi", exact=True)).to_be_visible()


def test_agenda_items_are_added_moved_and_removed_with_the_keyboard(page: Page) -> None:
    classify(page)
    page.focus("[name=agenda_title]")
    page.keyboard.type("Một")
    page.keyboard.press("Enter")
    page.keyboard.type("Hai")
    titles = page.locator("#agenda-rows [name=agenda_title]")
    expect(titles).to_have_count(2)
    page.locator(".agenda-row").nth(1).get_by_label("Đưa mục lên").press("Enter")
    assert titles.evaluate_all("all => all.map(one => one.value)") == ["Hai", "Một"]
    page.locator(".agenda-row").nth(0).get_by_label("Bỏ mục").press("Enter")
    expect(titles).to_have_count(1)
    expect(titles).to_have_value("Một")


def test_warnings_follow_what_is_typed(page: Page) -> None:
    classify(page)
    page.check("input[name=scope][value=intra]")
    page.fill("#day", "13/12/2026")
    page.fill("#starts", "8:00")
    page.fill("#ends", "9:00")
    expect(page.locator("#advice")).to_contain_text("13/12/2026 là Chủ nhật.")


def test_what_was_typed_survives_closing_the_window(page: Page) -> None:
    classify(page)
    page.fill("#title", "Chưa xong")
    page.fill("[name=agenda_title]", "Một")
    page.click("#agenda-add")
    page.locator("[name=agenda_title]").nth(1).fill("Hai")
    kept = "localStorage.getItem('diemcau.draft.meeting-new') ?? ''"
    wait_until(lambda: "Hai" in page.evaluate(kept), "the draft is kept")
    page.goto("/cuoc-hop")
    page.goto("/cuoc-hop/tao")
    expect(page.locator("#title")).to_have_value("Chưa xong")
    expect(page.locator("[name=agenda_title]").nth(1)).to_have_value("Hai")


def test_faults_lead_to_their_fields_and_keep_what_was_typed(page: Page) -> None:
    classify(page)
    page.check("input[name=scope][value=central]")
    page.fill("#external_host", "Văn phòng Chính phủ")
    page.fill("#day", "hôm nào đó")
    page.click("button[name=invite]")
    summary = page.locator(".error-summary")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text("Ngày không đọc được")
    expect(page.locator("#day")).to_have_value("hôm nào đó")
    expect(page.locator("#external_host")).to_have_value("Văn phòng Chính phủ")
    page.get_by_role("link", name=re.compile("Ngày họp")).click()
    expect(page.locator("#day")).to_be_focused()


def test_the_list_answers_while_one_types_and_keeps_it_in_the_address(page: Page) -> None:
    plan(page, "Tổng kết năm học")
    page.goto("/cuoc-hop")
    page.locator("#q").press_sequentially("tong ket", delay=20)
    expect(page.locator(".result-count")).to_be_visible()
    expect(page).to_have_url(re.compile(r"q=tong(\+|%20)ket"))
    page.get_by_label("Đã qua").check(force=True)
    expect(page).to_have_url(re.compile("thoi-gian=da-qua"))
    page.reload()
    expect(page.locator("#q")).to_have_value("tong ket")
    expect(page.locator("#results")).to_contain_text("Không tìm thấy “tong ket”.")


def test_a_file_that_is_too_large_is_refused_before_a_byte_leaves(
    page: Page, tmp_path: Path
) -> None:
    address = plan(page, "Họp có tài liệu")
    page.goto(f"{address}/tai-lieu")
    huge = tmp_path / "video.pdf"
    with huge.open("wb") as file:
        file.truncate(2 << 30)  # sparse
    sent = []
    page.on("request", lambda request: sent.append(request.method))
    page.set_input_files("#file", huge)
    expect(page.locator("#file-error")).to_contain_text("Tệp quá lớn; tối đa 200 MB.")
    page.check("#not_secret")
    page.click("#upload button[type=submit]")
    assert "POST" not in sent
    small = tmp_path / "Chương trình.pdf"
    small.write_bytes(b"%PDF-1.7\n")
    page.set_input_files("#file", small)
    page.click("#upload button[type=submit]")
    with page.expect_download() as download:
        page.get_by_role("link", name="Chương trình.pdf").click()
    assert download.value.suggested_filename == "Chương trình.pdf"


def test_calling_off_asks_once_and_says_whom_it_concerns(page: Page) -> None:
    plan(page, "Họp sẽ hủy")
    page.get_by_text("Thêm", exact=True).click()
    page.get_by_role("button", name="Hủy họp").first.click()
    dialog = page.locator("dialog#cancel")
    expect(dialog).to_contain_text("102 điểm cầu sẽ nhận thông báo hủy.")
    dialog.get_by_label("Bất khả kháng").check()
    dialog.locator("textarea").fill("Tránh bão")
    dialog.get_by_role("button", name="Hủy họp").click()
    expect(page.get_by_text("Bất khả kháng. Lý do: Tránh bão")).to_be_visible()
    expect(page.get_by_role("link", name="Vào họp")).to_have_count(0)
