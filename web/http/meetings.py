"""Meetings: the list, planning, and the parts of a meeting's page that belong to its schedule."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from conference.access.policy import Verb, may
from conference.directory import units
from conference.errors import InvalidError
from conference.invitations import ledger
from conference.invitations.models import Delivery
from conference.invitations.service import MailAnnouncer
from conference.scheduling import listing, rules, service
from conference.scheduling.facts import meeting_facts
from conference.scheduling.invitees import present_sites
from conference.scheduling.journal import entries
from conference.scheduling.listing import Filters, Period
from conference.scheduling.local_time import local_day
from conference.scheduling.models import Meeting, Scope, Status
from conference.scheduling.service import EditClashError
from web.log_words import sentence_of
from web.meeting_form import (
    AgendaRow,
    MeetingForm,
    agenda_fault,
    agenda_rows,
    can_save_draft,
    draft_of,
    rows_of,
    site_ids,
    values_of,
)
from web.meeting_page import find_meeting, open_page
from web.services import client_address, now, require, services

blueprint = Blueprint("meetings", __name__)

LOG_PAGE: Final = 100
Answer = str | Response | tuple[str, int]


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


# --- planning ------------------------------------------------------------------------------------


@blueprint.route("/cuoc-hop/tao", methods=["GET", "POST"])
def create() -> Answer:
    """Plan a new meeting."""
    actor = require(Verb.MEETING_CREATE)
    form = MeetingForm(data=None if request.method == "POST" else {"room_preset": "discussion"})
    if request.method == "GET":
        return _show(form, None, [AgendaRow()], ())
    faults = _unreadable(form)
    if not faults:
        try:
            with services().database.transaction() as session:
                meeting = service.create_meeting(
                    session,
                    draft_of(form, request.form),
                    actor=actor,
                    at=now(),
                    announcer=_announcer(),
                    is_inviting="invite" in request.form,
                    address=client_address(),
                )
        except InvalidError as error:
            faults = error.fields
    if faults:
        return _show_again(form, None, faults)
    _say_saved(meeting, "invite" in request.form)
    return redirect(url_for("meetings.overview", meeting_id=meeting.id))


@blueprint.route("/cuoc-hop/<int:meeting_id>/sua", methods=["GET", "POST"])
def edit(meeting_id: int) -> Answer:
    """Change a meeting; who saved in between is named, and nothing typed is lost."""
    with services().database.reading() as session:
        meeting = find_meeting(session, meeting_id)
        actor = require(Verb.MEETING_EDIT, meeting_facts(meeting))
        if request.method == "GET":
            chosen = tuple(site.site_id for site in present_sites(meeting))
            return _show(MeetingForm(data=values_of(meeting)), meeting, rows_of(meeting), chosen)
    form = MeetingForm()
    faults = _unreadable(form)
    clash: EditClashError | None = None
    if not faults:
        try:
            with services().database.transaction() as session:
                meeting = service.edit_meeting(
                    session,
                    meeting_id,
                    draft_of(form, request.form),
                    version=_version(form),
                    actor=actor,
                    at=now(),
                    announcer=_announcer(),
                    is_inviting="invite" in request.form,
                    address=client_address(),
                )
        except InvalidError as error:
            faults = error.fields
        except EditClashError as error:
            clash = error
    if faults or clash:
        return _show_again(form, meeting, faults, clash)
    _say_saved(meeting, "invite" in request.form)
    return redirect(url_for("meetings.overview", meeting_id=meeting_id))


@blueprint.post("/cuoc-hop/kiem-tra")
def advise() -> str:
    """The panel of warnings for what is typed so far; stores nothing."""
    _require_planning()
    form = MeetingForm()
    draft = draft_of(form, request.form)
    if rules.is_secret(draft):
        return render_template("meetings/_advice.html", advice=[], refusal=rules.REFUSAL)
    with services().database.reading() as session:
        busy = listing.overlapping(
            session, draft, except_id=request.args.get("cuoc-hop", None, int)
        )
    found = rules.advice(draft, now(), busy)
    return render_template("meetings/_advice.html", advice=found, refusal="")


@blueprint.post("/cuoc-hop/don-vi")
def choose_sites() -> str:
    """The tree of sites as of the typed day, with the present choice."""
    _require_planning()
    form = MeetingForm()
    day = form.day.data or local_day(now())
    with services().database.reading() as session:
        tree = units.choice_tree(units.sites_on(session, day))
    return render_template("meetings/_tree.html", tree=tree, chosen=set(site_ids(request.form)))


def _require_planning() -> None:
    """Whoever may plan a new meeting, or edit the one that ``?cuoc-hop=`` names."""
    meeting_id = request.args.get("cuoc-hop", None, int)
    if meeting_id is None:
        require(Verb.MEETING_CREATE)
        return
    with services().database.reading() as session:
        require(Verb.MEETING_EDIT, meeting_facts(find_meeting(session, meeting_id)))


def _announcer() -> MailAnnouncer:
    return MailAnnouncer.of(services().settings)


def _version(form: MeetingForm) -> int:
    text = form.version.data or ""
    return int(text) if text.isascii() and text.isdecimal() else 0


def _unreadable(form: MeetingForm) -> dict[str, str]:
    """Fields whose text cannot be read at all; only once the content is stated not to be secret."""
    draft = draft_of(form, request.form)
    if rules.is_secret(draft) or draft.classification is None:
        return {}
    form.validate()
    found = {name: str(messages[0]) for name, messages in form.errors.items() if name}
    agenda = agenda_fault(agenda_rows(request.form))
    return found | ({"agenda": agenda} if agenda else {})


def _say_saved(meeting: Meeting, invited: bool) -> None:
    if invited:
        count = len(present_sites(meeting))
        flash(_("Đã lưu; %(count)s điểm cầu sẽ nhận thư mời.", count=count), "ok")
    else:
        flash(_("Đã lưu cuộc họp."), "ok")


def _show(
    form: MeetingForm,
    meeting: Meeting | None,
    agenda: list[AgendaRow],
    chosen: tuple[int, ...],
    *,
    faults: Mapping[str, str] | None = None,
    clash: EditClashError | None = None,
) -> str:
    at = now()
    day = _as_day(form.day.data) or local_day(at)
    draft = draft_of(form, request.form) if request.method == "POST" else None
    with services().database.reading() as session:
        form.offer(units.chairs(session), units.secretaries(session))
        tree = units.choice_tree(units.sites_on(session, day))
        known = draft and not rules.is_secret(draft)
        except_id = meeting.id if meeting else None
        busy = listing.overlapping(session, draft, except_id=except_id) if draft and known else []
    rest = form.show_faults(faults or {})
    return render_template(
        "meetings/form.html",
        form=form,
        meeting=meeting,
        agenda=agenda or [AgendaRow()],
        tree=tree,
        chosen=set(chosen),
        faults=rest,
        clash=clash,
        advice=rules.advice(draft, at, busy) if draft and known else [],
        refusal=rules.REFUSAL,
        can_save_draft=can_save_draft(meeting),
    )


def _as_day(value: object) -> date | None:
    return value if isinstance(value, date) and not isinstance(value, datetime) else None


def _show_again(
    form: MeetingForm,
    meeting: Meeting | None,
    faults: Mapping[str, str],
    clash: EditClashError | None = None,
) -> tuple[str, int]:
    page = _show(
        form,
        meeting,
        agenda_rows(request.form),
        site_ids(request.form),
        faults=faults,
        clash=clash,
    )
    return page, 409 if clash else 422


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
        return render_template(
            "meetings/overview.html",
            **page,
            agenda=page["meeting"].agenda,
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


@blueprint.post("/cuoc-hop/<int:meeting_id>/hoan")
def postpone(meeting_id: int) -> Response:
    """Put a meeting off."""
    return _call_off(meeting_id, service.postpone_meeting, _("Đã hoãn; các điểm cầu sẽ được báo."))


@blueprint.post("/cuoc-hop/<int:meeting_id>/huy")
def cancel(meeting_id: int) -> Response:
    """Call a meeting off for good."""
    return _call_off(meeting_id, service.cancel_meeting, _("Đã hủy; các điểm cầu sẽ được báo."))


def _call_off(meeting_id: int, act: Any, said: str) -> Response:
    with services().database.reading() as session:
        actor = require(Verb.MEETING_CANCEL, meeting_facts(find_meeting(session, meeting_id)))
    try:
        with services().database.transaction() as session:
            act(
                session,
                meeting_id,
                request.form.get("reason", ""),
                actor=actor,
                at=now(),
                announcer=_announcer(),
                address=client_address(),
            )
    except InvalidError as error:
        flash(error.message, "danger")
    else:
        flash(said, "ok")
    return redirect(url_for("meetings.overview", meeting_id=meeting_id))
