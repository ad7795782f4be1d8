"""What people asked about their own data, and what was corrected for them, as stored."""

import enum
from datetime import date, datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from conference.database import Base, text_enum
from conference.directory.models import Person


class Asked(enum.Enum):
    """What a person may ask (Luật 91/2025/QH15)."""

    SEE = "see"
    CORRECT = "correct"
    ERASE = "erase"
    RESTRICT = "restrict"


class Outcome(enum.Enum):
    """What became of it."""

    OPEN = "open"
    GRANTED = "granted"
    REFUSED = "refused"
    """With the reason: records under archive law are not erased on request."""


class DataRequest(Base):
    """One request of one person; answered within two working days (NĐ 356/2025)."""

    __tablename__ = "data_request"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    asked: Mapped[Asked] = mapped_column(text_enum(Asked))
    text: Mapped[str] = mapped_column(Text)
    received_on: Mapped[date]
    due_on: Mapped[date] = mapped_column(index=True)
    recorded_by: Mapped[str] = mapped_column(String(160))
    recorded_at: Mapped[datetime]
    outcome: Mapped[Outcome] = mapped_column(text_enum(Outcome), default=Outcome.OPEN)
    answer: Mapped[str] = mapped_column(Text, default="")
    answered_by: Mapped[str] = mapped_column(String(160), default="")
    answered_at: Mapped[datetime | None]

    person: Mapped[Person] = relationship()


class DataCorrection(Base):
    """One value of the directory that was corrected, with what stood there before."""

    __tablename__ = "data_correction"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    field: Mapped[str] = mapped_column(String(40))
    before: Mapped[str] = mapped_column(String(300))
    after: Mapped[str] = mapped_column(String(300))
    reason: Mapped[str] = mapped_column(Text)
    corrected_by: Mapped[str] = mapped_column(String(160))
    corrected_at: Mapped[datetime]
