"""The official invitation of a meeting: write it, enter its number, print it; the templates."""

from dataclasses import asdict
from typing import Any, Final

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import IntegerField, RadioField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length, Optional

from conference.access import audit
from conference.access.policy import Verb, may
from conference.documents import office_suite
from conference.errors import ConflictError, InvalidError, NotFoundError
from conference.handover import service as handover
from conference.invitation_papers import office_template, service
from conference.invitation_papers.models import PaperKind
from conference.invitation_papers.wording import Text
from conference.scheduling.models import Meeting
from conference.statistics.periods import parse_day
from web.forms import PageForm
from web.meeting_page import open_page
from web.services import client_address, issuer, now, require, services

blueprint = Blueprint("invitation_papers", __name__)

_DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_TYPES: Final = {"docx": _DOCX, "pdf": "application/pdf", "zip": "application/zip"}
KIND_CHOICES: Final = (
    SelectChoice(PaperKind.INVITATION.value, _l("Giấy mời")),
    SelectChoice(PaperKind.NOTICE.value, _l("Thông báo thay giấy mời")),
)


class PaperForm(PageForm):
    """What the office writes."""

    kind = RadioField(_l("Loại văn bản"), choices=list(KIND_CHOICES))
    number = StringField(_l("Số, ký hiệu"), [Length(max=60)])
    issued_on = StringField(_l("Ngày ban hành"))
    addressees = TextAreaField(_l("Kính mời"), render_kw={"rows": 8})
    places = TextAreaField(_l("Địa điểm"), render_kw={"rows": 4})
    requirements = TextAreaField(_l("Yêu cầu"), render_kw={"rows": 3})
    contact = StringField(_l("Đầu mối liên hệ"), [Length(max=300)])
    authority = TextAreaField(_l("Quyền hạn, chức vụ người ký"), render_kw={"rows": 2})
    signer = StringField(_l("Họ tên người ký"), [Length(max=120)])
    recipients = TextAreaField(_l("Nơi nhận"), render_kw={"rows": 3})
    version = IntegerField("", [Optional()])

    def text(self) -> Text:
        """What was typed."""
        return Text(
            kind=PaperKind(self.kind.data or PaperKind.INVITATION.value),
            number=_line(self.number.data),
            issued_on=parse_day(self.issued_on.data or ""),
            addressees=_lines(self.addressees.data),
            places=_lines(self.places.data),
            requirements=_lines(self.requirements.data),
            contact=_line(self.contact.data),
            authority=_lines(self.authority.data),
            signer=_line(self.signer.data),
            recipients=_lines(self.recipients.data),
        )


def _line(text: str | None) -> str:
    return " ".join((text or "").split())


def _lines(text: str | None) -> str:
    return "\n".join(line.strip() for line in (text or "").splitlines() if line.strip())


@blueprint.get("/cuoc-hop/<int:meeting_id>/giay-moi/van-ban")
def show(meeting_id: int) -> str:
    """The form, filled with what was saved or with what the meeting gives."""
    with services().database.reading() as session:
        page = open_page(session, meeting_id, "giay-moi", Verb.INVITATION_WRITE)
        row, text = _text(session, page["meeting"])
        values: dict[str, Any] = {**asdict(text), "kind": text.kind.value}
        values["issued_on"] = text.issued_on.strftime("%d/%m/%Y") if text.issued_on else ""
        values["version"] = row.version if row else 0
        return _page(session, page, PaperForm(data=values))


def _text(session: Session, meeting: Meeting) -> tuple[Any, Text]:
    row = service.find(session, meeting.id)
    if row is not None:
        return row, service.text_of(row)
    hotline = services().settings.office.hotline
    return None, service.first_text(session, meeting, hotline=hotline, issuer=issuer())


def _page(session: Session, page: dict[str, Any], form: PaperForm) -> str:
    return render_template(
        "invitation_papers/form.html",
        **page,
        form=form,
        saved=service.find(session, page["meeting"].id),
        templates=service.templates(session),
        has_suite=office_suite.find() is not None,
        may_templates=may(page["actor"], Verb.TEMPLATE_MANAGE),
    )


@blueprint.post("/cuoc-hop/<int:meeting_id>/giay-moi/van-ban")
def save(meeting_id: int) -> str | Response | tuple[str, int]:
    """Store what was typed."""
    form = PaperForm()
    faults: dict[str, str] = {}
    status = 422
    with services().database.transaction() as session:
        page = open_page(session, meeting_id, "giay-moi", Verb.INVITATION_WRITE)
        is_valid = form.validate()
        typed_day = (form.issued_on.data or "").strip()
        if typed_day and parse_day(typed_day) is None:
            faults["issued_on"] = _("Ngày không đúng; ví dụ 02/01/2021.")
        if is_valid and not faults:
            try:
                service.save(
                    session, page["meeting"], form.text(), version=form.version.data or 0,
                    actor=page["actor"], at=now(), address=client_address(),
                )  # fmt: skip
                flash(_("Đã lưu văn bản mời."), "ok")
                return redirect(url_for("invitation_papers.show", meeting_id=meeting_id), 303)
            except InvalidError as error:
                faults = error.fields
            except ConflictError as error:
                faults, status = {"version": error.message}, 409
                form.version.data = getattr(service.find(session, meeting_id), "version", 0)
        for name, sentence in faults.items():
            form[name].errors = [sentence]
        return _page(session, page, form), status


