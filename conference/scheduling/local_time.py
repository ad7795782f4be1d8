"""Vietnam's clock: what people type and read, against the instants that are stored.

``Asia/Ho_Chi_Minh`` is UTC+7 without summer time, so every local time names exactly one instant.
Pure.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

VIETNAM: Final = ZoneInfo("Asia/Ho_Chi_Minh")
WEEKDAYS: Final = (
    "thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy", "Chủ nhật",
)  # fmt: skip


def to_local(at: datetime) -> datetime:
    """The same instant on Vietnam's clock."""
    return at.astimezone(VIETNAM)


def from_local(day: date, clock: time) -> datetime:
    """The instant, in UTC, when Vietnam's clock shows ``clock`` on ``day``."""
    return datetime.combine(day, clock, VIETNAM).astimezone(UTC)


def local_day(at: datetime) -> date:
    """The day on Vietnam's calendar."""
    return to_local(at).date()


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """First instant of ``day`` in Vietnam and of the day after."""
    return from_local(day, time()), from_local(day + timedelta(days=1), time())


def clock_text(at: datetime) -> str:
    """``8:00`` as offices write it."""
    local = to_local(at)
    return f"{local.hour}:{local.minute:02d}"


def date_text(day: date) -> str:
    """``10/12/2026``."""
    return f"{day.day:02d}/{day.month:02d}/{day.year}"


def weekday_text(day: date) -> str:
    """Name of the day: ``thứ Năm``."""
    return WEEKDAYS[day.weekday()]


def period_text(starts_at: datetime, ends_at: datetime) -> str:
    """``8:00–11:00, thứ Năm 10/12/2026``; both dates when it ends on another day."""
    first, last = local_day(starts_at), local_day(ends_at)
    opening = f"{weekday_text(first)} {date_text(first)}"
    if first == last:
        return f"{clock_text(starts_at)}–{clock_text(ends_at)}, {opening}"
    closing = f"{weekday_text(last)} {date_text(last)}"
    return f"{clock_text(starts_at)} {opening} – {clock_text(ends_at)} {closing}"
