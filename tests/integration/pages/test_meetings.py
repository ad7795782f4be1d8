"""Planning a meeting through its pages."""

import html
import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from conference.invitations.models import OutboxMessage
from conference.scheduling import service
from conference.scheduling.announcement import SilentAnnouncer
from conference.scheduling.models import InvitedSite, Meeting, Status
from tests.integration.pages.conftest import Pages
from tests.support.province import AT, STARTS, counted_queries


def typed(pages: Pages, **changes: Any) -> dict[str, Any]:
    """A complete form; a change to None leaves the field out."""
    form: dict[str, Any] = {
        "classification": "khong",
        "scope": "intra",
        "title": "Giao ban tháng 12/2026",
        "day": "10/12/2026",
        "starts": "8:00",
        "ends": "11h00",
        "chair": str(pages.province.people["Nguyễn Văn An"]),
        "secretary": str(pages.province.people["Hoàng Thị Hạnh"]),
        "room_preset": "discussion",
        "is_not_prohibited": "y",
        "agenda_title": ["Khai mạc", "Báo cáo"],
        "agenda_presenter": ["Chánh Văn phòng", ""],
        "agenda_minutes": ["10", ""],
        "sites": [str(site_id) for site_id in pages.province.site_ids[:3]],
    }
    form |= changes
    return {name: value for name, value in form.items() if value is not None}


def create(pages: Pages, browser: FlaskClient | None = None, **changes: Any) -> int:
    client = browser or pages.browser()
    form = typed(pages, invite="1", **changes)
    answer = client.post("/cuoc-hop/tao", data=form)
    asked = re.search(r'name="confirmed" value="(\d+)"', answer.text)
    if asked:
        form |= {"confirmed": asked[1], "warnings_reason": "Lãnh đạo yêu cầu"}
        answer = client.post("/cuoc-hop/tao", data=form)
    assert answer.status_code == 302, text_of(answer)
    return int(answer.location.split("/")[2])


def text_of(answer: Any) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text)))


def stored(pages: Pages, meeting_id: int) -> Meeting:
    with pages.province.database.reading() as session:
        meeting = session.get(Meeting, meeting_id)
        assert meeting is not None
        session.expunge(meeting)
        return meeting


def test_a_meeting_is_planned_and_its_sites_are_invited(pages: Pages) -> None:
    browser = pages.browser()
    meeting_id = create(pages, browser)
    meeting = stored(pages, meeting_id)
    assert meeting.starts_at == STARTS
    assert meeting.status is Status.INVITED
    page = text_of(browser.get(f"/cuoc-hop/{meeting_id}/tong-quan"))
    assert "Giao ban tháng 12/2026" in page
    assert "Thứ Năm 10/12/2026, 8:00–11:00" in page
    assert "Chánh Văn phòng" in page
    assert "3 điểm cầu sẽ nhận thư mời" in page
    with pages.province.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(OutboxMessage)) == 3


@pytest.mark.parametrize("degree", ["mat", "toi-mat", "tuyet-mat"])
def test_a_secret_meeting_is_refused_with_the_reason_and_leaves_no_trace(
    pages: Pages, degree: str
) -> None:
    answer = pages.browser().post(
        "/cuoc-hop/tao", data=typed(pages, classification=degree, invite="1")
    )
    assert answer.status_code == 422
    assert "Không được họp nội dung Mật, Tối mật, Tuyệt mật trên hệ thống này" in text_of(answer)
    with pages.province.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Meeting)) == 0


def test_without_a_classification_nothing_else_is_judged(pages: Pages) -> None:
    answer = pages.browser().post("/cuoc-hop/tao", data=typed(pages, classification=None, day="x"))
    assert answer.status_code == 422
    assert "Chọn độ mật trước khi nhập." in text_of(answer)
    assert "không đọc được" not in text_of(answer)


