"""The audit log: who did what to which object. Rows are added, never changed or removed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from conference.access.models import AuditEntry
from conference.access.policy import Actor


def record(
    session: Session,
    *,
    at: datetime,
    actor: Actor,
    action: str,
    object_type: str,
    object_id: int | str,
    address: str = "",
    note: str = "",
    detail: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """Add one entry in the caller's transaction, so that act and entry stand or fall together."""
    entry = AuditEntry(
        at=at,
        account_id=actor.account_id,
        actor=actor.name,
        action=action,
        object_type=object_type,
        object_id=str(object_id),
        address=address,
        note=note,
        detail=dict(detail or {}),
    )
    session.add(entry)
    return entry
