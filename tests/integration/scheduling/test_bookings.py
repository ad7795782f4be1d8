"""What is wanted twice, found in a database."""

from dataclasses import replace
from datetime import timedelta

import pytest

from conference.directory.models import Site
from conference.scheduling import service
from conference.scheduling.announcement import SilentAnnouncer
from conference.scheduling.bookings import Clashes, clashes_of
from conference.scheduling.conflicts import ResourceKind
from conference.scheduling.planning import Office
from conference.scheduling.rules import MeetingDraft
from conference.scheduling.thresholds import Thresholds
from conference.scheduling.working_days import WorkingCalendar
from tests.support.province import AT, ENDS, STARTS, Province, counted_queries

OFFICE = Office(WorkingCalendar({}))


def plan(province: Province, draft: MeetingDraft) -> int:
    with province.database.transaction() as session:
        return service.create_meeting(
            session, draft, actor=province.secretary, at=AT, announcer=SilentAnnouncer()
        ).id


def look(
    province: Province, draft: MeetingDraft, office: Office = OFFICE, except_id: int | None = None
) -> Clashes:
    with province.database.reading() as session:
        return clashes_of(session, draft, office, except_id=except_id)


def words(found: Clashes) -> dict[ResourceKind, str]:
    return {clash.kind: found.words(clash)[0] for clash in found.found}


@pytest.fixture
def mine(province: Province) -> int:
    with province.database.transaction() as session:
        for number, site_id in enumerate(province.site_ids[:4]):
            site = session.get_one(Site, site_id)
            site.technician_name, site.technician_phone = (
                "Lê Thị Lan",
                "0905 000 11" + "12"[number % 2],
            )
    return plan(province, province.draft(sites=province.site_ids[:2], location="Phòng họp số 1"))


def test_people_rooms_sites_and_technicians_are_found(province: Province, mine: int) -> None:
    same = province.draft(sites=province.site_ids[1:2], location="phong hop so 1")
    found = look(province, same)
    assert words(found) == {
        ResourceKind.PERSON: "Nguyễn Văn An, Hoàng Thị Hạnh",
        ResourceKind.ROOM: "phong hop so 1",
        ResourceKind.SITE: "Sở Nội vụ",
        ResourceKind.TECHNICIAN: "Lê Thị Lan",
    }
    assert not look(province, same, except_id=mine).found


def test_a_technician_of_two_sites_cannot_be_in_both(province: Province, mine: int) -> None:
    elsewhere = replace(
        province.draft(sites=province.site_ids[2:3], chair="Y Thanh Bình"), secretary_id=None
    )
    assert words(look(province, elsewhere)) == {ResourceKind.TECHNICIAN: "Lê Thị Lan"}


def test_one_may_begin_when_the_other_ends(province: Province, mine: int) -> None:
    later = province.draft(starts_at=ENDS, ends_at=ENDS + timedelta(hours=1))
    assert not look(province, later).found


def test_capacity_counts_all_meetings_and_proposes_a_time(province: Province, mine: int) -> None:
    others = replace(
        province.draft(sites=province.site_ids[10:20], chair="Y Thanh Bình"), secretary_id=None
    )
    small = Office(WorkingCalendar({}), Thresholds(media_capacity=11))
    found = look(province, others, small)
    assert not found.found
    assert found.load == 12
    assert found.free_from == STARTS + timedelta(hours=5)  # after lunch


def test_the_question_takes_a_fixed_number_of_statements(province: Province, mine: int) -> None:
    for hour in range(6):
        plan(province, province.draft(starts_at=STARTS + timedelta(hours=hour),
                                      ends_at=ENDS + timedelta(hours=hour)))  # fmt: skip
    with counted_queries(province.database) as seen:
        assert look(province, province.draft()).found
    assert len([one for one in seen if one.startswith("SELECT")]) == 6
