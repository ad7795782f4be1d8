"""Planning a meeting: the form, its warnings while one types, and saving it.

Three buttons send the form: save a draft, submit for approval, invite at once. Submitting or
inviting with warnings asks once; whoever confirms has seen how many there were and gives a reason,
which the meeting's log keeps. Of two people who edit the same
meeting the second is shown the difference, field by field, and loses nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from conference.access import accounts
from conference.access.policy import Verb, may
from conference.directory import units
from conference.errors import InvalidError
from conference.invitations.service import MailAnnouncer
from conference.scheduling import progress, recurrence, rules, series, templates
from conference.scheduling.advice import PROHIBITED, Advice, PaperFact, advice, warnings
from conference.scheduling.bookings import clashes_of
from conference.scheduling.context import Context
from conference.scheduling.facts import meeting_facts
from conference.scheduling.invitees import present_sites
from conference.scheduling.lifecycle import Trigger
from conference.scheduling.local_time import local_day
from conference.scheduling.models import Meeting, Scope, Status
from conference.scheduling.planning import Office, office_of
from conference.scheduling.rules import MeetingDraft
from conference.scheduling.service import EditClashError
from web.http.meetings import blueprint
from web.meeting_difference import Difference, differences
from web.meeting_form import (
    AgendaRow,
    MeetingForm,
    agenda_fault,
    agenda_rows,
    content_of,
    draft_of,
    repetition_of,
    rows_kept,
    rows_of,
    site_ids,
    sites_kept,
    values_kept,
    values_of,
)
from web.meeting_page import find_meeting
from web.services import client_address, now, require, services

Answer = str | Response | tuple[str, int]
__all__ = ["blueprint"]

INVITE: Final = "invite"
SUBMIT: Final = "request"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why the form comes back instead of being saved."""

    faults: Mapping[str, str] = field(default_factory=dict)
    clash: EditClashError | None = None
    question: int = 0
    """So many warnings stand; asked once before submitting or inviting."""

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.faults or self.clash or self.question)


@blueprint.route("/cuoc-hop/tao", methods=["GET", "POST"])
def create() -> Answer:
    """Plan a new meeting."""
    actor = require(Verb.MEETING_CREATE)
    if request.method == "GET":
        start, agenda, chosen = _start()
        return _show(MeetingForm(data=start), None, agenda, chosen)
    form = MeetingForm()
    trouble = Trouble(faults=_unreadable(form)) or _question(form, None)
    if not trouble:
        try:
            with services().database.transaction() as session:
                context = Context(session, actor, now(), client_address(), _announcer())
                draft = draft_of(form, request.form)
                made = series.create_series(
                    context,
                    draft,
                    repetition_of(form),
                    is_inviting=INVITE in request.form,
                )
                _note_warnings(context, made[0], draft, None)
                for meeting in made:
                    _submit(context, meeting)
        except InvalidError as error:
            trouble = Trouble(faults=error.fields)
    if trouble:
        return _show_again(form, None, trouble)
    _say_saved(made)
    return redirect(url_for("meetings.overview", meeting_id=made[0].id))


Start = tuple[dict[str, Any], list[AgendaRow], tuple[int, ...]]


def _start() -> Start:
    """What a new form begins with: nothing, a template, or a copy of another meeting."""
    blank = {"room_preset": "discussion", "form": "online", "relay_mode": "none"}
    template_id = request.args.get("mau", None, int)
    copied_id = request.args.get("ban-sao", None, int)
    with services().database.reading() as session:
        if template_id is not None:
            content = templates.find(session, template_id).content
            return blank | values_kept(content), rows_kept(content), sites_kept(content)
        if copied_id is not None:
            meeting = find_meeting(session, copied_id)
            require(Verb.MEETING_VIEW, meeting_facts(meeting))
            content = content_of(meeting)
            return blank | values_kept(content), rows_kept(content), sites_kept(content)
    return blank, [AgendaRow()], ()


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
    trouble = Trouble(faults=_unreadable(form)) or _question(form, meeting)
    if not trouble:
        try:
            with services().database.transaction() as session:
                context = Context(session, actor, now(), client_address(), _announcer())
                draft = draft_of(form, request.form)
                changed = series.edit(
                    context,
                    meeting_id,
                    draft,
                    _series_scope(),
                    version=_version(form),
                    is_inviting=INVITE in request.form,
                )
                _note_warnings(context, changed[0], draft, meeting)
                for one in changed:
                    _submit(context, one)
        except InvalidError as error:
            trouble = Trouble(faults=error.fields)
        except EditClashError as error:
            trouble = Trouble(clash=error)
    if trouble:
        return _show_again(form, meeting, trouble)
    _say_saved(changed)
    return redirect(url_for("meetings.overview", meeting_id=meeting_id))


