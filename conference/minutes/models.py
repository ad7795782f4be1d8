"""The minutes (biên bản) of a meeting and their history, as stored."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from conference.database import Base


class Minutes(Base):
    """One biên bản for each meeting; `version` lets the second of two editors see the first."""

    __tablename__ = "minutes"

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meeting.id"), unique=True)
    number: Mapped[str] = mapped_column(String(60), default="")
    """Entered by the clerk as text, for example 07/BB-VPUBND; never counted by us."""
    course: Mapped[str] = mapped_column(Text, default="")
    """Nội dung (theo diễn biến): paragraphs separated by blank lines; text, never markup."""
    conclusion: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[int] = mapped_column(default=1)
    updated_by: Mapped[str] = mapped_column(String(160))
    updated_at: Mapped[datetime]
    signed_at: Mapped[datetime | None]
    """When the signed paper was filed; the text is closed from then on."""

    addenda: Mapped[list["MinutesAddendum"]] = relationship(
        order_by="MinutesAddendum.id", cascade="all, delete-orphan"
    )
    revisions: Mapped[list["MinutesRevision"]] = relationship(
        order_by="MinutesRevision.version", cascade="all, delete-orphan"
    )

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012


class MinutesAddendum(Base):
    """What was added after the signature (phụ lục)."""

    __tablename__ = "minutes_addendum"

    id: Mapped[int] = mapped_column(primary_key=True)
    minutes_id: Mapped[int] = mapped_column(ForeignKey("minutes.id"), index=True)
    text: Mapped[str] = mapped_column(Text)
    added_by: Mapped[str] = mapped_column(String(160))
    added_at: Mapped[datetime]


class MinutesRevision(Base):
    """What the minutes said at one version."""

    __tablename__ = "minutes_revision"
    __table_args__ = (UniqueConstraint("minutes_id", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    minutes_id: Mapped[int] = mapped_column(ForeignKey("minutes.id"), index=True)
    version: Mapped[int]
    course: Mapped[str] = mapped_column(Text)
    conclusion: Mapped[str] = mapped_column(Text)
    saved_by: Mapped[str] = mapped_column(String(160))
    saved_at: Mapped[datetime]
