"""What a meeting must be to be stored."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from conference.scheduling.models import Scope
from conference.scheduling.rules import (
    REFUSAL,
    AgendaDraft,
    Classification,
    MeetingDraft,
    faults,
    invitation_faults,
    is_marked_secret,
    is_secret,
)

DRAFT = MeetingDraft(
    classification=Classification.NONE,
    scope=Scope.INTRA,
    title="Giao ban",
    starts_at=datetime(2026, 12, 10, 1, 0, tzinfo=UTC),
    ends_at=datetime(2026, 12, 10, 4, 0, tzinfo=UTC),
    chair_id=1,
    site_ids=(1,),
)


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
