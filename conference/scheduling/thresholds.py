"""The numbers in the rules: what QĐ 45/2018/QĐ-TTg says, unless an office set its own.

Working regulations of provinces are stricter in places (some want five working days), so every
number can be changed on the page of planning rules. Pure: storing is
`conference.scheduling.planning`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Final

from conference.scheduling.models import MeetingKind
from conference.sentences import say

KIND_WORDS: Final[Mapping[MeetingKind, str]] = {
    MeetingKind.BRIEFING: "Giao ban",
    MeetingKind.WORK: "Giải quyết công việc",
    MeetingKind.ADVISORY: "Tham mưu, tư vấn",
    MeetingKind.COORDINATION: "Điều phối",
    MeetingKind.PROFESSIONAL: "Chuyên môn",
    MeetingKind.REVIEW: "Sơ kết, tổng kết",
    MeetingKind.THEMATIC: "Chuyên đề",
    MeetingKind.TRAINING: "Tập huấn, triển khai",
}


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Numbers an office may set; the defaults are the decision's."""

    invitation_days: int = 3
    """R1: working days before the meeting day by which the invitation is sent."""
    papers_days: int = 3
    """R2: the same for papers of meetings that are not ad hoc (Art. 10)."""
    notice_days: int = 5
    """R11: working days after the end by which the notice of conclusions is issued."""
    half_day_minutes: int = 270
    """What counts as half a day: a session (buổi) of four and a half hours."""
    briefing_half_days: int = 1
    work_half_days: int = 1
    advisory_half_days: int = 1
    coordination_half_days: int = 1
    professional_half_days: int = 2
    review_half_days: int = 2
    thematic_half_days: int = 2
    training_half_days: int = 4
    opens_hour: int = 7
    """Start of the working day, for warnings and free slots."""
    closes_hour: int = 17
    media_capacity: int = 150
    """Sites that the media engine carries at the same time, over all meetings."""
    requires_approval: int = 0
    """1: an intra-provincial meeting is invited only after approval."""
    culture_day: int = 0
    """1: 24/11 is a holiday."""

    def half_days(self, kind: MeetingKind) -> int:
        """R4: longest length of a meeting of ``kind``, in half days."""
        return int(getattr(self, f"{kind.value}_half_days"))


LIMITS: Final[Mapping[str, tuple[int, int]]] = {
    "invitation_days": (0, 30),
    "papers_days": (0, 30),
    "notice_days": (0, 60),
    "half_day_minutes": (60, 480),
    **{f"{kind.value}_half_days": (1, 14) for kind in MeetingKind},
    "opens_hour": (0, 12),
    "closes_hour": (12, 24),
    "media_capacity": (1, 10_000),
    "requires_approval": (0, 1),
    "culture_day": (0, 1),
}
"""Smallest and largest value that makes sense; beyond is a typing error."""


def faults(values: Mapping[str, int | None]) -> dict[str, str]:
    """Sentence for each value that is missing or out of its limits."""
    found: dict[str, str] = {}
    for name, (least, most) in LIMITS.items():
        value = values.get(name)
        if value is None or not least <= value <= most:
            found[name] = say("Nhập một số từ %(least)s đến %(most)s.", least=least, most=most)
    return found


def changed(values: Mapping[str, int]) -> dict[str, int]:
    """What differs from the decision's numbers."""
    standard = Thresholds()
    return {name: value for name, value in values.items() if getattr(standard, name) != value}


def from_stored(stored: Mapping[str, str]) -> Thresholds:
    """Thresholds with an office's changes; what is unknown or unreadable is left out."""
    names = {field.name for field in fields(Thresholds)}
    values = {
        name: int(text)
        for name, text in stored.items()
        if name in names and text.isascii() and text.isdecimal()
    }
    return replace(Thresholds(), **values)
