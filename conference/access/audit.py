"""The audit log: who did what to which object. Rows are added, never changed or removed.

Every entry carries ``SHA-256(digest before ‖ canonical JSON of the entry)``, so whoever alters,
removes or slips in one breaks the chain at that place. The chain proves an order, not a time: its
end is to be written down elsewhere from time to time (``diemcau audit head``), because who can
write to the whole database could compute a whole new chain, but never one with an end that others
hold.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from conference import canonical
from conference.access.models import AuditEntry, AuditHead
from conference.access.policy import Actor

GENESIS: Final = "0" * 64
"""What stands for the digest before the first entry."""
_HEAD: Final = 1
_BATCH: Final = 2000


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
    head = _head(session)
    entry = AuditEntry(
        link=head.link + 1,
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
    entry.digest = digest_of(entry, head.digest)
    head.link, head.digest = head.link + 1, entry.digest
    session.add(entry)
    return entry


def _head(session: Session) -> AuditHead:
    """The end of the chain, locked until the transaction ends."""
    session.flush()  # an entry of this very transaction has moved it
    head = session.get(AuditHead, _HEAD, with_for_update=True, populate_existing=True)
    if head is not None:
        return head
    try:
        with session.begin_nested():
            session.add(AuditHead(id=_HEAD, link=0, digest=GENESIS))
    except IntegrityError:
        pass  # another process made it in this moment
    return session.get_one(AuditHead, _HEAD, with_for_update=True, populate_existing=True)


def digest_of(entry: AuditEntry, before: str) -> str:
    """The digest an entry must have after one with the digest ``before``."""
    values = {
        "link": entry.link,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "account_id": entry.account_id,
        "actor": entry.actor,
        "action": entry.action,
        "object_type": entry.object_type,
        "object_id": entry.object_id,
        "address": entry.address,
        "note": entry.note,
        "detail": entry.detail,
    }
    return hashlib.sha256(before.encode() + canonical.encode(values)).hexdigest()


@dataclass(frozen=True, slots=True)
class Verification:
    """What checking the chain showed."""

    entries: int
    """How many links are right, counted from the first."""
    older: int
    """Entries from before there was a chain; nothing is proved of them."""
    head: str
    """Digest of the last right link."""
    fault: str
    """English sentence naming the first wrong link; empty when all are right."""

    @property
    def is_whole(self) -> bool:
        """Whether every link is right and the chain ends where it says."""
        return not self.fault


def verify(session: Session, known_heads: Mapping[int, str] | None = None) -> Verification:
    """Walk the whole chain; compare it with ends that were written down elsewhere, if given."""
    older = session.scalar(select(func.count()).where(AuditEntry.link.is_(None))) or 0
    before, count = GENESIS, 0
    for entry in _chain(session):
        fault = _fault(entry, before, count + 1, known_heads or {})
        if fault:
            return Verification(count, older, before, fault)
        before, count = entry.digest, count + 1
    head = session.get(AuditHead, _HEAD)
    stated = (head.link, head.digest) if head is not None else (0, GENESIS)
    fault = "" if stated == (count, before) else f"entries after {count} are missing"
    missing = [link for link in known_heads or {} if link > count]
    if not fault and missing:
        fault = f"entry {min(missing)} is missing, though its digest is known"
    return Verification(count, older, before, fault)


def _fault(entry: AuditEntry, before: str, expected: int, known: Mapping[int, str]) -> str:
    if entry.link != expected:
        return f"entry {expected} is missing"
    if entry.digest != digest_of(entry, before):
        return f"entry {expected} was altered, or the one before it removed"
    if known.get(expected, entry.digest) != entry.digest:
        return f"entry {expected} is not the one whose digest was written down"
    return ""


def _chain(session: Session) -> Iterator[AuditEntry]:
    last = 0
    while True:
        query = select(AuditEntry).where(AuditEntry.link > last)
        batch = session.scalars(query.order_by(AuditEntry.link).limit(_BATCH)).all()
        if not batch:
            return
        for entry in batch:
            yield entry
            session.expunge(entry)  # a log of years is walked, not kept
        last = batch[-1].link or last


def entries(
    session: Session,
    *,
    text: str = "",
    actions: Collection[str] = (),
    offset: int = 0,
    limit: int = 100,
) -> tuple[Sequence[AuditEntry], int]:
    """A part of the log, newest first, and how many entries fit.

    An entry fits when ``text`` is in its actor or action, or its action is one of ``actions``.
    """
    query = select(AuditEntry)
    if text:
        pattern = f"%{text.replace('%', '').replace('_', '')}%"
        fits = AuditEntry.actor.ilike(pattern) | AuditEntry.action.ilike(pattern)
        query = query.where(fits | AuditEntry.action.in_(actions))
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    page = query.order_by(AuditEntry.id.desc()).offset(offset).limit(limit)
    return session.scalars(page).all(), total
