"""The directory's pages: tree and units, sites, people, accounts, import and export."""

import html
import io
import re

import openpyxl
import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from conference.access.models import Account, AuditEntry, Role
from conference.directory import datasets
from conference.directory.datasets import Dataset
from conference.directory.models import Person, Site, Unit
from conference.scheduling import service as scheduling
from conference.scheduling.announcement import SilentAnnouncer
from tests.integration.pages.conftest import Pages
from tests.support.province import AT

PASSWORD = "mot cau dai de nho 2026"


@pytest.fixture
def admin(pages: Pages) -> FlaskClient:
    return pages.browser("quantri")


def said(answer: TestResponse) -> str:
    """The page's text without markup."""
    return html.unescape(re.sub(r"<[^>]+>", " ", answer.text))


def plain(answer: TestResponse) -> str:
    """`said` with single spaces."""
    return " ".join(said(answer).split())


def accounts_and_people(admin: FlaskClient) -> list[bytes]:
    return [admin.get(f"/quan-tri/xuat/{kind}.csv").data for kind in ("accounts", "people")]


def unit_id(pages: Pages, code: str) -> int:
    with pages.province.database.reading() as session:
        return session.scalars(
            select(Unit.id).where(Unit.code == code, Unit.valid_to.is_(None))
        ).one()


def count(pages: Pages, model: type[object]) -> int:
    with pages.province.database.reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


# --- units ---------------------------------------------------------------------------------------


def test_each_day_shows_its_own_tree(pages: Pages, admin: FlaskClient) -> None:
    with pages.province.database.transaction() as session:
        datasets.load(session, Dataset.QUANG_NGAI_2025, recorded_by="Quản trị", at=AT)
    old = said(admin.get("/quan-tri/co-cau?ngay=30/06/2025"))
    new = said(admin.get("/quan-tri/co-cau?ngay=2025-07-01"))
    assert "135 đơn vị" in old
    assert "Ủy ban nhân dân huyện Đắk Glei" in old
    assert "113 đơn vị" in new
    assert "huyện" not in new.replace("Cấp huyện", "")
    assert "Ủy ban nhân dân đặc khu Lý Sơn" in new
    assert "đơn vị" in said(admin.get("/quan-tri/co-cau?ngay=31/02/2025"))  # today instead
    found = said(admin.get("/quan-tri/co-cau?q=dak+glei&ngay=01/01/2020"))
    assert "Ủy ban nhân dân huyện Đắk Glei" in found


def test_a_meeting_keeps_the_names_of_its_day_after_a_reform(
    pages: Pages, admin: FlaskClient
) -> None:
    with pages.province.database.transaction() as session:
        site = session.scalars(select(Site).join(Site.unit).where(Unit.code == "23503")).one()
        meeting = scheduling.create_meeting(
            session, pages.province.draft(sites=[site.id]), actor=pages.province.secretary,
            at=AT, announcer=SilentAnnouncer(),
        )  # fmt: skip
        datasets.load(session, Dataset.QUANG_NGAI_2025, recorded_by="Quản trị", at=AT)
        number = meeting.id
    page = said(pages.browser().get(f"/cuoc-hop/{number}/thanh-phan"))
    assert "Xã Đắk PXi" in page
    assert "Ủy ban nhân dân huyện Đắk Hà" in page


def test_renaming_shows_its_effects_first_and_then_the_history(
    pages: Pages, admin: FlaskClient
) -> None:
    number = unit_id(pages, "62-S02")
    url = f"/quan-tri/don-vi/{number}/thay-doi/doi-ten"
    form = {
        "effective_on": "01/01/2027", "reference": "Nghị quyết 9/NQ-HĐND",
        "name": "Sở Nội vụ và Lao động", "code": "62-S02", "type": "sở", "xem": "1",
    }  # fmt: skip
    shown = admin.post(url, data=form)
    assert shown.status_code == 200
    assert "1 điểm cầu, 0 người bị ảnh hưởng" in said(shown)
    assert count(pages, Unit) == 135  # nothing is written by looking
    form.pop("xem")
    done = admin.post(url, data=form | {"ghi": "1"}, follow_redirects=True)
    text = said(done)
    assert "Sở Nội vụ và Lao động" in text
    assert "Nghị quyết 9/NQ-HĐND" in text
    assert "Từ:" in text
    old = said(admin.get(f"/quan-tri/don-vi/{number}"))
    assert "kết thúc hoạt động hết ngày 31/12/2026" in old
    with pages.province.database.reading() as session:
        actions = set(session.scalars(select(AuditEntry.action)))
    assert "unit.changed" in actions


