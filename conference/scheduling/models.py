"""Meetings with their agenda, invited sites and papers, planning rules, as stored."""

import enum
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from conference.access.models import Account
from conference.database import Base, text_enum
from conference.directory.models import Person, Site
from conference.scheduling.local_time import from_local, to_local


class Scope(enum.Enum):
    """Who hosts: the centre with the province relaying, or the province itself."""

    CENTRAL = "central"
    INTRA = "intra"


class Status(enum.Enum):
    """Where a meeting stands; transitions are the table in `conference.scheduling.lifecycle`."""

    DRAFT = "draft"
    REQUESTED = "requested"
    APPROVED = "approved"
    INVITED = "invited"
    CHECKING = "checking"
    READY = "ready"
    LIVE = "live"
    ENDED = "ended"
    MINUTES_SIGNED = "minutes_signed"
    CONCLUSION_ISSUED = "conclusion_issued"
    ARCHIVED = "archived"
    POSTPONED = "postponed"
    CANCELLED = "cancelled"


PLANNED: Final = frozenset({Status.DRAFT, Status.REQUESTED, Status.APPROVED})
"""Nobody was invited yet."""
ANNOUNCED: Final = frozenset({Status.INVITED, Status.CHECKING, Status.READY})
"""Invitations are out and the meeting has not begun."""
HELD: Final = frozenset(
    {Status.ENDED, Status.MINUTES_SIGNED, Status.CONCLUSION_ISSUED, Status.ARCHIVED}
)
"""It took place and is over; what follows is paper."""
CALLED_OFF: Final = frozenset({Status.POSTPONED, Status.CANCELLED})


class MeetingKind(enum.Enum):
    """What a meeting is for (QĐ 45/2018/QĐ-TTg); decides how long it may last."""

    BRIEFING = "briefing"
    WORK = "work"
    ADVISORY = "advisory"
    COORDINATION = "coordination"
    PROFESSIONAL = "professional"
    REVIEW = "review"
    THEMATIC = "thematic"
    TRAINING = "training"


class Form(enum.Enum):
    """How people come together; the chair decides (QĐ 45/2018, Art. 7)."""

    ONLINE = "online"
    HYBRID = "hybrid"
    IN_PERSON = "in_person"


class RelayMode(enum.Enum):
    """What of a central meeting goes on to the province's own sites, and what comes back."""

    NONE = "none"
    ONE_WAY = "one_way"
    TWO_WAY = "two_way"


class RoomPreset(enum.Enum):
    """Who may speak on entering: after the chair's call, everyone, or one at a time."""

    CONFERENCE = "conference"
    DISCUSSION = "discussion"


class CallOffGround(enum.Enum):
    """Why a meeting may be postponed or cancelled (QĐ 45/2018, Art. 14); others warn."""

    FORCE_MAJEURE = "force_majeure"
    SUPERIOR_ORDER = "superior_order"
    NOT_READY = "not_ready"
    OTHER = "other"


