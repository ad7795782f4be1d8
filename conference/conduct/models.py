"""What happens while a meeting is live, as stored: the floor, votes, the chat, the log.

The log begins when a meeting is scheduled, so its model belongs to `conference.scheduling`.
"""

import enum
from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from conference.conduct.ballots import Choice
from conference.database import Base, text_enum
from conference.scheduling.journal import LogEntry

__all__ = [
    "Ballot",
    "ChatMessage",
    "FloorRequest",
    "FloorState",
    "LogEntry",
    "Vote",
    "VoteReceipt",
]


SPEECH_LIMIT_S: Final = 300
"""Length of a speech unless the chair gives more."""


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
    limit_s: Mapped[int] = mapped_column(default=SPEECH_LIMIT_S, server_default="300")
    """Seconds the speech may take; nothing is cut when they are over."""


class ChatMessage(Base):
    """A line of the meeting's chat: text, never markup."""

    __tablename__ = "chat_message"

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meeting.id"), index=True)
    at: Mapped[datetime]
    identity: Mapped[str] = mapped_column(String(80))
    display_name: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)


class Vote(Base):
    """One question put to the meeting (biểu quyết), and how far it has come."""

    __tablename__ = "vote"

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meeting.id"), index=True)
    question: Mapped[str] = mapped_column(Text)
    is_secret: Mapped[bool] = mapped_column(default=False)
    """Secret ballots (bỏ phiếu kín) keep no name and cannot be changed."""
    eligible_count: Mapped[int]
    """How many had a vote when it was opened."""
    opened_at: Mapped[datetime]
    opened_by: Mapped[str] = mapped_column(String(200))
    closed_at: Mapped[datetime | None]
    published_at: Mapped[datetime | None]
    hands_for: Mapped[int] = mapped_column(default=0)
    """Shown hands counted in halls (số phiếu giơ tay), entered by the secretary."""
    hands_against: Mapped[int] = mapped_column(default=0)
    hands_abstaining: Mapped[int] = mapped_column(default=0)


class Ballot(Base):
    """One vote cast. A secret one carries nothing that leads back to who cast it.

    Its key is random, so that the order of the rows does not tell the order of the voters.
    """

    __tablename__ = "ballot"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    vote_id: Mapped[int] = mapped_column(ForeignKey("vote.id"), index=True)
    choice: Mapped[Choice] = mapped_column(text_enum(Choice))
    identity: Mapped[str | None] = mapped_column(String(80))
    display_name: Mapped[str | None] = mapped_column(String(200))
    unit_name: Mapped[str | None] = mapped_column(String(200))
    cast_at: Mapped[datetime | None]


class VoteReceipt(Base):
    """That a participant has voted, never how."""

    __tablename__ = "vote_receipt"
    __table_args__ = (UniqueConstraint("vote_id", "identity"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    vote_id: Mapped[int] = mapped_column(ForeignKey("vote.id"), index=True)
    identity: Mapped[str] = mapped_column(String(80))
