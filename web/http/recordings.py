"""The tab *Bản ghi*: state and progress, the player, downloads; every access is logged.

The video is sent in ranges (RFC 9110 §14), so it can be sought. A play is logged when the player
asks for its beginning, not for every range of it; a download when it starts.
"""

from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from conference.access import audit
from conference.access.policy import Actor, Verb, may
from conference.archive import recording as life
from conference.archive.files import RecordingFile, path_of
from conference.archive.models import Recording, RecordingState
from conference.archive.recording_states import CAPTURE_STATES
from conference.errors import NotFoundError
from conference.scheduling.facts import meeting_facts
from conference.scheduling.models import Meeting
from web.meeting_page import open_page
from web.services import client_address, now, services

blueprint = Blueprint("recordings", __name__, url_prefix="/cuoc-hop/<int:meeting_id>/ban-ghi")

TAB: Final = "ban-ghi"
CAPTURING: Final = frozenset(CAPTURE_STATES)
WORKING: Final = frozenset(
    {*CAPTURING, RecordingState.STOPPING, RecordingState.CAPTURED, RecordingState.COMPOSING}
)
STATE_WORDS: Final = {
    RecordingState.REQUESTED: "Đang bắt đầu",
    RecordingState.STARTING: "Đang bắt đầu",
    RecordingState.ACTIVE: "Đang ghi",
    RecordingState.INTERRUPTED: "KHÔNG GHI ĐƯỢC",
    RecordingState.STOPPING: "Đang dừng",
    RecordingState.CAPTURED: "Chờ ghép",
    RecordingState.COMPOSING: "Đang ghép",
    RecordingState.PUBLISHED: "Đã xong",
    RecordingState.FAILED_START: "Lỗi ghi",
    RecordingState.FAILED_COMPOSE: "Lỗi ghép",
}


@blueprint.get("")
def show(meeting_id: int) -> str:
    """All recordings of the meeting; with ``?ban`` just that one, as it is refreshed."""
    at = now()
    with services().database.reading() as session:
        page = open_page(session, meeting_id, TAB, Verb.RECORDING_VIEW)
        meeting: Meeting = page["meeting"]
        query = select(Recording).where(Recording.meeting_id == meeting.id)
        only = request.args.get("ban", type=int)
        if only is not None:
            query = query.where(Recording.id == only)
        rows = list(session.scalars(query.order_by(Recording.id.desc())))
        return render_template(
            "recordings/list.html" if only is not None else "recordings/page.html",
            **page,
            recordings=rows,
            states={row.id: _state(row, at) for row in rows},
            words=STATE_WORDS,
            working={row.id for row in rows if row.state in WORKING},
            may_control=may(page["actor"], Verb.RECORDING_START, meeting_facts(meeting)),
            at=at,
        )


def _state(row: Recording, at: Any) -> str:
    """What the line shows: the fact, not the wish. ``silent`` is the alarm."""
    if row.state in CAPTURING:
        light = life.public_state(row, at)
        return {"recording": "recording", "starting": "starting"}.get(light, "silent")
    return row.state.value


@blueprint.get("/<int:recording_id>/phim.mp4")
def video(meeting_id: int, recording_id: int) -> Response:
    """The composed video, in ranges, for the player (and, with ``?tai``, to keep)."""
    is_download = "tai" in request.args
    with services().database.transaction() as session:
        who, row = _published(session, meeting_id, recording_id)
        path = path_of(services().settings.recordings_dir, row, RecordingFile.VIDEO)
        if is_download or _is_beginning(request.headers.get("Range", "")):
            _log(session, who, row, "recording.download" if is_download else "recording.play")
    answer: Response = send_file(
        path,
        mimetype="video/mp4",
        as_attachment=is_download,
        download_name=f"ban-ghi-{meeting_id}-{recording_id}.mp4",
        conditional=True,
        etag=row.manifest_sha256 or True,
    )
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer


def _is_beginning(header: str) -> bool:
    # browsers open with "bytes=0-" and then ask for the parts they need
    return not header or header.replace(" ", "").startswith("bytes=0-")


@blueprint.get("/<int:recording_id>/manifest.json")
def manifest(meeting_id: int, recording_id: int) -> Response:
    """The manifest: digests of all files, with which anybody can check them."""
    with services().database.transaction() as session:
        who, row = _published(session, meeting_id, recording_id)
        path = path_of(services().settings.recordings_dir, row, RecordingFile.MANIFEST)
        _log(session, who, row, "recording.manifest")
    answer: Response = send_file(
        path,
        mimetype="application/json",
        as_attachment=True,
        download_name=f"ban-ghi-{meeting_id}-{recording_id}-manifest.json",
    )
    return answer


@blueprint.post("/<int:recording_id>/ghep-lai")
def compose_again(meeting_id: int, recording_id: int) -> Response:
    """Try a failed composing again from the media that were kept."""
    with services().database.transaction() as session:
        page = open_page(session, meeting_id, TAB, Verb.RECORDING_START)
        row = _row(session, meeting_id, recording_id)
        if life.request_composing(session, row, now()):
            _log(session, page["actor"], row, "recording.compose_again")
    flash(_("Đã xếp hàng ghép lại."), "ok")
    return redirect(url_for("recordings.show", meeting_id=meeting_id), 303)


def _published(session: Session, meeting_id: int, recording_id: int) -> tuple[Actor, Recording]:
    page = open_page(session, meeting_id, TAB, Verb.RECORDING_VIEW)
    row = _row(session, meeting_id, recording_id)
    if row.state is not RecordingState.PUBLISHED:
        raise NotFoundError
    return page["actor"], row


def _row(session: Session, meeting_id: int, recording_id: int) -> Recording:
    row = session.get(Recording, recording_id)
    if row is None or row.meeting_id != meeting_id:
        raise NotFoundError
    return row


def _log(session: Session, who: Actor, row: Recording, action: str) -> None:
    audit.record(
        session, at=now(), actor=who, action=action, object_type="recording",
        object_id=str(row.id), address=client_address(), detail={"meeting_id": row.meeting_id},
    )  # fmt: skip
