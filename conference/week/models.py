"""Revisions of the published week schedule, as stored."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from conference.database import Base


class WeekRevision(Base):
    """What was published for one week; number 0 is the first, later ones are adjustments."""

    __tablename__ = "week_revision"
    __table_args__ = (UniqueConstraint("monday", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    monday: Mapped[date] = mapped_column(index=True)
    number: Mapped[int]
    reason: Mapped[str] = mapped_column(Text, default="")
    lines: Mapped[list[Any]]
    """The schedule as it was published, plain values (`conference.week.schedule.Line`)."""
    published_by: Mapped[str] = mapped_column(String(160))
    published_at: Mapped[datetime]