def test_what_is_wrong_with_a_change_stands_beside_the_field_and_nothing_is_lost(
    pages: Pages, admin: FlaskClient
) -> None:
    url = f"/quan-tri/don-vi/{unit_id(pages, '62-S02')}/thay-doi/sap-nhap"
    form = {
        "effective_on": "31/02/2027",
        "reference": "",
        "name": "Sở Mới",
        "code": "M",
        "type": "sở",
    }
    answer = admin.post(url, data=form)
    assert answer.status_code == 422
    assert "Tháng 2/2027 chỉ có 28 ngày." in said(answer)
    assert 'value="31/02/2027"' in answer.text
    assert 'value="Sở Mới"' in answer.text
    answer = admin.post(url, data=form | {"effective_on": "01/01/2027"})
    assert answer.status_code == 422
    assert "ít nhất 2 đơn vị" in said(answer)
    assert "Nêu văn bản làm căn cứ" in said(answer)
    assert admin.get(f"/quan-tri/don-vi/{unit_id(pages, '62-S02')}/thay-doi/xoa").status_code == 404


def test_a_unit_is_added_and_corrected(pages: Pages, admin: FlaskClient) -> None:
    form = {
        "name": "Sở Du lịch", "code": "62-S40", "type": "sở", "level": "provincial_unit",
        "parent": str(unit_id(pages, "62")), "protocol_order": "24", "codes": "ĐD H34.40\nTK 99",
    }  # fmt: skip
    page = admin.post("/quan-tri/don-vi/tao", data=form, follow_redirects=True)
    assert "H34.40" in said(page)
    url = f"/quan-tri/don-vi/{unit_id(pages, '62-S40')}/sua"
    assert "ĐD H34.40" in html.unescape(admin.get(url).text)
    wrong = admin.post(url, data=form | {"code": "62-S02"})
    assert wrong.status_code == 422
    assert "Mã 62-S02 đang là mã của Sở Nội vụ" in said(wrong)
    admin.post(url, data=form | {"name": "Sở Du lịch tỉnh"})
    assert "Sở Du lịch tỉnh" in said(admin.get("/quan-tri/co-cau?q=du+lich"))


def test_a_site_tells_its_room_line_and_technician(pages: Pages, admin: FlaskClient) -> None:
    form = {
        "name": "Hội trường Sở Y tế", "unit": str(unit_id(pages, "62-S16")), "capacity": "60",
        "line_mbps": "20", "equipment": "Camera PTZ\n\n  Micro cổ ngỗng ", "technician": "",
        "technician_name": "Lan", "technician_phone": "0912", "is_active": "y",
    }  # fmt: skip
    assert admin.post("/quan-tri/diem-cau/tao", data=form).status_code == 302
    with pages.province.database.reading() as session:
        site = session.scalars(select(Site).where(Site.name == "Hội trường Sở Y tế")).one()
        assert (site.line_mbps, site.equipment) == (20, "Camera PTZ\nMicro cổ ngỗng")
    url = f"/quan-tri/diem-cau/{site.id}"
    wrong = admin.post(url, data=form | {"name": "", "capacity": "0", "line_mbps": "0"})
    assert wrong.status_code == 422
    assert "Nhập tên điểm cầu" in said(wrong)
    moved = admin.post(url, data=form | {"unit": str(unit_id(pages, "62-S02"))})
    assert moved.status_code == 302
    assert "Đơn vị trước đây" in said(admin.get(url))
    assert "Hội trường Sở Y tế" in said(admin.get("/quan-tri/diem-cau"))


