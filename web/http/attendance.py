"""The tab *Điểm danh*: sites, delegates, units; marking, signing, correcting, four exports."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import IntegerField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length, NumberRange, Optional

from conference.access import audit
from conference.access.policy import Verb, may
from conference.attendance import delegates, export, paper, service, versions
from conference.attendance.fair_copy import record_of
from conference.attendance.models import AttendanceStatus, Delegate
from conference.attendance.record import AttendanceRecord
from conference.attendance.service import STATUS_WORDS, Rule, SiteLine
from conference.attendance.summary import CAME
from conference.documents import pdf, word
from conference.errors import InvalidError, NotFoundError
from conference.scheduling.facts import meeting_facts
from conference.scheduling.models import Meeting, Status
from web.forms import PageForm
from web.meeting_page import find_meeting, open_page
from web.services import client_address, issuer, now, require, services

blueprint = Blueprint("attendance", __name__, url_prefix="/cuoc-hop/<int:meeting_id>/diem-danh")

TAB: Final = "diem-danh"
VIEWS: Final = {"diem-cau": "Điểm cầu", "dai-bieu": "Đại biểu", "don-vi": "Theo đơn vị"}
MEDIA_TYPES: Final = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
    "csv": "text/csv; charset=utf-8",
}

Answer = str | Response | tuple[str, int]
_Form = TypeVar("_Form", bound=PageForm)


class MarkForm(PageForm):
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


class DelegateForm(PageForm):
    """What the secretary decides about one delegate."""

    status = SelectField("Trạng thái")
    stands_in_for = StringField(
        "Dự thay cho", render_kw={"maxlength": delegates.MAX_TITLE_LENGTH, "autocomplete": "off"}
    )
    note = TextAreaField(
        "Ghi chú, lý do vắng", render_kw={"rows": 2, "maxlength": delegates.MAX_NOTE_LENGTH}
    )


def _with_statuses(form: _Form) -> _Form:
    form.status.choices = [
        SelectChoice(status.value, _(text)) for status, text in STATUS_WORDS.items()
    ]
    return form


def _mark_form(**values: Any) -> MarkForm:
    return _with_statuses(MarkForm(**values))


def rule() -> Rule:
    """How presence is judged here."""
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
        return _sheet_page(session, page)


def _sheet_page(session: Session, page: dict[str, Any], **more: Any) -> str:
    meeting: Meeting = page["meeting"]
    facts = meeting_facts(meeting)
    who = page["actor"]
    sheet = service.sheet(session, meeting, now(), rule())
    history = versions.of_meeting(session, meeting.id)
    is_locked = bool(history) and history[0].signed_at is not None
    view = str(more.pop("view", request.args.get("xem", "diem-cau")))
    is_part = bool(request.headers.get("HX-Request"))
    return render_template(
        "attendance/sheet.html" if is_part else "attendance/page.html",
        **page,
        sheet=sheet,
        words=STATUS_WORDS,
        views=VIEWS,
        view=view if view in VIEWS else "diem-cau",
        history=history,
        is_locked=is_locked,
        may_mark=may(who, Verb.ATTENDANCE_MARK, facts) and not is_locked,
        may_correct=may(who, Verb.ATTENDANCE_MARK, facts) and is_locked,
        may_sign=may(who, Verb.ATTENDANCE_SIGN, facts) and not is_locked
        and meeting.is_over,
        is_live=meeting.status is Status.LIVE,
        rest_choices=service.REST,
        undo_at=request.args.get("vua", "") if _instant(request.args.get("vua", "")) else "",
        connected=sum(_is_confirmable(line) for line in sheet.sites),
        **{"faults": {}, "typed": {}, **more},
    )  # fmt: skip


def _is_confirmable(line: SiteLine) -> bool:
    is_open = line.status is AttendanceStatus.UNMARKED
    return is_open and line.presence.suggestion in CAME


# --- marking sites ------------------------------------------------------------------------------


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
        **page, line=line, form=form, words=STATUS_WORDS, part="attendance/mark_form.html",
    )  # fmt: skip


def _line(session: Session, meeting: Meeting, site_id: int) -> SiteLine:
    for line in service.sheet(session, meeting, now(), rule()).sites:
        if line.site.id == site_id:
            return line
    raise NotFoundError


@blueprint.post("/<int:site_id>")
def mark(meeting_id: int, site_id: int) -> Answer:
    """Store one mark."""
    form = _mark_form()
    at = now()
    with services().database.transaction() as session:
        page = open_page(session, meeting_id, TAB, Verb.ATTENDANCE_MARK)
        meeting, who = page["meeting"], page["actor"]
        if not form.validate():
            return _form(page, _line(session, meeting, site_id), form), 422
        before = _line(session, meeting, site_id)
        was = before.status.value
        status = AttendanceStatus(form.status.data)
        service.mark(
            session, meeting, site_id,
            status=status, note=form.note.data or "",
            delegates_count=form.delegates_count.data, by=who.name, at=at,
        )  # fmt: skip
        _record(
            session, page, "attendance.mark", at,
            site=before.site.unit_name, before=was, status=status.value,
            suggested=before.presence.suggestion.value,
        )  # fmt: skip
    return _done(meeting_id, _("Đã lưu điểm danh."))


@blueprint.post("/xac-nhan")
def confirm(meeting_id: int) -> Answer:
    """Mark every connected site as the log suggests."""
    at = now()
    with services().database.transaction() as session:
        page = open_page(session, meeting_id, TAB, Verb.ATTENDANCE_MARK)
        count = service.confirm_suggestions(
            session, page["meeting"], CAME, by=page["actor"].name, at=at, rule=rule()
        )
        _record(session, page, "attendance.confirm", at, count=count)
    said = ngettext("Đã xác nhận %(num)d điểm cầu.", "Đã xác nhận %(num)d điểm cầu.", count)
    return _done(meeting_id, said)


@blueprint.post("/con-lai")
def mark_rest(meeting_id: int) -> Answer:
    """Mark every site that nobody marked with one status."""
    at = now()
    chosen = request.form.get("status", "")
    status = next((one for one in AttendanceStatus if one.value == chosen), None)
    with services().database.transaction() as session:
        page = open_page(session, meeting_id, TAB, Verb.ATTENDANCE_MARK)
        try:
            count = service.mark_rest(
                session, page["meeting"], status or AttendanceStatus.UNMARKED,
                by=page["actor"].name, at=at,
            )  # fmt: skip
        except InvalidError as error:
            return _sheet_page(session, page, faults=error.fields), 422
        _record(session, page, "attendance.mark_rest", at, count=count, status=chosen)
    said = ngettext("Đã điểm danh %(num)d điểm cầu.", "Đã điểm danh %(num)d điểm cầu.", count)
    flash(said, "ok")
    target = url_for(
        "attendance.show", meeting_id=meeting_id, vua=at.isoformat() if count else None
    )
    return redirect(target, 303)


@blueprint.post("/con-lai/hoan-tac")
def undo_rest(meeting_id: int) -> Response:
    """Take back what was marked at once a moment ago."""
    at = now()
    made_at = _instant(request.form.get("at", ""))
    with services().database.transaction() as session:
        page = open_page(session, meeting_id, TAB, Verb.ATTENDANCE_MARK)
        count = 0
        if made_at is not None:
            count = service.undo_rest(session, page["meeting"], by=page["actor"].name, at=made_at)
        _record(session, page, "attendance.undo_rest", at, count=count)
    said = ngettext("Đã bỏ điểm danh của %(num)d điểm cầu.",
                    "Đã bỏ điểm danh của %(num)d điểm cầu.", count)  # fmt: skip
    return _done(meeting_id, said)


def _instant(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _record(
    session: Session, page: dict[str, Any], action: str, at: datetime, **detail: Any
) -> None:
    audit.record(
        session, at=at, actor=page["actor"], action=action, object_type="meeting",
        object_id=str(page["meeting"].id), address=client_address(), detail=detail,
    )  # fmt: skip


def _done(meeting_id: int, said: str, view: str | None = None) -> Response:
    if request.headers.get("HX-Request"):
        answer = make_response("", 204)
        answer.headers["HX-Trigger"] = "sheet-changed"
        return answer
    flash(said, "ok")
    return redirect(url_for("attendance.show", meeting_id=meeting_id, xem=view), 303)


# --- delegates ----------------------------------------------------------------------------------


@blueprint.post("/dai-bieu")
def add_delegates(meeting_id: int) -> Answer:
    """Name the people expected at one site, a line each."""
    names = request.form.get("names", "")
    at = now()
    with services().database.transaction() as session:
        page = open_page(session, meeting_id, TAB, Verb.ATTENDANCE_MARK)
        meeting: Meeting = page["meeting"]
        versions.require_open(session, meeting_id)
        chosen = request.form.get("site", type=int)
        site = next((one for one in page["sites"] if one.id == chosen), None)
        try:
            people = delegates.parse(names)
            with session.begin_nested():
                count = delegates.expect(session, meeting, site, people)
        except InvalidError as error:
            typed = {"names": names, "site": chosen}
            answer = _sheet_page(session, page, view="dai-bieu", faults=error.fields, typed=typed)
            return answer, 422
        _record(session, page, "attendance.delegates", at, count=count)
    said = ngettext("Đã thêm %(num)d đại biểu.", "Đã thêm %(num)d đại biểu.", count)
    return _done(meeting_id, said, "dai-bieu")


@blueprint.get("/dai-bieu/<int:delegate_id>")
def edit_delegate(meeting_id: int, delegate_id: int) -> str:
    """The form of one delegate: inside the page's dialog, or as a page of its own."""
    with services().database.reading() as session:
        page = open_page(session, meeting_id, TAB, Verb.ATTENDANCE_MARK)
        row = delegates.find(session, page["meeting"], delegate_id)
        data = {"status": row.status.value, "stands_in_for": row.stands_in_for, "note": row.note}
        return _delegate_form(page, row, _with_statuses(DelegateForm(data=data)))


