"""Who somebody is inside one meeting: identity, name, unit, part, and whether the door is open.

Identities are those of the media engine: ``site:<InvitedSite.id>`` and ``person:<Account.id>``. A
site is one participant, whether it came by its link or by its login. Other prefixes belong to
hidden helpers (recorder, probes), which are never participants.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from conference.access.accounts import actor_of
from conference.access.models import Account
from conference.access.policy import Actor, Verb, may
from conference.conduct.floor import protocol_order
from conference.errors import ForbiddenError, NotFoundError
from conference.scheduling.facts import meeting_facts
from conference.scheduling.journal import LogEntry
from conference.scheduling.models import HELD, PLANNED, InvitedSite, Meeting, Status

OPENS_BEFORE: Final = timedelta(minutes=60)
"""Sites may enter this long before the start, for the technicians' last check."""
REMOVED: Final = "participant_removed"


class Part(enum.Enum):
    """What somebody does in the room; `CHAIR` is chair, co-chair and the meeting's secretary."""

    CHAIR = "chair"
    PERSON = "person"
    SITE = "site"


@dataclass(frozen=True, slots=True)
class Participant:
    """One participant of one meeting."""

    identity: str
    name: str
    unit: str
    part: Part
    protocol_order: int

    @property
    def is_conducting(self) -> bool:
        """Whether the participant shares the console."""
        return self.part is Part.CHAIR

    @property
    def is_site(self) -> bool:
        """Whether this is a điểm cầu, counted as one whoever sits there."""
        return self.identity.startswith("site:")


class Door(enum.Enum):
    """Why the room is closed to somebody."""

    CANCELLED = "cancelled"
    POSTPONED = "postponed"
    ENDED = "ended"
    WITHDRAWN = "withdrawn"
    REMOVED = "removed"
    TOO_EARLY = "too_early"
    NOT_INVITED_YET = "draft"


_CLOSED_BY_STATUS: Final = {
    Status.CANCELLED: Door.CANCELLED,
    Status.POSTPONED: Door.POSTPONED,
    **dict.fromkeys(HELD, Door.ENDED),
}


def opens_at(starts_at: datetime) -> datetime:
    """From when on sites may enter a meeting that its chair has not opened."""
    return starts_at - OPENS_BEFORE


def closed_because(
    *,
    status: Status,
    starts_at: datetime,
    at: datetime,
    is_conducting: bool,
    is_withdrawn: bool = False,
    is_removed: bool = False,
) -> Door | None:
    """Why somebody may not enter now, or None if they may.

    The console may enter early and opens the room; an open room takes everyone invited.
    """
    if status in _CLOSED_BY_STATUS:
        return _CLOSED_BY_STATUS[status]
    if is_withdrawn:
        return Door.WITHDRAWN
    if is_removed:
        return Door.REMOVED
    if status is Status.LIVE or is_conducting:
        return None
    if status in PLANNED:
        return Door.NOT_INVITED_YET
    return Door.TOO_EARLY if at < opens_at(starts_at) else None


def is_participant_identity(identity: str) -> bool:
    """Whether ``identity`` is a person or a site, not a hidden helper."""
    kind, _, number = identity.partition(":")
    return kind in {"site", "person"} and number.isascii() and number.isdigit()


def participants_of(
    session: Session, meeting: Meeting, actor: Actor, links: Sequence[int] = ()
) -> list[Participant]:
    """Everybody ``actor`` may be in ``meeting``, most conducting first; empty if nobody.

    ``links`` are invited sites whose join link this browser has opened. A site account is the
    site's own participant. A withdrawn site is still found, so that it can be told why.
    """
    found: dict[str, Participant] = {}
    for site in meeting.sites:
        if site.id in links or (actor.site_id is not None and site.site_id == actor.site_id):
            participant = site_participant(site)
            found[participant.identity] = participant
    is_site_account = actor.site_id is not None
    if actor.account_id is not None and not is_site_account:
        facts = meeting_facts(meeting)
        if may(actor, Verb.ROOM_JOIN, facts):
            account = session.get_one(Account, actor.account_id)
            person = person_participant(account, is_conducting=may(actor, Verb.ROOM_CONDUCT, facts))
            found[person.identity] = person
    return sorted(found.values(), key=lambda one: (one.part is not Part.CHAIR, one.is_site))


def site_participant(site: InvitedSite) -> Participant:
    """The participant an invited site is."""
    return Participant(
        identity=f"site:{site.id}",
        name=site.site_name,
        unit=site.unit_name,
        part=Part.SITE,
        protocol_order=protocol_order(site_position=site.position),
    )


def person_participant(account: Account, *, is_conducting: bool) -> Participant:
    """The participant somebody with a personal account is."""
    person = account.person
    return Participant(
        identity=f"person:{account.id}",
        name=person.full_name if person else account.display_name,
        unit=(person.unit.name if person and person.unit else ""),
        part=Part.CHAIR if is_conducting else Part.PERSON,
        protocol_order=protocol_order(person_rank=person.protocol_order if person else None),
    )


def find_participant(session: Session, meeting: Meeting, identity: str) -> Participant:
    """The participant ``identity`` names in ``meeting``, invited or with a right to be there.

    Raises NotFoundError for anything else, hidden helpers included.
    """
    if not is_participant_identity(identity) or len(identity) > 30:
        raise NotFoundError
    kind, _, number = identity.partition(":")
    if kind == "site":
        site = session.get(InvitedSite, int(number))
        if site is None or site.meeting_id != meeting.id:
            raise NotFoundError
        return site_participant(site)
    account = session.get(Account, int(number))
    if account is None:
        raise NotFoundError
    facts = meeting_facts(meeting)
    actor = actor_of(account)
    # who was in the room of another installation had the right there
    if not meeting.is_imported and not may(actor, Verb.ROOM_JOIN, facts):
        raise NotFoundError
    return person_participant(account, is_conducting=may(actor, Verb.ROOM_CONDUCT, facts))


def still_acts(session: Session, meeting: Meeting, participant: Participant) -> Participant:
    """``participant`` as of now, for a connection that was admitted earlier.

    Raises ForbiddenError when the account was switched off, the site taken off the list or the
    participant removed.
    """
    try:
        current = find_participant(session, meeting, participant.identity)
    except NotFoundError:
        raise ForbiddenError from None
    kind, _, number = participant.identity.partition(":")
    if kind == "person" and not session.get_one(Account, int(number)).is_active:
        raise ForbiddenError
    withdrawn = kind == "site" and (
        session.get_one(InvitedSite, int(number)).withdrawn_at is not None
    )
    if withdrawn or is_removed(session, meeting.id, participant.identity):
        raise ForbiddenError
    return current


def is_removed(session: Session, meeting_id: int, identity: str) -> bool:
    """Whether the chair has put ``identity`` out of this meeting's room."""
    query = select(LogEntry.id).where(
        LogEntry.meeting_id == meeting_id, LogEntry.kind == REMOVED, LogEntry.identity == identity
    )
    return session.scalar(query.limit(1)) is not None


def removed_identities(session: Session, meeting_id: int) -> set[str]:
    """Everybody the chair has put out of this meeting's room."""
    query = select(LogEntry.identity).where(
        LogEntry.meeting_id == meeting_id, LogEntry.kind == REMOVED
    )
    return set(session.scalars(query))
