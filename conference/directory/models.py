"""Units, people and sites, as stored.

A *unit* is an office of the province (sở, ban, UBND huyện, UBND xã …) in a tree. One row is one
period in which its name, kind and place in the tree stayed the same: a reform closes rows, opens
others and links them (`UnitChange`), so that every question about the tree names its day. A *site*
(điểm cầu) is a room of a unit with a camera and a screen; it is not a person, and it outlives its
unit: who held it before is kept. A person's titles and offices have periods too.
"""

import enum
from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from conference.database import Base, text_enum


class UnitLevel(enum.Enum):
    """Where a unit stands in the state's administration."""

    PROVINCE = "province"
    PROVINCIAL_UNIT = "provincial_unit"
    DISTRICT = "district"
    COMMUNE = "commune"


class Unit(Base):
    """An office that is invited and held responsible, while nothing about it changed."""

    __tablename__ = "unit"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40), index=True)
    """Main code. A reform hands codes on, so only units of the same day have different ones."""
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
    """First day of the row; None = since ever."""
    valid_to: Mapped[date | None]
    """Last day of the row; None = until further notice."""

    parent: Mapped["Unit | None"] = relationship(remote_side=[id], back_populates="children")
    children: Mapped[list["Unit"]] = relationship(
        back_populates="parent", order_by="Unit.protocol_order, Unit.code"
    )
    sites: Mapped[list["Site"]] = relationship(back_populates="unit")
    codes: Mapped[list["UnitCode"]] = relationship(
        back_populates="unit", order_by="UnitCode.system", cascade="all, delete-orphan"
    )


class CodeSystem(enum.Enum):
    """Whose code it is."""

    STATISTICAL = "statistical"
    """Administrative units: QĐ 124/2004, since 2025 QĐ 19/2025/QĐ-TTg."""
    AGENCY = "agency"
    """Agencies in document exchange: QĐ 20/2020/QĐ-TTg, before it QCVN 102:2016."""
    OTHER = "other"


