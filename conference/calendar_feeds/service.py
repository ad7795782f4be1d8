"""Give an account or a site its subscription address, take it back, and say what it shows.

The address shows what the account may see on its pages: a site its invitations, with its own join
link; a person the meetings it chairs, keeps minutes of or planned; the secretariat everything.
Drafts and requests are nobody's calendar. A unit without account gets an address from the
secretariat that shows what its site is invited to.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from conference.access import audit
from conference.access.accounts import actor_of
from conference.access.models import Account
from conference.access.policy import Actor
from conference.calendar_feeds.calendar import Entry
from conference.calendar_feeds.models import CalendarFeed
from conference.directory.models import Site
from conference.invitations.links import join_link
from conference.invitations.recurring import Occurrence, whole
from conference.invitations.series_letters import codes_of
from conference.scheduling.listing import visible_to
from conference.scheduling.models import (
    CALLED_OFF,
    PLANNED,
    InvitedSite,
    Meeting,
    MeetingSeries,
)

BACK: Final = timedelta(days=60)
AHEAD: Final = timedelta(days=400)
MOST: Final = 2000


def issue(session: Session, *, actor: Actor, at: datetime, address: str = "") -> str:
    """A new secret for ``actor``'s address; the one before is worth nothing from now on."""
    assert actor.account_id is not None  # only accounts subscribe
    secret = secrets.token_urlsafe(24)
    row = feed_of(session, actor.account_id)
    if row is None:
        row = CalendarFeed(account_id=actor.account_id)
        session.add(row)
    row.digest, row.created_at, row.last_used_at = _digest(secret), at, None
    session.flush()
    _note(session, "calendar_feed.issued", actor, at, address)
    return secret


def issue_for_site(
    session: Session, site_id: int, *, actor: Actor, at: datetime, address: str = ""
) -> str:
    """A new secret for a site's address; the one before is worth nothing from now on."""
    secret = secrets.token_urlsafe(24)
    row = feed_of_site(session, site_id)
    if row is None:
        row = CalendarFeed(account_id=None, site_id=site_id)
        session.add(row)
    row.digest, row.created_at, row.last_used_at = _digest(secret), at, None
    row.issued_by = actor.name
    session.flush()
    _note(session, "calendar_feed.issued", actor, at, address, site_id)
    return secret


def revoke_for_site(
    session: Session, site_id: int, *, actor: Actor, at: datetime, address: str = ""
) -> None:
    """End a site's address."""
    row = feed_of_site(session, site_id)
    if row is not None:
        session.delete(row)
        _note(session, "calendar_feed.revoked", actor, at, address, site_id)


def feed_of_site(session: Session, site_id: int) -> CalendarFeed | None:
    """The subscription of a site."""
    return session.scalar(select(CalendarFeed).where(CalendarFeed.site_id == site_id))


def revoke(session: Session, *, actor: Actor, at: datetime, address: str = "") -> None:
    """End ``actor``'s address."""
    assert actor.account_id is not None
    row = feed_of(session, actor.account_id)
    if row is not None:
        session.delete(row)
        _note(session, "calendar_feed.revoked", actor, at, address)


def _note(  # noqa: PLR0917 (what the entry holds)
    session: Session, action: str, actor: Actor, at: datetime, address: str,
    site_id: int | None = None,
) -> None:  # fmt: skip
    audit.record(
        session, at=at, actor=actor, action=action,
        object_type="account" if site_id is None else "site",
        object_id=str(actor.account_id if site_id is None else site_id), address=address,
    )  # fmt: skip


def feed_of(session: Session, account_id: int) -> CalendarFeed | None:
    """The subscription of an account."""
    return session.scalar(select(CalendarFeed).where(CalendarFeed.account_id == account_id))