def _delegate_form(
    page: dict[str, Any], row: Delegate, form: DelegateForm, extra: dict[str, str] | None = None
) -> str:
    is_part = bool(request.headers.get("HX-Request"))
    part = "attendance/delegate_form.html"
    for name, sentence in (extra or {}).items():
        form[name].errors = [sentence]
    return render_template(
        part if is_part else "attendance/mark.html", **page, row=row, form=form, part=part
    )


@blueprint.post("/dai-bieu/<int:delegate_id>")
def mark_delegate(meeting_id: int, delegate_id: int) -> Answer:
    """Store what was decided about one delegate."""
    form = _with_statuses(DelegateForm())
    at = now()
    with services().database.transaction() as session:
        page = open_page(session, meeting_id, TAB, Verb.ATTENDANCE_MARK)
        versions.require_open(session, meeting_id)
        row = delegates.find(session, page["meeting"], delegate_id)
        if not form.validate():
            return _delegate_form(page, row, form), 422
        was = row.status.value
        try:
            delegates.mark(
                row, status=AttendanceStatus(form.status.data), note=form.note.data or "",
                stands_in_for=form.stands_in_for.data or "", by=page["actor"].name, at=at,
            )  # fmt: skip
        except InvalidError as error:
            return _delegate_form(page, row, form, error.fields), 422
        _record(
            session, page, "attendance.mark_delegate", at,
            name=row.full_name, before=was, status=row.status.value,
        )  # fmt: skip
    return _done(meeting_id, _("Đã lưu điểm danh."), "dai-bieu")


