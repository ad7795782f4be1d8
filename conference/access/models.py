"""Accounts and the audit log, as stored."""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from conference.database import Base, text_enum
from conference.directory.models import Person, Site


class Role(enum.Enum):
    """What an account may be; `conference.access.policy` says what each may do."""

    ADMINISTRATOR = "administrator"
    SECRETARY = "secretary"
    """Officer of the secretariat, who plans meetings and keeps the minutes."""
    OFFICE_CHIEF = "office_chief"
    """Chánh Văn phòng: approves, signs by order."""
    CHAIR = "chair"
    CLERK = "clerk"
    TECHNICIAN = "technician"
    SITE = "site"
    DELEGATE = "delegate"
    """An official who is invited in person and sees only what is about those meetings."""
    LEADER = "leader"
    """Reads meetings, results and figures; changes nothing."""
    AUDITOR = "auditor"
    """Reads logs and files; changes nothing and is in no room."""


class Account(Base):
    """A login: of a person, or of a site (one account for each site, not shared)."""

    __tablename__ = "account"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(80), unique=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    """Argon2id; empty as long as nobody has chosen a password, and then no password fits."""
    password_link_hash: Mapped[str] = mapped_column(String(64), default="", index=True)
    """SHA-256 of the secret in the link with which a password may be set once; empty = none."""
    password_link_until: Mapped[datetime | None]
    role: Mapped[Role] = mapped_column(text_enum(Role))
    display_name: Mapped[str] = mapped_column(String(160))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id"), index=True)
    language: Mapped[str] = mapped_column(String(5), default="vi")
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]

    person: Mapped[Person | None] = relationship()
    site: Mapped[Site | None] = relationship()


class AuditEntry(Base):
    """Who did what to which object, and when; only ever added to."""

    __tablename__ = "audit_entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    actor: Mapped[str] = mapped_column(String(200))
    """Name as it was then; also for link visitors, who have no account."""
    action: Mapped[str] = mapped_column(String(60))
    object_type: Mapped[str] = mapped_column(String(40))
    object_id: Mapped[str] = mapped_column(String(40))
    address: Mapped[str] = mapped_column(String(60), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