# --- people and accounts ------------------------------------------------------------------------


def test_people_are_found_without_marks_and_offices_have_their_time(
    pages: Pages, admin: FlaskClient
) -> None:
    page = admin.post(
        "/quan-tri/nguoi/tao",
        data={"full_name": "Đỗ Thị Ánh", "email": "anh@kontum.example", "phone": "0905"},
        follow_redirects=True,
    )
    assert "Đỗ Thị Ánh" in said(page)
    with pages.province.database.reading() as session:
        person = session.scalars(select(Person).where(Person.full_name == "Đỗ Thị Ánh")).one()
    url = f"/quan-tri/nguoi/{person.id}/chuc-vu"
    office = {
        "title": "Giám đốc Sở (mẫu)", "unit": str(unit_id(pages, "62-S02")),
        "valid_from": "01/07/2025", "may_chair": "y",
    }  # fmt: skip
    assert "Giám đốc Sở (mẫu)" in said(admin.post(url, data=office, follow_redirects=True))
    assert admin.post(url, data=office | {"valid_to": "01/01/2025"}).status_code == 422
    with pages.province.database.reading() as session:
        kept = session.get_one(Person, person.id)
        assert (kept.title, kept.may_chair) == ("Giám đốc Sở (mẫu)", True)
        appointment = kept.appointments[0].id
    assert "Đỗ Thị Ánh" in said(admin.get("/quan-tri/nguoi?q=do+thi+anh"))
    admin.post(f"/quan-tri/chuc-vu/{appointment}/thoi")
    with pages.province.database.reading() as session:
        assert session.get_one(Person, person.id).may_chair is False


def test_a_new_account_sets_its_password_by_a_link_that_works_once(
    pages: Pages, admin: FlaskClient
) -> None:
    form = {
        "username": "Nguyen.Lan",
        "display_name": "Nguyễn Lan",
        "role": "delegate",
        "is_active": "y",
    }
    assert admin.post("/quan-tri/tai-khoan/tao", data=form).status_code == 302
    assert admin.post("/quan-tri/tai-khoan/tao", data=form).status_code == 422
    with pages.province.database.reading() as session:
        account = session.scalars(select(Account).where(Account.username == "nguyen.lan")).one()
    page = admin.post(f"/quan-tri/tai-khoan/{account.id}/dat-mat-khau")
    link = re.search(r"(/mat-khau/[\w-]{40,})", page.text)
    assert link is not None
    owner = pages.browser(None)
    weak = owner.post(link[1], data={"password": "ngan", "repeated": "ngan"})
    assert weak.status_code == 422
    assert "12 ký tự" in said(weak)
    differs = owner.post(link[1], data={"password": PASSWORD, "repeated": "khac"})
    assert "không giống nhau" in said(differs)
    assert owner.post(link[1], data={"password": PASSWORD, "repeated": PASSWORD}).status_code == 302
    assert owner.post(link[1], data={"password": PASSWORD, "repeated": PASSWORD}).status_code == 404
    owner.post("/dang-nhap", data={"username": "nguyen.lan", "password": PASSWORD})
    assert owner.get("/hom-nay").status_code == 200
    new = PASSWORD + " moi"
    wrong = owner.post("/mat-khau", data={"current": "sai", "password": new, "repeated": new})
    assert "hiện tại không đúng" in said(wrong)
    owner.post("/mat-khau", data={"current": PASSWORD, "password": new, "repeated": new})
    assert owner.get("/hom-nay").status_code == 200  # this browser stays logged in


