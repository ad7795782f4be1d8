"""A series by mail: one UID, one letter, a changed meeting by RECURRENCE-ID, answers to one."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import vobject
from sqlalchemy import func, select

from conference.directory.models import Site
from conference.invitations.message import Office
from conference.invitations.models import Delivery, OutboxMessage
from conference.invitations.service import MailAnnouncer
from conference.replies import mailbox
from conference.replies.models import Answer, Handling, SiteReply
from conference.scheduling import series
from conference.scheduling.context import Context
from conference.scheduling.models import (
    CallOffGround,
    InvitedSite,
    Meeting,
    MeetingSeries,
    SeriesPlace,
    Status,
)
from conference.scheduling.recurrence import Repetition, Rhythm, Scope
from tests.integration.pages.conftest import Pages, pages
from tests.integration.pages.test_meetings import text_of
from tests.support import libical
from tests.support.answers import calendar_text, mail
from tests.support.calendar_client import calendar_of
from tests.support.province import AT, ENDS, STARTS

__all__ = ["pages"]
ANNOUNCER = MailAnnouncer(Office("Văn phòng", "hop@kontum.example", ""), "https://hop.example")
WEEK = timedelta(days=7)


@pytest.fixture
def meetings(pages: Pages) -> list[Meeting]:
    """Four weekly meetings from Thursday 10/12/2026, 8:00, to which three sites are invited."""
    with pages.province.database.transaction() as session:
        series.create_series(
            Context(session, pages.province.secretary, AT, announcer=ANNOUNCER),
            pages.province.draft(title="Giao ban"), Repetition(Rhythm.WEEKLY, count=4),
            is_inviting=True,
        )  # fmt: skip
    return stored(pages)


def stored(pages: Pages) -> list[Meeting]:
    with pages.province.database.reading() as session:
        return list(session.scalars(select(Meeting).order_by(Meeting.starts_at)))


def letters(pages: Pages, site_number: int = 0) -> list[Any]:
    """Calendar parts of what one site got, in order."""
    query = (
        select(OutboxMessage.content)
        .join(InvitedSite, InvitedSite.id == OutboxMessage.invited_site_id)
        .where(InvitedSite.site_id == pages.province.site_ids[site_number])
        .order_by(OutboxMessage.id)
    )
    with pages.province.database.reading() as session:
        return [calendar_of(content) for content in session.scalars(query)]


def edit(pages: Pages, meeting: Meeting, scope: Scope, **changes: Any) -> None:
    draft = pages.province.draft(title="Giao ban")
    draft = replace(draft, starts_at=meeting.starts_at, ends_at=meeting.ends_at)
    with pages.province.database.transaction() as session:
        context = Context(session, pages.province.secretary, AT, announcer=ANNOUNCER)
        series.edit(context, meeting.id, replace(draft, **changes), scope, version=meeting.version)


def call_off(pages: Pages, meeting: Meeting, scope: Scope) -> None:
    with pages.province.database.transaction() as session:
        context = Context(session, pages.province.secretary, AT, announcer=ANNOUNCER)
        series.call_off(context, meeting.id, scope, "Bão", CallOffGround.FORCE_MAJEURE)


def everything(pages: Pages) -> list[bytes]:
    return [one.to_ical() for number in range(3) for one in letters(pages, number)]


def test_a_series_is_one_event_that_recurs(pages: Pages, meetings: list[Meeting]) -> None:
    (calendar,) = letters(pages)
    (event,) = calendar.walk("VEVENT")
    assert calendar["METHOD"] == "REQUEST"
    assert event["RRULE"].to_ical() == b"FREQ=WEEKLY;UNTIL=20261231T010000Z;BYDAY=TH"
    assert event["DTSTART"].dt == STARTS
    assert (event["DTEND"].dt, event["SEQUENCE"]) == (ENDS, 0)
    with pages.province.database.reading() as session:
        (row,) = session.scalars(select(MeetingSeries))
        subject = session.scalars(select(OutboxMessage.subject)).first()
    assert event["UID"] == row.ics_uid
    assert str(event["URL"]).startswith("https://hop.example/vao/")
    assert subject == "Mời họp trực tuyến: Giao ban (4 cuộc, từ 8:00 10/12/2026)"


def test_one_meeting_is_changed_and_called_off_by_its_slot(
    pages: Pages, meetings: list[Meeting]
) -> None:
    moved = meetings[1].starts_at + timedelta(hours=2)
    edit(pages, meetings[1], Scope.THIS, starts_at=moved, ends_at=moved + timedelta(hours=1))
    call_off(pages, stored(pages)[2], Scope.THIS)
    first, changed, off = letters(pages)
    uids = {str(one.walk("VEVENT")[0]["UID"]) for one in (first, changed, off)}
    assert len(uids) == 1
    (event,) = changed.walk("VEVENT")
    assert (changed["METHOD"], int(event["SEQUENCE"])) == ("REQUEST", 1)
    assert (event["RECURRENCE-ID"].dt, event["DTSTART"].dt) == (STARTS + WEEK, moved)
    (event,) = off.walk("VEVENT")
    assert (off["METHOD"], int(event["SEQUENCE"])) == ("CANCEL", 2)
    assert event["RECURRENCE-ID"].dt == STARTS + 2 * WEEK


def test_from_one_meeting_on_there_is_a_new_event_and_the_old_one_ends(
    pages: Pages, meetings: list[Meeting]
) -> None:
    by = timedelta(days=1, hours=1)
    edit(pages, meetings[2], Scope.FOLLOWING, starts_at=meetings[2].starts_at + by,
         ends_at=meetings[2].ends_at + by)  # fmt: skip
    first, ended, anew = (one.walk("VEVENT") for one in letters(pages))
    assert ended[0]["UID"] == first[0]["UID"] != anew[0]["UID"]
    assert ended[0]["RRULE"]["UNTIL"] == [STARTS + WEEK]
    assert (len(ended), len(anew)) == (1, 1)
    assert anew[0]["DTSTART"].dt == STARTS + 2 * WEEK + by
    assert anew[0]["RRULE"].to_ical() == b"FREQ=WEEKLY;UNTIL=20270101T020000Z;BYDAY=FR"


def test_a_change_of_all_moves_the_rule_and_keeps_what_was_moved_alone(
    pages: Pages, meetings: list[Meeting]
) -> None:
    moved = meetings[1].starts_at + timedelta(hours=2)
    edit(pages, meetings[1], Scope.THIS, starts_at=moved, ends_at=moved + timedelta(hours=1))
    by = timedelta(hours=1)
    edit(pages, stored(pages)[0], Scope.ALL, starts_at=STARTS + by, ends_at=ENDS + by)
    master, exception = letters(pages)[-1].walk("VEVENT")
    assert master["DTSTART"].dt == STARTS + by
    assert exception["RECURRENCE-ID"].dt == STARTS + WEEK + by
    assert exception["DTSTART"].dt == moved + by
    assert len(letters(pages)) == 3


def test_what_was_held_stays_in_calendars_when_all_the_rest_changes(
    pages: Pages, meetings: list[Meeting]
) -> None:
    with pages.province.database.transaction() as session:
        session.get_one(Meeting, meetings[0].id).status = Status.ENDED
    edit(pages, stored(pages)[1], Scope.ALL, title="Giao ban mở rộng")
    ended, anew = (one.walk("VEVENT") for one in letters(pages)[1:])
    assert [str(one["SUMMARY"]) for one in (*ended, *anew)] == ["Giao ban", "Giao ban mở rộng"]
    assert "RRULE" not in ended[0]


def test_when_all_are_called_off_the_event_is(pages: Pages, meetings: list[Meeting]) -> None:
    call_off(pages, meetings[2], Scope.FOLLOWING)
    call_off(pages, stored(pages)[0], Scope.ALL)
    _first, shorter, off = letters(pages)
    assert (shorter["METHOD"], off["METHOD"]) == ("REQUEST", "CANCEL")
    assert shorter.walk("VEVENT")[0]["RRULE"]["UNTIL"] == [STARTS + WEEK]
    assert "RECURRENCE-ID" not in off.walk("VEVENT")[0]


def test_a_unit_wanted_once_gets_that_meeting_alone(pages: Pages, meetings: list[Meeting]) -> None:
    four = tuple(pages.province.site_ids[:4])
    edit(pages, meetings[1], Scope.THIS, site_ids=four)
    (calendar,) = letters(pages, 3)
    (event,) = calendar.walk("VEVENT")
    assert event["DTSTART"].dt == STARTS + WEEK
    assert "RRULE" not in event


def every_kind_of_letter(pages: Pages, meetings: list[Meeting]) -> list[bytes]:
    by = timedelta(hours=1)
    edit(pages, meetings[0], Scope.THIS, starts_at=STARTS + by, ends_at=ENDS + by)
    call_off(pages, stored(pages)[1], Scope.THIS)
    edit(pages, stored(pages)[0], Scope.ALL, title="Mới; “giao ban”, thư\nký")
    edit(pages, stored(pages)[2], Scope.FOLLOWING, site_ids=tuple(pages.province.site_ids[:2]))
    call_off(pages, stored(pages)[0], Scope.ALL)
    return everything(pages)


def test_another_parser_reads_every_letter_of_a_series(
    pages: Pages, meetings: list[Meeting]
) -> None:
    found = every_kind_of_letter(pages, meetings)
    assert len(found) > 12
    for content in found:
        calendar = vobject.readOne(content.decode())
        for event in calendar.vevent_list:
            slots = event.getrruleset(addRDate=True)
            assert slots is None or len(list(slots)) > 0
        calendar.serialize()  # checks what RFC 5545 demands of each component


@pytest.mark.skipif(libical.library() is None, reason="libical is not installed (apt: libical3)")
def test_evolutions_library_takes_every_letter_of_a_series(
    pages: Pages, meetings: list[Meeting]
) -> None:
    for content in every_kind_of_letter(pages, meetings):
        assert libical.faults_of(content) == [], content.decode()
    broken = everything(pages)[0].replace(b"UNTIL=2026", b"UNTIL=x")
    assert libical.faults_of(broken)


# --- answers and links ---------------------------------------------------------------------------


def answers(pages: Pages) -> dict[str, Answer]:
    """What the first site said, by day."""
    query = (
        select(Meeting.starts_at, SiteReply.answer)
        .join(SiteReply, SiteReply.meeting_id == Meeting.id)
        .order_by(Meeting.starts_at)
    )
    with pages.province.database.reading() as session:
        return {f"{at:%d/%m}": answer for at, answer in session.execute(query)}


@pytest.mark.parametrize(
    "slot",
    ["RECURRENCE-ID:20261217T010000Z", "RECURRENCE-ID;TZID=Asia/Ho_Chi_Minh:20261217T080000",
     "RECURRENCE-ID;TZID=SE Asia Standard Time:20261217T080000",
     "RECURRENCE-ID;VALUE=DATE:20261217"],
)  # fmt: skip
def test_an_answer_to_one_meeting_lands_there(
    pages: Pages, meetings: list[Meeting], slot: str
) -> None:
    moved = meetings[1].starts_at + timedelta(hours=2)
    edit(pages, meetings[1], Scope.THIS, starts_at=moved, ends_at=moved + timedelta(hours=1))
    take(pages, "DECLINED", f"{slot}\r\n")
    assert answers(pages) == {"17/12": Answer.DECLINED}


def test_an_answer_to_the_series_is_for_all_of_it_but_what_it_says_of_one(
    pages: Pages, meetings: list[Meeting]
) -> None:
    uid, site = uid_and_site(pages)
    one = calendar_text(uid, site, "DECLINED", more="RECURRENCE-ID:20261224T010000Z\r\n")
    all_of_it = calendar_text(uid, site, "ACCEPTED")
    event = one[one.index("BEGIN:VEVENT") : one.index("END:VCALENDAR")]
    both = all_of_it.replace("BEGIN:VEVENT", event + "BEGIN:VEVENT", 1)
    assert mailbox.take(pages.province.database, mail(site, both), AT) is Handling.APPLIED
    assert list(answers(pages).values()) == [
        Answer.ACCEPTED, Answer.ACCEPTED, Answer.DECLINED, Answer.ACCEPTED,
    ]  # fmt: skip


def test_an_answer_to_a_slot_that_is_none_changes_nothing(
    pages: Pages, meetings: list[Meeting]
) -> None:
    assert take(pages, "DECLINED", "RECURRENCE-ID:20261218T010000Z\r\n") is Handling.UNKNOWN_MEETING
    assert answers(pages) == {}


def uid_and_site(pages: Pages) -> tuple[str, str]:
    with pages.province.database.reading() as session:
        site = session.get_one(Site, pages.province.site_ids[0])
        return session.scalars(select(MeetingSeries.ics_uid)).one(), site.email


def take(pages: Pages, answer: str, more: str) -> Handling:
    uid, site = uid_and_site(pages)
    ics = calendar_text(uid, site, answer, sequence=1, more=more)
    return mailbox.take(pages.province.database, mail(site, ics), AT)


def series_code(pages: Pages) -> str:
    query = select(SeriesPlace.join_code).where(SeriesPlace.site_id == pages.province.site_ids[0])
    with pages.province.database.reading() as session:
        return session.scalars(query).one()


def test_the_link_of_a_series_leads_to_the_meeting_that_comes_next(
    pages: Pages, meetings: list[Meeting]
) -> None:
    code = series_code(pages)
    with pages.province.database.transaction() as session:
        session.get_one(Meeting, meetings[0].id).status = Status.CANCELLED
    answer = pages.browser(None).get(f"/tra-loi/{code}", follow_redirects=True)
    assert "17/12/2026" in text_of(answer)
    assert pages.browser(None).get(f"/vao/{code}").status_code == 200
    with pages.province.database.transaction() as session:
        for place in session.scalars(select(InvitedSite)):
            place.withdrawn_at = AT
    assert pages.browser(None).get(f"/vao/{code}").status_code == 404


def test_a_site_answers_for_the_later_meetings_too(pages: Pages, meetings: list[Meeting]) -> None:
    with pages.province.database.reading() as session:
        code = session.scalars(
            select(InvitedSite.join_code)
            .where(InvitedSite.meeting_id == meetings[1].id)
            .order_by(InvitedSite.position)
        ).first()
    browser = pages.browser(None)
    assert "2 cuộc sau của chuỗi" in text_of(browser.get(f"/tra-loi/{code}"))
    form = {"answer": "accepted", "headcount": "7", "is_for_series": "y"}
    assert browser.post(f"/tra-loi/{code}", data=form).status_code == 303
    assert set(answers(pages)) == {"17/12", "24/12", "31/12"}


def test_a_letter_of_the_series_stands_with_each_meeting_and_is_sent_again_as_it_now_is(
    pages: Pages, meetings: list[Meeting]
) -> None:
    call_off(pages, meetings[3], Scope.THIS)
    browser = pages.browser()
    address = f"/cuoc-hop/{meetings[1].id}/giay-moi"
    assert text_of(browser.get(address)).count("Mời họp") >= 3
    with pages.province.database.reading() as session:
        number = session.scalars(select(func.min(OutboxMessage.id))).one()
    with pages.province.database.transaction() as session:
        session.get_one(OutboxMessage, number).state = Delivery.FAILED
    assert "Gửi lại các thư lỗi" in text_of(browser.get(address))
    browser.post(f"{address}/gui-lai", data={"failed": "1"})
    last = max(
        (letters(pages, number)[-1] for number in range(3)),
        key=lambda one: len(one.walk("VEVENT")[0].get("RRULE", "")),
    )
    assert last.walk("VEVENT")[0]["RRULE"]["UNTIL"] == [STARTS + 2 * WEEK]


def test_who_was_invited_only_to_what_became_a_new_series_is_told_the_old_one_is_over(
    pages: Pages, meetings: list[Meeting]
) -> None:
    two = tuple(pages.province.site_ids[:2])
    edit(pages, meetings[0], Scope.THIS, site_ids=two)
    edit(pages, stored(pages)[1], Scope.FOLLOWING, title="Giao ban mở rộng")
    first, withdrawn, over, anew = letters(pages, 2)
    assert [one["METHOD"] for one in (withdrawn, over, anew)] == ["CANCEL", "CANCEL", "REQUEST"]
    uids = [one.walk("VEVENT")[0]["UID"] for one in (first, over, anew)]
    assert uids[0] == uids[1] != uids[2]