def subscriber(session: Session, secret: str, at: datetime) -> Actor | None:
    """Whose address ``secret`` is; None when it is not in force or the account is closed."""
    row = session.scalar(select(CalendarFeed).where(CalendarFeed.digest == _digest(secret)))
    if row is None:
        return None
    if row.site_id is not None:
        site = session.get_one(Site, row.site_id)
        if not site.is_active:
            return None
        row.last_used_at = at
        return Actor(account_id=None, role=None, name=site.name, site_id=site.id)
    account = session.get(Account, row.account_id)
    if account is None or not account.is_active:
        return None
    row.last_used_at = at
    return actor_of(account)


def entries(session: Session, actor: Actor, public_url: str, at: datetime) -> list[Entry]:
    """What ``actor``'s calendar shows, by start."""
    query = (
        select(Meeting)
        .where(
            visible_to(actor),
            Meeting.status.not_in(list(PLANNED)),
            Meeting.is_imported.is_(False),
            Meeting.starts_at >= at - BACK,
            Meeting.starts_at < at + AHEAD,
        )
        .options(joinedload(Meeting.chair), joinedload(Meeting.series))
        .order_by(Meeting.starts_at, Meeting.id)
        .limit(MOST)
    )
    meetings = list(session.scalars(query))
    links = _own_links(session, actor, public_url)
    found = []
    for series, members in _by_series(meetings):
        if series is None:
            found += [
                _entry(one, links.get(one.id, f"{public_url}/cuoc-hop/{one.id}")) for one in members
            ]
        elif held := [one for one in members if one.status not in CALLED_OFF]:
            found.append(_recurring(session, actor, series, held, public_url, at))
    return found


def _by_series(
    meetings: Sequence[Meeting],
) -> list[tuple[MeetingSeries | None, list[Meeting]]]:
    """Meetings of series with one UID together, all others under None."""
    found: dict[int, tuple[MeetingSeries | None, list[Meeting]]] = {0: (None, [])}
    for one in meetings:
        series = one.series if one.series is not None and one.series.slot(one) else None
        found.setdefault(series.id if series else 0, (series, []))[1].append(one)
    return list(found.values())


def _recurring(  # noqa: PLR0917 (who looks at what, when)
    session: Session, actor: Actor, series: MeetingSeries, held: Sequence[Meeting],
    public_url: str, at: datetime,
) -> Entry:  # fmt: skip
    following = next((one for one in held if one.ends_at > at), held[-1])
    link = f"{public_url}/cuoc-hop/{following.id}"
    if actor.site_id is not None:
        link = join_link(public_url, codes_of(session, series, [actor.site_id])[actor.site_id])
    found = []
    for one in held:
        slot = series.slot(one)
        assert slot is not None  # only such meetings were put together
        words = (one.title, one.location, _description(one, link))
        found.append(Occurrence(slot, one.starts_at, one.ends_at, words))
    return replace(
        _entry(following, link),
        uid=series.ics_uid,
        sequence=series.ics_sequence,
        changed_at=max(one.updated_at for one in held),
        whole=whole(series.rule, found),
    )


def _own_links(session: Session, actor: Actor, public_url: str) -> dict[int, str]:
    if actor.site_id is None:
        return {}
    query = select(InvitedSite.meeting_id, InvitedSite.join_code).where(
        InvitedSite.site_id == actor.site_id, InvitedSite.withdrawn_at.is_(None)
    )
    return {meeting_id: join_link(public_url, code) for meeting_id, code in session.execute(query)}


def _entry(meeting: Meeting, link: str) -> Entry:
    is_off = meeting.status in CALLED_OFF
    return Entry(
        uid=meeting.ics_uid,
        sequence=meeting.ics_sequence,
        changed_at=meeting.updated_at,
        starts_at=meeting.starts_at,
        ends_at=meeting.ends_at,
        title=meeting.title,
        location=meeting.location,
        description=_description(meeting, link),
        link=link,
        is_off=is_off,
    )


def _description(meeting: Meeting, link: str) -> str:
    is_off = meeting.status in CALLED_OFF
    lines = [f"Chủ trì: {meeting.chair.full_name}"]
    lines += [f"Lý do: {meeting.status_reason}"] if is_off and meeting.status_reason else [link]
    return "\n".join(lines)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
