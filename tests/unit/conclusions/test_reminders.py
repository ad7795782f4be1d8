"""Units are reminded on working days, before the date and after it, once each."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from email import message_from_string, policy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from conference.conclusions import reminders
from conference.conclusions.models import Notice, Task, TaskState
from conference.conclusions.reminders import Reminder, Sender, kind_due
from conference.database import Database
from conference.directory.models import FormerHolder, Unit, UnitLevel
from conference.invitations import ledger
from conference.invitations.models import OutboxMessage
from conference.scheduling.models import DayKind
from conference.scheduling.working_days import SpecialDay, WorkingCalendar, calendar_of
from tests.support.whole_file import whole_file

SENDER = Sender("Văn phòng\r\nBcc: x@y.z", "hop@tinh.example", "https://hop.example")
DUE = date(2026, 12, 20)
"""A Sunday: the term ends on Monday 21/12."""


def at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 3, tzinfo=UTC)


@pytest.fixture
def task(any_database: Database, tmp_path: Path) -> Iterator[tuple[Session, Task]]:
    with any_database.transaction() as session:
        whole_file(session, tmp_path / "house")
        for old in session.scalars(select(OutboxMessage)):
            session.delete(old)
        session.flush()
        yield session, session.scalars(select(Task)).one()


def letters(session: Session) -> list[OutboxMessage]:
    session.flush()
    return list(session.scalars(select(OutboxMessage).order_by(OutboxMessage.id)))


def test_one_letter_before_the_date_and_one_after_it(task: tuple[Session, Task]) -> None:
    session, row = task
    sent = {}
    for offset in range(-10, 15):
        day = DUE + timedelta(days=offset)
        for _ in range(3):  # every minute, and after every restart
            if reminders.write_due(session, SENDER, at(day)):
                sent[day] = reminders.sent_for(session, [row.id])[row.id][-1].kind
    # three days before Sunday 20/12 is Thursday; Monday 21/12 still is in time
    assert sent == {date(2026, 12, 17): Reminder.SOON, date(2026, 12, 22): Reminder.OVERDUE}
    first, second = letters(session)
    assert first.invited_site_id is None
    assert first.subject.startswith("Nhắc nhiệm vụ sắp đến hạn 20/12/2026: Khoan giếng")
    assert second.subject.startswith("Nhiệm vụ quá hạn")
    assert ledger.letters_of(session, row.meeting_id) == []
    mail = message_from_string(first.content, policy=policy.default)
    assert first.content.isascii()
    assert mail["To"].addresses[0].addr_spec == first.recipient
    assert mail["Bcc"] is None
    assert f"https://hop.example/nhiem-vu#nv-{row.id}" in mail.get_content()


def test_another_date_is_another_reminder(task: tuple[Session, Task]) -> None:
    session, row = task
    assert reminders.write_due(session, SENDER, at(date(2026, 12, 17))) == 1
    row.due_on = date(2026, 12, 22)
    assert reminders.write_due(session, SENDER, at(date(2026, 12, 21))) == 1


@pytest.mark.parametrize("state", [TaskState.DONE, TaskState.REPORTED])
def test_what_is_done_or_reported_is_not_asked_for(
    task: tuple[Session, Task], state: TaskState
) -> None:
    session, row = task
    row.state = state
    assert reminders.write_due(session, SENDER, at(date(2027, 1, 12))) == 0


def test_nobody_is_reminded_before_the_notice_is_issued(task: tuple[Session, Task]) -> None:
    session, _row = task
    session.scalars(select(Notice)).one().issued_on = None
    session.flush()
    assert reminders.write_due(session, SENDER, at(date(2027, 1, 12))) == 0


def test_a_unit_that_ended_is_reached_where_its_rooms_are_now(task: tuple[Session, Task]) -> None:
    session, row = task
    site = row.meeting.sites[0].site
    new = Unit(code="moi", name="Phường mới", name_folded="phuong moi", type="phường",
               level=UnitLevel.COMMUNE)  # fmt: skip
    session.add(new)
    session.flush()
    former = FormerHolder(site_id=site.id, unit_id=row.lead_unit_id, until_day=date(2026, 12, 31))
    session.add(former)
    site.unit_id = new.id
    session.flush()
    assert reminders.write_due(session, SENDER, at(date(2027, 1, 12))) == 1
    assert letters(session)[0].recipient == site.email


def test_a_unit_without_address_leaves_no_broken_letter(task: tuple[Session, Task]) -> None:
    session, row = task
    row.meeting.sites[0].site.email = "không có"
    session.flush()
    assert reminders.write_due(session, SENDER, at(date(2027, 1, 12))) == 0


def test_tet_moves_both_letters(task: tuple[Session, Task]) -> None:
    calendar = calendar_of([], [2027])
    # Tết 2027: eve 05/02 (Friday) to mùng 4, days in lieu after it
    kinds = {
        day: kind_due(date(2027, 2, 8), 3, TaskState.OPEN, day, calendar)
        for day in (date(2027, 2, 3) + timedelta(days=n) for n in range(16))
    }
    told = {day: kind for day, kind in kinds.items() if kind}
    assert min(told) == date(2027, 2, 4)
    assert told[date(2027, 2, 4)] is Reminder.SOON
    assert all(calendar.is_working(day) for day in told)
    overdue = [day for day, kind in told.items() if kind is Reminder.OVERDUE]
    last = calendar.after(date(2027, 2, 8), 1)
    assert min(overdue) == calendar.after(last, 1)


@given(
    due=st.dates(date(2026, 1, 1), date(2027, 12, 31)), before=st.integers(0, 60),
    offset=st.integers(-90, 60), free=st.sets(st.integers(-90, 60), max_size=20),
)  # fmt: skip
def test_reminders_keep_to_working_days_and_to_their_order(
    due: date, before: int, offset: int, free: set[int]
) -> None:
    days = {due + timedelta(days=n) for n in free}
    calendar = WorkingCalendar({d: SpecialDay(d, DayKind.HOLIDAY, "x") for d in days})
    today = due + timedelta(days=offset)
    found = kind_due(due, before, TaskState.OPEN, today, calendar)
    if found is None:
        return
    assert calendar.is_working(today)
    if found is Reminder.OVERDUE:
        # at least one whole working day lay between the date, or was the date itself
        assert today > due
        assert any(calendar.is_working(due + timedelta(days=n)) for n in range((today - due).days))
    else:
        assert calendar.between(today, due) <= before + 1
        assert today <= due or not calendar.is_working(due)
