"""The week schedule is published and adjusted; calendars are subscribed to."""

import xml.etree.ElementTree as ET
from io import BytesIO

import pytest
import vobject
from docx import Document
from icalendar import Calendar

from conference.scheduling import service as scheduling
from conference.scheduling.announcement import SilentAnnouncer
from conference.scheduling.models import Meeting
from tests.integration.pages.conftest import Pages, pages
from tests.support.province import AT

__all__ = ["pages"]
WEEK = "/lich-tuan/2026-W50"
PUBLIC = "/cong-khai/lich-tuan/2026-W50"


@pytest.fixture
def meeting_id(pages: Pages) -> int:
    with pages.province.database.transaction() as session:
        draft = pages.province.draft(location="Phòng họp số 1")
        made = scheduling.create_meeting(
            session, draft, actor=pages.province.secretary, at=AT, announcer=SilentAnnouncer()
        )
        return made.id


def test_nothing_is_public_before_it_is_published(pages: Pages, meeting_id: int) -> None:
    assert "Giao ban tháng 12/2026" in pages.browser("thuky").get(WEEK).text
    public = pages.browser(None).get(PUBLIC)
    assert public.status_code == 200
    assert "Giao ban" not in public.text
    assert "chưa công bố" in public.text


def test_an_adjustment_needs_a_reason_and_is_counted(pages: Pages, meeting_id: int) -> None:
    office, reader = pages.browser("thuky"), pages.browser(None)
    assert office.post(f"{WEEK}/cong-bo").status_code == 303
    assert "Giao ban tháng 12/2026" in reader.get(PUBLIC).text
    assert "Điều chỉnh lần" not in reader.get(PUBLIC).text
    assert office.post(f"{WEEK}/cong-bo", data={"reason": "x"}).status_code == 409
    with pages.province.database.transaction() as session:
        session.get_one(Meeting, meeting_id).title = "Giao ban <dời>"
    assert "dời" not in reader.get(PUBLIC).text
    refused = office.post(f"{WEEK}/cong-bo", data={"reason": " "})
    assert refused.status_code == 422
    assert 'id="reason-error"' in refused.text
    assert office.post(f"{WEEK}/cong-bo", data={"reason": "Theo lịch TƯ"}).status_code == 303
    public = reader.get(PUBLIC).text
    assert "Tuần 50: từ ngày 07/12/2026 đến ngày 13/12/2026 (Điều chỉnh lần 1)" in public
    assert "Giao ban &lt;dời&gt;" in public
    assert "Cập nhật lần cuối: 10:00 23/11/2026" in public


def test_one_leader_twice_at_a_time_is_a_clash_on_both_rows(pages: Pages, meeting_id: int) -> None:
    with pages.province.database.transaction() as session:
        scheduling.create_meeting(
            session, pages.province.draft(title="Họp khác"), actor=pages.province.secretary,
            at=AT, announcer=SilentAnnouncer(),
        )  # fmt: skip
    assert pages.browser("thuky").get(WEEK).text.count("Trùng lịch") == 2


def test_only_planners_publish(pages: Pages, meeting_id: int) -> None:
    for username in ("vanthu", "chutoa", "kythuat"):
        assert pages.browser(username).post(f"{WEEK}/cong-bo").status_code == 403
    assert pages.browser("diemcau1").get(WEEK).status_code == 403


@pytest.mark.parametrize("week", ["2026-W54", "2026-W00", "x", "1999-W01"])
def test_a_week_that_is_none_is_not_found(pages: Pages, week: str) -> None:
    assert pages.browser(None).get(f"/cong-khai/lich-tuan/{week}").status_code == 404


def test_the_portal_reads_rss_and_icalendar(pages: Pages, meeting_id: int) -> None:
    pages.browser("thuky").post(f"{WEEK}/cong-bo")
    reader = pages.browser(None)
    channel = ET.fromstring(reader.get("/cong-khai/lich-tuan.rss").data).find("channel")
    assert channel is not None
    (item,) = channel.findall("item")
    assert item.findtext("title", "").startswith("Tuần 50")
    assert "Giao ban tháng 12/2026" in item.findtext("description", "")
    content = reader.get("/cong-khai/lich-tuan.ics").data
    (event,) = Calendar.from_ical(content).walk("VEVENT")
    assert event["SUMMARY"] == "Giao ban tháng 12/2026"
    assert "URL" not in event
    assert vobject.readOne(content.decode()).vevent.summary.value == "Giao ban tháng 12/2026"


