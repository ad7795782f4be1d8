"""Finding meetings in a real database."""

from datetime import date, timedelta

import pytest

from conference.scheduling import listing, service
from conference.scheduling.announcement import SilentAnnouncer
from conference.scheduling.listing import PAGE_SIZE, Filters, Period
from conference.scheduling.models import Scope, Status
from tests.support.province import AT, ENDS, STARTS, Province, counted_queries


def create(province: Province, title: str, *, days: int = 0, **rest: object) -> int:
    shift = timedelta(days=days)
    draft = province.draft(title=title, starts_at=STARTS + shift, ends_at=ENDS + shift, **rest)  # type: ignore[arg-type]
    with province.database.transaction() as session:
        return service.create_meeting(
            session, draft, actor=province.secretary, at=AT, announcer=SilentAnnouncer()
        ).id


def titles(province: Province, filters: Filters, who: str = "thuky") -> list[str]:
    with province.database.reading() as session:
        page = listing.find_meetings(session, filters, actor=province.actors[who], at=AT)
        return [row.title for row in page.rows]


@pytest.mark.parametrize("query", ["giao ban", "giao bán", "GIAO BAN", "12 giao"])
def test_a_meeting_is_found_however_it_is_typed(province: Province, query: str) -> None:
    create(province, "Giao ban tháng 12")
    create(province, "Tổng kết năm")
    assert titles(province, Filters(query=query)) == ["Giao ban tháng 12"]


def test_titles_with_the_very_marks_come_first(province: Province) -> None:
    create(province, "Bàn giao bản đồ", days=3)
    create(province, "Giao bán tài sản", days=2)
    create(province, "Giao ban tuần", days=1)
    assert titles(province, Filters(query="giao bán"))[0] == "Giao bán tài sản"
    assert titles(province, Filters(query="giao ban"))[0] == "Giao ban tuần"


def test_the_chair_is_searched_too(province: Province) -> None:
    create(province, "Họp một", chair="Y Thanh Bình")
    assert titles(province, Filters(query="thanh binh hop")) == ["Họp một"]
    assert titles(province, Filters(query="100%_")) == []


def test_filters_narrow_the_list(province: Province) -> None:
    create(province, "Trung ương", scope=Scope.CENTRAL)
    create(province, "Tuần này", days=-15)
    create(province, "Tháng trước", days=-45)
    assert titles(province, Filters(scope=Scope.CENTRAL)) == ["Trung ương"]
    assert titles(province, Filters(period=Period.WEEK)) == ["Tuần này"]
    assert titles(province, Filters(period=Period.MONTH)) == ["Tuần này"]
    assert titles(province, Filters(period=Period.UPCOMING)) == ["Tuần này", "Trung ương"]
    assert titles(province, Filters(period=Period.PAST)) == ["Tháng trước"]
    assert titles(province, Filters(status=Status.LIVE)) == []


def test_a_site_sees_only_what_it_is_invited_to(province: Province) -> None:
    site = province.actors["diemcau1"]
    assert site.site_id is not None
    create(province, "Có mời", sites=[site.site_id])
    create(province, "Không mời", sites=[i for i in province.site_ids if i != site.site_id][:3])
    assert titles(province, Filters(), "diemcau1") == ["Có mời"]
    assert set(titles(province, Filters(), "kythuat")) == {"Có mời", "Không mời"}


def test_pages_hold_twenty_five_and_cost_two_queries(province: Province) -> None:
    for number in range(PAGE_SIZE + 3):
        create(province, f"Cuộc họp {number:02d}", days=number, sites=province.site_ids[:2])
    with province.database.reading() as session, counted_queries(province.database) as queries:
        first = listing.find_meetings(session, Filters(), actor=province.secretary, at=AT)
    assert len(queries) == 2
    assert (len(first.rows), first.total, first.count) == (PAGE_SIZE, PAGE_SIZE + 3, 2)
    assert first.rows[0].title == "Cuộc họp 27"
    assert first.rows[0].sites_count == 2
    with province.database.reading() as session:
        beyond = listing.find_meetings(session, Filters(), actor=province.secretary, at=AT, page=99)
    assert (beyond.number, len(beyond.rows)) == (2, 3)


def test_a_sites_next_meeting_skips_what_is_called_off(province: Province) -> None:
    first, second = province.site_ids[:2]
    off = create(province, "Hủy", days=-3, sites=[first])
    create(province, "Nơi khác", days=-2, sites=[second])
    create(province, "Kế tiếp", days=1, sites=[first])
    with province.database.transaction() as session:
        service.cancel_meeting(
            session, off, "Bão", actor=province.secretary, at=AT, announcer=SilentAnnouncer()
        )
    with province.database.reading() as session:
        following = listing.next_meeting_of_site(session, first, AT)
        assert following is not None
        assert following.title == "Kế tiếp"
        assert listing.next_meeting_of_site(session, province.site_ids[9], AT) is None


def test_a_day_is_vietnams_day(province: Province) -> None:
    create(province, "Sáng sớm")
    with province.database.reading() as session:
        who = province.secretary
        assert len(listing.meetings_on(session, date(2026, 12, 10), actor=who)) == 1
        assert not listing.meetings_on(session, date(2026, 12, 9), actor=who)