@blueprint.get("/cuoc-hop/<int:meeting_id>/giay-moi/van-ban.<any(docx,pdf,zip):kind>")
def paper_file(meeting_id: int, kind: str) -> Response:
    """The paper as a file; a ZIP holds one for each addressee."""
    at = now()
    with services().database.transaction() as session:
        page = open_page(session, meeting_id, "giay-moi", Verb.INVITATION_WRITE)
        meeting: Meeting = page["meeting"]
        _row, text = _text(session, meeting)
        make = {"docx": service.docx, "pdf": service.pdf_file, "zip": service.one_for_each}[kind]
        content = make(session, issuer(), meeting, text, at)
        audit.record(
            session, at=at, actor=page["actor"], action="invitation_paper.exported",
            object_type="meeting", object_id=meeting_id, address=client_address(), note=kind,
        )  # fmt: skip
    answer = make_response(content)
    answer.mimetype = _TYPES[kind]
    name = "thong-bao" if text.kind is PaperKind.NOTICE else "giay-moi"
    answer.headers.set("Content-Disposition", "attachment", filename=f"{name}-{meeting_id}.{kind}")
    return answer


@blueprint.get("/cuoc-hop/<int:meeting_id>/giay-moi/chuyen-van-ban.zip")
def hand_over(meeting_id: int) -> Response:
    """The papers with their metadata, for the document system."""
    at = now()
    with services().database.transaction() as session:
        page = open_page(session, meeting_id, "giay-moi", Verb.INVITATION_WRITE)
        content = handover.package(session, issuer(), page["meeting"], at)
        audit.record(
            session, at=at, actor=page["actor"], action="papers.handed_over",
            object_type="meeting", object_id=meeting_id, address=client_address(),
        )  # fmt: skip
    answer = make_response(content)
    answer.mimetype = _TYPES["zip"]
    name = f"van-ban-cuoc-hop-{meeting_id}.zip"
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer


# --- templates -----------------------------------------------------------------------------------


@blueprint.get("/quan-tri/mau-van-ban")
def templates() -> str:
    """The offices' own layouts, and how fields are written."""
    require(Verb.TEMPLATE_MANAGE)
    return _templates_page({})


def _templates_page(faults: dict[str, str]) -> str:
    with services().database.reading() as session:
        found = service.templates(session)
    words = {one.value: one.label for one in KIND_CHOICES}
    return render_template(
        "invitation_papers/templates.html", kinds=PaperKind, found=found, words=words,
        fields=office_template.FIELDS, faults=faults, has_suite=office_suite.find() is not None,
    )  # fmt: skip


@blueprint.post("/quan-tri/mau-van-ban/<kind>")
def set_template(kind: str) -> str | Response | tuple[str, int]:
    """Use an uploaded layout, or return to the decree's."""
    actor = require(Verb.TEMPLATE_MANAGE)
    wanted = _kind(kind)
    try:
        with services().database.transaction() as session:
            if "drop" in request.form:
                service.drop_template(
                    session, wanted, actor=actor, at=now(), address=client_address()
                )
                flash(_("Đã trở về mẫu chuẩn."), "ok")
            else:
                file = request.files.get("file")
                content = file.read(office_template.MAX_BYTES + 1) if file else b""
                service.set_template(
                    session, wanted, (file and file.filename) or "mau.docx", content,
                    actor=actor, at=now(), address=client_address(),
                )  # fmt: skip
                flash(_("Đã dùng mẫu mới."), "ok")
    except InvalidError as error:
        return _templates_page({wanted.value: error.fields.get("file", error.message)}), 422
    return redirect(url_for("invitation_papers.templates"), 303)


@blueprint.get("/quan-tri/mau-van-ban/<kind>.docx")
def template_file(kind: str) -> Response:
    """The layout in force, or the one to start from."""
    require(Verb.TEMPLATE_MANAGE)
    wanted = _kind(kind)
    with services().database.reading() as session:
        row = service.templates(session).get(wanted)
        content = row.content if row else office_template.starting_template(wanted, now())
    answer = make_response(content)
    answer.mimetype = _DOCX
    answer.headers.set("Content-Disposition", "attachment", filename=f"mau-{wanted.value}.docx")
    return answer


def _kind(text: str) -> PaperKind:
    try:
        return PaperKind(text)
    except ValueError:
        raise NotFoundError from None
