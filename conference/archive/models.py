"""Recordings of a meeting and the access log of its files, as stored.

Wish and fact are apart: `is_wanted` is what the chair decided; `state`, `bytes_written` and
`last_byte_at` are what the worker achieved. REC is shown from the fact alone.
"""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from conference.database import Base, text_enum
from conference.scheduling.models import Meeting


class RecordingState(enum.Enum):
    """Where a recording stands; transitions are the table in `conference.archive.recording`."""

    REQUESTED = "requested"
    STARTING = "starting"
    ACTIVE = "active"
    INTERRUPTED = "interrupted"
    STOPPING = "stopping"
    CAPTURED = "captured"
    COMPOSING = "composing"
    PUBLISHED = "published"
    FAILED_START = "failed_start"
    FAILED_COMPOSE = "failed_compose"


_IS_CAPTURED = text("state IN ('requested', 'starting', 'active', 'interrupted')")


class Recording(Base):
    """One recording of one meeting, from the chair's decision to the playable file."""

    __tablename__ = "recording"
    __table_args__ = (
        # a meeting is captured by one recording at a time; earlier ones may still be composed
        Index(
            "uq_recording_captured_meeting_id",
            "meeting_id",
            unique=True,
            sqlite_where=_IS_CAPTURED,
            postgresql_where=_IS_CAPTURED,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meeting.id"), index=True)
    is_wanted: Mapped[bool] = mapped_column(default=True)
    state: Mapped[RecordingState] = mapped_column(
        text_enum(RecordingState), default=RecordingState.REQUESTED, index=True
    )
    state_since: Mapped[datetime]
    decided_by: Mapped[str] = mapped_column(String(200))
    """Who decided to record (QĐ 45/2018: the chair decides)."""
    requested_at: Mapped[datetime]
    stop_requested_at: Mapped[datetime | None]
    lease_owner: Mapped[str] = mapped_column(String(80), default="")
    lease_until: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    """First media byte on disk."""
    ended_at: Mapped[datetime | None]
    bytes_written: Mapped[int] = mapped_column(BigInteger, default=0)
    last_byte_at: Mapped[datetime | None]
    folder: Mapped[str] = mapped_column(String(200), default="")
    """Place inside the recordings store."""
    progress: Mapped[float] = mapped_column(default=0.0)
    """Share of composing done, 0…1."""
    attempts: Mapped[int] = mapped_column(default=0)
    duration_s: Mapped[float | None]
    size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    manifest_sha256: Mapped[str] = mapped_column(String(64), default="")
    chapters: Mapped[list[Any]] = mapped_column(default=list)
    """[{"at_s": float, "title": str, "identity": str}] of the composed file."""
    gaps: Mapped[list[Any]] = mapped_column(default=list)
    """[{"from_s": float, "to_s": float, "reason": str}] where media is missing."""
    speeches: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    """[{"from_s": float, "to_s": float, "name": str, "identity": str}] who had the floor."""
    error: Mapped[str] = mapped_column(Text, default="")
    objects: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    """[{"path": str, "size_bytes": int, "sha256": str}]: files that are in the bucket."""
    upload_attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    """Failures in a row to carry files into the bucket."""
    upload_after: Mapped[datetime | None]
    """Not tried before; also the claim of the worker that is at it."""
    upload_error: Mapped[str] = mapped_column(Text, default="", server_default="")

    meeting: Mapped[Meeting] = relationship()


class ImportedFile(Base):
    """Where the file of a meeting came from that was held in another installation."""

    __tablename__ = "imported_file"
    __table_args__ = (UniqueConstraint("source_key", "source_meeting_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meeting.id"), unique=True)
    source_key: Mapped[str] = mapped_column(String(64), index=True)
    """Fingerprint of the key that signed the package."""
    source_office: Mapped[str] = mapped_column(String(300))
    source_meeting_id: Mapped[int]
    """The meeting's number there."""
    manifest_sha256: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime]
    """When the package was made."""
    imported_at: Mapped[datetime]
    imported_by: Mapped[str] = mapped_column(String(160))
    files: Mapped[int]
    size_bytes: Mapped[int] = mapped_column(BigInteger)

    meeting: Mapped[Meeting] = relationship()