def test_the_last_administrator_cannot_be_locked_out(pages: Pages, admin: FlaskClient) -> None:
    with pages.province.database.reading() as session:
        account = session.scalars(select(Account).where(Account.role == Role.ADMINISTRATOR)).one()
    url = f"/quan-tri/tai-khoan/{account.id}"
    answer = admin.post(url, data={"display_name": "X", "role": "clerk", "is_active": "y"})
    assert answer.status_code == 422
    assert "ít nhất một quản trị viên" in said(answer)


def test_a_switched_off_account_ends_its_sessions(pages: Pages, admin: FlaskClient) -> None:
    clerk = pages.browser("vanthu")
    assert clerk.get("/hom-nay").status_code == 200
    number = pages.province.actors["vanthu"].account_id
    form = {"display_name": "Vũ Ngọc Khánh", "role": "clerk", "person": "Vũ Ngọc Khánh"}
    assert admin.post(f"/quan-tri/tai-khoan/{number}", data=form).status_code == 302
    assert clerk.get("/hom-nay").status_code == 302


# --- import and export ---------------------------------------------------------------------------


def confirm_url(answer: TestResponse) -> str:
    found = re.search(r'action="(/quan-tri/nhap/\w+/[0-9a-f]{64})"', answer.text)
    assert found is not None, said(answer)
    return found[1]


def test_a_table_is_previewed_then_written_and_is_known_the_second_time(
    pages: Pages, admin: FlaskClient
) -> None:
    pasted = (
        "Tên đăng nhập\tHọ và tên\tVai trò\tMã đơn vị\tChức vụ\n"
        "lan.nt\tNguyễn Thị Lan\tđại biểu\t62-S02\tChuyên viên\n"
        "hung.tv\tTrần Văn Hùng\tVĂN THƯ\t62-S16\tVăn thư\n"
    )
    before = count(pages, Account)
    shown = admin.post("/quan-tri/nhap", data={"kind": "accounts", "pasted": pasted})
    assert "Mới 2, cập nhật 0, không đổi 0, lỗi 0" in said(shown)
    assert count(pages, Account) == before
    assert admin.post(confirm_url(shown)).status_code == 302
    assert count(pages, Account) == before + 2
    again = admin.post("/quan-tri/nhap", data={"kind": "accounts", "pasted": pasted})
    assert "Mới 0, cập nhật 0, không đổi 2, lỗi 0" in said(again)
    changed = pasted.replace("Trần Văn Hùng", "Trần Văn Hưng")
    shown = admin.post("/quan-tri/nhap", data={"kind": "accounts", "pasted": changed})
    assert "Mới 0, cập nhật 1" in said(shown)
    links = admin.post("/quan-tri/tai-khoan/dat-mat-khau.csv")
    assert links.text.count("/mat-khau/") == 2
    gone = admin.post("/quan-tri/nhap/accounts/" + "0" * 64, follow_redirects=True)
    assert "hết hạn chờ" in said(gone)


def test_one_fault_stops_everything_and_is_named_by_row_and_column(
    pages: Pages, admin: FlaskClient
) -> None:
    pasted = "Họ và tên;Mã đơn vị;Chức vụ\nNguyễn An;62-S02;A\n;62-S99;B\n"
    answer = admin.post("/quan-tri/nhap", data={"kind": "people", "pasted": pasted})
    text = " ".join(said(answer).split())
    assert answer.status_code == 422
    assert "3 Họ và tên Không được để trống." in text
    assert "3 Mã đơn vị Không có đơn vị nào mã 62-S99." in text
    assert "/quan-tri/nhap/people/" not in answer.text


def test_what_is_exported_can_be_imported_and_no_cell_is_a_formula(
    pages: Pages, admin: FlaskClient
) -> None:
    with pages.province.database.transaction() as session:
        session.get_one(Person, 1).phone = "+84 905 111 222"
    for kind in ("units", "sites", "people", "accounts"):
        for ending in ("xlsx", "csv"):
            data = admin.get(f"/quan-tri/xuat/{kind}.{ending}").data
            answer = admin.post(
                "/quan-tri/nhap",
                data={"kind": kind, "file": (io.BytesIO(data), f"x.{ending}")},
            )
            assert "Mới 0, cập nhật 0" in said(answer), f"{kind}.{ending}: {said(answer)[-900:]}"
    book = openpyxl.load_workbook(io.BytesIO(admin.get("/quan-tri/xuat/people.xlsx").data))
    cells = [cell for row in book.active.iter_rows() for cell in row]
    assert all(cell.data_type != "f" for cell in cells)
    assert "'+84 905 111 222" in {cell.value for cell in cells}


