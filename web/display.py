"""How figures and times are shown: 10/12/2026, 8:00, 2:41:07, 5.672, 99,5 %; missing is a dash.

Pure functions, registered as Jinja filters by `register`. Times are stored as UTC and shown in
Vietnam's zone, which has had no summer time since 1979.
"""

from datetime import UTC, date, datetime
from typing import Final

from flask import Flask
from flask_babel import gettext as _

from conference.scheduling.local_time import to_local

MISSING: Final = "–"
_KIB: Final = 1024


def local_time(at: datetime | None) -> str:
    """``8:00`` on Vietnam's clock."""
    if at is None:
        return MISSING
    local = to_local(at)
    return f"{local.hour}:{local.minute:02d}"


def local_date(at: datetime | date | None) -> str:
    """``10/12/2026``; a plain date is shown as it is."""
    if at is None:
        return MISSING
    day = to_local(at) if isinstance(at, datetime) else at
    return f"{day.day:02d}/{day.month:02d}/{day.year}"


def stored_datetime(text: str) -> str:
    """An instant that a log keeps as ISO 8601 text."""
    return local_datetime(datetime.fromisoformat(text))


def local_datetime(at: datetime | None) -> str:
    """``8:00 10/12/2026``."""
    return MISSING if at is None else f"{local_time(at)} {local_date(at)}"


def weekday(at: datetime | date | None) -> str:
    """Name of the day in the page's language: thứ Hai … Chủ nhật."""
    if at is None:
        return MISSING
    day = to_local(at) if isinstance(at, datetime) else at
    names = (
        _("thứ Hai"), _("thứ Ba"), _("thứ Tư"), _("thứ Năm"), _("thứ Sáu"), _("thứ Bảy"),
        _("Chủ nhật"),
    )  # fmt: skip
    return str(names[day.weekday()])


def machine_time(at: datetime | None) -> str:
    """ISO 8601 in UTC with ``Z``, for the ``datetime`` attribute and for scripts."""
    if at is None:
        return ""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def duration(seconds: float | None) -> str:
    """``2:41:07``, or ``0:42`` below one hour."""
    if seconds is None:
        return MISSING
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, last = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{last:02d}" if hours else f"{minutes}:{last:02d}"


def number(value: float | None, digits: int = 0) -> str:
    """``5.672`` or ``99,5``: point for thousands, comma for fractions."""
    if value is None:
        return MISSING
    return f"{value:,.{digits}f}".translate(str.maketrans(",.", ".,"))


def percent(share: float | None, digits: int = 0) -> str:
    """``99,5 %`` for the share 0.995."""
    return MISSING if share is None else f"{number(share * 100, digits)} %"


def file_size(size_bytes: int | None) -> str:
    """``1,4 MB`` with binary steps, as file managers in offices count."""
    if size_bytes is None:
        return MISSING
    size = float(size_bytes)
    for unit in ("byte", "KB", "MB", "GB"):
        if size < _KIB or unit == "GB":
            return f"{number(size, 0 if unit == 'byte' or size >= 100 else 1)} {unit}"
        size /= _KIB
    raise AssertionError("the loop ends at GB")


def register(app: Flask) -> None:
    """Make every function of this module a Jinja filter of the same name."""
    for show in (
        local_time, local_date, local_datetime, stored_datetime, weekday, machine_time,
        duration, number, percent, file_size,
    ):  # fmt: skip
        app.add_template_filter(show)