def test_faults_stand_beside_their_fields_and_nothing_typed_is_lost(pages: Pages) -> None:
    answer = pages.browser().post(
        "/cuoc-hop/tao",
        data=typed(
            pages, title="", day="31/02/2026", starts="25:00", ends="11:00", chair="",
            location="Phòng <b>số 1</b>", agenda_minutes=["mười", ""], invite="1",
        ),
    )  # fmt: skip
    assert answer.status_code == 422
    page = text_of(answer)
    assert "Tháng 2/2026 chỉ có 28 ngày." in page
    assert "Giờ không đọc được" in page
    assert "Mục 1: số phút phải từ 1" in page
    assert 'value="31/02/2026"' in answer.text
    assert 'value="25:00"' in answer.text
    assert 'value="mười"' in answer.text
    assert 'value="Phòng &lt;b&gt;số 1&lt;/b&gt;"' in answer.text
    assert answer.text.count(" checked") >= 3 + 3  # three radios, three sites


@pytest.mark.parametrize(
    ("day", "starts"),
    [("10/12/2026", "8:00"), ("10-12-2026", "08:00"), ("2026-12-10", "8h"), ("10.12.2026", "8h00")],
)
def test_days_and_times_are_read_as_offices_write_them(pages: Pages, day: str, starts: str) -> None:
    assert stored(pages, create(pages, day=day, starts=starts)).starts_at == STARTS


def test_a_draft_is_saved_without_inviting_and_may_lack_sites(pages: Pages) -> None:
    browser = pages.browser()
    answer = browser.post("/cuoc-hop/tao", data=typed(pages, sites=None, draft="1"))
    assert answer.status_code == 302
    meeting_id = int(answer.location.split("/")[2])
    assert stored(pages, meeting_id).status is Status.DRAFT
    assert "Bản nháp: chưa mời điểm cầu nào." in text_of(browser.get(answer.location))
    refused = browser.post(
        f"/cuoc-hop/{meeting_id}/sua", data=typed(pages, sites=None, invite="1", version="1")
    )
    assert "Chọn ít nhất một điểm cầu để mời." in text_of(refused)


def test_the_second_of_two_editors_may_look_or_keep_their_own(pages: Pages) -> None:
    meeting_id = create(pages)
    address = f"/cuoc-hop/{meeting_id}/sua"
    first, second = pages.browser("quantri"), pages.browser("thuky")
    version = re.search(r'name="version" value="(\d+)"', second.get(address).text)
    assert version
    assert (
        first.post(address, data=typed(pages, title="Bản một", version=version[1])).status_code
        == 302
    )
    clash = second.post(address, data=typed(pages, title="Bản hai", version=version[1]))
    assert clash.status_code == 409
    assert "Quản trị hệ thống (mẫu) vừa sửa lúc 10:00" in text_of(clash)
    assert 'value="Bản hai"' in clash.text
    assert stored(pages, meeting_id).title == "Bản một"
    newer = re.search(r'name="version" value="(\d+)"', clash.text)
    assert newer
    assert (
        second.post(address, data=typed(pages, title="Bản hai", version=newer[1])).status_code
        == 302
    )
    assert stored(pages, meeting_id).title == "Bản hai"


@pytest.mark.parametrize(
    ("verb", "status"), [("hoan", Status.POSTPONED), ("huy", Status.CANCELLED)]
)
def test_calling_off_asks_for_a_reason_and_shows_it(
    pages: Pages, verb: str, status: Status
) -> None:
    browser = pages.browser()
    meeting_id = create(pages, browser)
    page = text_of(browser.post(f"/cuoc-hop/{meeting_id}/{verb}", follow_redirects=True))
    assert "Nêu lý do." in page
    assert stored(pages, meeting_id).status is Status.INVITED
    page = text_of(
        browser.post(
            f"/cuoc-hop/{meeting_id}/{verb}", data={"reason": "Mưa bão"}, follow_redirects=True
        )
    )
    assert "Lý do: Mưa bão" in page
    assert stored(pages, meeting_id).status is status
    assert "Mưa bão" in text_of(browser.get(f"/cuoc-hop/{meeting_id}/nhat-ky"))