@blueprint.post("/dai-bieu/<int:delegate_id>/xoa")
def remove_delegate(meeting_id: int, delegate_id: int) -> Answer:
    """Take a delegate off who was named by mistake."""
    at = now()
    with services().database.transaction() as session:
        page = open_page(session, meeting_id, TAB, Verb.ATTENDANCE_MARK)
        versions.require_open(session, meeting_id)
        row = delegates.find(session, page["meeting"], delegate_id)
        name = row.full_name
        delegates.remove(session, row)
        _record(session, page, "attendance.remove_delegate", at, name=name)
    return _done(meeting_id, _("Đã bỏ %(name)s khỏi danh sách.", name=name), "dai-bieu")


# --- signing ------------------------------------------------------------------------------------


@blueprint.post("/ky")
def sign(meeting_id: int) -> Response:
    """The chair signs what stands there."""
    at = now()
    with services().database.transaction() as session:
        page = open_page(session, meeting_id, TAB, Verb.ATTENDANCE_SIGN)
        meeting: Meeting = page["meeting"]
        sheet = record_of(meeting, service.sheet(session, meeting, at, rule()))
        row = versions.sign(session, meeting, sheet, by=page["actor"].name, at=at)
        _record(session, page, "attendance.sign", at, version=row.number, sha256=row.sha256)
    flash(_("Đã ký xác nhận bảng điểm danh."), "ok")
    return redirect(url_for("attendance.show", meeting_id=meeting_id), 303)


