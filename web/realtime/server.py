"""The Socket.IO namespace ``/conduct``: admit, parse, act in one transaction, tell.

Order of every event: the row is committed first, then the media engine is asked, then everybody is
told. When the engine does not answer the row stands, the sender is told so, and the next
reconciliation applies the rights that follow from the row (`web.realtime.watcher`).

WebSocket only, so several processes need no sticky sessions. The sender of everything is the
participant found at connecting from the session cookie, and is looked up again for each event: a
switched-off account or a withdrawn site loses its say at once. Origins other than our own are
refused by Engine.IO; messages above `MAX_MESSAGE_BYTES` close the socket.
"""

import functools
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast
from urllib.parse import urlsplit

from flask import Flask, current_app, request
from flask_babel import gettext
from flask_socketio import ConnectionRefusedError as Refused
from flask_socketio import SocketIO, join_room
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from conference.conduct.acts import carry_out
from conference.conduct.participants import Participant, still_acts
from conference.conduct.service import locked_meeting
from conference.errors import DomainError, EngineUnavailableError, NotFoundError
from conference.scheduling.models import Meeting
from web import entrance
from web.realtime import documents, events
from web.realtime.documents import Document
from web.realtime.events import EVENTS, Call, Reply
from web.realtime.hub import (
    MESSAGES_PER_S,
    NAMESPACE,
    Connection,
    Hub,
    identity_room,
    meeting_room,
)
from web.realtime.limits import Bucket
from web.services import Services, actor, services

EXTENSION: Final = "diemcau.conduct"
MAX_MESSAGE_BYTES: Final = 256 * 1024
RESERVED_THREADS: Final = 40
"""Threads kept for pages and downloads; every socket holds one of the rest."""

BURSTY: Final = frozenset({"roster", "vote"})
"""Documents that are sent at most twice a second."""

_log = logging.getLogger(__name__)
_TOO_FAST: Final = "Thao tác quá nhanh. Thử lại sau ít giây."


@dataclass(frozen=True, slots=True)
class Conduct:
    """The realtime part of one application."""

    socketio: SocketIO
    hub: Hub


def conduct(app: Flask | None = None) -> Conduct:
    """The realtime part of ``app``, or of the application handling this request."""
    return cast(Conduct, (app or current_app).extensions[EXTENSION])


def register(app: Flask) -> Conduct:
    """Add the namespace to ``app``. Starts no thread: see `web.realtime.watcher.start`."""
    settings = cast(Services, app.extensions["diemcau"]).settings
    socketio = SocketIO(
        app,
        async_mode="threading",
        transports=["websocket"],
        async_handlers=False,  # one event of a socket after the other, in the socket's own thread
        cors_allowed_origins=_origin_check(settings.public_url),
        max_http_buffer_size=MAX_MESSAGE_BYTES,
        message_queue=settings.web.redis_url or None,
        ping_interval=10,
        ping_timeout=10,
        logger=False,
        engineio_logger=False,
    )
    _limit_frames(socketio)
    hub = Hub(
        socketio,
        {
            "roster": _builder(app, documents.roster_lines),
            "vote": _builder(
                app, lambda session, meeting, _at: documents.vote(session, meeting.id)
            ),
        },
    )
    part = Conduct(socketio, hub)
    app.extensions[EXTENSION] = part
    socketio.on_event("connect", _connect, namespace=NAMESPACE)
    socketio.on_event("disconnect", _disconnect, namespace=NAMESPACE)
    socketio.on_event("state.get", _state_get, namespace=NAMESPACE)
    for name in EVENTS:
        socketio.on_event(name, functools.partial(_event, name), namespace=NAMESPACE)
    return part


def _origin_check(public_url: str) -> Callable[[str, dict[str, Any]], bool]:
    """Whether a browser's page may open a socket: only pages of this service may."""
    public = urlsplit(public_url)

    def is_ours(origin: str, environ: dict[str, Any]) -> bool:
        asked = urlsplit(origin)
        if (asked.scheme, asked.netloc) == (public.scheme, public.netloc):
            return True
        return asked.scheme in {"http", "https"} and asked.netloc == environ.get("HTTP_HOST")

    return is_ours


def _limit_frames(socketio: SocketIO) -> None:
    # Engine.IO measures a message only after it has arrived whole; simple-websocket can refuse it
    # while it arrives, but Engine.IO 4.15 has no option for that.
    engine = socketio.server.eio
    engine._async = {
        **engine._async,
        "websocket": functools.partial(
            engine._async["websocket"],
            max_message_size=MAX_MESSAGE_BYTES,
        ),
    }


def _builder(
    app: Flask, document: Callable[[Session, Meeting, datetime], Document]
) -> Callable[[int], Document | None]:
    its = cast(Services, app.extensions["diemcau"])

    def build(meeting_id: int) -> Document | None:
        with its.database.reading() as session:
            meeting = session.get(Meeting, meeting_id)
            return None if meeting is None else document(session, meeting, its.clock())

    return build


# --- admission ----------------------------------------------------------------------------------


def _connect(auth: object = None) -> None:
    hub = conduct().hub
    sockets = max(len(hub), len(conduct().socketio.server.eio.sockets) - 1)
    if sockets >= services().settings.web.threads - RESERVED_THREADS:
        raise _refused("full", "Máy chủ đang đủ người. Thử lại sau ít phút.")
    meeting_id = auth.get("meeting") if isinstance(auth, dict) else None
    if type(meeting_id) is not int or not 0 < meeting_id < 2**31:
        raise _refused("not_found", NotFoundError.default_message)
    who = _admit(meeting_id, auth.get("identity") if isinstance(auth, dict) else None)
    sid = _sid()
    hub.tell(meeting_id, who.identity, "elsewhere", {})
    # first hear, then look: what happens in between is then told twice rather than never
    join_room(meeting_room(meeting_id))
    join_room(identity_room(meeting_id, who.identity))
    bucket = Bucket(MESSAGES_PER_S, time.monotonic())
    hub.add(Connection(sid, meeting_id, who, bucket))
    conduct().socketio.emit("state", _snapshot(meeting_id, who), namespace=NAMESPACE, to=sid)


