"""Meetings as bookings: what stands in the database, and what is being planned.

The interval question is answered from the index on ``starts_at``: no meeting is longer than
`rules.LONGEST_DAYS`, so whatever overlaps an interval began at most that long before it. Two
queries, whatever the archive's size; measured by ``benchmarks/conflicts.py``.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from conference.directory.models import Person, Site
from conference.directory.vietnamese import fold
from conference.scheduling import conflicts
from conference.scheduling.conflicts import Booking, Clash, Resource, ResourceKind
from conference.scheduling.models import ANNOUNCED, PLANNED, InvitedSite, Meeting, Status
from conference.scheduling.planning import Office
from conference.scheduling.rules import LONGEST_DAYS, MeetingDraft

TAKES_PLACE: Final = (*PLANNED, *ANNOUNCED, Status.LIVE)
"""Meetings that hold what they need; postponed ones let go of it."""


@dataclass(frozen=True, slots=True)
class Clashes:
    """What stands in the way of a plan, with the names to say it."""

    found: Sequence[Clash] = ()
    names: dict[Resource, str] | None = None
    load: int = 0
    """Sites at once, over all meetings, while the planned one lasts."""
    free_from: datetime | None = None
    """Next start at which nothing is in the way; only looked for if something is."""

    def words(self, clash: Clash, limit: int = 3) -> tuple[str, int]:
        """Names of what clashes, at most ``limit``, and how many more there are."""
        names = self.names or {}
        known = [names.get(Resource(clash.kind, key), key) for key in clash.keys]
        return ", ".join(known[:limit]), max(0, len(known) - limit)


def clashes_of(
    session: Session, draft: MeetingDraft, office: Office, *, except_id: int | None = None
) -> Clashes:
    """What of ``draft`` is taken while it lasts, and the next time at which nothing is."""
    if draft.starts_at is None or draft.ends_at is None or draft.ends_at <= draft.starts_at:
        return Clashes()
    wanted, names = _wanted(session, draft, except_id)
    others = bookings_between(session, draft.starts_at, draft.ends_at, names)
    found = conflicts.clashes(wanted, others)
    load = conflicts.peak_load(wanted, others)
    free_from = None
    if found or load > office.thresholds.media_capacity:
        free_from = _next_free(session, wanted, office)
    return Clashes(found, names, load, free_from)


def _next_free(session: Session, wanted: Booking, office: Office) -> datetime | None:
    horizon = wanted.starts_at + timedelta(days=conflicts.HORIZON_DAYS + LONGEST_DAYS)
    ahead = bookings_between(session, wanted.starts_at, horizon, {})
    busy = conflicts.busy_intervals(wanted, ahead, office.thresholds.media_capacity)
    length = wanted.ends_at - wanted.starts_at
    return conflicts.next_free(length, wanted.starts_at, busy, office)


def bookings_between(
    session: Session, start: datetime, end: datetime, names: dict[Resource, str]
) -> list[Booking]:
    """Meetings that overlap the interval; names of their resources are added to ``names``."""
    query = (
        select(
            Meeting.id, Meeting.title, Meeting.starts_at, Meeting.ends_at, Meeting.chair_id,
            Meeting.secretary_id, Meeting.location,
        )
        .where(
            Meeting.starts_at < end,
            Meeting.starts_at > start - timedelta(days=LONGEST_DAYS),
            Meeting.ends_at > start,
            Meeting.status.in_(TAKES_PLACE),
        )
        .order_by(Meeting.starts_at)
    )  # fmt: skip
    meetings = session.execute(query).all()
    places: dict[int, list[Any]] = {row.id: [] for row in meetings}
    invited = (
        select(
            InvitedSite.meeting_id, InvitedSite.site_id, InvitedSite.site_name,
            Site.technician_name, Site.technician_phone,
        )
        .join(InvitedSite.site)
        .where(InvitedSite.meeting_id.in_(list(places)), InvitedSite.withdrawn_at.is_(None))
    )  # fmt: skip
    if places:
        for place in session.execute(invited):
            places[place.meeting_id].append(place)
    found = []
    for row in meetings:
        people = [row.chair_id, row.secretary_id]
        resources = _resources(people, row.location, places[row.id], names)
        found.append(
            Booking(row.id, row.title, row.starts_at, row.ends_at, resources, len(places[row.id]))
        )
    return found


def _wanted(
    session: Session, draft: MeetingDraft, except_id: int | None
) -> tuple[Booking, dict[Resource, str]]:
    names: dict[Resource, str] = {}
    people = [person for person in (draft.chair_id, draft.secretary_id) if person is not None]
    for person in session.scalars(select(Person).where(Person.id.in_(people))):
        names[Resource(ResourceKind.PERSON, str(person.id))] = person.full_name
    query = select(
        Site.id.label("site_id"), Site.name.label("site_name"), Site.technician_name,
        Site.technician_phone,
    ).where(Site.id.in_(draft.site_ids))  # fmt: skip
    places = session.execute(query).all() if draft.site_ids else []
    resources = _resources(people, draft.location, places, names)
    assert draft.starts_at is not None
    assert draft.ends_at is not None
    booking = Booking(
        except_id or 0, draft.title, draft.starts_at, draft.ends_at, resources, len(places)
    )
    return booking, names


def _resources(
    people: Iterable[int | None],
    location: str,
    places: Sequence[Any],
    names: dict[Resource, str],
) -> frozenset[Resource]:
    found = {Resource(ResourceKind.PERSON, str(one)) for one in people if one is not None}
    room = fold(location)
    if room:
        resource = Resource(ResourceKind.ROOM, room)
        names.setdefault(resource, location)
        found.add(resource)
    for place in places:
        site = Resource(ResourceKind.SITE, str(place.site_id))
        names.setdefault(site, place.site_name)
        found.add(site)
        technician = technician_key(place.technician_name, place.technician_phone)
        if technician:
            resource = Resource(ResourceKind.TECHNICIAN, technician)
            names.setdefault(resource, place.technician_name or place.technician_phone)
            found.add(resource)
    return frozenset(found)


def technician_key(name: str, phone: str) -> str:
    """One technician's key: the telephone number if there is one, else the folded name."""
    return re.sub(r"\D", "", phone) or fold(name)