class Meeting(Base):
    """One meeting, one permanent address, one hồ sơ."""

    __tablename__ = "meeting"
    __table_args__ = (Index("ix_meeting_interval", "starts_at", "ends_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    room_name: Mapped[str] = mapped_column(String(60), unique=True)
    """Room on the media engine; unguessable, never reused."""
    title: Mapped[str] = mapped_column(String(300))
    title_folded: Mapped[str] = mapped_column(String(300), index=True)
    scope: Mapped[Scope] = mapped_column(text_enum(Scope))
    status: Mapped[Status] = mapped_column(text_enum(Status), default=Status.DRAFT, index=True)
    starts_at: Mapped[datetime] = mapped_column(index=True)
    ends_at: Mapped[datetime]
    location: Mapped[str] = mapped_column(String(300), default="")
    description: Mapped[str] = mapped_column(Text, default="")
    room_preset: Mapped[RoomPreset] = mapped_column(
        text_enum(RoomPreset), default=RoomPreset.DISCUSSION
    )
    chair_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    secretary_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    external_host: Mapped[str] = mapped_column(String(200), default="")
    external_reference: Mapped[str] = mapped_column(String(120), default="")
    """Number and date of the centre's invitation."""
    relay_mode: Mapped[RelayMode] = mapped_column(
        text_enum(RelayMode), default=RelayMode.NONE, server_default=RelayMode.NONE.value
    )
    kind: Mapped[MeetingKind | None] = mapped_column(text_enum(MeetingKind))
    form: Mapped[Form] = mapped_column(
        text_enum(Form), default=Form.ONLINE, server_default=Form.ONLINE.value
    )
    is_ad_hoc: Mapped[bool] = mapped_column(default=False, server_default=false())
    """đột xuất: lead times are waived (QĐ 45/2018)."""
    ad_hoc_reason: Mapped[str] = mapped_column(String(500), default="", server_default="")
    is_not_prohibited: Mapped[bool] = mapped_column(default=False, server_default=false())
    """The planner stated that it is none of the five kinds that may not be held."""

    not_secret_stated_by: Mapped[str] = mapped_column(String(160))
    """Who stated that the content is no state secret; without it nothing is stored."""
    not_secret_stated_at: Mapped[datetime]

    ics_uid: Mapped[str] = mapped_column(String(120), unique=True)
    ics_sequence: Mapped[int] = mapped_column(default=0)
    status_reason: Mapped[str] = mapped_column(Text, default="")
    """Why it was postponed, cancelled or returned to its planner."""
    series_id: Mapped[int | None] = mapped_column(ForeignKey("meeting_series.id"), index=True)
    series_day: Mapped[date | None]
    """Day that the series' rule gave it; stays when the meeting is moved (RECURRENCE-ID)."""
    status_ground: Mapped[CallOffGround | None] = mapped_column(text_enum(CallOffGround))
    requested_by: Mapped[str] = mapped_column(String(160), default="", server_default="")
    requested_at: Mapped[datetime | None]
    approved_by: Mapped[str] = mapped_column(String(160), default="", server_default="")
    approved_at: Mapped[datetime | None]
    invited_at: Mapped[datetime | None]
    """When invitations first went out; the figure of punctuality (R1) counts from here."""
    version: Mapped[int] = mapped_column(default=1)
    """Counts edits, for the second of two editors (SQLAlchemy checks it on update)."""
    created_by_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str] = mapped_column(String(200), default="")
    is_imported: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Held elsewhere: its file was taken in from a package and is only read here."""

    series: Mapped["MeetingSeries | None"] = relationship(back_populates="meetings")
    chair: Mapped[Person] = relationship(foreign_keys=[chair_id])
    secretary: Mapped[Person | None] = relationship(foreign_keys=[secretary_id])
    created_by: Mapped[Account] = relationship()
    agenda: Mapped[list["AgendaItem"]] = relationship(
        back_populates="meeting", order_by="AgendaItem.position", cascade="all, delete-orphan"
    )
    sites: Mapped[list["InvitedSite"]] = relationship(
        back_populates="meeting", order_by="InvitedSite.position", cascade="all, delete-orphan"
    )
    papers: Mapped[list["Paper"]] = relationship(
        back_populates="meeting", order_by="Paper.id", cascade="all, delete-orphan"
    )

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012

    @property
    def is_over(self) -> bool:
        """Whether it took place and is over."""
        return self.status in HELD

    @property
    def is_announced(self) -> bool:
        """Whether its sites were invited and it has not begun."""
        return self.status in ANNOUNCED


class MeetingSeries(Base):
    """Meetings that come back by one rule; each is a meeting and a file of its own."""

    __tablename__ = "meeting_series"

    id: Mapped[int] = mapped_column(primary_key=True)
    rule: Mapped[str] = mapped_column(String(200))
    """RRULE of RFC 5545."""
    first_day: Mapped[date]
    left_out: Mapped[list[Any]] = mapped_column(default=list)
    """ISO days that the rule names and the series leaves out (EXDATE)."""
    created_at: Mapped[datetime]
    starts_at: Mapped[datetime | None]
    """Start of the first slot; its hour is that of all slots. None in series without a UID."""
    ics_uid: Mapped[str] = mapped_column(String(120), default="", server_default="", index=True)
    """The one UID of all its meetings; empty where calendars know each by a UID of its own."""
    ics_sequence: Mapped[int] = mapped_column(default=0, server_default="0")
    """Counts every revision of any of its meetings, so that no letter is older than the last."""

    meetings: Mapped[list[Meeting]] = relationship(
        back_populates="series", order_by="Meeting.series_day"
    )

    def slot(self, meeting: Meeting) -> datetime | None:
        """When the rule would have ``meeting`` begin: its RECURRENCE-ID; None without a UID."""
        if not self.ics_uid or self.starts_at is None or meeting.series_day is None:
            return None
        return from_local(meeting.series_day, to_local(self.starts_at).time())


class SeriesPlace(Base):
    """A site's link to a series: leads to the meeting that is on or comes next."""

    __tablename__ = "series_place"
    __table_args__ = (UniqueConstraint("series_id", "site_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    series_id: Mapped[int] = mapped_column(ForeignKey("meeting_series.id"), index=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    join_code: Mapped[str] = mapped_column(String(40), unique=True)
    """Secret like that of a single invitation; worth nothing where the site has no place."""


class MeetingTemplate(Base):
    """A form filled in beforehand."""

    __tablename__ = "meeting_template"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    content: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Values of the meeting form by field, with ``agenda`` and ``sites``."""
    created_by: Mapped[str] = mapped_column(String(160))
    created_at: Mapped[datetime]


class AgendaItem(Base):
    """One point of the agenda."""

    __tablename__ = "agenda_item"

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meeting.id"), index=True)
    position: Mapped[int]
    title: Mapped[str] = mapped_column(String(300))
    presenter: Mapped[str] = mapped_column(String(200), default="")
    minutes: Mapped[int | None]
    """Planned length."""

    meeting: Mapped[Meeting] = relationship(back_populates="agenda")


class InvitedSite(Base):
    """A site's place in one meeting, with its unit's names as they were and its own join link."""

    __tablename__ = "invited_site"
    __table_args__ = (
        UniqueConstraint("meeting_id", "site_id"),
        Index("ix_invited_site_meeting_unit", "meeting_id", "unit_name"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meeting.id"), index=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    position: Mapped[int]
    """Protocol order inside the meeting."""
    site_name: Mapped[str] = mapped_column(String(200))
    unit_name: Mapped[str] = mapped_column(String(200), index=True)
    parent_unit_name: Mapped[str] = mapped_column(String(200), default="")
    join_code: Mapped[str] = mapped_column(String(40), unique=True)
    """Secret part of the link /vao/{code}; 128 bits, url-safe."""
    delegates_count: Mapped[int | None]
    """People in the room as the site reported; sites and delegates are counted apart."""
    withdrawn_at: Mapped[datetime | None]
    """Taken off the list after having been invited; its link no longer opens the room."""

    meeting: Mapped[Meeting] = relationship(back_populates="sites")
    site: Mapped[Site] = relationship()


class Paper(Base):
    """A file of the meeting, stored under our own name."""

    __tablename__ = "paper"

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meeting.id"), index=True)
    filename: Mapped[str] = mapped_column(String(255))
    stored_name: Mapped[str] = mapped_column(String(64), unique=True)
    media_type: Mapped[str] = mapped_column(String(100))
    size_bytes: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(Text, default="", server_default="", deferred=True)
    """What it says, for the search alone; empty where it could not be read."""
    is_summary: Mapped[bool] = mapped_column(default=False, server_default=false())
    """What is read out in the meeting instead of the whole (QĐ 45/2018: summaries only)."""
    is_restricted: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Collected at the end: participants read it only until the meeting is over (Art. 14)."""
    uploaded_by: Mapped[str] = mapped_column(String(160))
    uploaded_at: Mapped[datetime]

    meeting: Mapped[Meeting] = relationship(back_populates="papers")

    @property
    def is_collected(self) -> bool:
        """Whether participants have no access any more."""
        return self.is_restricted and self.meeting.is_over


class DayKind(enum.Enum):
    """Why a day differs from its place in the week."""

    HOLIDAY = "holiday"
    IN_LIEU = "in_lieu"
    """Free because a holiday fell on a weekend."""
    WORKING_SWAP = "working_swap"
    """A weekend day on which offices work instead of another day."""


class CalendarDay(Base):
    """A day that is no ordinary working day, or a weekend day that is one."""

    __tablename__ = "calendar_day"

    day: Mapped[date] = mapped_column(primary_key=True)
    kind: Mapped[DayKind] = mapped_column(text_enum(DayKind))
    name: Mapped[str] = mapped_column(String(120))


class PlanningSetting(Base):
    """One threshold that this office set otherwise than `conference.scheduling.thresholds`."""

    __tablename__ = "planning_setting"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    value: Mapped[str] = mapped_column(String(60))
    changed_by: Mapped[str] = mapped_column(String(160))
    changed_at: Mapped[datetime]
