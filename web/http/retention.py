"""How long files are kept, holds on them, and their destruction by decision."""

from collections.abc import Callable
from datetime import date
from typing import Any, Final

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from conference.access import audit
from conference.access.policy import Actor, Verb
from conference.documents import pdf, word
from conference.errors import InvalidError, NotFoundError
from conference.retention import paper, service
from conference.retention.erase import Stores
from conference.retention.models import Stage
from conference.retention.terms import BAR_WORDS
from conference.scheduling.local_time import local_day
from web.http.attendance import MEDIA_TYPES
from web.services import client_address, issuer, now, require, services

blueprint = Blueprint("retention", __name__, url_prefix="/luu-tru")

Answer = str | Response | tuple[str, int]
VIEWS: Final = {
    "": "Tất cả", "het-han": "Hết thời hạn", "chua-xac-dinh": "Chưa xác định",
    "tam-giu": "Đang tạm giữ",
}  # fmt: skip
STAGE_WORDS: Final = {
    Stage.PROPOSED: ("Chờ quyết định", "warn"),
    Stage.DECIDED: ("Đã có quyết định", "primary"),
    Stage.EXECUTED: ("Đã tiêu hủy", "danger"),
    Stage.WITHDRAWN: ("Đã rút", ""),
}


def stores() -> Stores:
    """Where the files of this installation are."""
    settings = services().settings
    return Stores(settings.papers_dir, settings.recordings_dir, services().bucket)


@blueprint.get("")
def index() -> str:
    """Files that are over, with their terms."""
    require(Verb.ARCHIVE_DECIDE)
    with services().database.reading() as session:
        return _files_page(session)


