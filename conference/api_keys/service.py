"""Make, check and revoke the keys of other systems.

A key is shown once, when it is made; only its digest is stored. A revoked key stays in the list,
so that old log entries keep their meaning.
"""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from conference.access import audit
from conference.access.policy import Actor
from conference.api_keys.models import ApiKey, Scope
from conference.errors import InvalidError, NotFoundError

PREFIX: Final = "dck_"
"""Lets scanners of source code recognise a leaked key."""
HINT_LENGTH: Final = 10
MAX_NAME: Final = 120
USE_NOTED_EVERY: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a presented key allows."""

    key_id: int
    name: str
    scopes: frozenset[Scope]
    is_use_due: bool
    """Whether its last use should be noted again."""


def create(
    session: Session,
    name: str,
    scopes: Iterable[Scope],
    *,
    actor: Actor,
    at: datetime,
    address: str = "",
) -> tuple[ApiKey, str]:
    """A new key and its secret, which nobody can read again. Raises InvalidError."""
    name = " ".join(name.split())
    wanted = sorted({scope.value for scope in scopes})
    faults = {}
    if not name:
        faults["name"] = "Nhập tên hệ thống dùng khóa."
    elif len(name) > MAX_NAME:
        faults["name"] = f"Tên dài quá {MAX_NAME} ký tự."
    if not wanted:
        faults["scopes"] = "Chọn ít nhất một quyền."
    if faults:
        raise InvalidError(faults)
    secret = PREFIX + secrets.token_urlsafe(32)
    row = ApiKey(
        name=name,
        hint=secret[:HINT_LENGTH],
        digest=_digest(secret),
        scopes=wanted,
        created_by_id=actor.account_id,
        created_at=at,
        last_used_at=None,
        revoked_at=None,
    )
    session.add(row)
    session.flush()
    audit.record(
        session, at=at, actor=actor, action="api_key.created", object_type="api_key",
        object_id=row.id, address=address, note=name, detail={"scopes": wanted},
    )  # fmt: skip
    return row, secret


def revoke(
    session: Session, key_id: int, *, actor: Actor, at: datetime, address: str = ""
) -> ApiKey:
    """End a key at once; ending it twice changes nothing. Raises NotFoundError."""
    row = session.get(ApiKey, key_id)
    if row is None:
        raise NotFoundError
    if row.revoked_at is None:
        row.revoked_at = at
        audit.record(
            session, at=at, actor=actor, action="api_key.revoked", object_type="api_key",
            object_id=row.id, address=address, note=row.name,
        )  # fmt: skip
    return row


def all_keys(session: Session) -> list[ApiKey]:
    """Keys in force first, newest first."""
    rows = session.scalars(select(ApiKey).order_by(ApiKey.created_at.desc(), ApiKey.id.desc()))
    return sorted(rows, key=lambda row: row.revoked_at is not None)


def grant_of(session: Session, secret: str, at: datetime) -> Grant | None:
    """What ``secret`` allows; None for a key that does not exist or was revoked."""
    query = select(ApiKey).where(ApiKey.digest == _digest(secret), ApiKey.revoked_at.is_(None))
    row = session.scalar(query)
    if row is None:
        return None
    known = {scope.value: scope for scope in Scope}
    last = row.last_used_at
    return Grant(
        key_id=row.id,
        name=row.name,
        scopes=frozenset(known[word] for word in row.scopes if word in known),
        is_use_due=last is None or at - last >= USE_NOTED_EVERY,
    )


def note_use(session: Session, key_id: int, at: datetime) -> None:
    """Write down that a key was used."""
    row = session.get(ApiKey, key_id)
    if row is not None:
        row.last_used_at = at


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
