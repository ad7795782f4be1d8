"""The kinds of entries in a meeting's log (nhật ký), and how one is written.

What is logged here becomes chapters of the recording and paragraphs of the minutes, so the kinds
are a closed list. Entries are only added. Presence is not logged: it is evidence of its own
(`conference.attendance`).
"""

import enum
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from conference.conduct.participants import Participant
from conference.scheduling.journal import LogEntry


class Kind(enum.Enum):
    """What happened; the value is stored, past tense of the conduct protocol's event."""

    MEETING_OPENED = "meeting_opened"
    MEETING_ENDED = "meeting_ended"
    FLOOR_REQUESTED = "floor_requested"
    FLOOR_WITHDRAWN = "floor_withdrawn"
    FLOOR_DISMISSED = "floor_dismissed"
    FLOOR_MOVED = "floor_moved"
    FLOOR_GIVEN = "floor_given"
    FLOOR_ENDED = "floor_ended"
    MICROPHONE_MUTED = "microphone_muted"
    ALL_MUTED = "all_muted"
    PARTICIPANT_REMOVED = "participant_removed"
    AGENDA_SELECTED = "agenda_selected"
    DELEGATES_REPORTED = "delegates_reported"
    RECORDING_REQUESTED = "recording_requested"
    RECORDING_STOPPED = "recording_stopped"
    VOTE_OPENED = "vote_opened"
    VOTE_CLOSED = "vote_closed"
    VOTE_PUBLISHED = "vote_published"
    SPOTLIGHT_SET = "spotlight_set"
    FLOOR_EXTENDED = "floor_extended"
    FLOOR_WARNED = "floor_warned"


def write(
    session: Session,
    meeting_id: int,
    kind: Kind,
    *,
    at: datetime,
    by: Participant | None = None,
    about: Participant | None = None,
    subject: str = "",
    detail: Mapping[str, Any] | None = None,
) -> LogEntry:
    """Add one entry: ``by`` did ``kind`` to ``about`` (or to what ``subject`` names)."""
    entry = LogEntry(
        meeting_id=meeting_id,
        at=at,
        kind=kind.value,
        actor=by.name if by else "",
        identity=about.identity if about else "",
        subject=subject or (about.name if about else ""),
        detail=dict(detail or {}),
    )
    session.add(entry)
    return entry


def entries(session: Session, meeting_id: int) -> list[LogEntry]:
    """The whole log of a meeting, oldest first."""
    query = select(LogEntry).where(LogEntry.meeting_id == meeting_id)
    return list(session.scalars(query.order_by(LogEntry.at, LogEntry.id)))