SITES = "Mã đơn vị\tTên điểm cầu\tSố chỗ\tThiết bị\tThư điện tử\n"


def imported(admin: FlaskClient, kind: str, pasted: str) -> None:
    shown = admin.post("/quan-tri/nhap", data={"kind": kind, "pasted": pasted})
    assert admin.post(confirm_url(shown)).status_code == 302


def undo(admin: FlaskClient) -> str:
    page = admin.get("/quan-tri/nhap").text
    found = re.search(r'action="(/quan-tri/nhap/\d+/hoan-tac)"', page)
    assert found is not None
    return said(admin.post(found[1], follow_redirects=True))


def test_sites_come_in_and_change_by_unit_and_name(pages: Pages, admin: FlaskClient) -> None:
    imported(admin, "sites", SITES + "62-S02\tHội trường B\t80\tCodec; Camera\tb@kontum.example\n")
    with pages.province.database.reading() as session:
        site = session.scalars(select(Site).where(Site.name == "Hội trường B")).one()
    assert (site.capacity, site.equipment, site.is_active) == (80, "Codec\nCamera", True)
    changed = "Mã đơn vị;Tên điểm cầu;Số chỗ\n62-S02;hội trường b;90\n"
    shown = admin.post("/quan-tri/nhap", data={"kind": "sites", "pasted": changed})
    assert "Mới 0, cập nhật 1, không đổi 0, lỗi 0" in said(shown)
    admin.post(confirm_url(shown))
    with pages.province.database.reading() as session:
        site = session.get_one(Site, site.id)
    assert (site.capacity, site.email) == (90, "b@kontum.example")  # absent columns stay


def test_a_faulty_table_of_sites_names_row_and_column(pages: Pages, admin: FlaskClient) -> None:
    rows = (
        "62-S02\tA\tmười\t\t\n" "62-S99\tB\t10\t\t\n" "62-S02\t\t10\t\t\n"
        "62-S02\tC\t99999\t\tkhông phải thư\n" "62-S02\tD\t\t\t\n" "62-S02\td\t\t\t\n"
    )  # fmt: skip
    before = count(pages, Site)
    answer = admin.post("/quan-tri/nhap", data={"kind": "sites", "pasted": SITES + rows})
    text = plain(answer)
    for place in (
        "2 Số chỗ “mười” không phải là số", "3 Mã đơn vị Không có đơn vị nào mã 62-S99.",
        "4 Tên điểm cầu Không được để trống.", "5 Số chỗ “99999” không phải là số",
        "5 Thư điện tử Địa chỉ thư không đúng", "7 Tên điểm cầu Trùng với dòng 6.",
    ):  # fmt: skip
        assert place in text
    assert count(pages, Site) == before


def test_no_site_is_a_formula_on_the_way_out_nor_runs_on_the_way_in(
    pages: Pages, admin: FlaskClient
) -> None:
    with pages.province.database.transaction() as session:
        session.get_one(Site, 1).room = '=HYPERLINK("http://x","y")'
    exported = admin.get("/quan-tri/xuat/sites.xlsx").data
    book = openpyxl.load_workbook(io.BytesIO(exported))
    assert all(cell.data_type != "f" for row in book.active.iter_rows() for cell in row)
    book.active["A2"] = "=1+1"
    changed = io.BytesIO()
    book.save(changed)
    file = (io.BytesIO(changed.getvalue()), "x.xlsx")
    answer = admin.post("/quan-tri/nhap", data={"kind": "sites", "file": file})
    assert "Ô chứa công thức." in said(answer)


