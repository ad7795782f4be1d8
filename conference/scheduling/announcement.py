"""The port through which a change of the schedule reaches those invited.

Scheduling decides who has to be told what; how (mail, and what else may come) is decided behind
the port, in the same transaction, so that a change and its announcements stand or fall together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session

from conference.scheduling.models import InvitedSite, Meeting


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


class SilentAnnouncer:
    """Tells nobody: for imports of past meetings and for tests of other matters."""

    def announce(
        self, session: Session, meeting: Meeting, announcement: Announcement, at: datetime
    ) -> None:
        """Do nothing."""
