"""The log of one meeting (nhật ký), from its first draft to its end, as stored.

Entries are only added. Scheduling writes the ones named here; what happens while the meeting is
live is written by `conference.conduct.log` into the same table.
"""

import enum
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from conference.database import Base


class LogEntry(Base):
    """One line of the meeting's log: becomes chapters and paragraphs later."""

    __tablename__ = "log_entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meeting.id"), index=True)
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(60))
    """Past tense of the event: meeting_opened, floor_given, floor_ended, all_muted …"""
    actor: Mapped[str] = mapped_column(String(200), default="")
    identity: Mapped[str] = mapped_column(String(80), default="")
    subject: Mapped[str] = mapped_column(String(300), default="")
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Kind(enum.Enum):
    """What happened to the schedule; the value is stored."""

    CREATED = "meeting_created"
    EDITED = "meeting_edited"
    INVITED = "meeting_invited"
    SUBMITTED = "meeting_submitted"
    RETURNED = "meeting_returned"
    APPROVED = "meeting_approved"
    CHECKED = "meeting_checked"
    DECLARED_READY = "meeting_declared_ready"
    MINUTES_SIGNED = "minutes_signed"
    CONCLUSION_ISSUED = "conclusion_issued"
    ARCHIVED = "meeting_archived"
    POSTPONED = "meeting_postponed"
    CANCELLED = "meeting_cancelled"
    PAPER_ADDED = "paper_added"
    PAPER_REMOVED = "paper_removed"
    SENT_OTHERWISE = "invitation_sent_otherwise"
    """The invitation or the papers went out on a way that we do not run (R3)."""
    WARNINGS_KEPT = "warnings_kept"
    """Submitted or invited although warnings stood; why."""


CHANGES_OF_CONTENT = frozenset({Kind.CREATED, Kind.EDITED, Kind.POSTPONED, Kind.CANCELLED})
"""Kinds that move the meeting's version on."""


def note(
    session: Session,
    meeting_id: int,
    kind: Kind,
    *,
    at: datetime,
    actor: str,
    subject: str = "",
    detail: Mapping[str, Any] | None = None,
) -> LogEntry:
    """Add one entry in the caller's transaction."""
    entry = LogEntry(
        meeting_id=meeting_id,
        at=at,
        kind=kind.value,
        actor=actor,
        identity="",
        subject=subject[:300],
        detail=dict(detail or {}),
    )
    session.add(entry)
    return entry


def last_change(session: Session, meeting_id: int) -> LogEntry | None:
    """Who changed the meeting's content last, and when."""
    query = select(LogEntry).where(
        LogEntry.meeting_id == meeting_id,
        LogEntry.kind.in_([kind.value for kind in CHANGES_OF_CONTENT]),
    )
    return session.scalars(query.order_by(LogEntry.id.desc()).limit(1)).first()


def entries(
    session: Session, meeting_id: int, *, offset: int = 0, limit: int = 100
) -> tuple[list[LogEntry], int]:
    """A part of a meeting's log, newest first, and how many entries there are."""
    of_meeting = LogEntry.meeting_id == meeting_id
    query = select(LogEntry).where(of_meeting).order_by(LogEntry.at.desc(), LogEntry.id.desc())
    total = session.scalar(select(func.count()).select_from(LogEntry).where(of_meeting)) or 0
    return list(session.scalars(query.offset(offset).limit(limit))), total
