"""Naming and marking the people of a meeting, and how they appear on the sheet."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from conference.attendance import delegates, service
from conference.attendance.delegates import Expected, parse
from conference.attendance.evidence import Observation, record
from conference.attendance.models import AttendanceStatus, EvidenceKind, EvidenceSource
from conference.database import Database
from conference.errors import InvalidError
from conference.models import Base
from tests.support.live_meeting import STARTS_AT, LiveMeeting, hold

AT = STARTS_AT + timedelta(minutes=30)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    database = Database(f"sqlite:///{tmp_path / 'test.sqlite3'}")
    Base.metadata.create_all(database.engine)
    with database.transaction() as session:
        yield session
    database.dispose()


@pytest.fixture
def held(session: Session) -> LiveMeeting:
    return hold(session)


def join(session: Session, held: LiveMeeting, identity: str, minutes: int) -> None:
    at = STARTS_AT + timedelta(minutes=minutes)
    one = Observation(
        identity, f"PA_{identity}", EvidenceKind.JOINED, EvidenceSource.WEBHOOK, at, identity
    )
    seen = Observation(
        identity, f"PA_{identity}", EvidenceKind.SEEN, EvidenceSource.POLL, AT, f"{identity}:s"
    )
    record(session, held.meeting.id, [one, seen], at)


def test_a_pasted_list_is_read_line_by_line() -> None:
    text = (
        "1. Y Mửi, Phó Chủ tịch UBND xã, phụ trách kinh tế\n\n- Kring Ba\n"
        "• Trần  Văn Bình, Chuyên viên (dự thay: Lê Thị Hoa)\n"
    )
    assert parse(text) == [
        Expected("Y Mửi", "Phó Chủ tịch UBND xã, phụ trách kinh tế"),
        Expected("Kring Ba"),
        Expected("Trần Văn Bình", "Chuyên viên", "Lê Thị Hoa"),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "ít nhất một"), ("Y Mửi\n12345", "Dòng 2"), ("x" * 300, "Dòng 1 quá dài"),
     ("A\n" * 600, "tối đa 500")],
)  # fmt: skip
def test_what_is_no_name_is_told_with_its_line(text: str, said: str) -> None:
    with pytest.raises(InvalidError, match=said):
        parse(text)


@given(st.text(max_size=400))
def test_any_text_is_names_or_a_sentence(text: str) -> None:
    people = []
    with suppress(InvalidError):
        people = parse(text)
    assert all(one.full_name and len(one.full_name) <= 120 for one in people)
    assert all(c.isprintable() for one in people for c in one.full_name + one.title)


def test_naming_somebody_twice_is_one_delegate(session: Session, held: LiveMeeting) -> None:
    site = held.sites[0]
    people = [Expected("Y Mửi", "Chủ tịch"), Expected("Kring Ba")]
    assert delegates.expect(session, held.meeting, site, people) == 2
    assert delegates.expect(session, held.meeting, site, people, source="reply") == 0
    assert delegates.expect(session, held.meeting, held.sites[1], people) == 2
    named = delegates.of_meeting(session, held.meeting.id)
    assert [one.position for one in named] == [1, 2, 3, 4]


def test_a_delegate_is_as_present_as_the_site_or_the_own_account(
    session: Session, held: LiveMeeting
) -> None:
    delegates.expect(session, held.meeting, held.sites[0], [Expected("Y Mửi")])
    delegates.expect(session, held.meeting, held.sites[1], [Expected("Kring Ba")])
    alone = Expected("Nguyễn Văn Ước", account_id=held.chair.id)
    delegates.expect(session, held.meeting, None, [alone])
    join(session, held, f"site:{held.sites[0].id}", 0)
    join(session, held, f"person:{held.chair.id}", 20)
    sheet = service.sheet(session, held.meeting, AT)
    assert [line.suggestion for line in sheet.delegates] == [
        AttendanceStatus.PRESENT, AttendanceStatus.ABSENT, AttendanceStatus.LATE,
    ]  # fmt: skip
    assert sheet.people == ()  # the chair is a named delegate now, and counted once
    assert (sheet.delegate_totals.invited, sheet.delegate_totals.came) == (3, 2)
    assert [(line.expected, line.came) for line in sheet.units] == [(1, 1), (1, 0), (0, 0)]


def test_a_mark_overrides_the_log_and_both_are_kept(session: Session, held: LiveMeeting) -> None:
    delegates.expect(session, held.meeting, held.sites[0], [Expected("Y Mửi")])
    join(session, held, f"site:{held.sites[0].id}", 0)
    row = delegates.of_meeting(session, held.meeting.id)[0]
    delegates.mark(row, status=AttendanceStatus.EXCUSED, note="Đi công tác", by="Bích", at=AT)
    line = service.sheet(session, held.meeting, AT).delegates[0]
    assert line.counted_as is AttendanceStatus.EXCUSED
    assert line.suggestion is AttendanceStatus.PRESENT
    assert line.delegate.marked_by == "Bích"


@pytest.mark.parametrize(
    ("status", "field"),
    [(AttendanceStatus.EXCUSED, "note"), (AttendanceStatus.SUBSTITUTE, "stands_in_for")],
)
def test_an_excuse_needs_its_reason_and_a_substitute_a_name(
    session: Session, held: LiveMeeting, status: AttendanceStatus, field: str
) -> None:
    delegates.expect(session, held.meeting, held.sites[0], [Expected("Y Mửi")])
    row = delegates.of_meeting(session, held.meeting.id)[0]
    with pytest.raises(InvalidError) as refused:
        delegates.mark(row, status=status, note="", by="Bích", at=AT)
    assert set(refused.value.fields) == {field}
    assert row.status is AttendanceStatus.UNMARKED


def test_delegates_of_a_withdrawn_site_leave_the_sheet(session: Session, held: LiveMeeting) -> None:
    delegates.expect(session, held.meeting, held.sites[0], [Expected("Y Mửi")])
    held.sites[0].withdrawn_at = AT
    assert service.sheet(session, held.meeting, AT).delegates == ()


def test_confirming_marks_sites_and_their_people(session: Session, held: LiveMeeting) -> None:
    delegates.expect(session, held.meeting, held.sites[0], [Expected("Y Mửi")])
    join(session, held, f"site:{held.sites[0].id}", 0)
    service.confirm_suggestions(session, held.meeting, {AttendanceStatus.PRESENT}, by="Bích", at=AT)
    line = service.sheet(session, held.meeting, AT).delegates[0]
    assert (line.status, line.delegate.marked_by) == (AttendanceStatus.PRESENT, "Bích")
    with pytest.raises(InvalidError):
        delegates.remove(session, line.delegate)
