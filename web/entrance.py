"""Who somebody is at the door of one meeting's room, for pages and sockets alike.

A browser may hold several keys at once: a login, and the join links it has opened (a newcomer who
tries everything on one machine does). Which of them is meant is said by the page, as an identity
that must be among those the keys give; without a wish the account comes first.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flask import session as browser
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from conference.access.policy import Actor
from conference.conduct.participants import (
    Door,
    Participant,
    closed_because,
    is_removed,
    opens_at,
    participants_of,
)
from conference.scheduling.models import InvitedSite, Meeting
from web.display import local_datetime
from web.services import remember_invitation

SESSION_LINKS: Final = "join_links"
MAX_LINKS: Final = 12
"""Join links a browser keeps open; the cookie stays small."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A participant at the door, and why it is closed to them, if it is."""

    participant: Participant
    door: Door | None


def remember_link(site: InvitedSite) -> None:
    """This browser opened the join link of ``site``."""
    known = [one for one in links() if one != site.id]
    browser[SESSION_LINKS] = [*known, site.id][-MAX_LINKS:]
    remember_invitation(site.id, site.site_name)


def links() -> list[int]:
    """Invited sites whose join link this browser has opened."""
    stored = browser.get(SESSION_LINKS, [])
    return [one for one in stored if isinstance(one, int)] if isinstance(stored, list) else []


def enter(
    session: Session, meeting: Meeting, actor: Actor, *, wished: object, at: datetime
) -> Entry | None:
    """Who this browser is in ``meeting``, or None if nobody (or not who it ``wished`` to be)."""
    candidates = participants_of(session, meeting, actor, links())
    chosen = next(
        (one for one in candidates if not wished or one.identity == wished),
        None,
    )
    return None if chosen is None else Entry(chosen, closed_to(session, meeting, chosen, at))


def closed_to(
    session: Session, meeting: Meeting, participant: Participant, at: datetime
) -> Door | None:
    """Why ``participant`` may not enter ``meeting`` now, or None."""
    withdrawn = {f"site:{site.id}" for site in meeting.sites if site.withdrawn_at is not None}
    return closed_because(
        status=meeting.status,
        starts_at=meeting.starts_at,
        at=at,
        is_conducting=participant.is_conducting,
        is_withdrawn=participant.identity in withdrawn,
        is_removed=is_removed(session, meeting.id, participant.identity),
    )


def sentence(door: Door, meeting: Meeting) -> str:
    """The sentence that somebody reads at a closed door."""
    sentences = {
        Door.CANCELLED: _("Cuộc họp đã hủy."),
        Door.POSTPONED: _("Cuộc họp đã hoãn."),
        Door.ENDED: _("Cuộc họp đã kết thúc."),
        Door.WITHDRAWN: _("Điểm cầu này không còn trong thành phần cuộc họp."),
        Door.REMOVED: _("Đồng chí đã được mời ra khỏi phòng họp."),
        Door.TOO_EARLY: _(
            "Phòng mở lúc %(when)s; trang sẽ tự vào.",
            when=local_datetime(opens_at(meeting.starts_at)),
        ),
        Door.NOT_INVITED_YET: _("Cuộc họp chưa phát giấy mời."),
    }
    reason = meeting.status_reason.rstrip(". ")
    tells_why = door in {Door.CANCELLED, Door.POSTPONED} and reason
    return f"{sentences[door]} {reason}." if tells_why else str(sentences[door])
