"""A site checks its own line: the page, the turn, and the result.

`/vao/{code}/kiem-tra` opens for whoever has the site's link, the other address for its account or
a technician at its machine. The page shows devices and asks for a *turn*: a private room on the
media node and short tokens for it, given to a few sites at once so that a hundred tests do not
disturb a meeting. What was measured comes back as facts and is judged here.
"""

import logging
import secrets
import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from flask import Blueprint, current_app, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from conference.access.policy import Actor, Verb, may
from conference.access.tokens import Grants, room_token
from conference.errors import ConflictError, EngineUnavailableError, NotFoundError
from conference.line_checks import service, wording
from conference.line_checks.models import LineCheck
from conference.line_checks.turns import Go, Turns, Wait
from conference.scheduling.facts import meeting_facts
from conference.scheduling.invitees import place_by_code
from conference.scheduling.models import InvitedSite, Meeting, Status
from conference.scheduling.planning import thresholds_of
from conference.scheduling.thresholds import Thresholds
from web import entrance
from web.display import local_datetime
from web.http.session import language
from web.meeting_page import find_meeting
from web.services import client_address, media_url, now, require, services
from web.words import translated

TOKEN_LIFE: Final = timedelta(minutes=3)
"""Only to connect with; a test is over in one."""
RECEIVERS: Final = 2
"""Copies of the test picture that come back: down may be twice what goes up."""
RECEIVE_KBPS: Final = 2500
"""What the node sends at most to each receiver of a test."""
MAX_ID: Final = 2**31 - 1
"""Largest key of a PostgreSQL ``integer``."""
TURNS: Final = "line_turns"
LOCK: Final = "line_turns_lock"

_log = logging.getLogger(__name__)
blueprint = Blueprint("line_tests", __name__)

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Place:
    """A site at its test."""

    meeting: Meeting
    site: InvitedSite
    who: Actor


@blueprint.get("/vao/<code>/kiem-tra")
def by_link(code: str) -> str:
    """The test page, for whoever holds the site's link."""
    with services().database.reading() as session:
        site = place_by_code(session, code, now())
        if site is None:
            raise NotFoundError(_("Đường dẫn không đúng hoặc đã thay đổi."))
        entrance.remember_link(site)
        return _page(session, site, leave_url=url_for("room.join_by_link", code=code))


@blueprint.get("/cuoc-hop/<int:meeting_id>/kiem-tra/<int:invited_site_id>/thu")
def by_account(meeting_id: int, invited_site_id: int) -> str:
    """The test page, for the site's account or a technician at its machine."""
    with services().database.reading() as session:
        place = _place(session, meeting_id, invited_site_id)
        leave_url = url_for("meetings.overview", meeting_id=meeting_id)
        return _page(session, place.site, leave_url=leave_url)


def _page(session: Session, site: InvitedSite, *, leave_url: str) -> str:
    meeting, limits = site.meeting, thresholds_of(session)
    boot = {
        "meeting": {
            "id": meeting.id,
            "title": meeting.title,
            "starts_at": meeting.starts_at.isoformat(),
            "ends_at": meeting.ends_at.isoformat(),
        },
        "site": {"id": site.id, "name": site.site_name, "unit": site.unit_name},
        "turn_url": url_for("line_tests.turn", meeting_id=meeting.id),
        "result_url": url_for("line_tests.result", meeting_id=meeting.id),
        "leave_url": leave_url,
        "hotline": services().settings.office.hotline,
        "language": language(),
        "problem": _closed(meeting, site, limits),
    }
    return render_template("line_checks/test.html", boot=boot)


def _closed(meeting: Meeting, site: InvitedSite, limits: Thresholds) -> str | None:
    """Why the site cannot check now."""
    at, opens_at = now(), service.opens_at(meeting, limits)
    if service.is_open(meeting, limits, at) and site.withdrawn_at is None:
        return None
    if site.withdrawn_at is not None:
        return str(_("Điểm cầu này không còn trong thành phần cuộc họp."))
    if meeting.status is Status.CANCELLED:
        return str(_("Cuộc họp đã hủy."))
    if meeting.status is Status.POSTPONED:
        return str(_("Cuộc họp đã hoãn."))
    if meeting.status in service.CHECKED and at < opens_at:
        return str(_("Kiểm tra mở lúc %(when)s.", when=local_datetime(opens_at)))
    return str(_("Cuộc họp không còn nhận kết quả kiểm tra."))


