"""Papers that came back signed, as stored: the file, and what checking its signatures showed."""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from conference.database import Base, text_enum


class SignedKind(enum.Enum):
    """Which paper of the meeting was signed."""

    MINUTES = "minutes"
    NOTICE = "notice"
    ATTENDANCE = "attendance"


class Verdict(enum.Enum):
    """What a signature is worth."""

    VALID = "valid"
    """Intact, covers the whole file, and a certificate that leads to an installed authority."""
    UNKNOWN = "unknown"
    """Intact, but nobody here vouches for the certificate."""
    BROKEN = "broken"
    """The bytes are not those that were signed."""
    UNSIGNED = "unsigned"


class SignedPaper(Base):
    """One uploaded PDF; the newest of a kind is the one that counts, the older ones stay."""

    __tablename__ = "signed_paper"

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meeting.id"), index=True)
    kind: Mapped[SignedKind] = mapped_column(text_enum(SignedKind))
    filename: Mapped[str] = mapped_column(String(255))
    stored_name: Mapped[str] = mapped_column(String(64), unique=True)
    size_bytes: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    verdict: Mapped[Verdict] = mapped_column(text_enum(Verdict))
    signatures: Mapped[list[Any]] = mapped_column(default=list)
    """[{"signer", "signed_at", "verdict", "reason"}] as last checked."""
    checked_at: Mapped[datetime]
    uploaded_by: Mapped[str] = mapped_column(String(160))
    uploaded_at: Mapped[datetime]