def _series_scope() -> recurrence.Scope:
    typed = request.form.get("series_scope", "")
    scopes = (scope for scope in recurrence.Scope if scope.value == typed)
    return next(scopes, recurrence.Scope.THIS)


def _submit(context: Context, meeting: Meeting) -> None:
    """Submit a draft for approval if that was the button pressed."""
    if SUBMIT in request.form and meeting.status is Status.DRAFT:
        progress.step(context, meeting.id, Trigger.SUBMIT)


def _note_warnings(
    context: Context, saved: Meeting, draft: MeetingDraft, meeting: Meeting | None
) -> None:
    """Keep the reason that was given for the warnings that stand."""
    if not _asks() or not request.form.get("confirmed"):
        return
    found = warnings(_advice(context.session, draft, meeting or saved, papers=meeting is not None))
    if found:
        progress.keep_warnings(context, saved, found, request.form.get("warnings_reason", ""))


def _asks() -> bool:
    """Whether the button pressed sends the plan on to others."""
    return SUBMIT in request.form or INVITE in request.form


def _question(form: MeetingForm, meeting: Meeting | None) -> Trouble:
    """Trouble if warnings stand that whoever submits has not confirmed yet."""
    draft = draft_of(form, request.form)
    if not _asks() or rules.is_secret(draft) or rules.faults(draft):
        return Trouble()
    with services().database.reading() as session:
        count = len(warnings(_advice(session, draft, meeting)))
    is_confirmed = request.form.get("confirmed") == str(count)
    if count and is_confirmed and not request.form.get("warnings_reason", "").strip():
        return Trouble({"warnings_reason": progress.REASON_MISSING}, question=count)
    return Trouble(question=0 if is_confirmed else count)


@blueprint.post("/cuoc-hop/kiem-tra")
def advise() -> str:
    """The panel of warnings for what is typed so far; stores nothing."""
    meeting = _require_planning()
    draft = draft_of(MeetingForm(), request.form)
    if rules.is_secret(draft):
        return render_template("meetings/_advice.html", advice=[], refusal=rules.REFUSAL)
    with services().database.reading() as session:
        found = _advice(session, draft, meeting)
    return render_template("meetings/_advice.html", advice=found, refusal="")


@blueprint.post("/cuoc-hop/don-vi")
def choose_sites() -> str:
    """The tree of sites as of the typed day, with the present choice."""
    _require_planning()
    form = MeetingForm()
    day = form.day.data or local_day(now())
    chosen = site_ids(request.form)
    with services().database.reading() as session:
        sites = units.sites_on(session, day)
        gone = units.gone_on(session, day, chosen)
    return render_template(
        "meetings/_tree.html", tree=units.choice_tree(sites), chosen=set(chosen), gone=gone, day=day
    )


def _require_planning() -> Meeting | None:
    """Whoever may plan a new meeting, or edit the one that ``?cuoc-hop=`` names."""
    meeting_id = request.args.get("cuoc-hop", None, int)
    if meeting_id is None:
        require(Verb.MEETING_CREATE)
        return None
    with services().database.reading() as session:
        meeting = find_meeting(session, meeting_id)
        require(Verb.MEETING_EDIT, meeting_facts(meeting))
        return meeting


def _advice(
    session: Session, draft: MeetingDraft, meeting: Meeting | None, *, papers: bool = True
) -> list[Advice]:
    """``papers``: whether the meeting was there before, so that papers could be."""
    at = now()
    office = office_of(session, *_days(draft), local_day(at))
    clashes = clashes_of(session, draft, office, except_id=meeting.id if meeting else None)
    facts = _papers(session, meeting) if meeting and papers else None
    return advice(draft, at, office, clashes, facts)


