"""The door of the room: join links, the room app's page with its boot document, room tokens.

`/vao/{code}` opens for a site, `/phong/{id}` for somebody who is logged in. Both show the same
page; a closed door is a sentence on it, with the next meeting where that helps. The token is the
only thing the media engine sees of us: identity, name and grants, for at most a quarter of an hour.
"""

import logging
from datetime import datetime, timedelta
from typing import Any, Final

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from conference.access.tokens import Grants, room_token
from conference.conduct.participants import Door, Participant
from conference.conduct.service import holds_floor, sources_of
from conference.engine.client import FLOOR_ATTRIBUTE
from conference.errors import ConflictError, ForbiddenError, NotFoundError
from conference.scheduling.invitees import place_by_code
from conference.scheduling.models import ANNOUNCED, InvitedSite, Meeting, Status
from web import entrance
from web.http.session import language
from web.realtime import documents, events
from web.realtime.documents import Document, iso
from web.services import LoginRequiredError, actor, media_url, now, services

MAX_TOKEN_LIFE: Final = timedelta(minutes=15)
SAVING_KBPS: Final = 700
"""Towards a site that saves: with the 200 it sends, below 1 Mbit/s in both directions together."""
_OVER: Final = frozenset({Door.CANCELLED, Door.POSTPONED, Door.ENDED})

_log = logging.getLogger(__name__)
blueprint = Blueprint("room", __name__)

Answer = str | tuple[str, int] | Response


@blueprint.get("/vao/<code>")
def join_by_link(code: str) -> Answer:
    """A site's own link."""
    at = now()
    with services().database.reading() as session:
        site = place_by_code(session, code, at)
        if site is None:
            return _render(_unknown_code()), 404
        meeting = site.meeting
        entrance.remember_link(site)
        entry = entrance.enter(session, meeting, actor(), wished=f"site:{site.id}", at=at)
        assert entry is not None  # the link was just remembered
        return _render(_boot(session, meeting, entry, at, leave_url=request.path))


@blueprint.get("/phong/<int:meeting_id>")
def enter_room(meeting_id: int) -> Answer:
    """The room, for an account that takes part; a browser with a join link keeps its place."""
    at = now()
    with services().database.reading() as session:
        meeting = _meeting(session, meeting_id)
        entry = _entry(session, meeting, request.args.get("la"), at)
        leave_url = f"/cuoc-hop/{meeting_id}/tong-quan"
        return _render(_boot(session, meeting, entry, at, leave_url=leave_url))


@blueprint.post("/api/v1/meetings/<int:meeting_id>/token")
def issue_token(meeting_id: int) -> Document:
    """A room token for the participant this browser is; creates the room when it is first needed.

    Body ``{"identity": …}`` is optional and picks one of several; ``"is_saving": true`` asks for
    a line kept below `SAVING_KBPS`. Raises NotFoundError, ForbiddenError, ConflictError (the door
    is closed), EngineUnavailableError.
    """
    at = now()
    body = request.get_json(silent=True)
    wished = body.get("identity") if isinstance(body, dict) else None
    is_saving = isinstance(body, dict) and body.get("is_saving") is True
    with services().database.reading() as session:
        meeting = _meeting(session, meeting_id)
        entry = _entry(session, meeting, wished, at)
        if entry.door is not None:
            message = entrance.sentence(entry.door, meeting)
            kind = ForbiddenError if entry.door is Door.REMOVED else ConflictError
            raise kind(message, code=entry.door.value)
        grants = Grants(can_publish_sources=sources_of(session, meeting, entry.participant))
        attributes = (
            {FLOOR_ATTRIBUTE: "1"} if holds_floor(session, meeting, entry.participant) else {}
        )
        room = meeting.room_name
    if is_saving:
        attributes["diemcau.max_kbps"] = str(SAVING_KBPS)
    services().engine.create_room(room)
    return _token(room, entry.participant, grants, at, attributes)


def _meeting(session: Session, meeting_id: int) -> Meeting:
    meeting = session.get(Meeting, meeting_id)
    if meeting is None:
        raise NotFoundError if _is_known() else LoginRequiredError
    return meeting


