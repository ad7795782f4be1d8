"""Keys with which other systems read figures, as stored: never the key itself."""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from conference.database import Base


class Scope(enum.Enum):
    """What a key may read."""

    STATISTICS = "statistics.read"
    MEETINGS = "meetings.read"
    UNITS = "units.read"


class ApiKey(Base):
    """One key of one other system."""

    __tablename__ = "api_key"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    """Who uses it, in the administrator's words."""
    hint: Mapped[str] = mapped_column(String(12))
    """First characters, to tell keys apart."""
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    """SHA-256 of the key, hexadecimal; the key has 256 random bits, so no salt is needed."""
    scopes: Mapped[list[Any]]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
