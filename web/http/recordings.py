"""The tab *Bản ghi*: state and progress, the player, captions, downloads; every access is logged.

The video is sent in ranges (RFC 9110 §14), so it can be sought. A play is logged when the player
asks for its beginning, not for every range of it; a download when it starts.
"""

from collections.abc import Sequence
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from conference.access import audit
from conference.access.policy import Actor, Verb, may
from conference.archive import captions, files
from conference.archive import recording as life
from conference.archive.files import RecordingFile
from conference.archive.models import Recording, RecordingState
from conference.archive.recording_states import CAPTURE_STATES
from conference.errors import InvalidError, NotFoundError, StoreUnavailableError
from conference.scheduling.facts import meeting_facts
from conference.scheduling.models import Meeting
from web.meeting_page import open_page
from web.recording_files import answer_with
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
SOURCE_WORDS: Final = {
    "microphone": "Micro",
    "camera": "Camera",
    "screen_share": "Màn hình chiếu",
    "screen_share_audio": "Tiếng màn hình chiếu",
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
        may_control = may(page["actor"], Verb.RECORDING_START, meeting_facts(meeting))
        sources, trouble = _all_sources(rows) if may_control else ({}, "")
        return render_template(
            "recordings/list.html" if only is not None else "recordings/page.html",
            **page,
            recordings=rows,
            states={row.id: _state(row, at) for row in rows},
            words=STATE_WORDS,
            working={row.id for row in rows if row.state in WORKING},
            captioned=_captioned(rows),
            sources=sources,
            store_trouble=trouble,
            source_words=SOURCE_WORDS,
            may_control=may_control,
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
        file = files.find(services().recordings, row, RecordingFile.VIDEO)
        if is_download or _is_beginning(request.headers.get("Range", "")):
            _log(session, who, row, "recording.download" if is_download else "recording.play")
        tag = row.manifest_sha256
    name = f"ban-ghi-{meeting_id}-{recording_id}.mp4"
    return answer_with(file, "video/mp4", name, is_download=is_download, tag=tag)


@blueprint.get("/<int:recording_id>/tieng.m4a")
def sound(meeting_id: int, recording_id: int) -> Response:
    """The sound alone, to keep."""
    with services().database.transaction() as session:
        who, row = _published(session, meeting_id, recording_id)
        file = files.find(services().recordings, row, RecordingFile.SOUND)
        _log(session, who, row, "recording.download_sound")
    return answer_with(file, "audio/mp4", f"ban-ghi-{meeting_id}-{recording_id}.m4a")


@blueprint.get("/<int:recording_id>/nguon/<int:number>")
def source(meeting_id: int, recording_id: int, number: int) -> Response:
    """One captured track as it was sent, for those who decide on recordings."""
    with services().database.transaction() as session:
        open_page(session, meeting_id, TAB, Verb.RECORDING_START)
        who, row = _published(session, meeting_id, recording_id)
        listed = _sources(row)
        if not 0 <= number < len(listed):
            raise NotFoundError
        chosen = listed[number]
        file = files.find_source(services().recordings, row, chosen)
        _log(session, who, row, "recording.download_source", path=chosen.path)
    name = f"ban-ghi-{meeting_id}-{recording_id}-nguon-{number + 1}.mkv"
    return answer_with(file, "video/x-matroska", name)


@blueprint.get("/<int:recording_id>/chuong.vtt")
def chapter_track(meeting_id: int, recording_id: int) -> Response:
    """The chapters as WebVTT."""
    with services().database.reading() as session:
        _, row = _published(session, meeting_id, recording_id)
        text = captions.chapters(row.chapters, row.duration_s or 0.0)
    return Response(text, mimetype="text/vtt")


@blueprint.get("/<int:recording_id>/phu-de.vtt")
def caption_track(meeting_id: int, recording_id: int) -> Response:
    """The captions that somebody has put beside the film."""
    with services().database.reading() as session:
        _, row = _published(session, meeting_id, recording_id)
        file = files.find(services().recordings, row, RecordingFile.CAPTIONS)
    return answer_with(file, "text/vtt", "phu-de.vtt", is_download=False)


@blueprint.post("/<int:recording_id>/phu-de")
def put_captions(meeting_id: int, recording_id: int) -> Response:
    """Take captions in WebVTT or SubRip; those of before are replaced."""
    upload = request.files.get("captions")
    content = upload.stream.read(captions.MAX_BYTES + 1) if upload else b""
    with services().database.transaction() as session:
        page = open_page(session, meeting_id, TAB, Verb.RECORDING_START)
        row = _published(session, meeting_id, recording_id)[1]
        try:
            clean = captions.read_captions(content)
        except InvalidError as error:
            flash(_(next(iter(error.fields.values()))), "danger")
        else:
            files.keep_captions(services().recordings, row, clean)
            _log(session, page["actor"], row, "recording.captions")
            flash(_("Đã thêm phụ đề."), "ok")
    return redirect(url_for("recordings.show", meeting_id=meeting_id), 303)


def _captioned(rows: Sequence[Recording]) -> set[int]:
    store = services().recordings
    return {row.id for row in rows if files.has_captions(store, row)}


def _sources(row: Recording) -> list[files.SourceFile]:
    if row.state is not RecordingState.PUBLISHED:
        return []
    return files.sources_of(services().recordings, row)


def _all_sources(rows: Sequence[Recording]) -> tuple[dict[int, list[files.SourceFile]], str]:
    """Captured files of all rows, and why they could not be told; a silent store is asked once."""
    found: dict[int, list[files.SourceFile]] = {}
    for row in rows:
        try:
            found[row.id] = _sources(row)
        except StoreUnavailableError as error:
            return found, error.message
    return found, ""


def _is_beginning(header: str) -> bool:
    # browsers open with "bytes=0-" and then ask for the parts they need
    return not header or header.replace(" ", "").startswith("bytes=0-")


@blueprint.get("/<int:recording_id>/manifest.json")
def manifest(meeting_id: int, recording_id: int) -> Response:
    """The manifest: digests of all files, with which anybody can check them."""
    with services().database.transaction() as session:
        who, row = _published(session, meeting_id, recording_id)
        file = files.find(services().recordings, row, RecordingFile.MANIFEST)
        _log(session, who, row, "recording.manifest")
    name = f"ban-ghi-{meeting_id}-{recording_id}-manifest.json"
    return answer_with(file, "application/json", name)


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


def _log(session: Session, who: Actor, row: Recording, action: str, **detail: str) -> None:
    audit.record(
        session, at=now(), actor=who, action=action, object_type="recording",
        object_id=str(row.id), address=client_address(),
        detail={"meeting_id": row.meeting_id, **detail},
    )  # fmt: skip
