"""From request to archive, by the people whose part it is."""

import re

import pytest
from sqlalchemy import func, select

from conference.directory.models import Site
from conference.invitations.models import OutboxMessage
from conference.scheduling.models import PlanningSetting, Status
from tests.integration.pages.conftest import Pages
from tests.integration.pages.test_meetings import create, stored, text_of, typed
from tests.support.province import AT

CLEAN = {"is_not_prohibited": "y"}


def submit(pages: Pages, **changes: object) -> int:
    answer = pages.browser().post(
        "/cuoc-hop/tao", data=typed(pages, request="1", **{**CLEAN, **changes})
    )
    assert answer.status_code == 302, text_of(answer)
    return int(answer.location.split("/")[2])


def step(pages: Pages, username: str, meeting_id: int, name: str, **form: str) -> str:
    path = name if name in {"moi", "hoan", "huy"} else f"buoc/{name}"
    address = f"/cuoc-hop/{meeting_id}/{path}"
    return text_of(pages.browser(username).post(address, data=form, follow_redirects=True))


def test_submitting_with_warnings_asks_once_and_keeps_what_was_typed(pages: Pages) -> None:
    browser = pages.browser()
    form = typed(pages, request="1", day="24/11/2026", is_not_prohibited=None)
    page = browser.post("/cuoc-hop/tao", data=form)
    assert page.status_code == 200
    assert "Còn 2 cảnh báo. Vẫn trình?" in text_of(page)
    assert 'value="Giao ban tháng 12/2026"' in page.text
    confirmed = re.search(r'name="confirmed" value="(\d+)"', page.text)
    assert confirmed
    agreed = {**form, "confirmed": confirmed[1]}
    again = browser.post("/cuoc-hop/tao", data=agreed)
    assert again.status_code == 422
    assert "Nêu lý do vẫn giữ dù còn cảnh báo." in text_of(again)
    answer = browser.post("/cuoc-hop/tao", data={**agreed, "warnings_reason": "Lãnh đạo yêu cầu"})
    assert answer.status_code == 302
    meeting_id = int(answer.location.split("/")[2])
    assert stored(pages, meeting_id).status is Status.REQUESTED
    log = text_of(browser.get(f"/cuoc-hop/{meeting_id}/nhat-ky"))
    assert "Giữ nguyên dù còn 2 cảnh báo: Lãnh đạo yêu cầu" in log


def test_inviting_with_warnings_asks_once_too(pages: Pages) -> None:
    browser = pages.browser()
    form = typed(pages, invite="1", day="24/11/2026")
    page = browser.post("/cuoc-hop/tao", data=form)
    assert "Còn 1 cảnh báo. Vẫn gửi lời mời?" in text_of(page)
    agreed = {**form, "confirmed": "1", "warnings_reason": "Họp gấp"}
    answer = browser.post("/cuoc-hop/tao", data=agreed)
    assert stored(pages, int(answer.location.split("/")[2])).status is Status.INVITED


def test_a_new_warning_after_the_question_is_asked_about_again(pages: Pages) -> None:
    form = typed(pages, request="1", day="24/11/2026", starts="4:00", confirmed="2",
                 is_not_prohibited=None)  # fmt: skip
    assert "Còn 3 cảnh báo. Vẫn trình?" in text_of(pages.browser().post("/cuoc-hop/tao", data=form))


def test_a_request_is_approved_and_then_invited(pages: Pages) -> None:
    meeting_id = submit(pages)
    assert stored(pages, meeting_id).status is Status.REQUESTED
    assert "Duyệt" in text_of(pages.browser("cvp").get(f"/cuoc-hop/{meeting_id}/tong-quan"))
    assert "Đã duyệt." in step(pages, "cvp", meeting_id, "duyet")
    approved = stored(pages, meeting_id)
    assert approved.status is Status.APPROVED
    assert approved.approved_at == AT
    step(pages, "thuky", meeting_id, "moi")
    assert stored(pages, meeting_id).status is Status.INVITED
    assert stored(pages, meeting_id).invited_at == AT
    with pages.province.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(OutboxMessage)) == 3


def test_returning_needs_a_comment_which_the_planner_reads(pages: Pages) -> None:
    meeting_id = submit(pages)
    assert "Ghi ý kiến" in step(pages, "chutoa", meeting_id, "tra-lai")
    assert stored(pages, meeting_id).status is Status.REQUESTED
    step(pages, "chutoa", meeting_id, "tra-lai", reason="Đổi sang buổi chiều")
    assert stored(pages, meeting_id).status is Status.DRAFT
    page = text_of(pages.browser().get(f"/cuoc-hop/{meeting_id}/tong-quan"))
    assert "Đã trả lại: Đổi sang buổi chiều" in page


def test_whoever_plans_does_not_approve(pages: Pages) -> None:
    meeting_id = submit(pages)
    assert pages.browser().post(f"/cuoc-hop/{meeting_id}/buoc/duyet").status_code == 403
    assert pages.browser("vanthu").post(f"/cuoc-hop/{meeting_id}/moi").status_code == 403
    assert stored(pages, meeting_id).status is Status.REQUESTED


