"""What was observed of participants, written so that repetition changes nothing.

Rows are only added, with a key that makes a repeated report the same row. The one exception keeps
the table small over a long day with 134 sites: "still there" is one row for each session, whose
time only ever moves forward. Losing the order or the number of reports therefore loses nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from conference.attendance.intervals import Evidence
from conference.attendance.models import EvidenceKind, EvidenceSource, PresenceEvidence


@dataclass(frozen=True, slots=True)
class Observation:
    """One report about one session of one participant, before it is stored."""

    identity: str
    participant_sid: str
    kind: EvidenceKind
    source: EvidenceSource
    at: datetime
    event_key: str
    display_name: str = ""
    reason: str = ""


def seen(identity: str, participant_sid: str, at: datetime, display_name: str = "") -> Observation:
    """A poll found the session alive at ``at``."""
    return Observation(
        identity, participant_sid, EvidenceKind.SEEN, EvidenceSource.POLL, at,
        f"{participant_sid}:seen", display_name,
    )  # fmt: skip


def record(
    session: Session, meeting_id: int, observations: Iterable[Observation], received_at: datetime
) -> int:
    """Store what is new; how many rows were added or moved forward."""
    wanted = {one.event_key: one for one in _newest_last(observations)}
    if not wanted:
        return 0
    known = _known(session, meeting_id, list(wanted))
    changed = 0
    for key, one in wanted.items():
        row = known.get(key)
        if row is None:
            session.add(_row(meeting_id, one, received_at))
            changed += 1
        elif one.kind is EvidenceKind.SEEN and row.at < one.at:
            row.at = one.at
            row.received_at = received_at
            changed += 1
    session.flush()
    return changed


def _newest_last(observations: Iterable[Observation]) -> list[Observation]:
    return sorted(observations, key=lambda one: one.at)


def _known(session: Session, meeting_id: int, keys: list[str]) -> dict[str, PresenceEvidence]:
    query = select(PresenceEvidence).where(
        PresenceEvidence.meeting_id == meeting_id, PresenceEvidence.event_key.in_(keys)
    )
    return {row.event_key: row for row in session.scalars(query)}


def _row(meeting_id: int, one: Observation, received_at: datetime) -> PresenceEvidence:
    return PresenceEvidence(
        meeting_id=meeting_id,
        identity=one.identity,
        display_name=one.display_name,
        participant_sid=one.participant_sid,
        kind=one.kind,
        source=one.source,
        at=one.at,
        reason=one.reason,
        event_key=one.event_key,
        received_at=received_at,
    )


def load(session: Session, meeting_id: int) -> list[Evidence]:
    """All evidence of a meeting as plain values."""
    query = select(
        PresenceEvidence.identity,
        PresenceEvidence.participant_sid,
        PresenceEvidence.kind,
        PresenceEvidence.source,
        PresenceEvidence.at,
        PresenceEvidence.reason,
    ).where(PresenceEvidence.meeting_id == meeting_id)
    return [Evidence(*row) for row in session.execute(query)]
