"""The administrator's desk: a reform of units, tables taken in after their faults are mended."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.looking import look
from tests.support.office import opened, thursday, typed

pytestmark = pytest.mark.browser
COLUMNS = ("Tên đăng nhập", "Họ và tên", "Vai trò", "Mã đơn vị", "Chức vụ")
PEOPLE = (
    ("lan.nt", "Nguyễn Thị Lan", "đại biểu", "62-S02", "Chuyên viên"),
    ("hung.tv", "Trần Văn Hùng", "văn thư", "62-S16", "Văn thư"),
)


@pytest.fixture
def admin(tmp_path: Path, chromium: Browser) -> Iterator[Page]:
    with opened(tmp_path, chromium) as office:
        yield office.desk("quantri")


def table(path: Path, *rows: tuple[str, ...]) -> Path:
    """A workbook as an office sends it."""
    book = openpyxl.Workbook()
    for row in (COLUMNS, *rows):
        book.active.append(row)
    book.save(path)
    return path


def named(admin: Page, unit: str) -> Locator:
    """Links of the page's content to units of that name."""
    return admin.get_by_role("main").get_by_role("link", name=re.compile(unit, re.IGNORECASE))


def change(admin: Page, unit: str, word: str) -> None:
    """Open the form of one change of one unit, as it is found in the tree."""
    admin.goto(f"/quan-tri/co-cau?q={unit}")
    admin.get_by_role("main").get_by_role(
        "link", name=re.compile(unit, re.IGNORECASE)
    ).first.click()
    admin.get_by_text("Thay đổi", exact=True).click()
    admin.get_by_role("link", name=word).click()


def test_units_are_renamed_merged_and_split_and_each_day_shows_its_own(admin: Page) -> None:
    day = thursday(4)
    change(admin, "Xã Ia Tơi", "Đổi tên")
    admin.get_by_label("Ngày hiệu lực").fill("31/02/2027")
    admin.get_by_label("Tên mới").fill("Ủy ban nhân dân xã Ia Tơi Mới")
    admin.get_by_role("button", name="Xem trước").press("Enter")
    expect(admin.locator(".error-summary")).to_be_focused()
    expect(admin.get_by_label("Tên mới")).to_have_value("Ủy ban nhân dân xã Ia Tơi Mới")
    look(admin, "flow-unit-fault")
    admin.get_by_label("Ngày hiệu lực").fill(typed(day))
    admin.get_by_label("Căn cứ").fill("Nghị quyết số 9/NQ-HĐND")
    admin.get_by_label("Mã").fill("23538")
    admin.get_by_label("Loại đơn vị").fill("xã")
    admin.get_by_role("button", name="Xem trước").press("Enter")
    expect(admin.get_by_text("1 điểm cầu, 0 người bị ảnh hưởng.")).to_be_visible()
    look(admin, "flow-unit-preview")
    admin.get_by_role("button", name="Đổi tên").press("Enter")
    expect(admin.locator("h1")).to_have_text("Ủy ban nhân dân xã Ia Tơi Mới")
    expect(admin.get_by_role("main")).to_contain_text("Nghị quyết số 9/NQ-HĐND")
    look(admin, "flow-unit-history")

    change(admin, "Xã Đắk PXi", "Sáp nhập")
    admin.get_by_label("Ngày hiệu lực").fill(typed(day))
    admin.get_by_label("Căn cứ").fill("Nghị quyết số 9/NQ-HĐND")
    others = admin.get_by_label("Đơn vị cùng sáp nhập")
    others.select_option(label=others.locator("option", has_text="Đăk Long").first.inner_text())
    admin.get_by_label("Tên mới").fill("Ủy ban nhân dân xã Đăk Pxi")
    admin.get_by_label("Mã").fill("99001")
    admin.get_by_label("Loại đơn vị").fill("xã")
    admin.get_by_role("button", name="Xem trước").press("Enter")
    expect(admin.get_by_text("2 điểm cầu")).to_be_visible()
    admin.get_by_role("button", name="Sáp nhập").press("Enter")
    expect(admin.locator("h1")).to_have_text("Ủy ban nhân dân xã Đăk Pxi")

    change(admin, "Xã Sa Loong", "Chia tách")
    admin.get_by_label("Ngày hiệu lực").fill(typed(day))
    admin.get_by_label("Căn cứ").fill("Nghị quyết số 9/NQ-HĐND")
    admin.get_by_label("Các đơn vị mới").fill("UBND xã Sa Loong 1; 99002; xã\nUBND xã Sa Loong 2")
    admin.get_by_role("button", name="Xem trước").press("Enter")
    expect(admin.locator("#opening-error")).to_be_visible()
    admin.get_by_label("Các đơn vị mới").press("End")
    admin.get_by_label("Các đơn vị mới").fill(
        "UBND xã Sa Loong 1; 99002; xã\nUBND xã Sa Loong 2; 99003; xã"
    )
    admin.get_by_role("button", name="Xem trước").press("Enter")
    admin.get_by_role("button", name="Chia tách").press("Enter")
    expect(admin.locator("h1")).to_contain_text("Sa Loong")

    for when, seen, gone in (
        (day, ("Đăk Pxi", "Ia Tơi Mới", "Sa Loong 2"), ("Đăk Long",)),
        (day - timedelta(days=1), ("Đắk PXi", "Đăk Long"), ("Ia Tơi Mới", "Sa Loong 2")),
    ):
        for name in (*seen, *gone):
            admin.goto(f"/quan-tri/co-cau?ngay={typed(when)}&q={name}")
            count = (
                admin.get_by_role("main")
                .get_by_role("link", name=re.compile(name, re.IGNORECASE))
                .count()
            )
            assert bool(count) == (name in seen), f"{name} on {when}"


