"""The rules of QĐ 45/2018 as warnings: when they speak, what they say, whom they spare."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from conference.scheduling.advice import (
    Advice,
    PaperFact,
    advice,
    days_text,
    half_days_between,
    latest_send_day,
    notice_due,
    warnings,
)
from conference.scheduling.bookings import Clashes
from conference.scheduling.conflicts import Booking, Clash, Resource, ResourceKind
from conference.scheduling.local_time import from_local
from conference.scheduling.models import DayKind, Form, MeetingKind, Scope
from conference.scheduling.planning import Office
from conference.scheduling.rules import Classification, MeetingDraft
from conference.scheduling.thresholds import Thresholds
from conference.scheduling.working_days import SpecialDay, WorkingCalendar, calendar_of
from tests.unit.scheduling import at_clock

AT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
OFFICE = Office(calendar_of([], {2026, 2027}), Thresholds())
DRAFT = MeetingDraft(
    classification=Classification.NONE,
    scope=Scope.INTRA,
    title="Giao ban",
    starts_at=at_clock("2026-12-10 8:00"),
    ends_at=at_clock("2026-12-10 11:00"),
    chair_id=1,
    site_ids=(1,),
    is_not_prohibited=True,
)


def told(
    draft: MeetingDraft,
    at: datetime = AT,
    office: Office = OFFICE,
    papers: Sequence[PaperFact] | None = None,
) -> list[Advice]:
    return advice(draft, at, office, papers=papers)


def codes(draft: MeetingDraft, at: datetime = AT, office: Office = OFFICE) -> list[str]:
    return [one.code for one in told(draft, at, office)]


def test_a_plan_in_order_has_no_warning() -> None:
    assert codes(DRAFT) == []


@pytest.mark.parametrize(
    ("meeting", "last"),
    [
        (date(2026, 12, 10), date(2026, 12, 7)),  # Thursday: Monday
        (date(2026, 12, 7), date(2026, 12, 2)),  # Monday: over the weekend to Wednesday
        (date(2026, 12, 13), date(2026, 12, 9)),  # Sunday: Friday, Thursday, Wednesday
        (date(2026, 2, 23), date(2026, 2, 11)),  # the Monday after Tết: Friday 13 is day one
        (date(2026, 9, 3), date(2026, 8, 27)),  # 1 and 2 September are off
    ],
)
def test_three_working_days_are_counted_back(meeting: date, last: date) -> None:
    assert latest_send_day(meeting, OFFICE) == last


def test_a_stricter_office_is_warned_earlier() -> None:
    strict = Office(OFFICE.calendar, Thresholds(invitation_days=5))
    at = at_clock("2026-12-04 8:00")
    assert codes(DRAFT, at) == []
    assert codes(DRAFT, at, strict) == ["lead_time"]
    assert "trước 5 ngày làm việc" in told(DRAFT, at, strict)[0].text


def test_late_invitations_warn_with_the_day_and_the_rule() -> None:
    assert codes(DRAFT, at_clock("2026-12-07 23:00")) == []
    late = at_clock("2026-12-08 8:00")
    (warning,) = told(DRAFT, late)
    expected = "Quá hạn gửi giấy mời: chậm nhất thứ Hai 07/12/2026 (trước 3 ngày làm việc)."
    assert warning.text == expected
    assert warning.ground == "R1, QĐ 45/2018/QĐ-TTg"


def test_ad_hoc_waives_the_lead_time_for_a_reason() -> None:
    late = at_clock("2026-12-09 8:00")
    hasty = replace(DRAFT, is_ad_hoc=True)
    assert codes(hasty, late) == ["ad_hoc_reason"]
    assert codes(replace(hasty, ad_hoc_reason="Bão số 9"), late) == []


def test_what_the_centre_calls_is_told_but_not_warned_about() -> None:
    central = replace(DRAFT, scope=Scope.CENTRAL, is_not_prohibited=False)
    found = told(central, at_clock("2026-12-09 8:00"))
    assert [one.code for one in found] == ["central"]
    assert warnings(found) == []


def test_the_past_the_weekend_holidays_and_the_night_warn() -> None:
    assert codes(DRAFT, at_clock("2027-01-01 8:00")) == ["past"]
    sunday = replace(DRAFT, starts_at=at_clock("2026-12-13 8:00"), ends_at=None)
    assert [one.text for one in told(sunday)] == ["13/12/2026 là Chủ nhật."]
    new_year = replace(DRAFT, starts_at=at_clock("2027-01-01 8:00"), ends_at=None)
    assert "01/01/2027 là ngày nghỉ: Tết Dương lịch." in [one.text for one in told(new_year)]
    assert codes(replace(DRAFT, starts_at=at_clock("2026-12-10 5:30"))) == ["hour"]


def test_a_swapped_saturday_is_a_working_day() -> None:
    saturday = date(2026, 12, 12)
    swapped = SpecialDay(saturday, DayKind.WORKING_SWAP, "Làm bù")
    office = Office(WorkingCalendar({saturday: swapped}), Thresholds())
    draft = replace(DRAFT, starts_at=at_clock("2026-12-12 8:00"), ends_at=None)
    assert codes(draft) == ["weekend"]
    assert codes(draft, office=office) == []


def test_papers_are_due_with_the_invitation_and_each_late_one_is_named() -> None:
    in_time = PaperFact("a.pdf", at_clock("2026-12-07 17:00"), is_summary=True)
    late = PaperFact("b.pdf", at_clock("2026-12-08 7:00"))
    found = told(DRAFT, AT, papers=[in_time, late])
    assert [one.text for one in found] == ["Tài liệu “b.pdf” gửi sau hạn 07/12/2026."]
    assert told(DRAFT, AT, papers=[]) == []
    missing = told(DRAFT, at_clock("2026-12-08 8:00"), papers=[])
    assert [one.code for one in missing] == ["lead_time", "papers_missing"]


@pytest.mark.parametrize(
    ("starts", "ends", "halves"),
    [
        ("2026-12-10 8:00", "2026-12-10 11:00", 1),
        ("2026-12-10 8:00", "2026-12-10 12:00", 1),
        ("2026-12-10 10:00", "2026-12-10 14:00", 1),  # four hours over lunch are half a day
        ("2026-12-10 7:30", "2026-12-10 16:30", 2),
        ("2026-12-10 13:30", "2026-12-11 11:00", 2),
        ("2026-12-10 8:00", "2026-12-11 17:00", 4),
    ],
)
def test_length_is_counted_in_sessions(starts: str, ends: str, halves: int) -> None:
    assert half_days_between(at_clock(starts), at_clock(ends), 270) == halves


@pytest.mark.parametrize("kind", list(MeetingKind))
def test_each_kind_has_its_longest_length(kind: MeetingKind) -> None:
    allowed = Thresholds().half_days(kind)
    day = date(2026, 12, 7)
    starts = from_local(day, time(7))
    fits = replace(DRAFT, kind=kind, starts_at=starts, ends_at=starts + timedelta(minutes=270))
    assert "length" not in codes(fits)
    too_long = replace(fits, ends_at=starts + timedelta(days=allowed // 2, hours=9.5))
    assert "length" in codes(too_long)


def test_too_long_says_how_long_and_for_what() -> None:
    draft = replace(DRAFT, kind=MeetingKind.BRIEFING, ends_at=at_clock("2026-12-10 17:00"))
    (warning,) = told(draft)
    assert warning.text == "1 ngày dài hơn mức ½ ngày của “Giao ban”."
    assert [days_text(n) for n in (1, 2, 3, 4)] == ["½", "1", "1½", "2"]


def test_online_is_suggested_where_the_decision_wants_it_extended() -> None:
    draft = replace(DRAFT, kind=MeetingKind.TRAINING, form=Form.IN_PERSON)
    found = told(draft)
    assert [one.code for one in found] == ["online"]
    assert warnings(found) == []
    assert codes(replace(draft, kind=MeetingKind.WORK)) == []


def test_the_planner_states_that_the_meeting_is_not_prohibited() -> None:
    assert codes(replace(DRAFT, is_not_prohibited=False)) == ["prohibited"]


def test_the_notice_is_due_within_five_working_days_of_the_end() -> None:
    assert notice_due(at_clock("2026-12-10 11:00"), OFFICE) == date(2026, 12, 17)
    # Thursday before the two days of 02/09: Friday, Monday, then Thursday, Friday, Monday
    assert notice_due(at_clock("2026-08-27 11:00"), OFFICE) == date(2026, 9, 7)


def test_a_clash_names_who_where_and_when() -> None:
    key = Resource(ResourceKind.PERSON, "7")
    other = Booking(3, "Tiếp dân", at_clock("2026-12-10 8:30"), at_clock("2026-12-10 9:30"),
                    frozenset({key}), 0)  # fmt: skip
    free = at_clock("2026-12-10 13:00")
    clashes = Clashes([Clash(ResourceKind.PERSON, ("7",), other)], {key: "Nguyễn Văn An"}, 1, free)
    (found,) = advice(DRAFT, AT, OFFICE, clashes)
    assert found.text == "Trùng lịch: Nguyễn Văn An, “Tiếp dân” 8:30–9:30."
    assert found.proposes == free


def test_many_clashing_sites_are_counted_not_listed() -> None:
    keys = tuple(str(n) for n in range(20))
    names = {Resource(ResourceKind.SITE, key): f"Xã {key}" for key in keys}
    other = Booking(3, "Giao ban", at_clock("2026-12-10 8:30"), at_clock("2026-12-10 9:30"),
                    frozenset(names), 20)  # fmt: skip
    clashes = Clashes([Clash(ResourceKind.SITE, keys, other)], names, 200, None)
    texts = [one.text for one in advice(DRAFT, AT, OFFICE, clashes)]
    assert texts == [
        "Trùng lịch: Xã 0, Xã 1, Xã 2 và 17 điểm cầu khác, “Giao ban” 8:30–9:30.",
        "Sức chứa: 200/150 điểm cầu cùng lúc.",
    ]


def test_papers_without_a_summary_are_told_but_not_warned_about() -> None:
    whole = PaperFact("Báo cáo.pdf", AT)
    short = PaperFact("Tóm tắt.pdf", AT, is_summary=True)
    (one,) = told(DRAFT, papers=[whole])
    assert (one.code, one.is_warning) == ("summary_missing", False)
    assert one.ground.startswith("R13")
    assert told(DRAFT, papers=[whole, short]) == []
