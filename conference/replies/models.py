"""What invited sites answered, whom they send, and the mail in which they did, as stored."""

import enum
from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from conference.database import Base, text_enum
from conference.scheduling.models import InvitedSite


class Answer(enum.Enum):
    """What a site said; RFC 5545 §3.2.12 knows the same three."""

    ACCEPTED = "accepted"
    TENTATIVE = "tentative"
    DECLINED = "declined"


class Source(enum.Enum):
    """On which way an answer came."""

    LINK = "link"
    ACCOUNT = "account"
    SECRETARIAT = "secretariat"
    MAIL = "mail"


class SiteReply(Base):
    """The answer of one invited site; a later one replaces it."""

    __tablename__ = "site_reply"

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meeting.id"), index=True)
    invited_site_id: Mapped[int] = mapped_column(ForeignKey("invited_site.id"), unique=True)
    answer: Mapped[Answer] = mapped_column(text_enum(Answer))
    headcount: Mapped[int | None]
    """How many people will come; None = not said. Those who came are counted at the meeting."""
    note: Mapped[str] = mapped_column(Text, default="")
    source: Mapped[Source] = mapped_column(text_enum(Source))
    replied_by: Mapped[str] = mapped_column(String(200))
    replied_at: Mapped[datetime]
    ics_sequence: Mapped[int] = mapped_column(default=0)
    """Revision of the meeting that was answered; an older one asks for a new answer."""

    invited_site: Mapped[InvitedSite] = relationship()


class Consent(enum.Enum):
    """What the chair decided about a substitute."""

    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"


class Substitution(Base):
    """Somebody comes in the place of an invited head; the chair has to agree (QĐ 45/2018)."""

    __tablename__ = "substitution"

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meeting.id"), index=True)
    invited_site_id: Mapped[int] = mapped_column(ForeignKey("invited_site.id"), index=True)
    absent: Mapped[str] = mapped_column(String(160))
    substitute: Mapped[str] = mapped_column(String(120))
    substitute_title: Mapped[str] = mapped_column(String(160), default="")
    consent: Mapped[Consent] = mapped_column(text_enum(Consent), default=Consent.ASKED)
    decided_by: Mapped[str] = mapped_column(String(160), default="")
    decided_at: Mapped[datetime | None]

    invited_site: Mapped[InvitedSite] = relationship()


class Handling(enum.Enum):
    """What became of a message that came in."""

    APPLIED = "applied"
    OUTDATED = "outdated"
    NOT_A_REPLY = "not_a_reply"
    UNKNOWN_MEETING = "unknown_meeting"
    UNKNOWN_SENDER = "unknown_sender"
    UNREADABLE = "unreadable"


class IncomingMessage(Base):
    """A message that was read; each once, by its Message-ID."""

    __tablename__ = "incoming_message"

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(String(300), unique=True)
    received_at: Mapped[datetime] = mapped_column(index=True)
    sender: Mapped[str] = mapped_column(String(254), default="")
    subject: Mapped[str] = mapped_column(String(300), default="")
    handling: Mapped[Handling] = mapped_column(text_enum(Handling))
    meeting_id: Mapped[int | None] = mapped_column(ForeignKey("meeting.id"), index=True)
