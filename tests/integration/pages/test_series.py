"""Series, templates and copies, through the pages."""

import re
from datetime import date

from sqlalchemy import func, select

from conference.invitations.models import OutboxMessage
from conference.scheduling.local_time import clock_text, date_text, local_day
from conference.scheduling.models import Meeting, MeetingSeries, Status
from tests.integration.pages.conftest import Pages
from tests.integration.pages.test_meetings import create, stored, text_of, typed

WEEKLY = {"rhythm": "weekly", "repeat_count": "5", "repeat_left_out": "24/12/2026"}


def meetings(pages: Pages) -> list[Meeting]:
    with pages.province.database.reading() as session:
        return list(session.scalars(select(Meeting).order_by(Meeting.starts_at)))


def shown(pages: Pages) -> list[str]:
    return [
        f"{date_text(local_day(one.starts_at))[:5]} {clock_text(one.starts_at)} {one.title}"
        for one in meetings(pages)
        if one.status is not Status.CANCELLED
    ]


def change(pages: Pages, meeting: Meeting, scope: str, **changes: object) -> str:
    day = date_text(local_day(meeting.starts_at))
    form = typed(pages, version=str(stored(pages, meeting.id).version), day=day,
                 series_scope=scope, **changes)  # fmt: skip
    answer = pages.browser().post(f"/cuoc-hop/{meeting.id}/sua", data=form)
    assert answer.status_code == 302, text_of(answer)
    return answer.location


def test_a_weekly_series_is_planned_and_invited_at_once(pages: Pages) -> None:
    create(pages, title="Giao ban tuần", **WEEKLY)
    assert [line[:5] for line in shown(pages)] == ["10/12", "17/12", "31/12", "07/01"]
    assert {one.status for one in meetings(pages)} == {Status.INVITED}
    with pages.province.database.reading() as session:
        assert (
            session.scalar(select(func.count()).select_from(OutboxMessage)) == 3
        )  # one letter to each site
        series = session.scalars(select(MeetingSeries)).one()
    assert series.rule == "FREQ=WEEKLY;BYDAY=TH;COUNT=5"
    assert series.left_out == ["2026-12-24"]


def test_days_off_are_skipped_when_asked(pages: Pages) -> None:
    create(pages, rhythm="daily", repeat_until="16/12/2026", repeat_skips_days_off="y")
    assert [line[:5] for line in shown(pages)] == ["10/12", "11/12", "14/12", "15/12", "16/12"]


def test_one_meeting_is_moved_alone(pages: Pages) -> None:
    create(pages, title="A", **WEEKLY)
    change(pages, meetings(pages)[1], "this", title="B", starts="9:00")
    assert shown(pages) == ["10/12 8:00 A", "17/12 9:00 B", "31/12 8:00 A", "07/01 8:00 A"]


def test_this_and_following_part_the_series(pages: Pages) -> None:
    create(pages, title="A", **WEEKLY)
    change(pages, meetings(pages)[1], "following", title="B", starts="9:00")
    assert shown(pages) == ["10/12 8:00 A", "17/12 9:00 B", "31/12 9:00 B", "07/01 9:00 B"]
    with pages.province.database.reading() as session:
        earlier, later = session.scalars(select(MeetingSeries).order_by(MeetingSeries.id)).all()
    assert earlier.rule == "FREQ=WEEKLY;BYDAY=TH;UNTIL=20261216"
    assert (later.rule, later.first_day) == ("FREQ=WEEKLY;BYDAY=TH;COUNT=4", date(2026, 12, 17))
    assert later.left_out == ["2026-12-24"]


def test_all_are_changed_but_those_that_are_over(pages: Pages) -> None:
    create(pages, title="A", **WEEKLY)
    with pages.province.database.transaction() as session:
        session.get_one(Meeting, meetings(pages)[0].id).status = Status.ENDED
    change(pages, meetings(pages)[2], "all", title="B")
    assert shown(pages) == ["10/12 8:00 A", "17/12 8:00 B", "31/12 8:00 B", "07/01 8:00 B"]


