"""What is held on a person, requests about it, and corrections. Every look is logged."""

import json
from collections.abc import Callable
from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from conference.access import audit
from conference.access.policy import Verb
from conference.directory import people
from conference.directory.people import PersonFacts
from conference.documents import pdf, word
from conference.errors import InvalidError
from conference.personal_data import paper, report, service
from conference.scheduling.local_time import local_day
from web.http.retention import file_answer
from web.services import client_address, issuer, now, require, services

blueprint = Blueprint("personal_data", __name__, url_prefix="/luu-tru/ca-nhan")

Answer = str | Response | tuple[str, int]


@blueprint.get("")
def index() -> str:
    """Look for a person; the requests there are."""
    require(Verb.PERSONAL_DATA)
    query = request.args.get("q", "")[:80].strip()
    with services().database.reading() as session:
        found = people.search(session, query, limit=50)[0] if query else []
        return render_template(
            "archive/people.html", query=query, found=found, part="personal",
            rows=service.requests(session), asked_words=service.ASKED_WORDS,
            outcome_words=service.OUTCOME_WORDS, today=local_day(now()),
        )  # fmt: skip


@blueprint.get("/<int:person_id>")
def person(person_id: int) -> str:
    """The report on one person."""
    return _page(person_id)


def _page(person_id: int, faults: dict[str, str] | None = None) -> str:
    who = require(Verb.PERSONAL_DATA)
    at = now()
    with services().database.transaction() as session:
        made = report.gather(session, person_id, at)
        audit.record(
            session, at=at, actor=who, action="personal_data.view", object_type="person",
            object_id=person_id, address=client_address(), detail={"entries": made.total},
        )  # fmt: skip
        return render_template(
            "archive/person.html", report=made, part="personal", faults=faults or {},
            person=people.find_person(session, person_id), typed=request.form,
            rows=service.requests(session, person_id), asked_words=service.ASKED_WORDS,
            outcome_words=service.OUTCOME_WORDS, today=local_day(at),
            corrections=service.corrections(session, person_id),
        )  # fmt: skip


@blueprint.get("/<int:person_id>/bao-cao.<any(json, docx, pdf):ending>")
def report_file(person_id: int, ending: str) -> Response:
    """The report as a file."""
    who = require(Verb.PERSONAL_DATA)
    at = now()
    with services().database.transaction() as session:
        made = report.gather(session, person_id, at)
        audit.record(
            session, at=at, actor=who, action="personal_data.export", object_type="person",
            object_id=person_id, address=client_address(), detail={"kind": ending},
        )  # fmt: skip
    printed = paper.compose(issuer(), made)
    writers: dict[str, Callable[[], bytes]] = {
        "json": lambda: json.dumps(report.as_json(made), ensure_ascii=False, indent=1).encode(),
        "docx": lambda: word.document(printed, at),
        "pdf": lambda: pdf.document(printed, at),
    }
    return file_answer(writers[ending](), f"du-lieu-ca-nhan-{person_id}.{ending}", ending)


@blueprint.post("/<int:person_id>/yeu-cau")
def receive(person_id: int) -> Answer:
    """Write a request down."""
    who = require(Verb.PERSONAL_DATA)
    form = request.form
    try:
        received_on = date.fromisoformat(form.get("received_on", ""))
    except ValueError:
        received_on = None
    try:
        with services().database.transaction() as session:
            row = service.receive(
                session, person_id, form.get("asked", ""), form.get("text", ""), received_on,
                actor=who, at=now(),
            )  # fmt: skip
            due = row.due_on
    except InvalidError as error:
        return _page(person_id, error.fields), 422
    flash(_("Đã ghi yêu cầu; trả lời chậm nhất %(day)s.", day=f"{due:%d/%m/%Y}"), "ok")
    return redirect(url_for("personal_data.person", person_id=person_id), 303)


@blueprint.post("/<int:person_id>/yeu-cau/<int:request_id>")
def answer(person_id: int, request_id: int) -> Answer:
    """Answer a request."""
    who = require(Verb.PERSONAL_DATA)
    form = request.form
    try:
        with services().database.transaction() as session:
            service.answer(
                session, request_id, form.get("outcome", ""), form.get("answer", ""), actor=who,
                at=now(),
            )  # fmt: skip
    except InvalidError as error:
        return _page(person_id, error.fields), 422
    flash(_("Đã trả lời yêu cầu."), "ok")
    return redirect(url_for("personal_data.person", person_id=person_id), 303)


@blueprint.post("/<int:person_id>/dinh-chinh")
def correct(person_id: int) -> Answer:
    """Correct what the directory says; what stood there is kept."""
    who = require(Verb.PERSONAL_DATA)
    form = request.form
    try:
        with services().database.transaction() as session:
            facts = PersonFacts(
                full_name=form.get("full_name", "").strip(), email=form.get("email", "").strip(),
                phone=form.get("phone", "").strip(),
            )  # fmt: skip
            count = service.correct(
                session, person_id, facts, form.get("reason", ""), actor=who, at=now()
            )
    except InvalidError as error:
        return _page(person_id, error.fields), 422
    flash(ngettext("Đã đính chính %(num)d mục.", "Đã đính chính %(num)d mục.", count), "ok")
    return redirect(url_for("personal_data.person", person_id=person_id), 303)
