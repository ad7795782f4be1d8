"""The tab *Biên bản*: two editors at once, draft from the log, history, compare, DOCX, PDF."""

from datetime import datetime, timedelta
from typing import Any, Final

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import IntegerField, StringField, TextAreaField
from wtforms.validators import Length, Optional

from conference.access import audit
from conference.access.policy import Verb, may
from conference.archive.models import Recording
from conference.attendance import service as attendance
from conference.attendance.service import Rule
from conference.conduct import log
from conference.documents import pdf, word
from conference.documents.paper import clock
from conference.errors import InvalidError, NotFoundError
from conference.minutes import compare as comparison
from conference.minutes import marks, paper, service
from conference.minutes.models import Minutes, MinutesRevision
from conference.minutes.service import Saved, Text
from conference.scheduling.facts import meeting_facts
from conference.scheduling.models import Meeting
from conference.signatures import service as signatures
from conference.signatures.models import SignedKind
from conference.signatures.service import VERDICT_WORDS
from web.display import local_time
from web.forms import PageForm
from web.log_words import sentence_of
from web.meeting_page import find_meeting, open_page
from web.services import client_address, issuer, now, require, services

blueprint = Blueprint("minutes", __name__, url_prefix="/cuoc-hop/<int:meeting_id>/bien-ban")

TAB: Final = "bien-ban"
DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


OFFERED: Final = frozenset(
    {
        "meeting_opened", "agenda_selected", "floor_given", "vote_closed", "meeting_ended",
        "recording_requested", "delegates_reported",
    }
)  # fmt: skip
"""Kinds of log entries that are offered for the text."""


class MinutesForm(PageForm):
    """The parts of the biên bản that people write."""

    number = StringField(
        "Số",
        validators=[Length(max=service.MAX_NUMBER_LENGTH, message="Số quá dài.")],
        render_kw={"autocomplete": "off", "placeholder": "07/BB-VPUBND"},
    )
    course = TextAreaField(
        "Nội dung (theo diễn biến)",
        validators=[Length(max=service.MAX_LENGTH, message="Nội dung quá dài.")],
        render_kw={"rows": 18},
    )
    conclusion = TextAreaField(
        "Kết luận của chủ tọa",
        validators=[Length(max=service.MAX_LENGTH, message="Nội dung quá dài.")],
        render_kw={"rows": 8},
    )
    version = IntegerField(validators=[Optional()])
    base_number = StringField()
    base_course = TextAreaField()
    base_conclusion = TextAreaField()
    """What the editor began with; with it two edits are put together."""


def _rule() -> Rule:
    settings = services().settings.attendance
    return Rule(
        merge_gap=timedelta(seconds=settings.merge_gap_s),
        late_after=timedelta(minutes=settings.late_after_minutes),
    )


@blueprint.get("")
def show(meeting_id: int) -> str:
    """The editor, or the text alone for whoever may only read."""
    with services().database.reading() as session:
        page = open_page(session, meeting_id, TAB, Verb.MINUTES_VIEW)
        return _page(session, page, MinutesForm(data=_values(_find(session, meeting_id))))


def _find(session: Session, meeting_id: int) -> Minutes | None:
    return service.find(session, meeting_id)


def _values(row: Minutes | None) -> dict[str, Any]:
    number, course, conclusion, version = (
        ("", "", "", 0) if row is None else (row.number, row.course, row.conclusion, row.version)
    )
    return {
        "number": number, "course": course, "conclusion": conclusion, "version": version,
        "base_number": number, "base_course": course, "base_conclusion": conclusion,
    }  # fmt: skip


def _page(session: Session, page: dict[str, Any], form: MinutesForm, **more: Any) -> str:
    meeting: Meeting = page["meeting"]
    row = _find(session, meeting.id)
    return render_template(
        "minutes/page.html",
        **page,
        form=form,
        minutes=row,
        revisions=service.history(session, row) if row else [],
        missing=_missing(meeting, row),
        may_edit=may(page["actor"], Verb.MINUTES_EDIT, meeting_facts(meeting))
        and (row is None or row.signed_at is None),
        may_add=may(page["actor"], Verb.MINUTES_EDIT, meeting_facts(meeting)),
        marked={
            name: list(marks.segments(getattr(row, name) if row else ""))
            for name in ("course", "conclusion")
        },
        events=_events(session, meeting),
        signed=signatures.of_meeting(session, meeting.id, SignedKind.MINUTES),
        verdicts=VERDICT_WORDS,
        **{"faults": {}, "typed": "", **more},
    )