def test_those_to_come_are_cancelled_together(pages: Pages) -> None:
    create(pages, title="A", **WEEKLY)
    second = meetings(pages)[1]
    form = {"reason": "Bão", "ground": "force_majeure", "series_scope": "following"}
    pages.browser().post(f"/cuoc-hop/{second.id}/huy", data=form)
    assert shown(pages) == ["10/12 8:00 A"]


def test_a_series_is_approved_with_one_press(pages: Pages) -> None:
    form = typed(pages, request="1", is_not_prohibited="y", **WEEKLY)
    assert pages.browser().post("/cuoc-hop/tao", data=form).status_code == 302
    first = meetings(pages)[0]
    assert "Duyệt cả chuỗi" in pages.browser("cvp").get(f"/cuoc-hop/{first.id}/tong-quan").text
    pages.browser("cvp").post(f"/cuoc-hop/{first.id}/buoc/duyet", data={"series": "1"})
    assert {one.status for one in meetings(pages)} == {Status.APPROVED}


def test_a_repetition_that_cannot_be_is_named_beside_its_field(pages: Pages) -> None:
    browser = pages.browser()
    for changes, sentence in (
        ({"rhythm": "weekly"}, "Nhập ngày cuối hoặc số lần."),
        ({"rhythm": "weekly", "repeat_count": "một"}, "Nhập một số."),
        ({"rhythm": "daily", "repeat_count": "5000"}, "Nhập một số từ 1 đến 60."),
        ({"rhythm": "daily", "repeat_until": "01/12/2026"},
         "Ngày cuối phải sau ngày họp đầu tiên."),
        ({"rhythm": "daily", "repeat_count": "1", "repeat_left_out": "31/02/2026"},
         "Không đọc được ngày “31/02/2026”."),
        ({"rhythm": "daily", "repeat_count": "1", "repeat_left_out": "10/12/2026"},
         "Không còn ngày họp nào trong chuỗi."),
    ):  # fmt: skip
        answer = browser.post("/cuoc-hop/tao", data=typed(pages, invite="1", **changes))
        assert answer.status_code == 422
        assert sentence in text_of(answer)
    assert meetings(pages) == []


def test_a_template_fills_the_form_and_a_copy_does_too(pages: Pages) -> None:
    browser = pages.browser()
    meeting_id = create(pages, browser, location="Phòng số 1", kind="briefing")
    kept = browser.post(f"/cuoc-hop/{meeting_id}/mau", data={"reason": "Giao ban tháng"},
                        follow_redirects=True)  # fmt: skip
    assert "Đã lưu mẫu “Giao ban tháng”." in text_of(kept)
    page = browser.get("/cuoc-hop/tao").text
    link = re.search(r'href="(/cuoc-hop/tao\?mau=\d+)">Giao ban tháng<', page)
    assert link
    for address in (link[1], f"/cuoc-hop/tao?ban-sao={meeting_id}"):
        page = browser.get(address).text
        for value in ("Phòng số 1", "Giao ban tháng 12/2026", "8:00", "11:00", "Báo cáo"):
            assert f'value="{value}"' in page
        assert 'value="10/12/2026"' not in page
        assert page.count('name="sites" value=') > page.count(" checked>") >= 3
    template_id = link[1].rpartition("=")[2]
    browser.post(f"/cuoc-hop/mau/{template_id}/bo")
    assert browser.get(link[1]).status_code == 404


def test_a_template_never_holds_the_classification(pages: Pages) -> None:
    browser = pages.browser()
    meeting_id = create(pages, browser)
    browser.post(f"/cuoc-hop/{meeting_id}/mau", data={"reason": "Mẫu"})
    page = browser.get("/cuoc-hop/tao?mau=1").text
    assert not re.search(r"<input[^>]*checked[^>]*name=\"classification\"", page)
    assert "Nhập tên mẫu." in text_of(
        browser.post(f"/cuoc-hop/{meeting_id}/mau", follow_redirects=True)
    )
