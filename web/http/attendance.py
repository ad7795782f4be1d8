"""The tab *Điểm danh*: the sheet, marking by a person, live refresh, the workbook."""

from datetime import timedelta
from typing import Any, Final

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import IntegerField, SelectField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length, NumberRange, Optional

from conference.access import audit
from conference.access.policy import Verb, may
from conference.attendance import export, service
from conference.attendance.models import AttendanceStatus
from conference.attendance.service import STATUS_WORDS, Rule, SiteLine
from conference.attendance.summary import CAME
from conference.errors import NotFoundError
from conference.scheduling.facts import meeting_facts
from conference.scheduling.models import Meeting, Status
from web.meeting_page import find_meeting, open_page
from web.services import client_address, now, require, services

blueprint = Blueprint("attendance", __name__, url_prefix="/cuoc-hop/<int:meeting_id>/diem-danh")

TAB: Final = "diem-danh"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class MarkForm(FlaskForm):
    """What the secretary decides about one site."""

    status = SelectField("Trạng thái")
    delegates_count = IntegerField(
        "Số người",
        validators=[
            Optional(),
            NumberRange(0, service.MAX_DELEGATES, f"Số người từ 0 đến {service.MAX_DELEGATES}."),
        ],
        render_kw={"inputmode": "numeric"},
    )
    note = TextAreaField(
        "Ghi chú",
        validators=[Length(max=service.MAX_NOTE_LENGTH, message="Ghi chú quá dài.")],
        render_kw={"rows": 2, "maxlength": service.MAX_NOTE_LENGTH},
    )


def _mark_form(**values: Any) -> MarkForm:
    form = MarkForm(**values)
    form.status.choices = [
        SelectChoice(status.value, _(STATUS_WORDS[status])) for status in AttendanceStatus
    ]
    return form


def _rule() -> Rule:
    settings = services().settings.attendance
    return Rule(
        merge_gap=timedelta(seconds=settings.merge_gap_s),
        late_after=timedelta(minutes=settings.late_after_minutes),
    )


@blueprint.get("")
def show(meeting_id: int) -> str:
    """The sheet; an HTMX request gets only the part that changes."""
    with services().database.reading() as session:
        page = open_page(session, meeting_id, TAB, Verb.ATTENDANCE_VIEW)
        meeting: Meeting = page["meeting"]
        sheet = service.sheet(session, meeting, now(), _rule())
        is_part = bool(request.headers.get("HX-Request"))
        return render_template(
            "attendance/sheet.html" if is_part else "attendance/page.html",
            **page,
            sheet=sheet,
            words=STATUS_WORDS,
            may_mark=may(page["actor"], Verb.ATTENDANCE_MARK, meeting_facts(meeting)),
            is_live=meeting.status is Status.LIVE,
            connected=sum(_is_confirmable(line) for line in sheet.sites),
        )


def _is_confirmable(line: SiteLine) -> bool:
    is_open = line.status is AttendanceStatus.UNMARKED
    return is_open and line.presence.suggestion in CAME


@blueprint.get("/<int:site_id>")
def edit(meeting_id: int, site_id: int) -> str:
    """The form of one site: inside the page's dialog, or as a page of its own."""
    with services().database.reading() as session:
        page = open_page(session, meeting_id, TAB, Verb.ATTENDANCE_MARK)
        line = _line(session, page["meeting"], site_id)
        form = _mark_form(
            data={
                "status": line.counted_as.value,
                "delegates_count": line.site.delegates_count,
                "note": line.note,
            }
        )
        return _form(page, line, form)


def _form(page: dict[str, Any], line: SiteLine, form: MarkForm) -> str:
    is_part = bool(request.headers.get("HX-Request"))
    return render_template(
        "attendance/mark_form.html" if is_part else "attendance/mark.html",
        **page, line=line, form=form, words=STATUS_WORDS,
    )  # fmt: skip


def _line(session: Session, meeting: Meeting, site_id: int) -> SiteLine:
    for line in service.sheet(session, meeting, now(), _rule()).sites:
        if line.site.id == site_id:
            return line
    raise NotFoundError


@blueprint.post("/<int:site_id>")
def mark(meeting_id: int, site_id: int) -> str | Response | tuple[str, int]:
    """Store one mark."""
    form = _mark_form()
    at = now()
    with services().database.transaction() as session:
        page = open_page(session, meeting_id, TAB, Verb.ATTENDANCE_MARK)
        meeting, who = page["meeting"], page["actor"]
        if not form.validate():
            return _form(page, _line(session, meeting, site_id), form), 422
        status = AttendanceStatus(form.status.data)
        service.mark(
            session, meeting, site_id,
            status=status, note=form.note.data or "",
            delegates_count=form.delegates_count.data, by=who.name, at=at,
        )  # fmt: skip
        audit.record(
            session, at=at, actor=who, action="attendance.mark", object_type="invited_site",
            object_id=str(site_id), address=client_address(), detail={"status": status.value},
        )  # fmt: skip
    return _done(meeting_id, _("Đã lưu điểm danh."))


@blueprint.post("/xac-nhan")
def confirm(meeting_id: int) -> str | Response:
    """Mark every connected site as the log suggests."""
    at = now()
    with services().database.transaction() as session:
        meeting = find_meeting(session, meeting_id)
        who = require(Verb.ATTENDANCE_MARK, meeting_facts(meeting))
        count = service.confirm_suggestions(
            session, meeting, CAME, by=who.name, at=at, rule=_rule()
        )
        audit.record(
            session, at=at, actor=who, action="attendance.confirm", object_type="meeting",
            object_id=str(meeting_id), address=client_address(), detail={"count": count},
        )  # fmt: skip
    said = ngettext("Đã xác nhận %(num)d điểm cầu.", "Đã xác nhận %(num)d điểm cầu.", count)
    return _done(meeting_id, said)


def _done(meeting_id: int, said: str) -> Response:
    if request.headers.get("HX-Request"):
        answer = make_response("", 204)
        answer.headers["HX-Trigger"] = "sheet-changed"
        return answer
    flash(said, "ok")
    return redirect(url_for("attendance.show", meeting_id=meeting_id), 303)


@blueprint.get("/xuat.xlsx")
def workbook(meeting_id: int) -> Response:
    """The sheet as a workbook."""
    at = now()
    with services().database.transaction() as session:
        meeting = find_meeting(session, meeting_id)
        who = require(Verb.ATTENDANCE_VIEW, meeting_facts(meeting))
        content = export.workbook(meeting, service.sheet(session, meeting, at, _rule()))
        audit.record(
            session, at=at, actor=who, action="attendance.export", object_type="meeting",
            object_id=str(meeting_id), address=client_address(),
        )  # fmt: skip
    answer = make_response(content)
    answer.headers["Content-Type"] = XLSX
    answer.headers.set("Content-Disposition", "attachment", filename=f"diem-danh-{meeting_id}.xlsx")
    return answer