def test_the_panel_warns_while_one_types(pages: Pages) -> None:
    browser = pages.browser()
    create(pages, browser)
    panel = text_of(browser.post("/cuoc-hop/kiem-tra", data=typed(pages, day="13/12/2026")))
    assert "13/12/2026 là Chủ nhật." in panel
    panel = text_of(browser.post("/cuoc-hop/kiem-tra", data=typed(pages)))
    assert (
        "Trùng lịch: Nguyễn Văn An, Hoàng Thị Hạnh, “Giao ban tháng 12/2026” 8:00–11:00." in panel
    )
    assert "Giờ trống: 13:00 10/12/2026" in panel
    panel = text_of(browser.post("/cuoc-hop/kiem-tra", data=typed(pages, day="24/11/2026")))
    assert "Quá hạn gửi giấy mời: chậm nhất thứ Năm 19/11/2026" in panel


def test_only_planners_learn_of_clashes_and_units(pages: Pages) -> None:
    meeting_id = create(pages)
    for address in ("/cuoc-hop/kiem-tra", "/cuoc-hop/don-vi"):
        assert pages.browser("diemcau1").post(address, data=typed(pages)).status_code == 403
        mine = f"{address}?cuoc-hop={meeting_id}"
        assert pages.browser("diemcau1").post(mine, data=typed(pages)).status_code == 403
        assert pages.browser().post(mine, data=typed(pages)).status_code == 200


def test_every_commune_can_be_found_in_the_tree(pages: Pages) -> None:
    page = pages.browser().get("/cuoc-hop/tao").text
    assert "Tất cả cấp xã (102)" in page
    assert page.count('name="sites"') == 134
    assert 'data-folded="xa dak pxi' in page


def test_sites_and_visitors_see_only_their_own_meetings(pages: Pages) -> None:
    site_id = pages.province.actors["diemcau1"].site_id
    mine = create(pages, sites=[str(site_id)])
    others = create(pages, title="Họp kín nội bộ", sites=[str(pages.province.site_ids[0])])
    browser = pages.browser("diemcau1")
    listed = text_of(browser.get("/cuoc-hop"))
    assert "Giao ban tháng 12/2026" in listed
    assert "Họp kín nội bộ" not in listed
    assert browser.get(f"/cuoc-hop/{mine}/tong-quan").status_code == 200
    refused = browser.get(f"/cuoc-hop/{others}/tong-quan")
    assert refused.status_code == 403
    assert "Họp kín" not in refused.text
    assert browser.get("/cuoc-hop/tao").status_code == 403
    sites = browser.get(f"/cuoc-hop/{mine}/thanh-phan")
    assert "/vao/" not in sites.text, "join links are for the secretariat"
    assert browser.get(f"/cuoc-hop/{mine}/giay-moi").status_code == 403
    assert pages.browser(None).get(f"/cuoc-hop/{mine}/tong-quan").location.startswith("/dang-nhap")
    assert pages.browser(None).get("/cuoc-hop/4711").location is not None


@pytest.mark.parametrize("query", ["giao+ban", "giao+b%C3%A1n", "GIAO+BAN"])
def test_the_list_finds_a_meeting_however_it_is_typed(pages: Pages, query: str) -> None:
    browser = pages.browser()
    create(pages, browser)
    assert "Giao ban tháng 12/2026" in text_of(browser.get(f"/cuoc-hop?q={query}"))
    assert "Không tìm thấy “xyz”." in text_of(browser.get("/cuoc-hop?q=xyz"))


def test_the_filtered_list_comes_alone_for_a_live_search(pages: Pages) -> None:
    browser = pages.browser()
    create(pages, browser)
    part = browser.get("/cuoc-hop?q=giao", headers={"HX-Request": "true", "HX-Target": "results"})
    assert "Giao ban tháng 12/2026" in part.text
    assert "<html" not in part.text