def test_a_faulty_table_is_named_by_row_and_column_then_taken_in_whole(
    admin: Page, tmp_path: Path
) -> None:
    wrong = ("lan nt", "", "vua", "62-S99", "Chuyên viên")
    admin.goto("/quan-tri/nhap")
    admin.get_by_label("Nhập gì").select_option(label="Tài khoản")
    admin.set_input_files("input[type=file]", table(tmp_path / "loi.xlsx", *PEOPLE, wrong))
    admin.get_by_role("button", name="Xem trước").press("Enter")
    faults = admin.get_by_role("region", name="Các lỗi")
    expect(faults.get_by_role("row", name=re.compile("4.*Họ và tên"))).to_be_visible()
    expect(faults.get_by_role("row", name=re.compile("4.*Mã đơn vị"))).to_contain_text("62-S99")
    expect(faults.get_by_role("row", name=re.compile("4.*Vai trò"))).to_be_visible()
    expect(admin.get_by_role("button", name="Nhập", exact=True)).to_have_count(0)
    look(admin, "flow-import-faults")

    admin.get_by_label("Nhập gì").select_option(label="Tài khoản")
    admin.set_input_files("input[type=file]", table(tmp_path / "dung.xlsx", *PEOPLE))
    admin.get_by_role("button", name="Xem trước").press("Enter")
    expect(admin.get_by_text("Mới 2, cập nhật 0, không đổi 0, lỗi 0.")).to_be_visible()
    look(admin, "flow-import-preview")
    with admin.expect_download() as kept:
        admin.get_by_role("link", name="CSV Tài khoản").click()
    assert "lan.nt" not in Path(kept.value.path()).read_text(encoding="utf-8-sig")
    admin.get_by_role("button", name="Nhập", exact=True).press("Enter")
    expect(admin.get_by_text("Đã nhập: mới 2, cập nhật 0.")).to_be_visible()
    admin.goto("/quan-tri/tai-khoan?q=nguyen+thi+lan")
    expect(admin.get_by_role("row", name=re.compile("lan.nt"))).to_contain_text("Nguyễn Thị Lan")

    admin.goto("/quan-tri/nhap")
    with admin.expect_download() as exported:
        admin.get_by_role("link", name="XLSX Tài khoản").click()
    admin.get_by_label("Nhập gì").select_option(label="Tài khoản")
    admin.set_input_files("input[type=file]", exported.value.path())
    admin.get_by_role("button", name="Xem trước").press("Enter")
    expect(admin.get_by_text("Mọi dòng đã có như trong danh bạ.")).to_be_visible()
