"""The port through which a change of the schedule reaches those invited.

Scheduling decides who has to be told what; how (mail, and what else may come) is decided behind
the port, in the same transaction, so that a change and its announcements stand or fall together.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session

from conference.scheduling.models import InvitedSite, Meeting, MeetingSeries


@dataclass(frozen=True, slots=True)
class Announcement:
    """Who has to be told of one change; a site stands in at most one list."""

    invited: Sequence[InvitedSite] = ()
    """Asked to come: new on the list."""
    updated: Sequence[InvitedSite] = ()
    """Invited before; time, place or content changed."""
    called_off: Sequence[InvitedSite] = ()
    """Need not come: taken off the list, or the meeting is postponed or cancelled."""


class Announcer(Protocol):
    """Tells sites what changed."""

    def announce(
        self, session: Session, meeting: Meeting, announcement: Announcement, at: datetime
    ) -> None:
        """Promise, within ``session``'s transaction, that those named will be told."""

    def announce_series(
        self, session: Session, series: MeetingSeries, changes: "Sequence[Change]", at: datetime,
        parted_from: MeetingSeries | None = None,
    ) -> None:  # fmt: skip
        """The same for what one act changed in several meetings of ``series``: one telling each.

        ``parted_from`` is the series that ended before ``series`` began: its sites are told both.
        """


class SilentAnnouncer:
    """Tells nobody: for imports of past meetings and for tests of other matters."""

    def announce(
        self, session: Session, meeting: Meeting, announcement: Announcement, at: datetime
    ) -> None:
        """Do nothing."""

    def announce_series(
        self, session: Session, series: MeetingSeries, changes: "Sequence[Change]", at: datetime,
        parted_from: MeetingSeries | None = None,
    ) -> None:  # fmt: skip
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class Change:
    """What one act changed in one meeting."""

    meeting: Meeting
    announcement: Announcement


@dataclass(slots=True)
class Gathered(SilentAnnouncer):
    """Keeps the announcements of an act on several meetings, to be told together."""

    changes: list[Change] = field(default_factory=list)

    def announce(
        self, session: Session, meeting: Meeting, announcement: Announcement, at: datetime
    ) -> None:
        """Keep it."""
        del session, at
        self.changes.append(Change(meeting, announcement))

    def tell(
        self, announcer: Announcer, session: Session, at: datetime,
        parted_from: MeetingSeries | None = None,
    ) -> None:  # fmt: skip
        """Pass on what was kept: series with a UID as a whole, everything else singly."""
        series = next((one.meeting.series for one in self.changes), None)
        if series is not None and series.ics_uid:
            announcer.announce_series(session, series, self.changes, at, parted_from)
        else:
            for one in self.changes:
                announcer.announce(session, one.meeting, one.announcement, at)
        session.flush()
