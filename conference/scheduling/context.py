"""Who acts on the schedule, when and from where: the same for every row an act writes."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session, selectinload

from conference.access import audit
from conference.access.policy import Actor
from conference.errors import NotFoundError
from conference.scheduling import journal
from conference.scheduling.announcement import Announcement, Announcer, SilentAnnouncer
from conference.scheduling.journal import Kind
from conference.scheduling.models import Meeting


@dataclass(frozen=True, slots=True)
class Context:
    """One act: its transaction, its actor and its moment."""

    session: Session
    actor: Actor
    at: datetime
    address: str = ""
    announcer: Announcer = field(default_factory=SilentAnnouncer)

    def announce(self, meeting: Meeting, announcement: Announcement) -> None:
        """Promise the announcement in this transaction."""
        self.announcer.announce(self.session, meeting, announcement, self.at)
        self.session.flush()

    def record(
        self, meeting: Meeting, kind: Kind, *, note: str = "", detail: dict[str, Any] | None = None
    ) -> None:
        """Write the meeting's log and the audit log."""
        journal.note(
            self.session, meeting.id, kind,
            at=self.at, actor=self.actor.name, subject=note or meeting.title, detail=detail,
        )  # fmt: skip
        audit.record(
            self.session, at=self.at, actor=self.actor, action=kind.value.replace("_", ".", 1),
            object_type="meeting", object_id=meeting.id, address=self.address, note=note,
            detail=detail,
        )  # fmt: skip


def locked_meeting(session: Session, meeting_id: int) -> Meeting:
    """The meeting with agenda and sites, locked for this transaction. Raises NotFoundError."""
    meeting = session.get(
        Meeting,
        meeting_id,
        with_for_update=True,
        populate_existing=True,
        options=[selectinload(Meeting.agenda), selectinload(Meeting.sites)],
    )
    if meeting is None:
        raise NotFoundError
    return meeting
