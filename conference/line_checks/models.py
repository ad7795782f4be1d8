"""Line checks of sites, and reminders about them, as stored. Rows are added, never changed."""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, event
from sqlalchemy.orm import Mapped, mapped_column

from conference.database import Base, text_enum
from conference.line_checks.verdict import Grade


class Source(enum.Enum):
    """How a check came about."""

    BROWSER = "browser"
    """Measured on the site's own machine."""
    HAND = "hand"
    """Written down by the secretariat or a technician, who was told by telephone."""


class LineCheck(Base):
    """One check of one invited site, with the facts and the limits that it was judged by."""

    __tablename__ = "line_check"
    __table_args__ = (Index("ix_line_check_newest", "meeting_id", "invited_site_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meeting.id"), index=True)
    invited_site_id: Mapped[int] = mapped_column(ForeignKey("invited_site.id"), index=True)
    source: Mapped[Source] = mapped_column(text_enum(Source))
    grade: Mapped[Grade] = mapped_column(text_enum(Grade))
    findings: Mapped[list[Any]] = mapped_column(default=list)
    """`conference.line_checks.verdict.Finding` as plain values."""
    report: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """`conference.line_checks.measured.Report` as plain values; empty when written by hand."""
    limits: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """The office's numbers then."""
    note: Mapped[str] = mapped_column(Text, default="")
    """Why it was written by hand."""
    checked_by: Mapped[str] = mapped_column(String(200))
    checked_at: Mapped[datetime]
    browser: Mapped[str] = mapped_column(String(300), default="")
    """User-Agent as sent."""


class Stage(enum.Enum):
    """Which reminder."""

    OPENED = "opened"
    """A day before: the check is open."""
    LAST = "last"
    """An hour before: the site has not passed."""


class LineCheckReminder(Base):
    """A reminder that was written, so that it is written once; a new start asks for a new one."""

    __tablename__ = "line_check_reminder"
    __table_args__ = (UniqueConstraint("invited_site_id", "stage", "starts_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meeting.id"), index=True)
    invited_site_id: Mapped[int] = mapped_column(ForeignKey("invited_site.id"))
    stage: Mapped[Stage] = mapped_column(text_enum(Stage))
    starts_at: Mapped[datetime]
    """Start of the meeting that it spoke of."""
    written_at: Mapped[datetime]


def _refuse(_mapper: object, _connection: object, row: object) -> None:
    raise AssertionError(f"{type(row).__name__} is only added to")


event.listen(LineCheck, "before_update", _refuse)
event.listen(LineCheck, "before_delete", _refuse)