def _files_page(session: Session, faults: dict[str, str] | None = None) -> str:
    view = request.values.get("xem", "")
    view = view if view in VIEWS else ""
    page = max(1, request.args.get("page", 1, type=int))
    lines, total = service.files(session, local_day(now()), wanted=view, page=page)
    return render_template(
        "archive/files.html", lines=lines, total=total, page=page, view=view, views=VIEWS,
        page_count=max(1, -(-total // service.PAGE_SIZE)), classes=service.classes(session),
        bar_words=BAR_WORDS, faults=faults or {}, part="terms",
        chosen=set(request.form.getlist("files", type=int)),
    )  # fmt: skip


@blueprint.post("")
def choose() -> Answer:
    """Do to the chosen files what the pressed button says: give a class, or list them."""
    who = require(Verb.ARCHIVE_DECIDE)
    chosen = request.form.getlist("files", type=int)
    try:
        with services().database.transaction() as session:
            if "propose" in request.form:
                made = service.propose(session, chosen, actor=who, at=now())
                target = url_for("retention.destruction", number=made.id)
                said = _("Đã lập danh mục tiêu hủy số %(n)s.", n=made.id)
            else:
                code = request.form.get("code", "")
                count = service.set_term(session, chosen, code, actor=who, at=now())
                target = url_for("retention.index", xem=request.form.get("xem") or None)
                said = ngettext("Đã ghi thời hạn của %(num)d hồ sơ.",
                                "Đã ghi thời hạn của %(num)d hồ sơ.", count)  # fmt: skip
    except InvalidError as error:
        with services().database.reading() as session:
            return _files_page(session, error.fields), 422
    flash(said, "ok")
    return redirect(target, 303)


@blueprint.get("/ho-so/<int:meeting_id>")
def file(meeting_id: int) -> str:
    """One file: its term, what forbids destroying it, its holds."""
    require(Verb.ARCHIVE_DECIDE)
    return _file_page(meeting_id)


def _file_page(meeting_id: int, faults: dict[str, str] | None = None) -> str:
    with services().database.reading() as session:
        line = service.line_of(session, meeting_id, local_day(now()))
        return render_template(
            "archive/file.html", line=line, classes=service.classes(session),
            bar_words=BAR_WORDS, faults=faults or {}, part="terms",
            reason=request.form.get("reason", ""),
        )  # fmt: skip


@blueprint.post("/ho-so/<int:meeting_id>/tam-giu")
def hold(meeting_id: int) -> Answer:
    """Keep one file whatever its term says."""
    who = require(Verb.ARCHIVE_DECIDE)
    try:
        with services().database.transaction() as session:
            reason = request.form.get("reason", "")
            service.hold(session, meeting_id, reason, actor=who, at=now())
    except InvalidError as error:
        return _file_page(meeting_id, error.fields), 422
    flash(_("Đã tạm giữ hồ sơ; không ai tiêu hủy được."), "ok")
    return redirect(url_for("retention.file", meeting_id=meeting_id), 303)


@blueprint.post("/bo-tam-giu/<int:hold_id>")
def lift(hold_id: int) -> Response:
    """End a hold."""
    who = require(Verb.ARCHIVE_DECIDE)
    with services().database.transaction() as session:
        row = service.lift(session, hold_id, actor=who, at=now())
        meeting_id = row.meeting_id
    flash(_("Đã bỏ tạm giữ."), "ok")
    return redirect(url_for("retention.file", meeting_id=meeting_id), 303)


@blueprint.route("/thoi-han", methods=["GET", "POST"])
def schedule() -> Answer:
    """The office's terms."""
    who = require(Verb.ARCHIVE_DECIDE)
    if request.method == "GET":
        return _schedule_page({})
    try:
        years = _years(request.form.get("years", "").strip())
        with services().database.transaction() as session:
            term = service.set_class(
                session, request.form.get("code", ""), request.form.get("name", ""),
                years, actor=who, at=now(),
            )  # fmt: skip
    except InvalidError as error:
        return _schedule_page(error.fields), 422
    flash(_("Đã ghi thời hạn “%(name)s”.", name=term.name), "ok")
    return redirect(url_for("retention.schedule"), 303)


def _years(typed: str) -> int | None:
    if not typed:
        return None
    if not (typed.isdecimal() and len(typed) < 5):
        raise InvalidError({"years": "Nhập số năm, hoặc để trống nếu vĩnh viễn."})
    return int(typed)


def _schedule_page(faults: dict[str, str]) -> str:
    with services().database.reading() as session:
        return render_template(
            "archive/schedule.html", classes=service.classes(session), faults=faults,
            typed=request.form, part="schedule",
        )  # fmt: skip


# --- destruction ---------------------------------------------------------------------------------


@blueprint.get("/tieu-huy")
def destructions() -> str:
    """All lists of files to be destroyed, and what became of them."""
    require(Verb.ARCHIVE_DECIDE)
    with services().database.reading() as session:
        return render_template(
            "archive/destructions.html", rows=service.destructions(session),
            stage_words=STAGE_WORDS, part="destruction",
        )  # fmt: skip


@blueprint.get("/tieu-huy/<int:number>")
def destruction(number: int) -> str:
    """One list and its next step."""
    who = require(Verb.ARCHIVE_DECIDE)
    return _destruction_page(number, who)


def _destruction_page(number: int, who: Actor, faults: dict[str, str] | None = None) -> str:
    with services().database.reading() as session:
        row = service.find(session, number)
        return render_template(
            "archive/destruction.html", row=row, stage_words=STAGE_WORDS, faults=faults or {},
            typed=request.form, part="destruction", is_whole=service.is_record_whole(row),
            is_own=who.account_id is not None and who.account_id == row.proposed_by_id,
        )  # fmt: skip


@blueprint.post("/tieu-huy/<int:number>/quyet-dinh")
def decide(number: int) -> Answer:
    """Enter the decision."""
    who = require(Verb.ARCHIVE_DECIDE)
    try:
        with services().database.transaction() as session:
            service.decide(
                session, service.find(session, number), number=request.form.get("number", ""),
                day=_day(request.form.get("day", "")),
                signatory=request.form.get("signatory", ""), actor=who, at=now(),
            )  # fmt: skip
    except InvalidError as error:
        return _destruction_page(number, who, error.fields), 422
    flash(_("Đã ghi quyết định tiêu hủy."), "ok")
    return redirect(url_for("retention.destruction", number=number), 303)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@blueprint.post("/tieu-huy/<int:number>/rut")
def withdraw(number: int) -> Response:
    """Give the list up."""
    who = require(Verb.ARCHIVE_DECIDE)
    with services().database.transaction() as session:
        service.withdraw(session, service.find(session, number), actor=who, at=now())
    flash(_("Đã rút danh mục; các hồ sơ vẫn được giữ."), "ok")
    return redirect(url_for("retention.destruction", number=number), 303)


@blueprint.post("/tieu-huy/<int:number>/thuc-hien")
def execute(number: int) -> Answer:
    """Destroy what the decision covers."""
    who = require(Verb.ARCHIVE_DECIDE)
    try:
        with services().database.transaction() as session:
            service.execute(
                session, number, stores(), number=request.form.get("number", ""), actor=who,
                at=now(),
            )  # fmt: skip
    except InvalidError as error:
        return _destruction_page(number, who, error.fields), 422
    left = service.finish(services().database, stores())
    if left:
        flash(
            _("Đã xóa dữ liệu; còn %(n)s tệp chưa xóa được khỏi đĩa hoặc kho S3.", n=left), "danger"
        )
    else:
        flash(_("Đã tiêu hủy. Biên bản được giữ vĩnh viễn."), "ok")
    return redirect(url_for("retention.destruction", number=number), 303)


@blueprint.get("/tieu-huy/<int:number>/<any('danh-muc', 'bien-ban'):what>.<any(docx, pdf):ending>")
def paper_file(number: int, what: str, ending: str) -> Response:
    """The list, or the record of the destruction, as a paper; who took it is logged."""
    who = require(Verb.ARCHIVE_DECIDE)
    at = now()
    with services().database.transaction() as session:
        row = service.find(session, number)
        if what == "bien-ban" and row.stage is not Stage.EXECUTED:
            raise NotFoundError
        made = (paper.record_of if what == "bien-ban" else paper.list_of)(issuer(), row)
        audit.record(
            session, at=at, actor=who, action="destruction.paper", object_type="destruction",
            object_id=number, address=client_address(), detail={"paper": what, "kind": ending},
        )  # fmt: skip
    writers: dict[str, Callable[[], bytes]] = {
        "docx": lambda: word.document(made, at), "pdf": lambda: pdf.document(made, at)
    }  # fmt: skip
    return file_answer(writers[ending](), f"{what}-tieu-huy-{number}.{ending}", ending)


def file_answer(content: bytes, name: str, ending: str) -> Response:
    """``content`` as a download that no cache keeps."""
    kinds: dict[str, Any] = {**MEDIA_TYPES, "json": "application/json"}
    answer = make_response(content)
    answer.headers["Content-Type"] = kinds[ending]
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    answer.headers["Cache-Control"] = "no-store"
    return answer