@pytest.mark.parametrize("tab", ["tong-quan", "thanh-phan", "tai-lieu", "giay-moi", "nhat-ky"])
def test_a_page_with_134_sites_costs_a_fixed_number_of_queries(pages: Pages, tab: str) -> None:
    browser = pages.browser()
    everyone = [str(site_id) for site_id in pages.province.site_ids]
    meeting_id = create(pages, browser, sites=everyone)
    with counted_queries(pages.province.database) as statements:
        assert browser.get(f"/cuoc-hop/{meeting_id}/{tab}").status_code == 200
    assert len([s for s in statements if s.startswith("SELECT")]) <= 10


def test_the_form_of_134_sites_costs_a_fixed_number_of_queries(pages: Pages) -> None:
    browser = pages.browser()
    everyone = [str(site_id) for site_id in pages.province.site_ids]
    meeting_id = create(pages, browser, sites=everyone)
    with counted_queries(pages.province.database) as statements:
        page = browser.get(f"/cuoc-hop/{meeting_id}/sua")
    assert page.text.count(" checked") >= 134
    assert len([s for s in statements if s.startswith("SELECT")]) <= 12


def test_what_is_over_cannot_be_edited(pages: Pages) -> None:
    browser = pages.browser()
    meeting_id = create(pages, browser)
    with pages.province.database.transaction() as session:
        service.cancel_meeting(
            session, meeting_id, "Bão",
            actor=pages.province.secretary, at=AT, announcer=SilentAnnouncer(),
        )  # fmt: skip
    page = browser.get(f"/cuoc-hop/{meeting_id}/tong-quan").text
    assert f"/cuoc-hop/{meeting_id}/sua" not in page
    assert f'href="/phong/{meeting_id}"' not in page
    answer = browser.post(f"/cuoc-hop/{meeting_id}/sua", data=typed(pages, version="3"))
    assert answer.status_code == 409


def test_a_qr_code_is_drawn_for_a_site_that_is_invited(pages: Pages) -> None:
    browser = pages.browser()
    meeting_id = create(pages, browser)
    with pages.province.database.reading() as session:
        site_id = session.scalars(select(InvitedSite.id)).first()
    picture = browser.get(f"/cuoc-hop/{meeting_id}/thanh-phan/{site_id}/qr.svg")
    assert picture.mimetype == "image/svg+xml"
    assert "<path" in picture.text
    assert browser.get(f"/cuoc-hop/{meeting_id}/thanh-phan/99999/qr.svg").status_code == 404


def test_failed_letters_are_shown_and_sent_again(pages: Pages) -> None:
    browser = pages.browser()
    meeting_id = create(pages, browser)
    from conference.invitations.models import Delivery  # noqa: PLC0415

    with pages.province.database.transaction() as session:
        first = session.scalars(select(OutboxMessage)).first()
        assert first is not None
        first.state = Delivery.FAILED
        first.last_error = "550 no such user"
    address = f"/cuoc-hop/{meeting_id}/giay-moi"
    assert "550 no such user" in text_of(browser.get(address))
    again = browser.post(f"{address}/gui-lai", data={"failed": "1"}, follow_redirects=True)
    assert "1 thư sẽ được gửi lại." in text_of(again)
    with pages.province.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(OutboxMessage)) == 4
    nothing = browser.post(f"{address}/gui-lai", data={"failed": "1"}, follow_redirects=True)
    assert "sẽ được gửi lại" not in text_of(nothing)


def test_an_administrator_keeps_the_facts_of_a_site(pages: Pages) -> None:
    admin = pages.browser("quantri")
    listed = set(re.findall(r"/quan-tri/diem-cau/\d+", admin.get("/quan-tri/diem-cau").text))
    assert len(listed) == 134
    wrong = admin.post("/quan-tri/diem-cau/1", data={"name": "", "email": "không phải thư"})
    assert wrong.status_code == 422
    assert "Nhập tên điểm cầu." in text_of(wrong)
    right = {"name": "Văn phòng", "email": "vp@kontum.gov.vn", "is_active": "y", "capacity": "30"}
    assert admin.post("/quan-tri/diem-cau/1", data=right).status_code == 302
    assert "vp@kontum.gov.vn" in admin.get("/quan-tri/diem-cau").text
    assert pages.browser("vanthu").post("/quan-tri/diem-cau/1", data=right).status_code == 403