def _papers(session: Session, meeting: Meeting) -> list[PaperFact]:
    papers = session.get_one(Meeting, meeting.id).papers
    return [PaperFact(paper.filename, paper.uploaded_at, paper.is_summary) for paper in papers]


def _days(draft: MeetingDraft) -> list[date]:
    return [local_day(at) for at in (draft.starts_at, draft.ends_at) if at is not None]


def _announcer() -> MailAnnouncer:
    return MailAnnouncer.of(services().settings)


def _version(form: MeetingForm) -> int:
    text = form.version.data or ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _unreadable(form: MeetingForm) -> dict[str, str]:
    """Fields whose text cannot be read at all; only once the content is stated not to be secret."""
    draft = draft_of(form, request.form)
    if rules.is_secret(draft) or draft.classification is None:
        return {}
    form.validate()
    found = {name: messages[0] for name, messages in form.errors.items() if name}
    agenda = agenda_fault(agenda_rows(request.form))
    return found | ({"agenda": agenda} if agenda else {})


def _say_saved(meetings: Sequence[Meeting]) -> None:
    if len(meetings) > 1:
        flash(_("Đã lưu %(n)s cuộc họp của chuỗi.", n=len(meetings)), "ok")
    if INVITE in request.form:
        count = len(present_sites(meetings[0]))
        flash(_("Đã lưu; %(count)s điểm cầu sẽ nhận thư mời.", count=count), "ok")
    elif SUBMIT in request.form:
        flash(_("Đã lưu và trình duyệt."), "ok")
    else:
        flash(_("Đã lưu cuộc họp."), "ok")


def _show(
    form: MeetingForm,
    meeting: Meeting | None,
    agenda: Sequence[AgendaRow],
    chosen: tuple[int, ...],
    trouble: Trouble = Trouble(),
) -> str:
    day = _as_day(form.day.data) or local_day(now())
    draft = draft_of(form, request.form) if request.method == "POST" else None
    if draft is not None and rules.is_secret(draft):
        draft = None
    with services().database.reading() as session:
        form.offer(units.chairs(session), accounts.secretaries(session))
        sites = units.sites_on(session, day)
        gone = units.gone_on(session, day, chosen)
        found = _advice(session, draft, meeting) if draft else []
        office = office_of(session, day)
        names = [] if meeting else templates.all_templates(session)
        changes = _changes(session, meeting, draft) if trouble.clash and draft else []
    rest = form.show_faults(trouble.faults)
    return render_template(
        "meetings/form.html",
        form=form,
        meeting=meeting,
        agenda=agenda or [AgendaRow()],
        tree=units.choice_tree(sites),
        chosen=set(chosen),
        gone=gone,
        day=day,
        faults=rest,
        clash=trouble.clash,
        changes=changes,
        question=trouble.question,
        advice=found,
        refusal=rules.REFUSAL,
        prohibited=PROHIBITED,
        capacity=office.thresholds.media_capacity,
        offers=_offers(meeting, office),
        templates=names,
    )


def _changes(
    session: Session, meeting: Meeting | None, draft: MeetingDraft
) -> Sequence[Difference]:
    """What differs between the stored meeting and what was typed."""
    if meeting is None:
        return []
    stored = find_meeting(session, meeting.id)
    return differences(session, stored, draft)


def _offers(meeting: Meeting | None, office: Office) -> dict[str, bool]:
    """Which buttons the form has."""
    is_draft = meeting is None or meeting.status is Status.DRAFT
    needs_approval = bool(office.thresholds.requires_approval)
    is_central = meeting is not None and meeting.scope is Scope.CENTRAL
    facts = meeting_facts(meeting) if meeting else None
    is_approver = may(require(Verb.MEETING_LIST), Verb.MEETING_APPROVE, facts)
    return {
        "draft": is_draft,
        "submit": is_draft,
        "invite": is_draft and (not needs_approval or is_central or is_approver),
    }


def _as_day(value: object) -> date | None:
    return value if isinstance(value, date) and not isinstance(value, datetime) else None


def _show_again(form: MeetingForm, meeting: Meeting | None, trouble: Trouble) -> Answer:
    page = _show(form, meeting, agenda_rows(request.form), site_ids(request.form), trouble)
    return page, 409 if trouble.clash else 422 if trouble.faults else 200
