"""What happens while a meeting is live, as stored: the floor, the chat, the log.

The log begins when a meeting is scheduled, so its model belongs to `conference.scheduling`.
"""

import enum
from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from conference.database import Base, text_enum
from conference.scheduling.journal import LogEntry

__all__ = ["ChatMessage", "FloorRequest", "FloorState", "LogEntry"]


class FloorState(enum.Enum):
    """Where a request for the floor stands."""

    WAITING = "waiting"
    SPEAKING = "speaking"
    DONE = "done"
    WITHDRAWN = "withdrawn"


class FloorRequest(Base):
    """One raised hand and what became of it."""

    __tablename__ = "floor_request"

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meeting.id"), index=True)
    identity: Mapped[str] = mapped_column(String(80))
    """Participant identity: ``site:<InvitedSite.id>`` or ``person:<Account.id>``."""
    display_name: Mapped[str] = mapped_column(String(200))
    protocol_order: Mapped[int] = mapped_column(default=0)
    position: Mapped[int | None]
    """Place given by hand; None = by protocol order, then time."""
    state: Mapped[FloorState] = mapped_column(
        text_enum(FloorState), default=FloorState.WAITING, index=True
    )
    requested_at: Mapped[datetime]
    given_at: Mapped[datetime | None]
    given_by: Mapped[str] = mapped_column(String(200), default="")
    ended_at: Mapped[datetime | None]


class ChatMessage(Base):
    """A line of the meeting's chat: text, never markup."""

    __tablename__ = "chat_message"

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meeting.id"), index=True)
    at: Mapped[datetime]
    identity: Mapped[str] = mapped_column(String(80))
    display_name: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