def test_the_paper_holds_the_week(pages: Pages, meeting_id: int) -> None:
    office = pages.browser("thuky")
    docx = Document(BytesIO(office.get(f"{WEEK}/lich.docx").data))
    section = docx.sections[0]
    assert section.page_width > section.page_height
    cells = [cell.text for row in docx.tables[1].rows for cell in row.cells]
    assert "(8:00) Giao ban tháng 12/2026" in cells
    assert office.get(f"{WEEK}/lich.pdf").data.startswith(b"%PDF")


# --- subscriptions -------------------------------------------------------------------------------


def address_of(pages: Pages, username: str) -> str:
    page = pages.browser(username).post("/lich-cua-toi").text
    whole = page.partition('id="address" class="secret">')[2].partition("<")[0]
    return "/lich/" + whole.rpartition("/")[2]


def test_a_subscription_shows_what_the_account_may_see(pages: Pages, meeting_id: int) -> None:
    reader = pages.browser(None)
    chair = reader.get(address_of(pages, "chutoa"))
    assert chair.headers["Content-Type"].startswith("text/calendar")
    calendar = Calendar.from_ical(chair.data)
    assert calendar["METHOD"] == "PUBLISH"
    (event,) = calendar.walk("VEVENT")
    assert event["SUMMARY"] == "Giao ban tháng 12/2026"
    assert event.decoded("DTSTART").isoformat() == "2026-12-10T08:00:00+07:00"
    assert vobject.readOne(chair.text).vevent.status.value == "CONFIRMED"
    site = Calendar.from_ical(reader.get(address_of(pages, "diemcau3")).data)
    assert site.walk("VEVENT") == []


def test_a_cancelled_meeting_stays_as_cancelled(pages: Pages, meeting_id: int) -> None:
    address = address_of(pages, "thuky")
    with pages.province.database.transaction() as session:
        scheduling.cancel_meeting(
            session, meeting_id, "Bão", actor=pages.province.secretary, at=AT,
            announcer=SilentAnnouncer(),
        )  # fmt: skip
    (event,) = Calendar.from_ical(pages.browser(None).get(address).data).walk("VEVENT")
    assert event["STATUS"] == "CANCELLED"
    assert event["SEQUENCE"] == 1


def test_a_replaced_or_revoked_address_shows_nothing(pages: Pages, meeting_id: int) -> None:
    reader = pages.browser(None)
    first = address_of(pages, "thuky")
    second = address_of(pages, "thuky")
    assert reader.get(first).status_code == 404
    assert reader.get(second).status_code == 200
    assert pages.browser("thuky").post("/lich-cua-toi/thu-hoi").status_code == 303
    assert reader.get(second).status_code == 404
    assert reader.get("/lich/khong-co.ics").status_code == 404


def test_a_unit_without_account_gets_an_address_from_the_secretariat(
    pages: Pages, meeting_id: int
) -> None:
    with pages.province.database.reading() as session:
        site = session.get_one(Meeting, meeting_id).sites[0]
        site_id, link = site.site_id, f"/vao/{site.join_code}"
    address = f"/quan-tri/diem-cau/{site_id}/lich"
    office, reader = pages.browser("thuky"), pages.browser(None)
    assert "Lịch" in office.get("/quan-tri/diem-cau").text
    assert pages.browser("diemcau1").post(address).status_code == 403

    def issued() -> str:
        page = office.post(address).text
        whole = page.partition('id="address" class="secret">')[2].partition("<")[0]
        return "/lich/" + whole.rpartition("/")[2]

    first, second = issued(), issued()
    assert reader.get(first).status_code == 404
    (event,) = Calendar.from_ical(reader.get(second).data).walk("VEVENT")
    assert str(event["URL"]).endswith(link)
    assert "Người lập" in office.get(address).text
    assert office.post(f"{address}/thu-hoi").status_code == 303
    assert reader.get(second).status_code == 404