def test_changing_what_was_approved_asks_for_approval_again(pages: Pages) -> None:
    meeting_id = submit(pages)
    step(pages, "cvp", meeting_id, "duyet")
    browser = pages.browser()
    version = str(stored(pages, meeting_id).version)
    form = typed(pages, version=version, title="Giao ban, sửa", **CLEAN)
    assert browser.post(f"/cuoc-hop/{meeting_id}/sua", data=form).status_code == 302
    changed = stored(pages, meeting_id)
    assert (changed.status, changed.approved_by) == (Status.REQUESTED, "")


def test_an_office_may_want_approval_before_invitations(pages: Pages) -> None:
    with pages.province.database.transaction() as session:
        session.add(
            PlanningSetting(name="requires_approval", value="1", changed_by="", changed_at=AT)
        )
    browser = pages.browser()
    assert 'name="invite"' not in browser.get("/cuoc-hop/tao").text
    answer = browser.post("/cuoc-hop/tao", data=typed(pages, invite="1"))
    assert answer.status_code == 409
    assert "phải được duyệt trước khi gửi lời mời" in text_of(answer)
    create(pages, browser, scope="central", external_host="Văn phòng Chính phủ")
    create(pages, pages.browser("cvp"))  # who may approve invites at once


def test_papers_after_the_meeting_come_in_order_and_end_in_the_archive(pages: Pages) -> None:
    meeting_id = create(pages)
    assert "nên không làm được việc này" in step(pages, "thuky", meeting_id, "ky-bien-ban")
    with pages.province.database.transaction() as session:
        meeting = session.get_one(type(stored(pages, meeting_id)), meeting_id)
        meeting.status, meeting.opened_at, meeting.ended_at = Status.ENDED, AT, AT
    page = text_of(pages.browser().get(f"/cuoc-hop/{meeting_id}/tong-quan"))
    assert "Hạn ban hành thông báo kết luận: 30/11/2026." in page
    assert "phải có kết luận trước khi lưu trữ" in step(pages, "thuky", meeting_id, "luu-tru")
    for name, status in (
        ("ky-bien-ban", Status.MINUTES_SIGNED), ("ket-luan", Status.CONCLUSION_ISSUED),
        ("luu-tru", Status.ARCHIVED),
    ):  # fmt: skip
        step(pages, "vanthu", meeting_id, name)
        assert stored(pages, meeting_id).status is status
    log = text_of(pages.browser().get(f"/cuoc-hop/{meeting_id}/nhat-ky"))
    assert "Đưa vào lưu trữ" in log


def test_the_second_editor_sees_both_versions_field_by_field(pages: Pages) -> None:
    meeting_id = create(pages)
    first, second = pages.browser("quantri"), pages.browser()
    address = f"/cuoc-hop/{meeting_id}/sua"
    version = str(stored(pages, meeting_id).version)
    theirs = typed(pages, version=version, starts="9:00", location="Hội trường",
                   sites=[str(one) for one in pages.province.site_ids[:4]])  # fmt: skip
    assert first.post(address, data=theirs).status_code == 302
    mine = typed(pages, version=version, title="Bản của tôi", agenda_title=["Khai mạc", "Khác"])
    answer = second.post(address, data=mine)
    assert answer.status_code == 409
    page = text_of(answer)
    for line in (
        "Tên cuộc họp Giao ban tháng 12/2026 Bản của tôi",
        "Bắt đầu 9:00 8:00",
        "Địa điểm chính Hội trường –",
        "Chương trình Báo cáo Khác",
        "Thành phần Sở Kế hoạch và Đầu tư –",
    ):
        assert line in page
    assert "Ngày họp 10/12/2026" not in page
    assert 'data-take="location" data-value="Hội trường"' in answer.text
    assert 'value="Bản của tôi"' in answer.text
    assert 'value="Khác"' in answer.text


def test_a_site_that_closed_meanwhile_is_named_and_the_rest_kept(pages: Pages) -> None:
    gone = pages.province.site_ids[1]
    with pages.province.database.transaction() as session:
        site = session.get_one(Site, gone)
        site.is_active = False
        name = site.name
    answer = pages.browser().post("/cuoc-hop/tao", data=typed(pages, invite="1"))
    assert answer.status_code == 422
    page = text_of(answer)
    assert "1 điểm cầu không còn hiệu lực vào ngày họp; hãy chọn lại." in page
    assert f"vì đơn vị đã chấm dứt hoặc điểm cầu ngừng hoạt động: {name}" in page


@pytest.mark.parametrize("count", [101, 3000])
def test_an_agenda_too_long_is_refused_and_comes_back_whole(pages: Pages, count: int) -> None:
    titles = [f"Mục {n}" for n in range(count)]
    form = typed(pages, invite="1", agenda_title=titles, agenda_presenter=[], agenda_minutes=[])
    answer = pages.browser().post("/cuoc-hop/tao", data=form)
    assert answer.status_code == 422
    assert f"Chương trình có {count} mục; tối đa 100." in text_of(answer)
    assert answer.text.count('value="Mục ') == count


