"""The desk of the secretariat: what an officer, the chief, a unit, the chair and a leader do."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.held_year import fill_year
from tests.support.looking import look
from tests.support.office import Office, fill_meeting, opened, thursday, typed, week_of

pytestmark = pytest.mark.browser
SENTENCE = (
    "Năm 2020, hệ thống đã phục vụ 93 cuộc họp trực tuyến "
    "(56 cuộc họp Trung ương với tỉnh và 37 cuộc họp nội tỉnh)."
)


@pytest.fixture
def office(tmp_path: Path, chromium: Browser) -> Iterator[Office]:
    with opened(tmp_path, chromium) as made:
        yield made


def requested(officer: Page, title: str, weeks: int) -> str:
    """A meeting that waits for approval; its address without a tab."""
    fill_meeting(officer, title, thursday(weeks))
    officer.click("button[name=request]")
    officer.fill("#warnings_reason", "Lãnh đạo yêu cầu")
    officer.get_by_role("button", name="Vẫn trình").click()
    officer.wait_for_url("**/tong-quan")
    return officer.url.rpartition("/")[0]


def invited(office: Office, title: str, weeks: int) -> str:
    """A meeting the chief approved and the officer announced."""
    officer, chief = office.desk("thuky"), office.desk("cvp")
    address = requested(officer, title, weeks)
    chief.goto("/hom-nay")
    chief.get_by_role("link", name=re.compile(title)).first.click()
    chief.get_by_role("button", name="Duyệt", exact=True).click()
    expect(chief.locator(".steps [aria-current]")).to_have_text("Đã duyệt")
    officer.goto(f"{address}/tong-quan")
    officer.get_by_role("button", name="Gửi lời mời").click()
    officer.locator("dialog[open]").get_by_role("button", name="Gửi lời mời").click()
    expect(officer.locator(".steps [aria-current]")).to_have_text("Đã mời")
    return address


def test_a_unit_names_its_people_and_the_chair_agrees_to_a_substitute(office: Office) -> None:
    address = invited(office, "Họp về y tế cơ sở", 3)
    unit = office.desk("diemcau1")
    unit.goto("/hom-nay")
    unit.get_by_role("link", name="Họp về y tế cơ sở").first.click()
    look(unit, "flow-site-meeting")
    unit.get_by_role("link", name="Trả lời giấy mời").first.click()
    unit.get_by_role("button", name="Gửi trả lời").click()
    expect(unit.locator(".error-summary")).to_be_visible()
    look(unit, "flow-reply-fault")
    unit.locator("input[name=answer][value=accepted]").check()
    unit.get_by_label("Số người dự").fill("12")
    unit.get_by_label("Danh sách đại biểu").fill(
        "Y Mửi, Phó Giám đốc\nLê Văn Sỹ, Trưởng phòng Nghiệp vụ Y"
    )
    unit.get_by_label("Người vắng mặt").fill("Giám đốc Trần Văn Bình")
    unit.get_by_label("Người dự thay", exact=True).fill("Y Mửi")
    unit.get_by_label("Chức vụ người dự thay").fill("Phó Giám đốc")
    unit.get_by_role("button", name="Gửi trả lời").press("Enter")
    expect(unit.get_by_text("Chờ chủ tọa đồng ý")).to_be_visible()
    look(unit, "flow-reply-given")

    chair = office.desk("chutoa")
    chair.goto(f"{address}/tra-loi?loc=dong-y")
    expect(chair.get_by_role("main")).to_contain_text("Y Mửi dự thay Giám đốc Trần Văn Bình")
    look(chair, "flow-consent")
    chair.get_by_role("button", name="Đồng ý Y Mửi", exact=True).press("Enter")
    unit.reload()
    expect(unit.get_by_text("Chủ tọa đồng ý", exact=True)).to_be_visible()

    officer = office.desk("thuky")
    officer.goto(f"{address}/tra-loi")
    row = officer.get_by_role("row", name=re.compile("Sở Y tế"))
    expect(row).to_contain_text("12")
    expect(row).to_contain_text("Lê Văn Sỹ")
    look(officer, "flow-replies")
    officer.goto(f"{address}/diem-danh?xem=dai-bieu")
    row = officer.get_by_role("row", name=re.compile("Y Mửi"))
    expect(row).to_contain_text("thay Giám đốc Trần Văn Bình")


def test_a_postponed_meeting_adjusts_the_week_that_was_published(office: Office) -> None:
    day = thursday(5)
    address = invited(office, "Họp về giao thông", 5)
    officer, portal = office.desk("thuky"), office.stranger()
    public = f"/cong-khai/lich-tuan/{week_of(day)}"
    portal.goto(public)
    expect(portal.get_by_text("Lịch tuần này chưa công bố.")).to_be_visible()
    look(portal, "flow-week-unpublished")
    officer.goto(f"/lich-tuan/{week_of(day)}")
    officer.get_by_role("button", name="Công bố").press("Enter")
    expect(officer.get_by_text("Lịch chưa có gì thay đổi so với bản đã công bố.")).to_be_visible()
    portal.reload()
    expect(portal.get_by_role("table")).to_contain_text("Họp về giao thông")
    expect(portal.get_by_role("main")).not_to_contain_text("Điều chỉnh")

    officer.goto(f"{address}/tong-quan")
    officer.get_by_text("Thêm", exact=True).click()
    officer.get_by_role("button", name="Hoãn họp").first.click()
    dialog = officer.locator("dialog#postpone")
    expect(dialog).to_contain_text("11 điểm cầu sẽ nhận thư báo hoãn")
    dialog.get_by_label("Bất khả kháng").check()
    dialog.locator("textarea").fill("Sạt lở đường, mất điện")
    look(officer, "flow-postpone-asked", "desktop")
    dialog.get_by_role("button", name="Hoãn họp").click()
    expect(officer.get_by_text("Cuộc họp hoãn, chưa có thời gian mới.")).to_be_visible()

    officer.goto(f"/lich-tuan/{week_of(day)}")
    officer.get_by_role("button", name="Công bố").click()
    expect(officer.locator("#reason-error")).to_be_visible()
    look(officer, "flow-week-reason-missing")
    officer.get_by_label("Lý do điều chỉnh").fill("Hoãn họp về giao thông vì mưa lũ")
    officer.keyboard.press("Enter")
    expect(officer.get_by_text("Lý do: Hoãn họp về giao thông vì mưa lũ").first).to_be_visible()
    portal.reload()
    expect(portal.get_by_role("main")).to_contain_text("(Điều chỉnh lần 1)")
    expect(portal.get_by_role("table")).not_to_contain_text("Họp về giao thông")
    look(portal, "flow-week-adjusted")


def test_a_leader_reads_the_year_in_one_sentence_and_changes_nothing(office: Office) -> None:
    with office.province.database.transaction() as session:
        fill_year(session, 2020)
    leader = office.desk("pct1")
    leader.goto("/thong-ke?tu=2020-01-01&den=2020-12-31")
    expect(leader.locator("#sentence")).to_have_text(SENTENCE)
    look(leader, "flow-leader-statistics")
    for path in ("/hom-nay", "/cuoc-hop?thoi-gian=da-qua", "/nhiem-vu", "/lich-tuan"):
        leader.goto(path)
        look(leader, f"flow-leader{path.partition('?')[0].replace('/', '-')}")
        for button in ("Tạo cuộc họp", "Công bố", "Sửa"):
            expect(leader.get_by_role("main").get_by_text(button, exact=True)).to_have_count(0)
    leader.goto("/cuoc-hop?thoi-gian=da-qua")
    leader.get_by_role("link", name=re.compile("Họp mẫu số")).first.click()
    expect(leader.locator("main form[method=post]")).to_have_count(0)


def test_an_outsider_learns_nothing_of_a_meeting_from_any_page(office: Office) -> None:
    address = invited(office, "Họp kín đáo", 7)
    outsider, nobody = office.desk("diemcau3"), office.stranger()
    outsider.goto("/cuoc-hop?q=kin+dao")
    expect(outsider.get_by_role("main")).not_to_contain_text("Họp kín đáo")
    for tab in (
        "tong-quan", "thanh-phan", "tai-lieu", "giay-moi", "tra-loi", "diem-danh", "ban-ghi",
        "bien-ban", "ket-luan", "nhat-ky", "sua", "ho-so.zip",
    ):  # fmt: skip
        refused = outsider.request.get(f"{address}/{tab}")
        assert refused.status in {403, 404}, tab
        assert "kín đáo" not in refused.text()
        asked = nobody.request.get(f"{address}/{tab}", max_redirects=0)
        assert asked.status in {302, 401}, tab
    outsider.goto(f"{address}/tong-quan")
    expect(outsider.get_by_role("main")).to_contain_text("Không có quyền")
    look(outsider, "flow-outsider")


def test_a_series_moves_one_meeting_drops_another_and_keeps_the_rest(office: Office) -> None:
    officer, day = office.desk("thuky"), thursday(9)
    fill_meeting(officer, "Giao ban thứ Năm", day)
    officer.select_option("#rhythm", "weekly")
    officer.fill("#repeat_count", "5")
    officer.fill("#repeat_left_out", typed(thursday(11)))
    officer.click("button[name=draft]")
    expect(officer.get_by_text("Đã lưu 4 cuộc họp của chuỗi.")).to_be_visible()
    officer.goto("/cuoc-hop?q=giao+ban+thu+nam")
    rows = officer.locator(".meeting-table tbody tr")
    expect(rows).to_have_count(4)
    expect(officer.get_by_role("main")).not_to_contain_text(typed(thursday(11)))
    rows.filter(has_text=typed(thursday(10))).get_by_role("link").first.click()
    officer.get_by_role("link", name="Sửa").first.click()
    officer.get_by_label("Chỉ cuộc họp này").check()
    officer.fill("#starts", "14:00")
    officer.fill("#ends", "16:00")
    officer.click("button[name=draft]")
    officer.wait_for_url("**/tong-quan")
    officer.goto("/cuoc-hop?q=giao+ban+thu+nam")
    expect(rows.filter(has_text="14:00")).to_have_count(1)
    expect(rows.filter(has_text="8:00")).to_have_count(3)
    look(officer, "flow-series-list")
    rows.filter(has_text=typed(thursday(12))).get_by_role("link").first.click()
    officer.get_by_text("Thêm", exact=True).click()
    officer.get_by_role("button", name="Hủy họp").first.click()
    dialog = officer.locator("dialog#cancel")
    dialog.get_by_label("Cuộc họp này và các cuộc sau").check()
    look(officer, "flow-series-cancel", "desktop")
    dialog.get_by_label("Bất khả kháng").check()
    dialog.locator("textarea").fill("Đổi cách giao ban")
    dialog.get_by_role("button", name="Hủy họp").click()
    officer.goto("/cuoc-hop?q=giao+ban+thu+nam")
    expect(rows.filter(has_text="Hủy")).to_have_count(2)
