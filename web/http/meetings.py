"""Meetings: the list, and the parts of a meeting's page that belong to its schedule.

Planning is `web.http.meetings_planning`, its steps of approval `web.http.meetings_steps`.
"""

from typing import Any, Final

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from conference.access.policy import Verb, may
from conference.archive import hoso
from conference.invitations import ledger
from conference.invitations.models import Delivery
from conference.line_checks import service as line_checks
from conference.scheduling import listing
from conference.scheduling.advice import notice_due
from conference.scheduling.facts import meeting_facts
from conference.scheduling.journal import entries
from conference.scheduling.listing import Filters, Period
from conference.scheduling.local_time import local_day
from conference.scheduling.models import Meeting, Scope, Status
from conference.scheduling.planning import office_of, thresholds_of
from conference.scheduling.thresholds import KIND_WORDS
from web.log_words import sentence_of
from web.meeting_page import open_page
from web.services import now, require, services

blueprint = Blueprint("meetings", __name__)

LOG_PAGE: Final = 100


# --- the list ------------------------------------------------------------------------------------


@blueprint.get("/cuoc-hop")
def index() -> str:
    """The list; search and chips stand in the address."""
    actor = require(Verb.MEETING_LIST)
    filters = Filters(
        query=request.args.get("q", "")[:200],
        scope=_one_of(Scope, "loai"),
        status=_one_of(Status, "trang-thai"),
        period=_one_of(Period, "thoi-gian"),
    )
    with services().database.reading() as session:
        page = listing.find_meetings(
            session, filters, actor=actor, at=now(), page=request.args.get("page", 1, int)
        )
    is_part = request.headers.get("HX-Target") == "results"
    template = "meetings/_results.html" if is_part else "meetings/index.html"
    return render_template(
        template,
        filters=filters,
        page=page,
        chosen=_chosen_filters(),
        can_create=may(actor, Verb.MEETING_CREATE),
    )


def _one_of(kind: Any, name: str) -> Any:
    text = request.args.get(name)
    return next((member for member in kind if member.value == text), None)


def _chosen_filters() -> dict[str, str]:
    names = ("q", "loai", "trang-thai", "thoi-gian")
    return {name: request.args[name] for name in names if request.args.get(name)}


# --- the meeting's page --------------------------------------------------------------------------


@blueprint.get("/cuoc-hop/<int:meeting_id>")
def show(meeting_id: int) -> Response:
    """A meeting's bare address leads to its first tab."""
    return redirect(url_for("meetings.overview", meeting_id=meeting_id))


@blueprint.get("/cuoc-hop/<int:meeting_id>/tong-quan")
def overview(meeting_id: int) -> str:
    """The first tab: facts, agenda, what comes next."""
    with services().database.reading() as session:
        page = open_page(session, meeting_id, "tong-quan", Verb.MEETING_VIEW)
        letters, failed_letters = None, 0
        if page["can"]["see_links"]:
            letters = ledger.tally(session, meeting_id)
            failed_letters = len(ledger.last_failed(session, meeting_id))
        meeting = page["meeting"]
        due = None
        if meeting.status is Status.ENDED and meeting.ended_at and meeting.scope is Scope.INTRA:
            due = notice_due(meeting.ended_at, office_of(session, local_day(meeting.ended_at)))
        return render_template(
            "meetings/overview.html",
            parts=_parts(session, page),
            checks=_checks(session, page),
            may_export=may(page["actor"], Verb.ARCHIVE_EXPORT, meeting_facts(meeting)),
            **page,
            agenda=meeting.agenda,
            notice_due=due,
            is_notice_late=due is not None and local_day(now()) > due,
            kind_words=KIND_WORDS,
            letters=letters,
            failed_letters=failed_letters,
            states=Delivery,
        )


@blueprint.get("/cuoc-hop/<int:meeting_id>/nhat-ky")
def log(meeting_id: int) -> str:
    """What happened to the meeting, newest first."""
    with services().database.reading() as session:
        page = open_page(session, meeting_id, "nhat-ky", Verb.LOG_VIEW)
        number = max(1, request.args.get("page", 1, int))
        found, total = entries(session, meeting_id, offset=(number - 1) * LOG_PAGE, limit=LOG_PAGE)
    lines = [(entry, sentence_of(entry)) for entry in found]
    pages = max(1, -(-total // LOG_PAGE))
    return render_template(
        "meetings/log.html", **page, lines=lines, number=number, page_count=pages
    )


def _parts(session: Session, page: dict[str, Any]) -> list[hoso.Part]:
    """How complete the file is, for whoever keeps it."""
    meeting = page["meeting"]
    if not may(page["actor"], Verb.LOG_VIEW, meeting_facts(meeting)):
        return []
    return hoso.parts(hoso.facts_of(session, meeting))


def _checks(session: Session, page: dict[str, Any]) -> dict[str, Any] | None:
    """How line checks stand: the counts for whoever keeps the board, a site's own for the site."""
    meeting: Meeting = page["meeting"]
    limits = thresholds_of(session)
    is_open = line_checks.is_open(meeting, limits, now())
    own = next((one for one in page["sites"] if one.site_id == page["actor"].site_id), None)
    watches = may(page["actor"], Verb.LINE_CHECK, meeting_facts(meeting))
    if not watches and (own is None or not is_open):
        return None
    newest = line_checks.newest(session, meeting, limits)
    counts = line_checks.standing(meeting, newest)
    own_check = newest.get(own.id) if own else None
    return {
        "counts": counts if watches and (is_open or counts.checked) else None,
        "own": own if is_open else None,
        "is_passed": own_check is not None and own_check.grade.is_passed,
    }