def _recorded_from(session: Session, meeting_id: int) -> datetime | None:
    query = select(Recording.started_at).where(
        Recording.meeting_id == meeting_id, Recording.started_at.is_not(None)
    )
    return session.scalar(query.order_by(Recording.started_at).limit(1))


def _events(session: Session, meeting: Meeting) -> list[dict[str, Any]]:
    """What the log offers to be put into the text, with its moment in the recording."""
    start = _recorded_from(session, meeting.id)
    return [
        {
            "at": entry.at,
            "text": sentence_of(entry),
            "insert": f"{clock(entry.at)}{marks.mark(entry.at, start)}: {sentence_of(entry)}",
        }
        for entry in log.entries(session, meeting.id)
        if entry.kind in OFFERED
    ]


def _missing(meeting: Meeting, row: Minutes | None) -> list[str]:
    """What the paper still lacks, in the office's words."""
    checks = (
        (not meeting.is_over, _("giờ kết thúc")),
        (meeting.secretary is None, _("thư ký")),
        (row is None or not row.course, _("nội dung")),
        (row is None or not row.conclusion, _("kết luận")),
        (row is None or not row.number, _("số văn bản")),
    )
    return [str(word_) for is_missing, word_ in checks if is_missing]


@blueprint.post("")
def save(meeting_id: int) -> str | Response | tuple[str | dict[str, Any], int] | dict[str, Any]:
    """Store what was typed together with what others typed meanwhile. A script gets JSON."""
    form = MinutesForm()
    is_script = request.accept_mimetypes.best == "application/json"
    text = Text(form.number.data or "", form.course.data or "", form.conclusion.data or "")
    base = Text(
        form.base_number.data or "", form.base_course.data or "", form.base_conclusion.data or ""
    )
    with services().database.transaction() as session:
        page = open_page(session, meeting_id, TAB, Verb.MINUTES_EDIT)
        try:
            saved = service.save_merged(
                session, page["meeting"], text, base=base, by=page["actor"].name, at=now()
            )
        except InvalidError as error:
            if is_script:
                return {"error": {"code": error.reason, "message": error.message}}, 422
            form.validate()
            return _page(session, page, form), 422
        said = _said(saved)
        if is_script:
            return {**_document(saved.row), "said": said, "merged_from": saved.merged_from}
    flash(said, "warn" if saved.clashes else "ok")
    return redirect(url_for("minutes.show", meeting_id=meeting_id), 303)


def _said(saved: Saved) -> str:
    at = local_time(saved.row.updated_at)
    if saved.clashes:
        return str(_(
            "Đã lưu %(time)s. %(name)s cũng vừa sửa; %(n)s chỗ giữ cả hai cách viết, cần xem lại.",
            time=at, name=saved.merged_from, n=saved.clashes,
        ))  # fmt: skip
    if saved.merged_from:
        return str(
            _("Đã lưu %(time)s, gộp cùng phần %(name)s sửa.", time=at, name=saved.merged_from)
        )
    return str(_("Đã lưu %(time)s.", time=at))


def _document(row: Minutes) -> dict[str, Any]:
    return {
        "version": row.version,
        "number": row.number,
        "course": row.course,
        "conclusion": row.conclusion,
    }


@blueprint.get("/hien-tai.json")
def current(meeting_id: int) -> Response | dict[str, Any]:
    """What stands there now, for an editor who sees the other's change; 204 when nothing new."""
    with services().database.reading() as session:
        require(Verb.MINUTES_VIEW, meeting_facts(find_meeting(session, meeting_id)))
        row = _find(session, meeting_id)
        if row is None or row.version == request.args.get("version", type=int):
            return Response(status=204)
        said = _(
            "%(name)s vừa sửa lúc %(time)s.", name=row.updated_by, time=local_time(row.updated_at)
        )
        return {**_document(row), "said": said}