def _admit(meeting_id: int, wished: object) -> Participant:
    """Who the browser is in the meeting. Raises Refused."""
    with services().database.reading() as session:
        meeting = session.get(Meeting, meeting_id)
        if meeting is None:
            raise _refused("not_found", NotFoundError.default_message)
        at = services().clock()
        entry = entrance.enter(session, meeting, actor(), wished=wished, at=at)
        if entry is None:
            code = "forbidden" if actor().role or actor().invited_site_id else "unauthenticated"
            raise _refused(code, "Không có quyền vào phòng họp này.")
        if entry.door is not None:
            raise _refused("forbidden", entrance.sentence(entry.door, meeting), entry.door.value)
        return entry.participant


def _snapshot(meeting_id: int, who: Participant) -> Document:
    with services().database.reading() as session:
        meeting = session.get_one(Meeting, meeting_id)
        return documents.snapshot(session, meeting, who, events.rights(who), services().clock())


def _refused(code: str, message: str, problem: str = "") -> Refused:
    detail = {"code": code, "message": gettext(message)}
    if problem:
        detail["problem"] = problem
    return Refused(detail["message"], detail)


def _disconnect(*_reason: object) -> None:
    conduct().hub.discard(_sid())


def _sid() -> str:
    return str(request.sid)  # type: ignore[attr-defined]


# --- events -------------------------------------------------------------------------------------


def _event(name: str, *payload: object) -> Document:
    """One event of an admitted socket; whatever happens, it is answered."""
    connection = conduct().hub.get(_sid())
    if connection is None:
        return _no("forbidden", "Không có quyền thực hiện việc này.")
    if not connection.bucket.take(time.monotonic()):
        return _no("too_fast", _TOO_FAST)
    try:
        data = events.parse(EVENTS[name], payload[0] if payload else None)
        return _act(connection, name, data)
    except DomainError as error:
        return _no(error.code, error.message)
    except OperationalError:
        _log.exception("event %s of meeting %s found no database", name, connection.meeting_id)
        return _no("unavailable", "Cơ sở dữ liệu đang bận. Thử lại sau ít giây.")
    except Exception:
        # boundary of the event: the socket lives on, the sender is told
        _log.exception("event %s of meeting %s failed", name, connection.meeting_id)
        return _no("internal", "Hệ thống gặp lỗi. Thử lại sau ít giây.")


def _act(connection: Connection, name: str, data: Document) -> Document:
    at = services().clock()
    with services().database.transaction() as session:
        meeting = locked_meeting(session, connection.meeting_id)
        by = still_acts(session, meeting, connection.participant)
        reply = events.handle(name, Call(session, meeting, by, data, at))
        session.flush()
        room = meeting.room_name
        changed = [
            (document, _build(document, session, meeting))
            for document in reply.changed
            if document not in BURSTY
        ]
    failure: EngineUnavailableError | None = None
    muted: list[str] = []
    try:
        muted = carry_out(services().engine, room, reply.acts)
    except EngineUnavailableError as error:
        failure = error
        _log.warning("event %s of meeting %s is stored only: %s", name, meeting.id, error)
    _tell(connection.meeting_id, reply, changed, muted, by.name)
    if failure is not None:
        return _no(failure.code, failure.message)
    count = {"count": len(muted)} if reply.tells_muted else {}
    return {"ok": True, **reply.ack, **count}


def _build(name: str, session: Session, meeting: Meeting) -> Document:
    match name:
        case "floor":
            return documents.floor(session, meeting)
        case "agenda":
            return documents.agenda(session, meeting.id)
        case "recording":
            return documents.recording_light(session, meeting.id, services().clock())
        case "meeting":
            return documents.meeting_status(meeting)
        case _:
            raise AssertionError(f"no document {name}")


def _tell(
    meeting_id: int,
    reply: Reply,
    changed: list[tuple[str, Document]],
    muted: list[str],
    by: str,
) -> None:
    hub = conduct().hub
    for event, document in (*changed, *reply.to_all):
        hub.tell_all(meeting_id, event, document)
    for document_name in BURSTY.intersection(reply.changed):
        hub.changed_soon(meeting_id, document_name)
    if reply.tells_muted:
        for identity in muted:
            hub.tell(meeting_id, identity, "microphone.muted", {"by": by})
    for identity, event, document in reply.to_one:
        hub.tell(meeting_id, identity, event, document)
    if reply.puts_out:
        hub.put_out(meeting_id, reply.puts_out)


def _state_get(*_payload: object) -> Document:
    connection = conduct().hub.get(_sid())
    if connection is None:
        return _no("forbidden", "Không có quyền thực hiện việc này.")
    if not connection.bucket.take(time.monotonic()):
        return _no("too_fast", _TOO_FAST)
    try:
        with services().database.reading() as session:
            meeting = session.get_one(Meeting, connection.meeting_id)
            who = still_acts(session, meeting, connection.participant)
        snapshot = _snapshot(connection.meeting_id, who)
    except DomainError as error:
        return _no(error.code, error.message)
    conduct().socketio.emit("state", snapshot, namespace=NAMESPACE, to=connection.sid)
    return {"ok": True}


def _no(code: str, message: str) -> Document:
    return {"ok": False, "error": {"code": code, "message": gettext(message)}}