@blueprint.post("/dinh-chinh")
def correct(meeting_id: int) -> Answer:
    """Open the signed sheet for a correction."""
    reason = request.form.get("reason", "")
    at = now()
    with services().database.transaction() as session:
        page = open_page(session, meeting_id, TAB, Verb.ATTENDANCE_MARK)
        try:
            row = versions.correct(session, page["meeting"], reason, by=page["actor"].name, at=at)
        except InvalidError as error:
            return _sheet_page(session, page, faults=error.fields, typed={"reason": reason}), 422
        _record(session, page, "attendance.correct", at, version=row.number, reason=row.reason)
    flash(_("Đã mở đính chính bản %(n)s.", n=row.number), "ok")
    return redirect(url_for("attendance.show", meeting_id=meeting_id), 303)


# --- exports ------------------------------------------------------------------------------------


@blueprint.get("/xuat.<any(xlsx, csv, docx, pdf):kind>")
def export_file(meeting_id: int, kind: str) -> Response:
    """The sheet in one of four formats: as signed (``?ban=N`` for a version), else as it stands."""
    at = now()
    with services().database.transaction() as session:
        meeting = find_meeting(session, meeting_id)
        who = require(Verb.ATTENDANCE_VIEW, meeting_facts(meeting))
        record = _record_for_export(session, meeting, at)
        secretary = meeting.secretary.full_name if meeting.secretary else ""
        audit.record(
            session, at=at, actor=who, action="attendance.export", object_type="meeting",
            object_id=str(meeting_id), address=client_address(),
            detail={"kind": kind, "version": record.version},
        )  # fmt: skip
    made = paper.compose(issuer(), record, secretary=secretary)
    writers: dict[str, Callable[[], bytes]] = {
        "xlsx": lambda: export.workbook(record),
        "csv": lambda: export.csv_text(record),
        "docx": lambda: word.document(made, at),
        "pdf": lambda: pdf.document(made, at),
    }
    answer = make_response(writers[kind]())
    answer.headers["Content-Type"] = MEDIA_TYPES[kind]
    name = f"diem-danh-{meeting_id}"
    if record.version:
        name += f"-ban-{record.version}"
    answer.headers.set("Content-Disposition", "attachment", filename=f"{name}.{kind}")
    return answer


def _record_for_export(session: Session, meeting: Meeting, at: datetime) -> AttendanceRecord:
    number = request.args.get("ban", type=int)
    if number is not None:
        return versions.signed(session, meeting.id, number)
    if versions.is_locked(session, meeting.id):
        last = versions.last_signed(session, meeting.id)
        assert last is not None  # locked means signed
        return last
    return record_of(meeting, service.sheet(session, meeting, at, rule()))
