"""What the media engine should look like, as the rows say; and how to make it so.

Acts are carried out after they are stored. If the engine was away in between, or the process died,
the difference is found here from the engine's own list, and the missing acts are due again.
"""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from conference.conduct import queries
from conference.conduct.acts import Act, AllowSources, CloseRoom, RemoveFromRoom
from conference.conduct.floor import sources
from conference.conduct.participants import (
    find_participant,
    is_participant_identity,
    removed_identities,
)
from conference.engine.client import Participant as Listed
from conference.errors import NotFoundError
from conference.scheduling.models import HELD, Meeting, Status

_OVER = HELD | {Status.CANCELLED}


def acts_due(session: Session, meeting: Meeting, listed: Sequence[Listed]) -> list[Act]:
    """Acts that bring the room in line: nobody in an ended one, nobody put out, rights as given."""
    if meeting.status in _OVER:
        return [CloseRoom()] if listed else []
    unwanted = removed_identities(session, meeting.id) | {
        f"site:{site.id}" for site in meeting.sites if site.withdrawn_at is not None
    }
    speaking = queries.speaker(session, meeting.id)
    acts: list[Act] = []
    for one in listed:
        if one.is_hidden or not is_participant_identity(one.identity):
            continue
        has_floor = speaking is not None and speaking.identity == one.identity
        act = _due(session, meeting, one, is_unwanted=one.identity in unwanted, floor=has_floor)
        if act is not None:
            acts.append(act)
    return acts


def _due(
    session: Session, meeting: Meeting, one: Listed, *, is_unwanted: bool, floor: bool
) -> Act | None:
    try:
        who = find_participant(session, meeting, one.identity)
    except NotFoundError:
        return RemoveFromRoom(one.identity)
    if is_unwanted:
        return RemoveFromRoom(one.identity)
    wanted = sources(meeting.room_preset, is_conducting=who.is_conducting, has_floor=floor)
    rights = None if wanted is None else frozenset(wanted)
    if one.publish_sources == rights and one.has_floor == floor:
        return None
    return AllowSources(one.identity, wanted, has_floor=floor)