@blueprint.post("/api/v1/meetings/<int:meeting_id>/line-check/turn")
def turn(meeting_id: int) -> Document:
    """A turn for ``{"site": invited site}``: go with room and tokens, or wait and ask again.

    Raises NotFoundError, ForbiddenError, ConflictError (checks are closed).
    """
    with services().database.reading() as session:
        place = _place(session, meeting_id, _asked_site())
        limits = thresholds_of(session)
        problem = _closed(place.meeting, place.site, limits)
        if problem:
            raise ConflictError(problem, code="closed")
        live = session.scalar(
            select(func.count()).select_from(Meeting).where(Meeting.status == Status.LIVE)
        )
        site_id, name = place.site.id, place.site.site_name
    at_once = limits.check_at_once_live if live else limits.check_at_once
    with _lock():
        answer = _turns().ask(site_id, _now_s(), at_once)
    if isinstance(answer, Wait):
        return {
            "state": "waiting", "ahead": answer.ahead, "at_once": at_once, "is_live": bool(live),
            "retry_ms": round(answer.retry_s * 1000),
        }  # fmt: skip
    assert isinstance(answer, Go)
    return _go(site_id, name)


def _go(site_id: int, name: str) -> Document:
    room = f"kiem-tra-{site_id}-{secrets.token_urlsafe(9)}"
    try:
        services().engine.create_room(room)
    except EngineUnavailableError:
        # the browser finds out by itself and says so: that is what the check is for
        _log.warning("line check of %s: the media node does not answer", site_id)
    receive = Grants(can_publish=False, can_publish_data=False)
    send = Grants(can_subscribe=False, can_publish_sources=("camera",), can_publish_data=False)
    return {
        "state": "go",
        "media_url": media_url(),
        "probe": _token(room, f"check:{site_id}:probe", name, receive),
        "send": _token(room, f"check:{site_id}:send", name, send),
        "receive": [
            _token(room, f"check:{site_id}:receive-{number}", name, receive)
            for number in range(1, RECEIVERS + 1)
        ],
    }


def _token(room: str, identity: str, name: str, grants: Grants) -> str:
    settings = services().settings
    return room_token(
        api_key=settings.media.api_key, secret=settings.media_secret(), room=room,
        identity=identity, name=name, grants=grants, at=now(), life=TOKEN_LIFE,
        attributes={"diemcau.max_kbps": str(RECEIVE_KBPS)},
    )  # fmt: skip


@blueprint.post("/api/v1/meetings/<int:meeting_id>/line-check/result")
def result(meeting_id: int) -> Document:
    """Keep ``{"site": …, "report": …}`` and say what it means; gives the turn back.

    Raises InvalidError for a report that cannot be, ConflictError without a turn.
    """
    body = request.get_json(silent=True)
    report = body.get("report") if isinstance(body, dict) else None
    with services().database.transaction() as session:
        place = _place(session, meeting_id, _asked_site())
        site_id = place.site.id
        with _lock():
            if not _turns().holds(site_id, _now_s()):
                raise ConflictError(_("Lượt kiểm tra đã hết. Kiểm tra lại."), code="turn_lost")
        browser = request.headers.get("User-Agent", "")
        by = service.By(place.who, now(), client_address(), browser)
        row = service.keep_result(session, place.site, report, by)
        answer = _told(row)
    with _lock():
        _turns().finish(site_id)
    return answer


def _told(row: LineCheck) -> Document:
    advice = [wording.advise(one) for one in service.findings_of(row)]
    return {
        "grade": row.grade.value,
        "heading": translated(wording.HEADINGS[row.grade]),
        "findings": [
            {
                "grade": one.grade.value, "what": translated(one.what),
                "todo": translated(one.todo),
            }
            for one in advice
        ],
        "checked_at": row.checked_at.isoformat(),
        "limits": row.limits,
    }  # fmt: skip


def _asked_site() -> int:
    body = request.get_json(silent=True)
    site = body.get("site") if isinstance(body, dict) else None
    return site if type(site) is int and 0 < site <= MAX_ID else 0


def _place(session: Session, meeting_id: int, invited_site_id: int) -> _Place:
    """The site that this browser may speak for. Raises NotFoundError for others of the meeting."""
    site = session.get(InvitedSite, invited_site_id)
    if site is not None and site.meeting_id == meeting_id and site.id in entrance.links():
        who = Actor(None, None, site.site_name, invited_site_id=site.id)
        return _Place(site.meeting, site, who)
    meeting = find_meeting(session, meeting_id)
    facts = meeting_facts(meeting)
    who = require(Verb.LINE_TEST, facts)
    if site is None or site.meeting_id != meeting_id:
        raise NotFoundError
    is_own = site.site_id == who.site_id or site.id == who.invited_site_id
    if not is_own and not may(who, Verb.LINE_CHECK, facts):
        raise NotFoundError
    return _Place(meeting, site, who)


def _now_s() -> float:
    return now().timestamp()


def _turns() -> Turns:
    found: Turns = current_app.extensions[TURNS]
    return found


def _lock() -> threading.Lock:
    found: threading.Lock = current_app.extensions[LOCK]
    return found


@blueprint.record_once
def _prepare(state: Any) -> None:
    """One table of turns for the process."""
    state.app.extensions[TURNS] = Turns()
    state.app.extensions[LOCK] = threading.Lock()