def test_english_pages_say_the_rules_in_english(pages: Pages) -> None:
    browser = pages.browser()
    with browser.session_transaction() as cookie:
        cookie["language"] = "en"
    late = typed(pages, day="24/11/2026", kind="briefing", ends="17:00")
    panel = text_of(browser.post("/cuoc-hop/kiem-tra", data=late))
    assert "Invitation late: due Thursday 19/11/2026 (3 working days before)." in panel
    assert "1 days is longer than the ½ allowed for “Briefing”." in panel
    page = text_of(browser.post("/cuoc-hop/tao", data=typed(pages, day="31/02/2026")))
    assert "Month 2/2026 has only 28 days." in page


def test_the_offices_calendar_and_numbers_are_kept_by_administrators(pages: Pages) -> None:
    admin, officer = pages.browser("quantri"), pages.browser()
    page = text_of(officer.get("/quan-tri/ngay-nghi?nam=2026"))
    assert "17/02/2026 thứ Ba Tết Nguyên đán (mùng 1)" in page
    day = {"day": "24/11/2026", "kind": "holiday", "name": "Nghỉ riêng"}
    assert officer.post("/quan-tri/ngay-nghi", data=day).status_code == 403
    assert admin.post("/quan-tri/ngay-nghi", data=day).status_code == 302
    assert "Bảng của cơ quan." in text_of(officer.get("/quan-tri/ngay-nghi?nam=2026"))
    panel = officer.post("/cuoc-hop/kiem-tra", data=typed(pages, day="24/11/2026"))
    assert "24/11/2026 là ngày nghỉ: Nghỉ riêng." in text_of(panel)
    admin.post("/quan-tri/ngay-nghi/2026-11-24/bo")
    panel = officer.post("/cuoc-hop/kiem-tra", data=typed(pages, day="24/11/2026"))
    assert "là ngày nghỉ" not in text_of(panel)
    wrong = admin.post("/quan-tri/ngay-nghi", data={**day, "day": "31/02/2026", "kind": "in_lieu"})
    assert wrong.status_code == 422
    assert "Tháng 2/2026 chỉ có 28 ngày." in text_of(wrong)


def test_a_threshold_changes_the_warning_and_nonsense_is_refused(pages: Pages) -> None:
    admin = pages.browser("quantri")
    assert pages.browser().get("/quan-tri/quy-tac").status_code == 403
    page = admin.get("/quan-tri/quy-tac").text
    form = dict(re.findall(r'<input id="(\w+)" name="\w+" value="(\d+)"', page))
    assert form["invitation_days"] == "3"
    refused = admin.post("/quan-tri/quy-tac", data={**form, "invitation_days": "nhiều"})
    assert refused.status_code == 422
    assert "Nhập một số từ 0 đến 30." in text_of(refused)
    assert 'value="nhiều"' in refused.text
    assert (
        admin.post("/quan-tri/quy-tac", data={**form, "invitation_days": "20"}).status_code == 302
    )
    panel = text_of(pages.browser().post("/cuoc-hop/kiem-tra", data=typed(pages)))
    assert "(trước 20 ngày làm việc)" in panel


def test_a_sending_on_another_way_is_on_record_with_its_hour(pages: Pages) -> None:
    meeting_id = create(pages)
    browser = pages.browser("vanthu")
    address = f"/cuoc-hop/{meeting_id}/giay-moi"
    form = {"what": "invitation", "channel": "fax", "day": "23/11/2026", "clock": "9h30",
            "note": "Số 12/GM-UBND"}  # fmt: skip
    for change, sentence in (
        ({"channel": "chim"}, "Chọn cách gửi."),
        ({"day": ""}, "Nhập ngày và giờ gửi."),
        ({"day": "31/02/2026"}, "Tháng 2/2026 chỉ có 28 ngày."),
        ({"clock": "10:30"}, "Thời điểm gửi chưa đến."),
        ({"note": "Tối mật"}, "Không được họp nội dung Mật"),
        ({"note": "x" * 201}, "Ghi chú dài quá 200 ký tự."),
    ):
        answer = browser.post(f"{address}/cach-khac", data=form | change)
        assert answer.status_code == 422
        assert sentence in text_of(answer)
    assert browser.post(f"{address}/cach-khac", data=form).status_code == 303
    page = text_of(browser.get(address))
    assert "9:30 23/11/2026 · giấy mời · fax · Số 12/GM-UBND" in page
    log = text_of(pages.browser().get(f"/cuoc-hop/{meeting_id}/nhat-ky"))
    assert "Gửi giấy mời qua fax: Số 12/GM-UBND" in log
    assert pages.browser("diemcau1").post(f"{address}/cach-khac", data=form).status_code == 403
