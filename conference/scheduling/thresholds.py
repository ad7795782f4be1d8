"""The numbers in the rules: what QĐ 45/2018/QĐ-TTg says, unless an office set its own.

Working regulations of provinces are stricter in places (some want five working days), so every
number can be changed on the page of planning rules. The numbers of line checks are the house's own
and stand here because the office sets them on the same page. Pure: storing is
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
    check_hours: int = 24
    """Line checks open so long before the start, and the first reminder goes out."""
    check_remind_minutes: int = 60
    """Sites that have not passed are reminded again so long before the start."""
    check_down_kbps: int = 1500
    """Line checks: from here on green; the design's figure for site mode."""
    check_down_least_kbps: int = 400
    """Below is red: so much still carries sound and the smallest picture (docs/poor-lines.md)."""
    check_up_kbps: int = 700
    check_up_least_kbps: int = 250
    """Below is red: sound and the small picture of a saving site take 200."""
    check_loss_percent: int = 3
    check_loss_most_percent: int = 10
    """From here on red."""
    check_rtt_ms: int = 300
    check_rtt_most_ms: int = 800
    """From here on people talk into each other's words."""
    check_jitter_ms: int = 60
    check_at_once: int = 8
    """Line checks that may load the media node at the same time."""
    check_at_once_live: int = 2
    """The same while a meeting is under way."""

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
    "check_hours": (2, 168),
    "check_remind_minutes": (15, 110),
    "check_down_kbps": (100, 100_000),
    "check_down_least_kbps": (50, 100_000),
    "check_up_kbps": (50, 100_000),
    "check_up_least_kbps": (50, 100_000),
    "check_loss_percent": (1, 50),
    "check_loss_most_percent": (1, 100),
    "check_rtt_ms": (10, 5000),
    "check_rtt_most_ms": (10, 10_000),
    "check_jitter_ms": (5, 1000),
    "check_at_once": (1, 200),
    "check_at_once_live": (1, 200),
}
"""Smallest and largest value that makes sense; beyond is a typing error."""

ORDERED: Final = (
    ("check_down_least_kbps", "check_down_kbps"),
    ("check_up_least_kbps", "check_up_kbps"),
    ("check_loss_percent", "check_loss_most_percent"),
    ("check_rtt_ms", "check_rtt_most_ms"),
)
"""Pairs of which the first must not exceed the second."""


def faults(values: Mapping[str, int | None]) -> dict[str, str]:
    """Sentence for each value that is missing or out of its limits."""
    found: dict[str, str] = {}
    for name, (least, most) in LIMITS.items():
        value = values.get(name)
        if value is None or not least <= value <= most:
            found[name] = say("Nhập một số từ %(least)s đến %(most)s.", least=least, most=most)
    for lower, upper in ORDERED:
        smaller, larger = values.get(lower), values.get(upper)
        if smaller is not None and larger is not None and smaller > larger:
            found.setdefault(lower, say("Ngưỡng này không được lớn hơn %(other)s.", other=larger))
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
