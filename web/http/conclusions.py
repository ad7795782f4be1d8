"""The tab *Kết luận* and the list *Nhiệm vụ*: notice, tasks, reports, DOCX and PDF."""

from datetime import date
from typing import Any, Final

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from conference.access import audit
from conference.access.policy import Verb, may
from conference.conclusions import paper, reminders, service
from conference.conclusions.dates import Standing
from conference.conclusions.models import Notice, Task, TaskState
from conference.conclusions.service import STANDING_WORDS, STATE_WORDS, NoticeText, TaskFacts
from conference.directory.models import Unit
from conference.documents import pdf, word
from conference.errors import InvalidError, NotFoundError
from conference.scheduling.advice import notice_due
from conference.scheduling.facts import meeting_facts
from conference.scheduling.local_time import local_day
from conference.scheduling.models import Meeting
from conference.scheduling.planning import office_of
from conference.signatures import service as signatures
from conference.signatures.models import SignedKind
from conference.signatures.service import VERDICT_WORDS
from conference.statistics.periods import parse_day
from web.meeting_page import open_page
from web.services import client_address, issuer, now, require, services

blueprint = Blueprint("conclusions", __name__)

TAB: Final = "ket-luan"
BASE: Final = "/cuoc-hop/<int:meeting_id>/ket-luan"
TYPES: Final = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
}

Answer = str | Response | tuple[str, int]


@blueprint.get(BASE)
def show(meeting_id: int) -> str:
    """Notice and tasks of one meeting."""
    with services().database.reading() as session:
        return _page(session, open_page(session, meeting_id, TAB, Verb.MINUTES_VIEW))


def _page(session: Session, page: dict[str, Any], **more: Any) -> str:
    meeting: Meeting = page["meeting"]
    today = local_day(now())
    row = service.notice_of(session, meeting.id)
    held_at = meeting.ended_at or meeting.ends_at
    office = office_of(session, local_day(held_at), today)
    due = notice_due(held_at, office)
    invited = {site.unit_name for site in page["sites"]}
    units = session.query(Unit).order_by(Unit.level, Unit.protocol_order, Unit.name).all()
    return render_template(
        "conclusions/page.html",
        **page,
        notice=row,
        opening=service.default_opening(meeting),
        default_authority=paper.DEFAULT_AUTHORITY,
        tasks=service.tasks_of(session, meeting.id, today),
        units=sorted(units, key=lambda unit: unit.name not in invited),
        due=due,
        days_left=office.calendar.between(today, due),
        is_issued=row is not None and row.issued_on is not None,
        may_edit=may(page["actor"], Verb.MINUTES_EDIT, meeting_facts(meeting)),
        states=STATE_WORDS,
        standings=STANDING_WORDS,
        signed=signatures.of_meeting(session, meeting.id, SignedKind.NOTICE),
        verdicts=VERDICT_WORDS,
        **{"faults": {}, "typed": {}, **more},
    )


def _day(name: str) -> date | None:
    """The day typed into a field; none when it is empty. Raises InvalidError."""
    text = request.form.get(name, "").strip()
    found = parse_day(text)
    if text and found is None:
        raise InvalidError({name: "Ngày không đọc được; nhập như 10/12/2026."})
    return found


@blueprint.post(BASE)
def save(meeting_id: int) -> Answer:
    """Store the notice."""
    form = request.form
    at = now()
    with services().database.transaction() as session:
        page = open_page(session, meeting_id, TAB, Verb.MINUTES_EDIT)
        try:
            text = NoticeText(
                number=form.get("number", ""),
                issued_on=_day("issued_on"),
                opening=form.get("opening", ""),
                authority=form.get("authority", ""),
                signer=form.get("signer", ""),
            )
            service.save_notice(
                session, page["meeting"], text,
                version=form.get("version", 0, type=int), by=page["actor"].name, at=at,
            )  # fmt: skip
        except InvalidError as error:
            return _page(session, page, faults=error.fields, typed=form), 422
        _record(session, page, "notice.save", number=text.number)
    flash(_("Đã lưu thông báo."), "ok")
    return redirect(url_for("conclusions.show", meeting_id=meeting_id), 303)


def _record(session: Session, page: dict[str, Any], action: str, **detail: Any) -> None:
    audit.record(
        session, at=now(), actor=page["actor"], action=action, object_type="meeting",
        object_id=page["meeting"].id, address=client_address(), detail=detail,
    )  # fmt: skip


def _facts() -> TaskFacts:
    form = request.form
    return TaskFacts(
        text=form.get("text", ""),
        lead_unit_id=form.get("lead_unit", type=int),
        coordinating_ids=tuple(form.getlist("coordinating", type=int)),
        due_on=_day("due_on"),
        remind_days=form.get("remind_days", 3, type=int),
    )


