"""The papers tab: upload with an early no to what is too large, download, removal."""

from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from conference.access.policy import Verb, may
from conference.errors import ForbiddenError, InvalidError, NotFoundError
from conference.scheduling import papers
from conference.scheduling.facts import meeting_facts
from conference.scheduling.paper_types import ACCEPTED_SUFFIXES
from conference.scheduling.papers import StoredFile
from conference.scheduling.rules import REFUSAL
from web.errors import error_document, wants_json
from web.meeting_page import find_meeting, open_page
from web.services import client_address, now, require, services

blueprint = Blueprint("papers", __name__)

Answer = str | Response | tuple[str | dict[str, object], int]


@blueprint.get("/cuoc-hop/<int:meeting_id>/tai-lieu")
def index(meeting_id: int) -> str:
    """The papers of a meeting."""
    return _page(meeting_id)


@blueprint.post("/cuoc-hop/<int:meeting_id>/tai-lieu")
def upload(meeting_id: int) -> Answer:
    """Add a paper. The size was judged from Content-Length before anything was read."""
    with services().database.reading() as session:
        actor = require(Verb.PAPER_UPLOAD, meeting_facts(find_meeting(session, meeting_id)))
    try:
        stored = _store_upload()
    except InvalidError as error:
        if wants_json():
            return error_document(error.reason, error.message), 422
        return _page(meeting_id, faults=error.fields), 422
    try:
        with services().database.transaction() as session:
            papers.add_paper(
                session, meeting_id, stored, actor=actor, at=now(), address=client_address(),
                is_summary="is_summary" in request.form,
                is_restricted="is_restricted" in request.form,
            )  # fmt: skip
    except BaseException:
        papers.discard(services().settings.papers_dir, stored.stored_name)
        raise
    flash(_("Đã thêm “%(name)s”.", name=stored.filename), "ok")
    target = url_for("papers.index", meeting_id=meeting_id)
    return ({"href": target}, 201) if wants_json() else redirect(target)


@blueprint.get("/cuoc-hop/<int:meeting_id>/tai-lieu/<int:paper_id>")
def download(meeting_id: int, paper_id: int) -> Response:
    """A paper as an attachment under its own name (RFC 6266); never shown inside our origin."""
    with services().database.reading() as session:
        meeting = find_meeting(session, meeting_id)
        reader = require(Verb.PAPER_READ, meeting_facts(meeting))
        paper = papers.find_paper(session, meeting_id, paper_id)
        if paper.is_collected and not may(reader, Verb.PAPER_UPLOAD, meeting_facts(meeting)):
            raise ForbiddenError(_("Tài liệu đã được thu hồi khi cuộc họp kết thúc."))
    path = (services().settings.papers_dir / paper.stored_name).resolve()
    if not path.is_file():
        raise NotFoundError(_("Tệp này không còn trên máy chủ. Báo cho quản trị."))
    response = send_file(
        path,
        mimetype=paper.media_type,
        as_attachment=True,
        download_name=paper.filename,
        etag=paper.sha256,
        last_modified=paper.uploaded_at,
        conditional=True,
    )
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@blueprint.post("/cuoc-hop/<int:meeting_id>/tai-lieu/<int:paper_id>/go")
def remove(meeting_id: int, paper_id: int) -> Response:
    """Take a paper off."""
    with services().database.reading() as session:
        actor = require(Verb.PAPER_UPLOAD, meeting_facts(find_meeting(session, meeting_id)))
    with services().database.transaction() as session:
        stored_name = papers.remove_paper(
            session, meeting_id, paper_id, actor=actor, at=now(), address=client_address()
        )
    papers.discard(services().settings.papers_dir, stored_name)
    flash(_("Đã gỡ tài liệu."), "ok")
    return redirect(url_for("papers.index", meeting_id=meeting_id))


def _store_upload() -> StoredFile:
    settings = services().settings
    file = request.files.get("file")
    if "not_secret" not in request.form:
        raise InvalidError({"not_secret": REFUSAL}, code="state_secret")
    if file is None or not file.filename:
        raise InvalidError({"file": _("Chọn tệp.")})
    return papers.store(
        settings.papers_dir,
        file.stream,
        file.filename,
        max_bytes=settings.web.max_upload_mib << 20,
    )


def _page(meeting_id: int, *, faults: dict[str, str] | None = None) -> str:
    with services().database.reading() as session:
        page = open_page(session, meeting_id, "tai-lieu", Verb.PAPER_READ)
        return render_template(
            "meetings/papers.html",
            **page,
            papers=papers.papers_of(session, meeting_id),
            faults=faults or {},
            accept=",".join(ACCEPTED_SUFFIXES),
            max_mib=services().settings.web.max_upload_mib,
        )