class UnitCode(Base):
    """A further code of a unit, beside its main one."""

    __tablename__ = "unit_code"
    __table_args__ = (UniqueConstraint("unit_id", "system", "code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), index=True)
    system: Mapped[CodeSystem] = mapped_column(text_enum(CodeSystem))
    code: Mapped[str] = mapped_column(String(40), index=True)

    unit: Mapped[Unit] = relationship(back_populates="codes")


class ChangeKind(enum.Enum):
    """What a reform did; how many units it closes and opens is `conference.directory.history`."""

    RENAMED = "renamed"
    MOVED = "moved"
    """Same name, other place in the tree."""
    MERGED = "merged"
    SPLIT = "split"
    REARRANGED = "rearranged"
    """Several units became several others, parts going different ways."""
    ABOLISHED = "abolished"


class UnitChange(Base):
    """One act that changed units: what, from which day, on which legal ground."""

    __tablename__ = "unit_change"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[ChangeKind] = mapped_column(text_enum(ChangeKind))
    effective_on: Mapped[date] = mapped_column(index=True)
    """First day of what follows; what went before ended the day before."""
    reference: Mapped[str] = mapped_column(String(200), default="")
    """Number of the resolution or decision."""
    recorded_by: Mapped[str] = mapped_column(String(160))
    recorded_at: Mapped[datetime]

    links: Mapped[list["Succession"]] = relationship(
        back_populates="change", order_by="Succession.id", cascade="all, delete-orphan"
    )


class Succession(Base):
    """One unit's tasks went to another; without successor they ended."""

    __tablename__ = "succession"
    __table_args__ = (UniqueConstraint("predecessor_id", "successor_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    change_id: Mapped[int] = mapped_column(ForeignKey("unit_change.id"), index=True)
    predecessor_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    successor_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)

    change: Mapped[UnitChange] = relationship(back_populates="links")
    predecessor: Mapped[Unit] = relationship(foreign_keys=[predecessor_id])
    successor: Mapped[Unit | None] = relationship(foreign_keys=[successor_id])


class Site(Base):
    """A điểm cầu: one room of a unit that joins meetings as one participant."""

    __tablename__ = "site"

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), index=True)
    """Who holds the room now, or will from a day already decided; before: `FormerHolder`."""
    name: Mapped[str] = mapped_column(String(200))
    room: Mapped[str] = mapped_column(String(200), default="")
    capacity: Mapped[int | None]
    """Seats in the room."""
    line_mbps: Mapped[int | None]
    """Rated speed of the room's line, Mbit/s."""
    equipment: Mapped[str] = mapped_column(Text, default="")
    """What stands in the room: codec, camera, microphones, screens; one per line."""
    email: Mapped[str] = mapped_column(String(254), default="")
    technician_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    """Who serves the room, if in the directory; name and phone below are for everybody else."""
    technician_name: Mapped[str] = mapped_column(String(120), default="")
    technician_phone: Mapped[str] = mapped_column(String(40), default="")
    is_active: Mapped[bool] = mapped_column(default=True)

    unit: Mapped[Unit] = relationship(back_populates="sites")
    technician: Mapped["Person | None"] = relationship()
    former_holders: Mapped[list["FormerHolder"]] = relationship(
        back_populates="site", order_by="FormerHolder.until_day", cascade="all, delete-orphan"
    )


class FormerHolder(Base):
    """A unit that held a site's room up to a day."""

    __tablename__ = "former_holder"
    __table_args__ = (UniqueConstraint("site_id", "until_day"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), index=True)
    until_day: Mapped[date] = mapped_column(index=True)
    """Last day."""

    site: Mapped[Site] = relationship(back_populates="former_holders")
    unit: Mapped[Unit] = relationship()


class Person(Base):
    """Somebody named in meetings: chair, secretary, delegate, technician.

    Title, unit, rank and the right to chair are those of the main office held at present;
    `Appointment` keeps all of them with their periods.
    """

    __tablename__ = "person"

    id: Mapped[int] = mapped_column(primary_key=True)
    full_name: Mapped[str] = mapped_column(String(120))
    name_folded: Mapped[str] = mapped_column(String(120), index=True)
    sort_key: Mapped[str] = mapped_column(String(120), default="", index=True)
    title: Mapped[str] = mapped_column(String(160), default="")
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    email: Mapped[str] = mapped_column(String(254), default="")
    phone: Mapped[str] = mapped_column(String(40), default="")
    protocol_order: Mapped[int] = mapped_column(default=1000)
    may_chair: Mapped[bool] = mapped_column(default=False)

    unit: Mapped[Unit | None] = relationship()
    appointments: Mapped[list["Appointment"]] = relationship(
        back_populates="person", order_by="Appointment.id", cascade="all, delete-orphan"
    )


class Appointment(Base):
    """An office a person held or holds."""

    __tablename__ = "appointment"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    title: Mapped[str] = mapped_column(String(160))
    protocol_order: Mapped[int] = mapped_column(default=1000)
    may_chair: Mapped[bool] = mapped_column(default=False)
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]

    person: Mapped[Person] = relationship(back_populates="appointments")
    unit: Mapped[Unit | None] = relationship()


class DirectoryImport(Base):
    """A table that was taken in, with what it wrote, so that it can be taken back."""

    __tablename__ = "directory_import"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the file, hexadecimal."""
    made_at: Mapped[datetime] = mapped_column(index=True)
    made_by: Mapped[str] = mapped_column(String(160))
    new: Mapped[int]
    changed: Mapped[int]
    record: Mapped[dict[str, Any]] = mapped_column(deferred=True)
    """See `conference.directory.changes_made`."""
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str] = mapped_column(String(160), default="", server_default="")


class ImportHeading(Base):
    """A heading of this office's tables that means one of our columns."""

    __tablename__ = "import_heading"
    __table_args__ = (UniqueConstraint("kind", "heading_folded"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    heading_folded: Mapped[str] = mapped_column(String(200))
    column: Mapped[str] = mapped_column(String(60))
