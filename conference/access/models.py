"""Accounts and the audit log, as stored."""

import enum
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, ForeignKey, String, Text, event
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from conference.database import Base, text_enum
from conference.directory.models import Person, Site
from conference.directory.vietnamese import fold


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
    name_folded: Mapped[str] = mapped_column(String(160), default="")
    """Shown name without marks, lower case, for search; follows `display_name` by itself."""
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id"), index=True)
    language: Mapped[str] = mapped_column(String(5), default="vi")
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]

    person: Mapped[Person | None] = relationship()
    site: Mapped[Site | None] = relationship()

    @validates("display_name")
    def _fold(self, _key: str, name: str) -> str:
        self.name_folded = fold(name)[:160]
        return name


class AuditEntry(Base):
    """Who did what to which object, and when; only ever added to.

    Each entry carries the digest of the one before it (`conference.access.audit`), and the
    database itself refuses to change or remove one.
    """

    __tablename__ = "audit_entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    link: Mapped[int | None] = mapped_column(unique=True)
    """Place in the chain, from 1 without a gap; None for entries older than the chain."""
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
    digest: Mapped[str] = mapped_column(String(64), default="", server_default="")
    """SHA-256 over the digest before and this entry's canonical JSON."""


class AuditHead(Base):
    """Where the chain ends: one row, locked by whoever adds the next entry."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True)
    link: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))


GUARD: Mapping[str, tuple[str, ...]] = {
    "sqlite": tuple(
        f"CREATE TRIGGER audit_entry_no_{act} BEFORE {act.upper()} ON audit_entry "
        "BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END"
        for act in ("update", "delete")
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION audit_entry_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit log is only added to'; END $$",
        "CREATE TRIGGER audit_entry_only_added_to BEFORE UPDATE OR DELETE ON audit_entry "
        "FOR EACH ROW EXECUTE FUNCTION audit_entry_refuse()",
    ),
}
"""Statements by which each database refuses to change or remove an entry."""


def _guard(_table: object, connection: Connection, **_: object) -> None:
    for statement in GUARD[connection.dialect.name]:
        connection.exec_driver_sql(statement)


event.listen(AuditEntry.__table__, "after_create", _guard)