def _entry(session: Session, meeting: Meeting, wished: object, at: datetime) -> entrance.Entry:
    """This browser at the door; a stranger is asked to log in, others learn of no meeting."""
    entry = entrance.enter(session, meeting, actor(), wished=wished, at=at)
    if entry is None:
        raise NotFoundError if _is_known() else LoginRequiredError
    return entry


def _is_known() -> bool:
    return actor().account_id is not None or bool(entrance.links())


def _token(
    room: str, who: Participant, grants: Grants, at: datetime, attributes: dict[str, str]
) -> Document:
    settings = services().settings
    life = min(timedelta(minutes=settings.media.token_minutes), MAX_TOKEN_LIFE)
    token = room_token(
        api_key=settings.media.api_key,
        secret=settings.media_secret(),
        room=room,
        identity=who.identity,
        name=who.name,
        grants=grants,
        at=at,
        life=life,
        metadata={"role": who.part.value, "unit": who.unit},
        attributes=attributes or None,
    )
    return {
        "media_url": media_url(),
        "token": token,
        "identity": who.identity,
        "name": who.name,
        "expires_at": iso(at + life),
    }


# --- the boot document --------------------------------------------------------------------------


def _boot(
    session: Session, meeting: Meeting, entry: entrance.Entry, at: datetime, *, leave_url: str
) -> Document:
    rights = events.rights(entry.participant)
    return {
        "meeting": documents.meeting_outline(meeting),
        "me": documents.me(entry.participant, rights),
        "token_url": url_for("room.issue_token", meeting_id=meeting.id),
        "problem": entry.door and _problem(session, meeting, entry, at),
        **_surroundings(leave_url),
    }


def _surroundings(leave_url: str) -> Document:
    return {
        "hotline": services().settings.office.hotline,
        "language": language(),
        "leave_url": leave_url,
    }


def _problem(
    session: Session, meeting: Meeting, entry: entrance.Entry, at: datetime
) -> dict[str, Any]:
    assert entry.door is not None
    following = next_meeting(session, meeting, entry.participant, at) if _helps(entry) else None
    return {
        "code": entry.door.value,
        "message": entrance.sentence(entry.door, meeting),
        "next_meeting": following,
    }


def _helps(entry: entrance.Entry) -> bool:
    return entry.door in _OVER


def next_meeting(
    session: Session, meeting: Meeting, who: Participant, at: datetime
) -> Document | None:
    """The next meeting that the one at the door is invited to, or None.

    A site sees only its own invitations and is given its own link; for a person it is the next
    meeting with the same chair.
    """
    query = select(Meeting).where(
        Meeting.id != meeting.id,
        Meeting.status.in_([*ANNOUNCED, Status.LIVE]),
        Meeting.ends_at > at,
    )
    query = query.order_by(Meeting.starts_at, Meeting.id).limit(1)
    if not who.is_site:
        found = session.scalars(query.where(Meeting.chair_id == meeting.chair_id)).first()
        if found is None:
            return None
        return _next(found, url_for("room.enter_room", meeting_id=found.id))
    site = session.get_one(InvitedSite, int(who.identity.removeprefix("site:")))
    own = (
        select(InvitedSite)
        .where(InvitedSite.site_id == site.site_id, InvitedSite.withdrawn_at.is_(None))
        .subquery()
    )
    row = session.execute(
        query.join(own, own.c.meeting_id == Meeting.id).add_columns(own.c.join_code)
    ).first()
    if row is None:
        return None
    return _next(row[0], url_for("room.join_by_link", code=row[1]))


def _next(meeting: Meeting, url: str) -> Document:
    return {"title": meeting.title, "starts_at": iso(meeting.starts_at), "url": url}


def _unknown_code() -> Document:
    hotline = services().settings.office.hotline
    message = _("Mã không còn hiệu lực.")
    if hotline:
        message = _("Mã không còn hiệu lực. Gọi %(hotline)s.", hotline=hotline)
    return {
        "meeting": None,
        "me": None,
        "token_url": None,
        "problem": {"code": "unknown_code", "message": message, "next_meeting": None},
        **_surroundings("/"),
    }


def _render(boot: Document) -> str:
    return render_template("room/room.html", boot=boot)
