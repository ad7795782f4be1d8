"""From the media engine's report to evidence of presence.

Only people and sites are recorded: recorders, probes and other helpers are known by their hidden
grant and by identities of another form, not by their name. `participant_joined` is sent when the
connection stands, so somebody whose connection was aborted before was never there.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from conference.attendance.evidence import Observation, record
from conference.attendance.models import EvidenceKind, EvidenceSource
from conference.conduct.participants import is_participant_identity
from conference.engine.webhooks import Event
from conference.scheduling.models import Meeting

_KINDS: Final[Mapping[str, EvidenceKind]] = {
    "participant_joined": EvidenceKind.JOINED,
    "participant_left": EvidenceKind.LEFT,
}


def observation(report: Event, received_at: datetime) -> Observation | None:
    """The evidence a report is, or None if it says nothing of a participant's presence.

    Nothing is reported before it happened: an engine whose clock is ahead is put right.
    """
    kind = _KINDS.get(report.kind)
    if kind is None or report.is_hidden or not is_participant_identity(report.identity):
        return None
    return Observation(
        identity=report.identity,
        participant_sid=report.participant_sid,
        kind=kind,
        source=EvidenceSource.WEBHOOK,
        at=min(report.created_at, received_at),
        event_key=report.id,
        display_name=report.participant_name,
        reason=report.reason,
    )


def apply(session: Session, report: Event, received_at: datetime) -> int | None:
    """Store what ``report`` says; the meeting whose roster changed, or None if none did.

    A report about an unknown room, or one that was stored before, changes nothing.
    """
    observed = observation(report, received_at)
    if observed is None:
        return None
    meeting_id = session.scalar(select(Meeting.id).where(Meeting.room_name == report.room_name))
    if meeting_id is None:
        return None
    return meeting_id if record(session, meeting_id, [observed], received_at) else None
