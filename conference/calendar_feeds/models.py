"""Addresses from which calendar programs fetch meetings, as stored: never the secret itself."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from conference.database import Base


class CalendarFeed(Base):
    """One subscription address of one account, or of one site; a new one ends the old."""

    __tablename__ = "calendar_feed"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), unique=True)
    site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id"), unique=True)
    """Set instead of the account where the secretariat made the address for a unit."""
    issued_by: Mapped[str] = mapped_column(String(160), default="", server_default="")
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    """SHA-256 of the secret part of the address, hexadecimal."""
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
