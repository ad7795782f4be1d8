"""Reminders of line checks: to whom, once, and only while they are true."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from conference.access.policy import Actor
from conference.directory.models import Person, Site
from conference.invitations.message import Office
from conference.invitations.models import Channel, Delivery, OutboxMessage, Purpose
from conference.invitations.worker import deliver_due
from conference.line_checks import service
from conference.line_checks.models import LineCheckReminder, Stage
from conference.line_checks.reminders import LAST_USE, Reminder, expires_at, stage_at
from conference.line_checks.verdict import Grade
from conference.replies.worker import work_once
from conference.scheduling.models import InvitedSite, Status
from conference.scheduling.thresholds import Thresholds
from config.settings import Gateway, Mail
from tests.integration.line_checks.conftest import Checks
from tests.support.line_reports import report
from tests.support.mailbox import Mailbox
from tests.support.province import STARTS
from tests.support.service import free_ports
from web.services import EXTENSION

WRITER = Reminder(Office("VP UBND tỉnh", "hop@kontum.example", "0260 111"), "https://hop.example")
LIMITS = Thresholds()
MINUTE = timedelta(minutes=1)


def remind(checks: Checks, before: timedelta, writer: Reminder = WRITER) -> int:
    """What is due so long before the start; how many sites were reminded."""
    with checks.database.transaction() as session:
        return writer.remind_due(session, STARTS - before)


def letters(checks: Checks) -> list[OutboxMessage]:
    with checks.database.reading() as session:
        return list(session.scalars(select(OutboxMessage).order_by(OutboxMessage.id)))


def give_addresses(checks: Checks) -> None:
    with checks.database.transaction() as session:
        for number, site in enumerate(checks.sites):
            session.get_one(Site, site.site_id).email = f"site{number}@kontum.example"


@pytest.fixture
def inbox() -> Iterator[Mailbox]:
    """A mail server of this test alone."""
    [port] = free_ports(1)
    found = Mailbox().start(port)
    yield found
    found.stop()


@pytest.mark.parametrize(
    ("before", "stage"),
    [
        (timedelta(hours=24, seconds=1), None),
        (timedelta(hours=24), Stage.OPENED),
        (timedelta(minutes=60, seconds=1), Stage.OPENED),
        (timedelta(minutes=60), Stage.LAST),
        (LAST_USE + timedelta(seconds=1), Stage.LAST),
        (LAST_USE, None),
        (timedelta(0), None),
        (timedelta(minutes=-5), None),
    ],
)
def test_which_reminder_is_useful_when(before: timedelta, stage: Stage | None) -> None:
    assert stage_at(STARTS, STARTS - before, LIMITS) is stage
    if stage is not None:
        assert STARTS - before < expires_at(stage, STARTS, LIMITS) < STARTS


def test_each_site_is_reminded_once_at_each_stage(checks: Checks) -> None:
    give_addresses(checks)
    assert remind(checks, timedelta(hours=25)) == 0
    assert remind(checks, timedelta(hours=24)) == 4
    assert remind(checks, timedelta(hours=23)) == 0
    assert remind(checks, timedelta(minutes=60)) == 4
    assert remind(checks, timedelta(minutes=59)) == 0
    purposes = [row.purpose for row in letters(checks)]
    assert purposes == [Purpose.CHECK_OPENED] * 4 + [Purpose.CHECK_LAST] * 4


def test_who_has_passed_is_left_alone_and_who_failed_is_not(checks: Checks) -> None:
    give_addresses(checks)
    checks.check(report(), 0)
    checks.check(report(camera="missing"), 1)
    checks.check(report(microphone="silent"), 2)
    assert remind(checks, timedelta(minutes=45)) == 2
    rows = letters(checks)
    assert {row.invited_site_id for row in rows} == {checks.sites[2].id, checks.sites[3].id}


def test_the_first_reminder_is_not_made_up_for_in_the_last_hour(checks: Checks) -> None:
    give_addresses(checks)
    assert remind(checks, timedelta(minutes=30)) == 4
    assert {row.purpose for row in letters(checks)} == {Purpose.CHECK_LAST}
    assert remind(checks, timedelta(minutes=5)) == 0


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.POSTPONED, Status.LIVE, Status.DRAFT])
def test_a_meeting_that_does_not_wait_for_its_start_is_not_reminded_of(
    checks: Checks, status: Status
) -> None:
    with checks.database.transaction() as session:
        checks.meeting(session).status = status
    assert remind(checks, timedelta(hours=3)) == 0


def test_a_meeting_that_was_moved_is_reminded_of_anew(checks: Checks) -> None:
    give_addresses(checks)
    assert remind(checks, timedelta(hours=20)) == 4
    later = timedelta(days=3)
    with checks.database.transaction() as session:
        meeting = checks.meeting(session)
        meeting.starts_at, meeting.ends_at = meeting.starts_at + later, meeting.ends_at + later
    assert remind(checks, timedelta(minutes=60)) == 0
    assert remind(checks, timedelta(hours=20) - later) == 4
    with checks.database.reading() as session:
        rows = session.scalars(select(LineCheckReminder)).all()
    assert len({row.starts_at for row in rows}) == 2


def test_two_processes_do_not_write_the_same_reminder(checks: Checks) -> None:
    at = STARTS - timedelta(hours=20)
    with checks.database.transaction() as session:
        session.add(
            LineCheckReminder(
                meeting_id=checks.meeting_id, invited_site_id=checks.sites[0].id,
                stage=Stage.OPENED, starts_at=STARTS, written_at=at,
            )
        )  # fmt: skip
    assert remind(checks, timedelta(hours=20)) == 3


def test_who_was_just_invited_is_not_reminded_at_once(checks: Checks) -> None:
    give_addresses(checks)
    at = STARTS - timedelta(hours=5)
    with checks.database.transaction() as session:
        session.add(invitation(checks.meeting_id, checks.sites[0], at))
    assert remind(checks, timedelta(hours=4)) == 3
    assert remind(checks, timedelta(hours=2)) == 1


def invitation(meeting_id: int, site: InvitedSite, at: datetime) -> OutboxMessage:
    return OutboxMessage(
        meeting_id=meeting_id, invited_site_id=site.id, purpose=Purpose.REQUEST,
        channel=Channel.MAIL, recipient="a@kontum.example", subject="x", content="x",
        ics_sequence=0, state=Delivery.SENT, attempts=1, next_attempt_at=at, lease_owner="",
        lease_until=None, last_error="", created_at=at, sent_at=at,
    )  # fmt: skip


def deliver(checks: Checks, mail: Mail, at: datetime) -> None:
    while deliver_due(checks.database, mail, owner="test", clock=lambda: at):
        pass


def test_the_reminder_reaches_site_and_technician_through_a_real_mail_server(
    checks: Checks, inbox: Mailbox
) -> None:
    give_addresses(checks)
    checks.check(report(microphone="silent"), 3)
    with checks.database.transaction() as session:
        lan = session.scalars(select(Person).order_by(Person.id)).first()
        assert lan is not None
        lan.email = "lan@kontum.example"
        session.get_one(Site, checks.sites[3].site_id).technician_id = lan.id
    mail = Mail(host=inbox.host, port=inbox.port, sender="hop@kontum.example")
    known = checks.pages.app.extensions[EXTENSION]
    settings = replace(checks.pages.settings, mail=mail)
    checks.at = STARTS - 60 * MINUTE
    work_once(replace(known, settings=settings, clock=lambda: checks.at))
    deliver(checks, mail, checks.at)
    about_lines = "Nhắc kiểm tra đường truyền"  # the other one asks for an answer
    [to_site] = [one for one in inbox.to("site3@kontum.example") if about_lines in one["Subject"]]
    [to_technician] = inbox.to("lan@kontum.example")
    assert to_site["Subject"] == to_technician["Subject"]
    assert to_site["Subject"].startswith("Nhắc kiểm tra đường truyền: Giao ban tháng 12/2026")
    link = f"/vao/{checks.sites[3].join_code}/kiem-tra"
    for kind in ("plain", "html"):
        body = to_site.get_body((kind,))
        assert body is not None
        text = body.get_content()
        assert link in text
        assert "Có lỗi (lúc 5:00)" in text
        assert "8:00–11:00, thứ Năm 10/12/2026" in text
    to_other = [one["Subject"] for one in inbox.to("site0@kontum.example")]
    assert sum(about_lines in subject for subject in to_other) == 1


def test_what_waited_too_long_or_is_no_longer_true_is_never_sent(
    checks: Checks, inbox: Mailbox
) -> None:
    give_addresses(checks)
    mail = Mail(host=inbox.host, port=inbox.port, sender="hop@kontum.example")
    [port] = free_ports(1)
    away = replace(mail, port=port)
    assert remind(checks, timedelta(minutes=55)) == 4
    deliver(checks, away, STARTS - 55 * MINUTE)
    assert {row.state for row in letters(checks)} == {Delivery.WAITING}
    with checks.database.transaction() as session:
        session.get_one(InvitedSite, checks.sites[0].id).withdrawn_at = STARTS - 50 * MINUTE
    deliver(checks, mail, STARTS - 20 * MINUTE)
    assert inbox.to("site0@kontum.example") == []
    assert len(inbox.to("site1@kontum.example")) == 1
    assert [row.state for row in letters(checks)] == [Delivery.DROPPED] + [Delivery.SENT] * 3

    later = timedelta(days=1)
    with checks.database.transaction() as session:
        meeting = checks.meeting(session)
        meeting.starts_at, meeting.ends_at = meeting.starts_at + later, meeting.ends_at + later
        count = WRITER.remind(session, meeting, checks.sites[1:], STARTS)
        assert count == 3
    with checks.database.transaction() as session:
        checks.meeting(session).status = Status.CANCELLED
    deliver(checks, mail, STARTS + MINUTE)
    assert len(inbox.to("site1@kontum.example")) == 1
    assert [row.state for row in letters(checks)[4:]] == [Delivery.DROPPED] * 3


def test_a_reminder_after_its_time_is_dropped(checks: Checks, inbox: Mailbox) -> None:
    give_addresses(checks)
    remind(checks, timedelta(hours=20))
    deliver(checks, Mail(host=inbox.host, port=inbox.port), STARTS - 59 * MINUTE)
    assert {row.state for row in letters(checks)} == {Delivery.DROPPED}


def test_the_secretariat_reminds_by_hand_and_not_twice_while_letters_wait(checks: Checks) -> None:
    give_addresses(checks)
    checks.check(report(), 0)
    browser = checks.pages.browser("thuky")
    url = f"/cuoc-hop/{checks.meeting_id}/kiem-tra/nhac"
    assert browser.post(url, data={"site": checks.sites[1].id}).status_code == 303
    assert len(letters(checks)) == 1
    assert browser.post(url).status_code == 303
    rows = letters(checks)
    assert sorted(row.invited_site_id for row in rows) == [one.id for one in checks.sites[1:]]
    assert browser.post(url, data={"site": checks.sites[0].id}).status_code == 303
    assert len(letters(checks)) == 3
    assert checks.pages.browser("diemcau1").post(url).status_code == 403


def test_without_an_address_the_failure_is_shown_and_a_gateway_still_gets_its_message(
    checks: Checks,
) -> None:
    with checks.database.transaction() as session:
        for site in checks.sites:
            session.get_one(Site, site.site_id).email = ""
    remind(checks, timedelta(hours=20), replace(WRITER, has_gateway=True))
    rows = letters(checks)
    mails = [row for row in rows if row.channel is Channel.MAIL]
    assert {row.state for row in mails} == {Delivery.FAILED}
    short = [row for row in rows if row.channel is Channel.WEBHOOK]
    assert [row.recipient for row in short if row.invited_site_id == checks.sites[3].id] == [
        "0905 000 111"
    ]
    assert isinstance(Gateway().url, str)
    page = checks.pages.browser().get(f"/cuoc-hop/{checks.meeting_id}/giay-moi")
    text = page.get_data(as_text=True)
    assert "Mời kiểm tra đường truyền" in text
    assert "Gửi lại các thư lỗi" not in text, "these are reminded of on the board"


def test_pages_say_to_a_site_that_it_has_not_passed(checks: Checks) -> None:
    account: Any = checks.pages.browser("diemcau1")
    overview = f"/cuoc-hop/{checks.meeting_id}/tong-quan"
    link = f"/cuoc-hop/{checks.meeting_id}/kiem-tra/{checks.sites[3].id}/thu"
    assert link in account.get(overview).get_data(as_text=True)
    assert "chưa kiểm tra đạt" in account.get(overview).get_data(as_text=True)
    assert "Kiểm tra đường truyền: Giao ban" in account.get("/hom-nay").get_data(as_text=True)
    desk = checks.pages.browser("thuky").get("/hom-nay").get_data(as_text=True)
    assert "4 điểm cầu chưa đạt" in desk
    checks.check(report(), 3)
    assert "đã kiểm tra, sẵn sàng" in account.get(overview).get_data(as_text=True)
    assert "Kiểm tra đường truyền: Giao ban" not in account.get("/hom-nay").get_data(as_text=True)
    told = checks.pages.browser("thuky").get(overview).get_data(as_text=True)
    assert "Đã kiểm tra 1/4 điểm cầu" in told


def test_the_file_of_the_meeting_keeps_the_checks(checks: Checks) -> None:
    with checks.database.transaction() as session:
        actor = Actor(None, None, "Kỹ thuật")
        by = service.By(actor, STARTS - timedelta(hours=2))
        site = session.get_one(InvitedSite, checks.sites[0].id)
        service.keep_by_hand(session, site, Grade.GREEN, "Gọi điện, nghe rõ", by)
    overview = f"/cuoc-hop/{checks.meeting_id}/tong-quan"
    with checks.database.transaction() as session:
        checks.meeting(session).status = Status.LIVE
    page = checks.pages.browser("vanthu").get(overview).get_data(as_text=True)
    assert "Kiểm tra đường truyền" in page