@blueprint.post("/du-thao")
def draft(meeting_id: int) -> Response:
    """Write the draft from the log into the text; what stood there stays in the history."""
    at = now()
    with services().database.transaction() as session:
        page = open_page(session, meeting_id, TAB, Verb.MINUTES_EDIT)
        row = _find(session, meeting_id)
        course = service.draft_from_log(
            session, page["meeting"], at, _rule(),
            recorded_from=_recorded_from(session, meeting_id),
        )  # fmt: skip
        text = Text(row.number if row else "", course, row.conclusion if row else "")
        service.save(
            session, page["meeting"], text, version=row.version if row else 0,
            by=page["actor"].name, at=at, is_kept=True,
        )  # fmt: skip
    flash(_("Đã tạo dự thảo từ nhật ký."), "ok")
    return redirect(url_for("minutes.show", meeting_id=meeting_id), 303)


@blueprint.get("/lich-su/<int:version>")
def revision(meeting_id: int, version: int) -> str:
    """What the minutes said at one version."""
    with services().database.reading() as session:
        page = open_page(session, meeting_id, TAB, Verb.MINUTES_VIEW)
        row, kept = _kept(session, meeting_id, version)
        return render_template("minutes/revision.html", **page, minutes=row, revision=kept)


def _kept(session: Session, meeting_id: int, version: int) -> tuple[Minutes, MinutesRevision]:
    row = _find(session, meeting_id)
    found = [one for one in service.history(session, row) if one.version == version] if row else []
    if row is None or not found:
        raise NotFoundError
    return row, found[0]


@blueprint.get("/so-sanh")
def compare(meeting_id: int) -> str:
    """Two versions, word by word."""
    with services().database.reading() as session:
        page = open_page(session, meeting_id, TAB, Verb.MINUTES_VIEW)
        row, before = _kept(session, meeting_id, request.args.get("tu", 0, type=int))
        _row, after = _kept(session, meeting_id, request.args.get("den", 0, type=int))
        return render_template(
            "minutes/compare.html",
            **page,
            minutes=row,
            before=before,
            after=after,
            course=comparison.compare(before.course, after.course),
            conclusion=comparison.compare(before.conclusion, after.conclusion),
        )


@blueprint.post("/phu-luc")
def add_addendum(meeting_id: int) -> Response | tuple[str, int]:
    """Add to signed minutes what became known later."""
    typed = request.form.get("addendum", "")
    at = now()
    with services().database.transaction() as session:
        page = open_page(session, meeting_id, TAB, Verb.MINUTES_EDIT)
        row = _find(session, meeting_id)
        if row is None:
            raise NotFoundError
        try:
            service.add_addendum(session, row, typed, by=page["actor"].name, at=at)
        except InvalidError as error:
            form = MinutesForm(formdata=None, data=_values(row))
            return _page(session, page, form, faults=error.fields, typed=typed), 422
        audit.record(
            session, at=at, actor=page["actor"], action="minutes.addendum",
            object_type="meeting", object_id=str(meeting_id), address=client_address(),
        )  # fmt: skip
    flash(_("Đã thêm phụ lục."), "ok")
    return redirect(url_for("minutes.show", meeting_id=meeting_id), 303)


@blueprint.get("/bien-ban.<any(docx, pdf):kind>")
def paper_file(meeting_id: int, kind: str) -> Response:
    """The official paper."""
    at = now()
    with services().database.transaction() as session:
        page = open_page(session, meeting_id, TAB, Verb.MINUTES_VIEW)
        meeting: Meeting = page["meeting"]
        row = _find(session, meeting_id)
        values = _values(row)
        made = paper.compose(
            issuer(), meeting, attendance.sheet(session, meeting, at, _rule()),
            Text(values["number"], values["course"], values["conclusion"]),
        )  # fmt: skip
        audit.record(
            session, at=at, actor=page["actor"], action=f"minutes.{kind}", object_type="meeting",
            object_id=str(meeting_id), address=client_address(),
        )  # fmt: skip
    content = word.document(made, at) if kind == "docx" else pdf.document(made, at)
    answer = make_response(content)
    answer.headers["Content-Type"] = DOCX if kind == "docx" else "application/pdf"
    answer.headers.set(
        "Content-Disposition", "attachment", filename=f"bien-ban-{meeting_id}.{kind}"
    )
    return answer