@blueprint.post(f"{BASE}/nhiem-vu")
def add_task(meeting_id: int) -> Answer:
    """Give a task."""
    with services().database.transaction() as session:
        page = open_page(session, meeting_id, TAB, Verb.MINUTES_EDIT)
        try:
            facts = _facts()
            row = service.add_task(session, page["meeting"], facts, by=page["actor"].name, at=now())
        except InvalidError as error:
            coordinating = request.form.getlist("coordinating", type=int)
            typed = {**request.form, "coordinating": coordinating}
            return _page(session, page, faults=error.fields, typed=typed), 422
        _record(session, page, "task.add", task=row.id, unit=row.lead_unit_name)
    flash(_("Đã giao nhiệm vụ."), "ok")
    return redirect(url_for("conclusions.show", meeting_id=meeting_id), 303)


@blueprint.post(f"{BASE}/nhiem-vu/<int:task_id>/xoa")
def remove_task(meeting_id: int, task_id: int) -> Response:
    """Take a task off that was not yet begun."""
    with services().database.transaction() as session:
        page = open_page(session, meeting_id, TAB, Verb.MINUTES_EDIT)
        service.remove_task(session, _task(session, meeting_id, task_id))
        _record(session, page, "task.remove", task=task_id)
    flash(_("Đã xóa nhiệm vụ."), "ok")
    return redirect(url_for("conclusions.show", meeting_id=meeting_id), 303)


def _task(session: Session, meeting_id: int, task_id: int) -> Task:
    row = service.find_task(session, task_id)
    if row.meeting_id != meeting_id:
        raise NotFoundError
    return row


@blueprint.get(f"{BASE}/thong-bao.<any(docx, pdf):kind>")
def paper_file(meeting_id: int, kind: str) -> Response:
    """The notice as an official paper."""
    at = now()
    with services().database.transaction() as session:
        page = open_page(session, meeting_id, TAB, Verb.MINUTES_VIEW)
        meeting: Meeting = page["meeting"]
        row = service.notice_of(session, meeting_id) or Notice(
            number="", issued_on=None, opening="", authority="", signer=""
        )
        tasks = [line.task for line in service.tasks_of(session, meeting_id, local_day(at))]
        made = paper.compose(issuer(), meeting, row, tasks, service.default_opening(meeting))
        _record(session, page, f"notice.{kind}")
    answer = make_response(word.document(made, at) if kind == "docx" else pdf.document(made, at))
    answer.headers["Content-Type"] = TYPES[kind]
    name = f"thong-bao-ket-luan-{meeting_id}.{kind}"
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer


# --- the list by unit -----------------------------------------------------------------------------


@blueprint.get("/nhiem-vu")
def tasks() -> str:
    """Tasks of all meetings by lead unit; sites see their own unit's."""
    who = require(Verb.MEETING_LIST)
    word_ = request.args.get("trang-thai", "")
    wanted = next((one for one in Standing if one.value == word_), None)
    with services().database.reading() as session:
        today = local_day(now())
        every = service.tasks_by_unit(session, actor=who, today=today)
        unit = request.args.get("don-vi", type=int)
        shown = service.tasks_by_unit(session, actor=who, today=today, unit_id=unit, wanted=wanted)
        units = {
            line.task.lead_unit_id: line.task.lead_unit_name for _, lines in every for line in lines
        }
        return render_template(
            "conclusions/tasks.html",
            groups=shown,
            units=units,
            unit=unit,
            wanted=wanted,
            counts=service.counts(every),
            standings=STANDING_WORDS,
            states=STATE_WORDS,
            is_office=may(who, Verb.MINUTES_EDIT),
            own_units=service.units_of(session, who),
            reminded=reminders.sent_for(
                session, [line.task.id for _name, lines in shown for line in lines]
            ),
            faults={},
        )


@blueprint.post("/nhiem-vu/<int:task_id>")
def report(task_id: int) -> Response:
    """Say how far a task is."""
    who = require(Verb.MEETING_LIST)
    at = now()
    with services().database.transaction() as session:
        row = service.find_task(session, task_id)
        state = next(
            (one for one in TaskState if one.value == request.form.get("state")), row.state
        )
        try:
            service.report(
                session, row, state, request.form.get("progress", ""),
                actor=who, at=at, today=local_day(at),
            )  # fmt: skip
        except InvalidError as error:
            flash(_(error.message), "danger")
            return redirect(url_for("conclusions.tasks") + f"#nv-{task_id}", 303)
        audit.record(
            session, at=at, actor=who, action="task.report", object_type="task",
            object_id=task_id, address=client_address(), detail={"state": state.value},
        )  # fmt: skip
    flash(_("Đã cập nhật nhiệm vụ."), "ok")
    return redirect(url_for("conclusions.tasks") + f"#nv-{task_id}", 303)
