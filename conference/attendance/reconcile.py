"""Bring the evidence in line with who is really in the room, as the media engine lists them.

Webhooks are fast but may be lost while the web process is down; the list is slow but true. At
start and every 15 s the list of each live room becomes evidence: a session in it was seen, one
that is missing has been lost since its last evidence. So a process that was away for a minute
finds all intervals again. One process at a time does it (`conference.lease`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from conference.attendance.evidence import Observation, load, record, seen
from conference.attendance.intervals import LOST, Evidence
from conference.attendance.models import EvidenceKind, EvidenceSource
from conference.conduct.participants import is_participant_identity
from conference.engine.client import Participant as Listed
from conference.scheduling.models import ANNOUNCED, HELD, Meeting, Status

NOT_THERE_YET: Final = frozenset({"joining", "joined", "disconnected"})
"""States in which no media connection stands: such a one was not there, or is no longer."""
GRACE: Final = timedelta(seconds=3)
"""Evidence this fresh is not doubted: the session may have joined while the list was made."""
WATCHED_BEFORE: Final = timedelta(hours=2)
WATCHED_AFTER: Final = timedelta(minutes=10)
"""Rooms are watched this long around a meeting that is not live: early arrivals, late goodbyes."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A room whose list is to be asked for."""

    meeting_id: int
    room_name: str
    is_over: bool


def watched(session: Session, at: datetime) -> list[Watched]:
    """Rooms in which somebody may be now: live meetings, and those about to start or just over."""
    query = select(Meeting).where(
        (Meeting.status == Status.LIVE)
        | (
            Meeting.status.in_(ANNOUNCED)
            & (Meeting.starts_at < at + WATCHED_BEFORE)
            & (Meeting.ends_at > at - WATCHED_AFTER)
        )
        | (Meeting.status.in_(HELD) & (Meeting.ended_at > at - WATCHED_AFTER))
    )
    return [
        Watched(meeting.id, meeting.room_name, meeting.is_over)
        for meeting in session.scalars(query.order_by(Meeting.id))
    ]


def apply_list(
    session: Session,
    meeting_id: int,
    listed: Iterable[Listed],
    *,
    asked_at: datetime,
    received_at: datetime,
) -> bool:
    """Make the room's list, asked for at ``asked_at``, evidence. True if the roster changed."""
    there = [one for one in listed if not one.is_hidden and is_participant_identity(one.identity)]
    known = load(session, meeting_id)
    arrivals = _arrivals(there, known, asked_at)
    losses = _losses(there, known, asked_at)
    sightings = [seen(one.identity, one.sid, asked_at, one.name) for one in there]
    record(session, meeting_id, sightings, received_at)
    return record(session, meeting_id, [*arrivals, *losses], received_at) > 0


def _arrivals(
    there: Sequence[Listed], known: Sequence[Evidence], asked_at: datetime
) -> list[Observation]:
    joined = {one.session for one in known if one.kind is EvidenceKind.JOINED}
    return [
        Observation(
            one.identity, one.sid, EvidenceKind.JOINED, EvidenceSource.POLL,
            min(one.joined_at, asked_at), f"{one.sid}:joined", one.name,
        )
        for one in there
        if one.sid not in joined
    ]  # fmt: skip


def _losses(
    there: Sequence[Listed], known: Sequence[Evidence], asked_at: datetime
) -> list[Observation]:
    present = {one.sid for one in there}
    last: dict[tuple[str, str], datetime] = {}
    closed: dict[str, datetime] = {}
    for one in known:
        key = (one.identity, one.session)
        last[key] = max(one.at, last.get(key, one.at))
        if one.kind is EvidenceKind.LEFT:
            closed[one.session] = max(one.at, closed.get(one.session, one.at))
    return [
        Observation(
            identity, sid, EvidenceKind.LEFT, EvidenceSource.POLL, at,
            f"{sid}:lost:{int(at.timestamp())}", reason=LOST,
        )
        for (identity, sid), at in last.items()
        if sid not in present
        and at < asked_at - GRACE
        and (sid not in closed or closed[sid] < at)
    ]  # fmt: skip
