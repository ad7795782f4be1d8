"""Units, people and sites, as stored.

A *unit* is an office of the province (sở, ban, UBND huyện, UBND xã …) in a tree; names and
parents change with reforms, so a unit has a period of validity and a meeting keeps a snapshot of
the names it used. A *site* (điểm cầu) is a room of a unit with a camera and a screen; it is not a
person.
"""

import enum
from datetime import date

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from conference.database import Base, text_enum


class UnitLevel(enum.Enum):
    """Where a unit stands in the state's administration."""

    PROVINCE = "province"
    PROVINCIAL_UNIT = "provincial_unit"
    DISTRICT = "district"
    COMMUNE = "commune"


class Unit(Base):
    """An office that is invited and held responsible."""

    __tablename__ = "unit"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    name_folded: Mapped[str] = mapped_column(String(200), index=True)
    """Name without marks, lower case (`conference.directory.vietnamese.fold`), for search."""
    type: Mapped[str] = mapped_column(String(40))
    """Office word of the unit's kind: sở, ban, huyện, xã, phường … (data, not a closed list)."""
    level: Mapped[UnitLevel] = mapped_column(text_enum(UnitLevel), index=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    protocol_order: Mapped[int] = mapped_column(default=0)
    """Rank in official lists; lower comes first."""
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]

    parent: Mapped["Unit | None"] = relationship(remote_side=[id], back_populates="children")
    children: Mapped[list["Unit"]] = relationship(
        back_populates="parent", order_by="Unit.protocol_order, Unit.code"
    )
    sites: Mapped[list["Site"]] = relationship(back_populates="unit")


class Site(Base):
    """A điểm cầu: one room of a unit that joins meetings as one participant."""

    __tablename__ = "site"

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    room: Mapped[str] = mapped_column(String(200), default="")
    capacity: Mapped[int | None]
    email: Mapped[str] = mapped_column(String(254), default="")
    technician_name: Mapped[str] = mapped_column(String(120), default="")
    technician_phone: Mapped[str] = mapped_column(String(40), default="")
    is_active: Mapped[bool] = mapped_column(default=True)

    unit: Mapped[Unit] = relationship(back_populates="sites")


class Person(Base):
    """Somebody named in meetings: chair, secretary, delegate, technician."""

    __tablename__ = "person"

    id: Mapped[int] = mapped_column(primary_key=True)
    full_name: Mapped[str] = mapped_column(String(120))
    name_folded: Mapped[str] = mapped_column(String(120), index=True)
    sort_key: Mapped[str] = mapped_column(String(120), default="")
    title: Mapped[str] = mapped_column(String(160), default="")
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    email: Mapped[str] = mapped_column(String(254), default="")
    phone: Mapped[str] = mapped_column(String(40), default="")
    protocol_order: Mapped[int] = mapped_column(default=1000)
    may_chair: Mapped[bool] = mapped_column(default=False)

    unit: Mapped[Unit | None] = relationship()