def test_an_import_is_taken_back_whole_while_nothing_rests_on_it(
    pages: Pages, admin: FlaskClient
) -> None:
    before = accounts_and_people(admin)
    pasted = (
        "Tên đăng nhập\tHọ và tên\tVai trò\tMã đơn vị\tChức vụ\n"
        "lan.nt\tNguyễn Thị Lan\tđại biểu\t62-S02\tChuyên viên\n"
        "vanthu\tTên mới\tVĂN THƯ\t\t\n"
    )
    imported(admin, "accounts", pasted)
    assert "Nguyễn Thị Lan" in admin.get("/quan-tri/xuat/accounts.csv").text
    assert "Đã hoàn tác lần nhập." in undo(admin)
    assert accounts_and_people(admin) == before
    assert "/hoan-tac" not in admin.get("/quan-tri/nhap").text
    with pages.province.database.reading() as session:
        actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert actions[-3:] == [
        "directory.import_undone", "directory.exported", "directory.exported",
    ]  # fmt: skip


@pytest.mark.parametrize("is_used", [True, False])
def test_an_import_that_something_rests_on_stays(
    pages: Pages, admin: FlaskClient, is_used: bool
) -> None:
    imported(admin, "sites", SITES + "62-S02\tA\t80\t\t\n62-S02\tB\t80\t\t\n")
    with pages.province.database.transaction() as session:
        site = session.scalars(select(Site).where(Site.name == "A")).one()
        if is_used:
            session.add(Account(username="moi", password_hash="x", role=Role.SITE,
                                display_name="A", site_id=site.id, created_at=AT))  # fmt: skip
        else:
            site.room = "Đã sửa"
    sentence = "Dữ liệu khác đã dựa vào" if is_used else "Đã có dòng được sửa hoặc dùng"
    assert sentence in undo(admin)
    with pages.province.database.reading() as session:
        names = session.scalars(select(Site.name).where(Site.name.in_(["A", "B"]))).all()
    assert sorted(names) == ["A", "B"]


def test_headings_are_matched_once_and_remembered(pages: Pages, admin: FlaskClient) -> None:
    pasted = "Mã ĐV\tPhòng\tSức chứa\n62-S02\tHội trường C\t70\n"
    shown = admin.post("/quan-tri/nhap", data={"kind": "sites", "pasted": pasted})
    assert "Dòng đầu thiếu cột: Mã đơn vị, Tên điểm cầu." in said(shown)
    assert "3 cột của tệp chưa hiểu được." in said(shown)
    found = re.search(r'action="(/quan-tri/nhap/sites/[0-9a-f]{64}/cot)"', shown.text)
    assert found is not None
    headings = re.findall(r'name="heading" value="([^"]+)"', shown.text)
    twice = {"heading": headings, "column": ["unit_code", "name", "name"]}
    assert "không thể là cùng một cột" in said(admin.post(found[1], data=twice))
    right = {"heading": headings, "column": ["unit_code", "name", "capacity"]}
    matched = admin.post(found[1], data=right)
    assert "Mới 1, cập nhật 0, không đổi 0, lỗi 0" in said(matched)
    assert admin.post(confirm_url(matched)).status_code == 302
    again = admin.post("/quan-tri/nhap", data={"kind": "sites", "pasted": pasted})
    assert "Mới 0, cập nhật 0, không đổi 1, lỗi 0" in said(again)
    assert "chưa hiểu được" not in said(again)


def test_ten_thousand_pasted_lines_come_back_with_their_faults(
    pages: Pages, admin: FlaskClient
) -> None:
    lines = "".join(f"62-S02\tPhòng {n}\t{n % 50}\t\t\n" for n in range(10_000))
    answer = admin.post("/quan-tri/nhap", data={"kind": "sites", "pasted": SITES + lines})
    assert "lỗi 200." in said(answer)
    assert "Phòng 9999" in answer.text  # nothing typed is lost
