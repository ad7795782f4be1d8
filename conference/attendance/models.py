"""Evidence of presence, append-only, and what the secretary marked, as stored.

Intervals are not stored: `conference.attendance.intervals` derives them from the evidence, so
that a better rule can be applied to an old meeting and every figure can be traced to its rows.
"""

import enum
from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from conference.database import Base, text_enum


class EvidenceKind(enum.Enum):
    """What was learned of a participant."""

    JOINED = "joined"
    SEEN = "seen"
    LEFT = "left"


class EvidenceSource(enum.Enum):
    """Who said so."""

    WEBHOOK = "webhook"
    POLL = "poll"
    CONDUCT = "conduct"


class PresenceEvidence(Base):
    """One observation of one participant session."""

    __tablename__ = "presence_evidence"
    __table_args__ = (UniqueConstraint("meeting_id", "event_key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meeting.id"), index=True)
    identity: Mapped[str] = mapped_column(String(80))
    display_name: Mapped[str] = mapped_column(String(200), default="")
    participant_sid: Mapped[str] = mapped_column(String(40))
    """Engine's id of this connection (PA_…); a reconnection from scratch gets another."""
    kind: Mapped[EvidenceKind] = mapped_column(text_enum(EvidenceKind))
    source: Mapped[EvidenceSource] = mapped_column(text_enum(EvidenceSource))
    at: Mapped[datetime]
    """When it happened by the engine's clock (webhook) or when it was asked (poll)."""
    reason: Mapped[str] = mapped_column(String(60), default="")
    """Why a session ended, as the engine said (LiveKit DisconnectReason), lower case."""
    event_key: Mapped[str] = mapped_column(String(120))
    """Makes the row idempotent: webhook event id, or ``sid:kind`` / ``sid:poll:<slot>``."""
    received_at: Mapped[datetime]


class AttendanceStatus(enum.Enum):
    """The office's word for a site's attendance."""

    PRESENT = "present"
    LATE = "late"
    LEFT_EARLY = "left_early"
    EXCUSED = "excused"
    ABSENT = "absent"
    UNMARKED = "unmarked"


class AttendanceMark(Base):
    """What a person decided about a site; the connection log only suggests."""

    __tablename__ = "attendance_mark"
    __table_args__ = (UniqueConstraint("meeting_id", "invited_site_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meeting.id"), index=True)
    invited_site_id: Mapped[int] = mapped_column(ForeignKey("invited_site.id"))
    status: Mapped[AttendanceStatus] = mapped_column(text_enum(AttendanceStatus))
    note: Mapped[str] = mapped_column(Text, default="")
    marked_by: Mapped[str] = mapped_column(String(160))
    marked_at: Mapped[datetime]
