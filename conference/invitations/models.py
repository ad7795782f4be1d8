"""Mail that waits to be sent, as stored: the row is the promise, SMTP only carries it out."""

import enum
from datetime import datetime
from typing import Final

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from conference.database import Base, text_enum
from conference.scheduling.models import InvitedSite, Meeting


class Purpose(enum.Enum):
    """Why a message is sent; decides text and iTIP method (RFC 5546)."""

    REQUEST = "request"
    UPDATE = "update"
    CANCEL = "cancel"
    REMINDER = "reminder"
    TASK = "task"
    """Of a task of the conclusions, to the unit that leads it."""
    CHECK_OPENED = "check_opened"
    """Line checks of the meeting are open."""
    CHECK_LAST = "check_last"
    """The meeting is near and the site has not passed its line check."""


ABOUT_CHECKS: Final = frozenset({Purpose.CHECK_OPENED, Purpose.CHECK_LAST})
"""Reminders of line checks: they invite nobody and are no part of the correspondence."""


class Channel(enum.Enum):
    """On which way a message goes."""

    MAIL = "mail"
    WEBHOOK = "webhook"
    """To the office's own gateway, which passes it on by SMS, Zalo or what it likes."""


class Delivery(enum.Enum):
    """Where a message stands. FAILED is final: the server refused it for good or tries ran out."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"
    """Not sent any more: what it says is no longer true."""


class OutboxMessage(Base):
    """One message to one site, or about one task to the unit that leads it."""

    __tablename__ = "outbox_message"
    __table_args__ = (
        Index("ix_outbox_message_first", "meeting_id", "purpose", "state", "sent_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meeting.id"), index=True)
    invited_site_id: Mapped[int | None] = mapped_column(ForeignKey("invited_site.id"), index=True)
    """None for what is about a task; `conference.invitations.ledger` leaves those out."""
    task_id: Mapped[int | None] = mapped_column(
        ForeignKey("conclusion_task.id", ondelete="SET NULL"), index=True
    )
    once_key: Mapped[str | None] = mapped_column(String(300), unique=True)
    """What may be sent only once, by name."""
    series_id: Mapped[int | None] = mapped_column(ForeignKey("meeting_series.id"), index=True)
    """Set where the message is about a whole series; ``meeting_id`` is then its next meeting."""
    purpose: Mapped[Purpose] = mapped_column(text_enum(Purpose))
    channel: Mapped[Channel] = mapped_column(
        text_enum(Channel), default=Channel.MAIL, server_default=Channel.MAIL.value
    )
    recipient: Mapped[str] = mapped_column(String(254))
    """Mail address, or telephone number for a gateway."""
    subject: Mapped[str] = mapped_column(String(400))
    content: Mapped[str] = mapped_column(Text)
    """The whole message as composed when the row was written: RFC 5322, or JSON for a gateway."""
    ics_sequence: Mapped[int]
    state: Mapped[Delivery] = mapped_column(
        text_enum(Delivery), default=Delivery.WAITING, index=True
    )
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime] = mapped_column(index=True)
    expires_at: Mapped[datetime | None]
    """After it the message says nothing useful and is dropped; None = never."""
    about_start: Mapped[datetime | None]
    """Start of the meeting as the message has it; once that is not so any more, or the meeting is
    not to be held, the message is dropped. None = it is sent whatever happens."""
    lease_owner: Mapped[str] = mapped_column(String(80), default="")
    lease_until: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]

    meeting: Mapped[Meeting] = relationship()
    invited_site: Mapped[InvitedSite] = relationship()
