"""The tab *Biên bản*: edit with autosave, draft from the log, history, DOCX and PDF."""

from datetime import timedelta
from typing import Any, Final

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import IntegerField, StringField, TextAreaField
from wtforms.validators import Length, Optional

from conference.access import audit
from conference.access.policy import Verb, may
from conference.attendance import service as attendance
from conference.attendance.service import Rule
from conference.documents import pdf, word
from conference.errors import InvalidError, NotFoundError
from conference.minutes import paper, service
from conference.minutes.models import Minutes
from conference.minutes.service import MinutesClashError, Text
from conference.scheduling.facts import meeting_facts
from conference.scheduling.models import Meeting, Status
from web.display import local_time
from web.meeting_page import open_page
from web.services import client_address, issuer, now, services

blueprint = Blueprint("minutes", __name__, url_prefix="/cuoc-hop/<int:meeting_id>/bien-ban")

TAB: Final = "bien-ban"
DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


class MinutesForm(FlaskForm):
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
    version = IntegerField("", validators=[Optional()])


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
    if row is None:
        return {"number": "", "course": "", "conclusion": "", "version": 0}
    return {
        "number": row.number,
        "course": row.course,
        "conclusion": row.conclusion,
        "version": row.version,
    }


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
        may_edit=may(page["actor"], Verb.MINUTES_EDIT, meeting_facts(meeting)),
        **{"clash": None, **more},
    )


def _missing(meeting: Meeting, row: Minutes | None) -> list[str]:
    """What the paper still lacks, in the office's words."""
    checks = (
        (meeting.status is not Status.ENDED, _("giờ kết thúc")),
        (meeting.secretary is None, _("thư ký")),
        (row is None or not row.course, _("nội dung")),
        (row is None or not row.conclusion, _("kết luận")),
        (row is None or not row.number, _("số văn bản")),
    )
    return [str(word_) for is_missing, word_ in checks if is_missing]


@blueprint.post("")
def save(meeting_id: int) -> str | Response | tuple[str | dict[str, Any], int] | dict[str, Any]:
    """Store what was typed. A script gets JSON; the second of two editors gets the first's text."""
    form = MinutesForm()
    is_script = request.accept_mimetypes.best == "application/json"
    text = Text(form.number.data or "", form.course.data or "", form.conclusion.data or "")
    with services().database.transaction() as session:
        page = open_page(session, meeting_id, TAB, Verb.MINUTES_EDIT)
        try:
            row = service.save(
                session, page["meeting"], text,
                version=form.version.data or 0, by=page["actor"].name, at=now(),
            )  # fmt: skip
        except MinutesClashError as clash:
            if is_script:
                return _clash_document(clash), 409
            form.version.data = clash.current.version
            return _page(session, page, form, clash=clash.current), 409
        except InvalidError as error:
            if is_script:
                return {"error": {"code": error.reason, "message": error.message}}, 422
            form.validate()
            return _page(session, page, form), 422
        said = _("Đã lưu %(time)s.", time=local_time(row.updated_at))
        if is_script:
            return {"version": row.version, "said": said}
    flash(said, "ok")
    return redirect(url_for("minutes.show", meeting_id=meeting_id), 303)


def _clash_document(clash: MinutesClashError) -> dict[str, Any]:
    current = clash.current
    said = _(
        "%(name)s vừa sửa lúc %(time)s.",
        name=current.updated_by,
        time=local_time(current.updated_at),
    )
    return {
        "said": said,
        "version": current.version,
        "course": current.course,
        "conclusion": current.conclusion,
    }


@blueprint.post("/du-thao")
def draft(meeting_id: int) -> Response:
    """Write the draft from the log into the text; what stood there stays in the history."""
    at = now()
    with services().database.transaction() as session:
        page = open_page(session, meeting_id, TAB, Verb.MINUTES_EDIT)
        row = _find(session, meeting_id)
        course = service.draft_from_log(session, page["meeting"], at, _rule())
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
        row = _find(session, meeting_id)
        kept = (
            [one for one in service.history(session, row) if one.version == version] if row else []
        )
        if row is None or not kept:
            raise NotFoundError
        return render_template("minutes/revision.html", **page, minutes=row, revision=kept[0])


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
