"""The steps of a meeting from request to archive: one button each on its page."""

from collections.abc import Callable
from typing import Final

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from conference.access.policy import Verb
from conference.errors import DomainError, InvalidError
from conference.invitations.service import MailAnnouncer
from conference.scheduling import progress, series, templates
from conference.scheduling.context import Context
from conference.scheduling.facts import meeting_facts
from conference.scheduling.lifecycle import STEPS, Trigger, step_of
from conference.scheduling.models import CallOffGround
from conference.scheduling.recurrence import Scope
from web.meeting_form import content_of
from web.meeting_page import find_meeting
from web.services import client_address, now, require, services
from web.words import translated

blueprint = Blueprint("meeting_steps", __name__)

ADDRESSES: Final = {
    "trinh": Trigger.SUBMIT,
    "tra-lai": Trigger.RETURN,
    "duyet": Trigger.APPROVE,
    "san-sang": Trigger.DECLARE_READY,
    "ky-bien-ban": Trigger.SIGN_MINUTES,
    "ket-luan": Trigger.ISSUE_CONCLUSION,
    "luu-tru": Trigger.ARCHIVE,
}
"""Last part of the address of each step; inviting and calling off have their own."""


@blueprint.post("/cuoc-hop/<int:meeting_id>/buoc/<step>")
def move(meeting_id: int, step: str) -> Response:
    """Submit, return, approve, declare ready, and the papers afterwards."""
    trigger = ADDRESSES.get(step)
    if trigger is None:
        raise NotFound
    words = {
        Trigger.SUBMIT: _("Đã trình duyệt."),
        Trigger.RETURN: _("Đã trả lại người lập."),
        Trigger.APPROVE: _("Đã duyệt."),
        Trigger.DECLARE_READY: _("Đã ghi nhận sẵn sàng."),
        Trigger.SIGN_MINUTES: _("Đã ghi nhận biên bản được ký."),
        Trigger.ISSUE_CONCLUSION: _("Đã ghi nhận kết luận được ban hành."),
        Trigger.ARCHIVE: _("Đã đưa vào lưu trữ."),
    }
    note = request.form.get("reason", "")
    return _do(
        meeting_id,
        trigger,
        lambda context: (
            series.step(context, meeting_id, trigger, note)
            if request.form.get("series")
            else progress.step(context, meeting_id, trigger, note=note)
        ),
        words[trigger],
    )


@blueprint.post("/cuoc-hop/<int:meeting_id>/moi")
def invite(meeting_id: int) -> Response:
    """Send the invitations of a meeting that is approved or needs no approval."""
    return _do(
        meeting_id,
        Trigger.INVITE,
        lambda context: (
            series.invite(context, meeting_id)
            if request.form.get("series")
            else progress.send_invitations(context, meeting_id)
        ),
        _("Đã gửi lời mời; các điểm cầu sẽ nhận thư."),
    )


@blueprint.post("/cuoc-hop/<int:meeting_id>/mau")
def keep_template(meeting_id: int) -> Response:
    """Keep the meeting's form as a template under a name."""
    with services().database.reading() as session:
        meeting = find_meeting(session, meeting_id)
        actor = require(Verb.MEETING_EDIT, meeting_facts(meeting))
        content = content_of(meeting)
    try:
        with services().database.transaction() as session:
            template = templates.keep(
                session, request.form.get("reason", ""), content,
                actor=actor, at=now(), address=client_address(),
            )  # fmt: skip
    except InvalidError as error:
        for sentence in error.fields.values():
            flash(translated(sentence), "danger")
    else:
        flash(_("Đã lưu mẫu “%(name)s”.", name=template.name), "ok")
    return redirect(url_for("meetings.overview", meeting_id=meeting_id))


@blueprint.post("/cuoc-hop/mau/<int:template_id>/bo")
def drop_template(template_id: int) -> Response:
    """Remove a template."""
    actor = require(Verb.MEETING_CREATE)
    with services().database.transaction() as session:
        name = templates.drop(session, template_id, actor=actor, at=now(), address=client_address())
    flash(_("Đã bỏ mẫu “%(name)s”.", name=name), "ok")
    return redirect(url_for("meetings.create"))


@blueprint.post("/cuoc-hop/<int:meeting_id>/hoan")
def postpone(meeting_id: int) -> Response:
    """Put a meeting off."""
    scope, reason = _scope(), request.form.get("reason", "")
    return _do(
        meeting_id,
        Trigger.POSTPONE,
        lambda context: series.postpone(context, meeting_id, scope, reason, _ground()),
        _("Đã hoãn; các điểm cầu sẽ được báo."),
    )


@blueprint.post("/cuoc-hop/<int:meeting_id>/huy")
def cancel(meeting_id: int) -> Response:
    """Call a meeting off for good."""
    said = _("Đã hủy; các điểm cầu sẽ được báo.")
    scope, reason = _scope(), request.form.get("reason", "")
    return _do(
        meeting_id,
        Trigger.CANCEL,
        lambda context: series.call_off(context, meeting_id, scope, reason, _ground()),
        said,
    )


def _scope() -> Scope:
    typed = request.form.get("series_scope", "")
    return next((one for one in Scope if one.value == typed), Scope.THIS)


def _ground() -> CallOffGround:
    typed = request.form.get("ground", "")
    return next((one for one in CallOffGround if one.value == typed), CallOffGround.OTHER)


def _do(meeting_id: int, trigger: Trigger, act: Callable[[Context], object], said: str) -> Response:
    """Ask for the right the table names, act, and say so on the meeting's page."""
    with services().database.reading() as session:
        meeting = find_meeting(session, meeting_id)
        verb = next(step.verb for step in STEPS if step.trigger is trigger)
        actor = require(verb, meeting_facts(meeting))
    try:
        step_of(meeting.status, trigger)
        with services().database.transaction() as session:
            announcer = MailAnnouncer.of(services().settings)
            act(Context(session, actor, now(), client_address(), announcer))
    except InvalidError as error:
        for sentence in error.fields.values():
            flash(translated(sentence), "danger")
    except DomainError as error:
        flash(translated(error.message), "danger")
    else:
        flash(said, "ok")
    return redirect(url_for("meetings.overview", meeting_id=meeting_id))
