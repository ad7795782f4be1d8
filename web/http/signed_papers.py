"""Papers that came back signed: upload, the verdict on their signatures, download."""

from typing import Final

from flask import Blueprint, flash, redirect, request, send_file, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from conference.access import audit
from conference.access.policy import Verb
from conference.errors import InvalidError, NotFoundError
from conference.minutes import service as minutes
from conference.scheduling import papers
from conference.scheduling.facts import meeting_facts
from conference.scheduling.papers import StoredFile
from conference.signatures import service
from conference.signatures.models import SignedKind, Verdict
from conference.signatures.service import VERDICT_WORDS
from web.meeting_page import find_meeting
from web.services import client_address, now, require, services

blueprint = Blueprint("signed_papers", __name__, url_prefix="/cuoc-hop/<int:meeting_id>/ban-ky")

TABS: Final = {
    SignedKind.MINUTES: "bien-ban",
    SignedKind.NOTICE: "ket-luan",
    SignedKind.ATTENDANCE: "diem-danh",
}
LOCKING: Final = frozenset({Verdict.VALID, Verdict.UNKNOWN})
"""A paper that is signed, by whomever, closes the text it was made from."""


@blueprint.post("/<any(minutes, notice, attendance):kind>")
def upload(meeting_id: int, kind: str) -> Response:
    """File a signed PDF; broken signatures are kept too, and called so."""
    wanted = SignedKind(kind)
    settings = services().settings
    with services().database.reading() as session:
        who = require(Verb.MINUTES_EDIT, meeting_facts(find_meeting(session, meeting_id)))
    back = redirect(f"/cuoc-hop/{meeting_id}/{TABS[wanted]}", 303)
    try:
        stored = _stored()
    except InvalidError as error:
        flash(_(error.message), "danger")
        return back
    try:
        report = service.examine(settings.papers_dir, stored.stored_name, settings.authorities_dir)
        with services().database.transaction() as session:
            row = service.file_paper(
                session, meeting_id, wanted, stored, report, by=who.name, at=now()
            )
            text = minutes.find(session, meeting_id)
            if wanted is SignedKind.MINUTES and text is not None and row.verdict in LOCKING:
                minutes.sign(session, text, now())
            audit.record(
                session, at=now(), actor=who, action="signed_paper.add", object_type="meeting",
                object_id=meeting_id, address=client_address(),
                detail={"kind": kind, "sha256": row.sha256, "verdict": row.verdict.value},
            )  # fmt: skip
    except BaseException:
        papers.discard(settings.papers_dir, stored.stored_name)
        raise
    tone = {Verdict.VALID: "ok", Verdict.BROKEN: "danger"}.get(report.verdict, "warn")
    flash(_(VERDICT_WORDS[report.verdict]), tone)
    return back


def _stored() -> StoredFile:
    settings = services().settings
    file = request.files.get("file")
    if file is None or not file.filename:
        raise InvalidError({"file": _("Chọn tệp.")})
    return service.store(
        settings.papers_dir, file.stream, file.filename,
        max_bytes=settings.web.max_upload_mib << 20,
    )  # fmt: skip


@blueprint.get("/<int:paper_id>.pdf")
def download(meeting_id: int, paper_id: int) -> Response:
    """The file as it was uploaded."""
    with services().database.transaction() as session:
        who = require(Verb.MINUTES_VIEW, meeting_facts(find_meeting(session, meeting_id)))
        row = service.find(session, meeting_id, paper_id)
        audit.record(
            session, at=now(), actor=who, action="signed_paper.download", object_type="meeting",
            object_id=meeting_id, address=client_address(), detail={"paper": paper_id},
        )  # fmt: skip
    path = (services().settings.papers_dir / row.stored_name).resolve()
    if not path.is_file():
        raise NotFoundError
    answer: Response = send_file(
        path, mimetype=service.PDF, as_attachment=True, download_name=row.filename
    )
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer


@blueprint.post("/<int:paper_id>/kiem-tra")
def check(meeting_id: int, paper_id: int) -> Response:
    """Check again, after authorities were installed."""
    settings = services().settings
    with services().database.transaction() as session:
        require(Verb.MINUTES_EDIT, meeting_facts(find_meeting(session, meeting_id)))
        row = service.find(session, meeting_id, paper_id)
        report = service.examine(settings.papers_dir, row.stored_name, settings.authorities_dir)
        service.check_again(row, report, now())
        tab, said = TABS[row.kind], VERDICT_WORDS[row.verdict]
    flash(_(said), "ok" if report.verdict is Verdict.VALID else "warn")
    return redirect(url_for("minutes.show", meeting_id=meeting_id).replace("bien-ban", tab), 303)
