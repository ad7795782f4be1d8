"""What savings are estimated with, and the sums of past months, as stored."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from conference.database import Base

THE_ONLY_ROW = 1


class SavingsRates(Base):
    """The parameters of the estimate; distances are one way, from the site to the centre."""

    __tablename__ = "savings_rates"

    id: Mapped[int] = mapped_column(primary_key=True)
    district_km: Mapped[int]
    commune_km: Mapped[int]
    dong_per_km: Mapped[int]
    """Cost of the journey for each person and kilometre, đồng."""
    daily_allowance_dong: Mapped[int]
    """Per-diem for each person and day, đồng (Circular 40/2017/TT-BTC)."""
    km_per_hour: Mapped[int]
    """Mean speed of the journey, for the hours saved."""
    updated_by: Mapped[str] = mapped_column(String(160))
    updated_at: Mapped[datetime]


class MonthTally(Base):
    """Sums over the sites of one month's meetings; a month without a row is read from its records.

    Derived: `conference.statistics.tallies` writes rows of months that are over, and removes them
    in the transaction that changes what they were reckoned from.
    """

    __tablename__ = "month_tally"

    month: Mapped[date] = mapped_column(primary_key=True)
    """Its first day."""
    begins_at: Mapped[datetime]
    """First instant of the month in Vietnam."""
    ends_at: Mapped[datetime]
    """First instant after it."""
    content: Mapped[dict[str, Any]]
    """``meetings``: incidents and figures by level, by meeting; ``units``: figures by unit."""
