"""The notice of conclusions (thông báo kết luận) of a meeting and its tasks, as stored."""

import enum
from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from conference.database import Base, text_enum
from conference.scheduling.models import Meeting


class TaskState(enum.Enum):
    """How far a task is; overdue is no state but the date."""

    OPEN = "open"
    DOING = "doing"
    REPORTED = "reported"
    """The unit says that it is done; the office has not yet confirmed."""
    DONE = "done"


class Notice(Base):
    """One thông báo for each meeting: what goes around the tasks, number and date of issue."""

    __tablename__ = "conclusion_notice"

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meeting.id"), unique=True)
    number: Mapped[str] = mapped_column(String(60), default="")
    """Entered by the clerk as text, for example 345/TB-VPUBND; never counted by us."""
    issued_on: Mapped[date | None]
    opening: Mapped[str] = mapped_column(Text, default="")
    """Paragraphs before the numbered conclusions."""
    authority: Mapped[str] = mapped_column(String(200), default="")
    """Lines of the right to sign, ``TL. CHỦ TỊCH / CHÁNH VĂN PHÒNG``."""
    signer: Mapped[str] = mapped_column(String(160), default="")
    version: Mapped[int] = mapped_column(default=1)
    updated_by: Mapped[str] = mapped_column(String(160))
    updated_at: Mapped[datetime]

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012


class Task(Base):
    """One conclusion that somebody has to act on."""

    __tablename__ = "conclusion_task"

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meeting.id"), index=True)
    position: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    lead_unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), index=True)
    lead_unit_name: Mapped[str] = mapped_column(String(200))
    """Name as it was when the task was given."""
    coordinating: Mapped[list[Any]] = mapped_column(default=list)
    """[{"id": int, "name": str}] of the coordinating units."""
    due_on: Mapped[date] = mapped_column(index=True)
    remind_days: Mapped[int] = mapped_column(default=3)
    """Calendar days before the date from which on the task asks for attention."""
    state: Mapped[TaskState] = mapped_column(
        text_enum(TaskState), default=TaskState.OPEN, index=True
    )
    progress: Mapped[str] = mapped_column(Text, default="")
    """What the unit reported last."""
    done_on: Mapped[date | None]
    updated_by: Mapped[str] = mapped_column(String(160))
    updated_at: Mapped[datetime]

    meeting: Mapped[Meeting] = relationship()
