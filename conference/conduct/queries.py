"""What a live meeting looks like now, read from its rows: floor, queue, agenda item, chat."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from conference.conduct import floor
from conference.conduct.log import Kind
from conference.conduct.models import ChatMessage, FloorRequest, FloorState
from conference.scheduling.journal import LogEntry

CHAT_HISTORY: Final = 200
"""Lines of chat that somebody who comes late is shown."""


def speaker(session: Session, meeting_id: int) -> FloorRequest | None:
    """Who has the floor, or None."""
    query = select(FloorRequest).where(
        FloorRequest.meeting_id == meeting_id, FloorRequest.state == FloorState.SPEAKING
    )
    return session.scalars(query.order_by(FloorRequest.id.desc()).limit(1)).first()


def hands(session: Session, meeting_id: int) -> list[floor.Hand]:
    """All raised hands as plain values, in the order in which they are to be called."""
    return floor.queue(
        floor.Hand(row.id, row.identity, row.requested_at, row.protocol_order, row.position)
        for row in _waiting_rows(session, meeting_id)
    )


def waiting(session: Session, meeting_id: int) -> list[FloorRequest]:
    """All raised hands as rows, in the order in which they are to be called."""
    rows = {row.id: row for row in _waiting_rows(session, meeting_id)}
    return [rows[hand.request_id] for hand in hands(session, meeting_id)]


def times_spoken(session: Session, meeting_id: int) -> dict[str, int]:
    """How often each has had the floor, the present speech included."""
    query = (
        select(FloorRequest.identity, func.count())
        .where(FloorRequest.meeting_id == meeting_id, FloorRequest.given_at.is_not(None))
        .group_by(FloorRequest.identity)
    )
    return {identity: int(count) for identity, count in session.execute(query)}


def recent_chat(session: Session, meeting_id: int) -> list[ChatMessage]:
    """The newest `CHAT_HISTORY` lines, oldest first."""
    query = (
        select(ChatMessage)
        .where(ChatMessage.meeting_id == meeting_id)
        .order_by(ChatMessage.id.desc())
        .limit(CHAT_HISTORY)
    )
    return list(reversed(list(session.scalars(query))))


def _waiting_rows(session: Session, meeting_id: int) -> Sequence[FloorRequest]:
    query = select(FloorRequest).where(
        FloorRequest.meeting_id == meeting_id, FloorRequest.state == FloorState.WAITING
    )
    return session.scalars(query.order_by(FloorRequest.id)).all()


def agenda_selection(session: Session, meeting_id: int) -> tuple[int, datetime] | None:
    """The agenda item being dealt with and since when, or None before the first."""
    query = select(LogEntry).where(
        LogEntry.meeting_id == meeting_id, LogEntry.kind == Kind.AGENDA_SELECTED.value
    )
    entry = session.scalars(query.order_by(LogEntry.id.desc()).limit(1)).first()
    return None if entry is None else (int(entry.detail["item_id"]), entry.at)


def spotlight(session: Session, meeting_id: int) -> str | None:
    """Identity the chair shows large to everybody, or None."""
    query = select(LogEntry.identity).where(
        LogEntry.meeting_id == meeting_id, LogEntry.kind == Kind.SPOTLIGHT_SET.value
    )
    return session.scalars(query.order_by(LogEntry.id.desc()).limit(1)).first() or None


def version(session: Session, meeting_id: int) -> int:
    """A number that grows with every logged act; of two states the higher is the newer."""
    query = select(func.max(LogEntry.id)).where(LogEntry.meeting_id == meeting_id)
    return session.scalar(query) or 0
