"""What a meeting must be, and what its planner is told."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from conference.scheduling.models import Scope
from conference.scheduling.rules import (
    REFUSAL,
    AgendaDraft,
    Classification,
    Engagement,
    MeetingDraft,
    advice,
    faults,
    invitation_faults,
    is_marked_secret,
    is_secret,
    latest_send_day,
)

AT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
DRAFT = MeetingDraft(
    classification=Classification.NONE,
    scope=Scope.INTRA,
    title="Giao ban",
    starts_at=datetime(2026, 12, 10, 1, 0, tzinfo=UTC),
    ends_at=datetime(2026, 12, 10, 4, 0, tzinfo=UTC),
    chair_id=1,
    site_ids=(1,),
)


def codes(draft: MeetingDraft, at: datetime = AT) -> list[str]:
    return [warning.code for warning in advice(draft, at)]


def test_a_complete_draft_has_no_fault() -> None:
    assert not faults(DRAFT)
    assert not invitation_faults(DRAFT)


@pytest.mark.parametrize(
    "classification", [c for c in Classification if c is not Classification.NONE]
)
def test_a_declared_secret_is_refused_with_the_reason(classification: Classification) -> None:
    secret = replace(DRAFT, classification=classification)
    assert is_secret(secret)
    assert faults(secret) == {"classification": REFUSAL}


@pytest.mark.parametrize(
    "text",
    ["Họp (Mật)", "[TỐI MẬT] Phương án", "Nội dung tuyệt mật", "Giao ban (độ mật)", "( MẬT )"],
)
def test_a_mark_in_the_text_is_refused(text: str) -> None:
    marked = is_marked_secret(text)
    assert marked
    assert is_secret(replace(DRAFT, title=text))
    assert is_secret(replace(DRAFT, agenda=(AgendaDraft(text),)))


@pytest.mark.parametrize(
    "text",
    ["Bảo mật thông tin", "Phát triển nghề nuôi ong lấy mật", "Mật độ dân số", "bí mật nhà nước"],
)
def test_ordinary_words_are_no_marks(text: str) -> None:
    assert not is_marked_secret(text)


def test_nothing_else_is_asked_before_the_classification() -> None:
    empty = MeetingDraft(None, None, "", None, None, None)
    assert set(faults(empty)) == {"classification"}
    assert set(faults(replace(empty, classification=Classification.NONE))) == {
        "scope", "title", "starts", "ends", "chair",
    }  # fmt: skip


@pytest.mark.parametrize("minutes", [0, -30])
def test_the_end_comes_after_the_start(minutes: int) -> None:
    assert DRAFT.starts_at
    ends = DRAFT.starts_at + timedelta(minutes=minutes)
    assert "ends" in faults(replace(DRAFT, ends_at=ends))


def test_a_mistyped_year_is_noticed() -> None:
    assert DRAFT.ends_at
    assert "ends" in faults(replace(DRAFT, ends_at=DRAFT.ends_at + timedelta(days=365)))


def test_a_draft_may_lack_sites_but_invitations_may_not() -> None:
    alone = replace(DRAFT, site_ids=())
    assert not faults(alone)
    assert "sites" in invitation_faults(alone)


def test_the_chair_does_not_keep_the_minutes() -> None:
    assert "secretary" in faults(replace(DRAFT, secretary_id=1))


@pytest.mark.parametrize(
    ("meeting", "last"),
    [
        (date(2026, 12, 10), date(2026, 12, 7)),  # Thursday: Monday
        (date(2026, 12, 7), date(2026, 12, 2)),  # Monday: over the weekend to Wednesday
        (date(2026, 12, 13), date(2026, 12, 9)),  # Sunday: Friday, Thursday, Wednesday
    ],
)
def test_three_working_days_are_counted_back(meeting: date, last: date) -> None:
    assert latest_send_day(meeting) == last


def test_holidays_are_no_working_days() -> None:
    assert latest_send_day(date(2026, 12, 10), {date(2026, 12, 8)}) == date(2026, 12, 4)


def test_late_invitations_warn_but_not_for_what_the_centre_calls() -> None:
    assert "lead_time" not in codes(DRAFT, datetime(2026, 12, 7, 10, tzinfo=UTC))
    late = datetime(2026, 12, 8, 1, tzinfo=UTC)
    assert "lead_time" in codes(DRAFT, late)
    assert codes(replace(DRAFT, scope=Scope.CENTRAL), late) == ["central"]


def test_the_past_and_the_weekend_warn() -> None:
    assert codes(DRAFT, datetime(2027, 1, 1, tzinfo=UTC)) == ["past"]
    sunday = replace(DRAFT, starts_at=datetime(2026, 12, 13, 1, tzinfo=UTC))
    assert "weekend" in codes(sunday)
    assert any("13/12/2026 là Chủ nhật" in w.text for w in advice(sunday, AT))


def test_a_clash_names_the_person_the_meeting_and_its_hours() -> None:
    assert DRAFT.starts_at
    assert DRAFT.ends_at
    other = Engagement("Nguyễn Văn An", "Tiếp dân", DRAFT.starts_at, DRAFT.ends_at)
    texts = [w.text for w in advice(DRAFT, AT, [other])]
    assert texts == ["Trùng lịch: Nguyễn Văn An, “Tiếp dân” 8:00–11:00."]
