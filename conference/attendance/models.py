"""Evidence of presence, append-only, and what people marked and signed, as stored.

Intervals are not stored: `conference.attendance.intervals` derives them from the evidence, so
that a better rule can be applied to an old meeting and every figure can be traced to its rows. A
signed sheet is stored as a whole, so that it says for ever what was signed.
"""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
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
    __table_args__ = (
        UniqueConstraint("meeting_id", "event_key"),
        Index("ix_presence_evidence_reason", "meeting_id", "kind", "reason", "at"),
        Index("ix_presence_evidence_identity", "meeting_id", "identity", "kind"),
    )

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
    """The office's word for the attendance of a site or a delegate."""

    IN_PERSON = "in_person"
    PRESENT = "present"
    """Online: there through the connection."""
    SUBSTITUTE = "substitute"
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
    invited_site_id: Mapped[int] = mapped_column(ForeignKey("invited_site.id"), index=True)
    status: Mapped[AttendanceStatus] = mapped_column(text_enum(AttendanceStatus))
    note: Mapped[str] = mapped_column(Text, default="")
    marked_by: Mapped[str] = mapped_column(String(160))
    marked_at: Mapped[datetime]


class Delegate(Base):
    """Somebody who is expected at one meeting, at a site or by an account of their own."""

    __tablename__ = "attendance_delegate"
    __table_args__ = (UniqueConstraint("meeting_id", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meeting.id"), index=True)
    invited_site_id: Mapped[int | None] = mapped_column(ForeignKey("invited_site.id"), index=True)
    """The site where the delegate sits; None for somebody who joins alone."""
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    key: Mapped[str] = mapped_column(String(300))
    """Place and folded name: naming somebody twice is one delegate."""
    position: Mapped[int] = mapped_column(default=0)
    full_name: Mapped[str] = mapped_column(String(120))
    title: Mapped[str] = mapped_column(String(160), default="")
    unit_name: Mapped[str] = mapped_column(String(200), default="")
    stands_in_for: Mapped[str] = mapped_column(String(160), default="")
    """Whom a substitute (dự thay) replaces."""
    source: Mapped[str] = mapped_column(String(20), default="typed")
    """Who named them: typed by the office, or a site's reply."""
    status: Mapped[AttendanceStatus] = mapped_column(
        text_enum(AttendanceStatus), default=AttendanceStatus.UNMARKED
    )
    note: Mapped[str] = mapped_column(Text, default="")
    """Reason of an absence and the like."""
    marked_by: Mapped[str] = mapped_column(String(160), default="")
    marked_at: Mapped[datetime | None]


class AttendanceVersion(Base):
    """The sheet as it was signed; a correction is the next version, with who and why."""

    __tablename__ = "attendance_version"
    __table_args__ = (UniqueConstraint("meeting_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meeting.id"), index=True)
    number: Mapped[int]
    opened_by: Mapped[str] = mapped_column(String(160), default="")
    """Who opened the signed sheet for correction; empty for the first version."""
    opened_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(Text, default="")
    signed_by: Mapped[str] = mapped_column(String(160), default="")
    signed_at: Mapped[datetime | None]
    """None while the correction is being made."""
    content: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """`conference.attendance.record.AttendanceRecord` as JSON."""
    sha256: Mapped[str] = mapped_column(String(64), default="")
    """Digest of the content's canonical JSON."""
