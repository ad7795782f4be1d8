"""The list of sites of one meeting: places, their order, and what a new choice changes.

A place keeps the names its unit had when it was invited. Whoever is taken off an announced list
stays on record as withdrawn, and its join link is dead for good.
"""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import and_, select
from sqlalchemy.orm import Session, contains_eager

from conference.directory import units
from conference.directory.models import Site
from conference.scheduling.models import (
    CALLED_OFF,
    PLANNED,
    InvitedSite,
    Meeting,
    SeriesPlace,
    Status,
)

JOIN_CODE_BYTES: Final = 16
"""128 bits: a link cannot be guessed."""


def place_for(site: Site) -> InvitedSite:
    """A place for ``site``, with its unit's names as they are now."""
    parent = site.unit.parent
    return InvitedSite(
        site_id=site.id,
        position=0,
        site_name=site.name,
        unit_name=site.unit.name,
        parent_unit_name=parent.name if parent else "",
        join_code=new_join_code(),
        delegates_count=None,
        withdrawn_at=None,
    )


def new_join_code() -> str:
    """A fresh secret for a join link."""
    return secrets.token_urlsafe(JOIN_CODE_BYTES)


def renumber(invited: Iterable[InvitedSite], sites: Sequence[Site], host: int | None) -> None:
    """Positions in protocol order; sites no longer wanted keep theirs."""
    ordered = units.in_protocol_order(sites, host)
    places = {site.id: place for place, site in enumerate(ordered, start=1)}
    for entry in invited:
        entry.position = places.get(entry.site_id, entry.position)


def replace_sites(
    meeting: Meeting, sites: Sequence[Site], host: int | None, at: datetime
) -> tuple[list[InvitedSite], list[InvitedSite]]:
    """Bring the list to ``sites``; those added (or taken back) and those taken off."""
    known = {entry.site_id: entry for entry in meeting.sites}
    wanted = {site.id for site in sites}
    added: list[InvitedSite] = []
    for site in sites:
        entry = known.get(site.id)
        if entry is None:
            entry = place_for(site)
            meeting.sites.append(entry)
            added.append(entry)
        elif entry.withdrawn_at is not None:
            entry.withdrawn_at = None
            entry.join_code = new_join_code()  # a withdrawn link stays dead
            added.append(entry)
    removed = [
        entry
        for entry in known.values()
        if entry.site_id not in wanted and entry.withdrawn_at is None
    ]
    for entry in removed:
        if meeting.status in PLANNED:
            meeting.sites.remove(entry)  # nobody was told
        else:
            entry.withdrawn_at = at
    renumber(meeting.sites, sites, host)
    return added, removed


def place_by_code(session: Session, code: str, at: datetime) -> InvitedSite | None:
    """Whose link ``code`` is: of one meeting, or of a series, whose next meeting is then meant."""
    site = session.scalar(select(InvitedSite).where(InvitedSite.join_code == code))
    if site is not None:
        return site
    query = (
        select(InvitedSite)
        .join(InvitedSite.meeting)
        .join(
            SeriesPlace,
            and_(
                SeriesPlace.series_id == Meeting.series_id,
                SeriesPlace.site_id == InvitedSite.site_id,
            ),
        )
        .where(
            SeriesPlace.join_code == code,
            InvitedSite.withdrawn_at.is_(None),
            Meeting.status.not_in(PLANNED | CALLED_OFF),
        )
        .order_by(Meeting.starts_at)
    )
    places = list(session.scalars(query.options(contains_eager(InvitedSite.meeting))))
    ahead = [one for one in places if one.meeting.ends_at > at or one.meeting.status is Status.LIVE]
    return next(iter(ahead or places[-1:]), None)


def present_sites(meeting: Meeting) -> list[InvitedSite]:
    """Places that were not withdrawn, in protocol order."""
    return sorted(
        (entry for entry in meeting.sites if entry.withdrawn_at is None),
        key=lambda entry: entry.position,
    )
