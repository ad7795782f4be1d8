"""The official invitation of a meeting and the offices' own templates, as stored."""

import enum
from datetime import date, datetime

from sqlalchemy import ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from conference.database import Base, text_enum


class PaperKind(enum.Enum):
    """Which paper invites: a letter, or a notice in its place where the office wants one."""

    INVITATION = "giay_moi"
    NOTICE = "thong_bao"


class InvitationPaper(Base):
    """What the office wrote into one meeting's invitation beyond what the meeting says itself."""

    __tablename__ = "invitation_paper"

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meeting.id"), unique=True)
    kind: Mapped[PaperKind] = mapped_column(text_enum(PaperKind))
    number: Mapped[str] = mapped_column(String(60), default="")
    """The registry's, as typed; never counted by us."""
    issued_on: Mapped[date | None]
    addressees: Mapped[str] = mapped_column(Text)
    """One unit or title to a line: ``Giám đốc Sở Y tế``."""
    places: Mapped[str] = mapped_column(Text, default="")
    requirements: Mapped[str] = mapped_column(Text, default="")
    contact: Mapped[str] = mapped_column(String(300), default="")
    authority: Mapped[str] = mapped_column(String(300), default="")
    """Right to sign, line by line: ``TL. CHỦ TỊCH`` / ``CHÁNH VĂN PHÒNG``."""
    signer: Mapped[str] = mapped_column(String(120), default="")
    recipients: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[int] = mapped_column(default=1)
    updated_by: Mapped[str] = mapped_column(String(160))
    updated_at: Mapped[datetime]

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012


class PaperTemplate(Base):
    """An office's own layout of one kind of paper: a DOCX with fields to be filled in."""

    __tablename__ = "paper_template"

    kind: Mapped[PaperKind] = mapped_column(text_enum(PaperKind), primary_key=True)
    filename: Mapped[str] = mapped_column(String(255))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    uploaded_by: Mapped[str] = mapped_column(String(160))
    uploaded_at: Mapped[datetime]
