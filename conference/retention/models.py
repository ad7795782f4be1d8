"""How long files are kept, what holds them, and what was destroyed by whose decision, as stored."""

import enum
from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from conference.database import Base, text_enum


class RetentionClass(Base):
    """A term of the office's schedule that differs from `conference.retention.terms.DEFAULTS`."""

    __tablename__ = "retention_class"

    code: Mapped[str] = mapped_column(String(20), primary_key=True)
    name: Mapped[str] = mapped_column(String(160))
    years: Mapped[int | None]
    """Whole years after the one in which the work ended; None: for ever."""
    changed_by: Mapped[str] = mapped_column(String(160))
    changed_at: Mapped[datetime]


class FileTerm(Base):
    """The class a person gave to one meeting's file."""

    __tablename__ = "file_term"

    meeting_id: Mapped[int] = mapped_column(ForeignKey("meeting.id"), primary_key=True)
    class_code: Mapped[str] = mapped_column(String(20), index=True)
    set_by: Mapped[str] = mapped_column(String(160))
    set_at: Mapped[datetime]


class LegalHold(Base):
    """A file that must be kept whatever its term says: inspection, complaint, trial."""

    __tablename__ = "legal_hold"

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meeting.id"), index=True)
    reason: Mapped[str] = mapped_column(Text)
    placed_by: Mapped[str] = mapped_column(String(160))
    placed_at: Mapped[datetime]
    lifted_by: Mapped[str] = mapped_column(String(160), default="")
    lifted_at: Mapped[datetime | None]


class Stage(enum.Enum):
    """How far a destruction is; the table of steps is in `conference.retention.terms`."""

    PROPOSED = "proposed"
    DECIDED = "decided"
    EXECUTED = "executed"
    WITHDRAWN = "withdrawn"


class Destruction(Base):
    """A list of files whose term is over, the decision on it, and the record of what was done."""

    __tablename__ = "destruction"

    id: Mapped[int] = mapped_column(primary_key=True)
    stage: Mapped[Stage] = mapped_column(text_enum(Stage), default=Stage.PROPOSED, index=True)
    proposed_by: Mapped[str] = mapped_column(String(160))
    proposed_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    proposed_at: Mapped[datetime]
    decision_number: Mapped[str] = mapped_column(String(60), default="")
    """As the registry wrote it, ``12/QĐ-UBND``."""
    decision_day: Mapped[date | None]
    signatory: Mapped[str] = mapped_column(String(160), default="")
    decided_by: Mapped[str] = mapped_column(String(160), default="")
    """Who entered the decision; never who proposed."""
    decided_at: Mapped[datetime | None]
    executed_by: Mapped[str] = mapped_column(String(160), default="")
    executed_at: Mapped[datetime | None]
    record: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What was destroyed: each file with name, size and SHA-256. Kept for ever."""
    record_sha256: Mapped[str] = mapped_column(String(64), default="")
    files_left: Mapped[list[Any]] = mapped_column(default=list)
    """Files whose rows are gone and that are still to be removed from the disk."""

    items: Mapped[list["DestructionItem"]] = relationship(
        back_populates="destruction", order_by="DestructionItem.id", cascade="all, delete-orphan"
    )


class DestructionItem(Base):
    """One file on such a list, as it was when it was put there; outlives the meeting."""

    __tablename__ = "destruction_item"

    id: Mapped[int] = mapped_column(primary_key=True)
    destruction_id: Mapped[int] = mapped_column(ForeignKey("destruction.id"), index=True)
    meeting_id: Mapped[int] = mapped_column(index=True)
    """The meeting's number; no foreign key, since the meeting will be gone."""
    title: Mapped[str] = mapped_column(String(300))
    held_on: Mapped[date]
    class_name: Mapped[str] = mapped_column(String(160))
    kept_until: Mapped[date]

    destruction: Mapped[Destruction] = relationship(back_populates="items")
