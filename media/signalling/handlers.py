"""The signalling endpoints: ``/rtc`` (v0), ``/rtc/v1``, and their ``validate`` twins.

Everything that can go wrong with a join is decided before the upgrade and answered as an HTTP
status with a plain sentence, since clients tell errors apart by it. After the upgrade the first
frame is the node's, and a frame that makes no sense costs the client its session.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final, Protocol

from aiohttp import WSCloseCode, WSMsgType, web
from livekit.protocol import models, rtc

from media.core.errors import ProtocolError
from media.core.grants import Claims, ClaimsError
from media.core.joining import (
    JoinParameters,
    JoinRefusedError,
    check_grants,
    read_join_request,
    read_query,
)
from media.core.refusals import InvalidRequestError, NodeFullError, RefusedError, RoomNotFoundError
from media.signalling.live_room import LiveRoom
from media.signalling.requests import handle
from media.signalling.session import Leave, Session
from media.signalling.sink import MAX_FRAME_BYTES, SignalSink, read_frame

log = logging.getLogger(__name__)

HEARTBEAT_S: Final = 20.0
"""WebSocket pings; half of it is the time a client has to answer."""


class Door(Protocol):
    """The node as the handlers see it."""

    def authenticate(self, token: str) -> Claims:
        """Claims of a valid token; ClaimsError otherwise."""

    def check_join(self, claims: Claims, parameters: JoinParameters) -> None:
        """Raise RefusedError when the join could not succeed now."""

    def join(
        self, claims: Claims, parameters: JoinParameters, sink: SignalSink
    ) -> tuple[LiveRoom, Session]:
        """Join, sending the first frames to ``sink``."""

    def resume(
        self, claims: Claims, parameters: JoinParameters, sink: SignalSink
    ) -> tuple[LiveRoom, Session] | None:
        """Resume a session; None when it is not there any more."""


def signalling_routes(door: Door) -> list[web.RouteDef]:
    """List the routes that serve ``door``."""

    def endpoint(*, is_v1: bool, only_validates: bool) -> Callable[..., object]:
        async def serve(request: web.Request) -> web.StreamResponse:
            try:
                claims, parameters = _admit(door, request, is_v1=is_v1)
            except JoinRefusedError as refusal:
                return web.Response(status=refusal.status, text=str(refusal))
            if only_validates:
                return web.Response(text="success")
            socket = web.WebSocketResponse(
                heartbeat=HEARTBEAT_S, max_msg_size=MAX_FRAME_BYTES, compress=True
            )
            if not socket.can_prepare(request).ok:
                return web.Response(status=404, text="this address takes WebSocket connections")
            return await _converse(door, request, socket, claims, parameters)

        return serve

    return [
        web.get("/rtc", endpoint(is_v1=False, only_validates=False)),  # type: ignore[arg-type]
        web.get("/rtc/validate", endpoint(is_v1=False, only_validates=True)),  # type: ignore[arg-type]
        web.get("/rtc/v1", endpoint(is_v1=True, only_validates=False)),  # type: ignore[arg-type]
        web.get("/rtc/v1/validate", endpoint(is_v1=True, only_validates=True)),  # type: ignore[arg-type]
    ]


def _admit(door: Door, request: web.Request, *, is_v1: bool) -> tuple[Claims, JoinParameters]:
    try:
        claims = door.authenticate(_token(request))
    except ClaimsError as error:
        raise JoinRefusedError(401, str(error)) from error
    check_grants(claims)
    if is_v1:
        parameters = read_join_request(request.query.get("join_request", ""), claims)
    else:
        parameters = read_query(request.query, claims)
    try:
        door.check_join(claims, parameters)
    except RoomNotFoundError as error:
        raise JoinRefusedError(404, "requested room does not exist") from error
    except InvalidRequestError as error:
        raise JoinRefusedError(400, str(error)) from error
    except NodeFullError as error:
        raise JoinRefusedError(503, str(error)) from error
    except RefusedError as error:
        raise JoinRefusedError(500, str(error)) from error
    return claims, parameters


def _token(request: web.Request) -> str:
    header = request.headers.get("Authorization")
    if header is None:
        return request.query.get("access_token", "")
    scheme, _, token = header.partition(" ")
    if scheme != "Bearer":
        raise ClaimsError("the authorization header must read: Bearer <token>")
    return token.strip()


async def _converse(
    door: Door,
    request: web.Request,
    socket: web.WebSocketResponse,
    claims: Claims,
    parameters: JoinParameters,
) -> web.StreamResponse:
    try:
        await socket.prepare(request)
    except ConnectionResetError:
        return socket  # the client gave up while the node was busy
    sink = SignalSink(socket)
    writer = asyncio.create_task(sink.run(), name="signal writer")
    try:
        entered = _enter(door, claims, parameters, sink)
        if entered is not None:
            await _read(socket, sink, *entered)
    finally:
        sink.close()
        await writer
    return socket


def _enter(
    door: Door, claims: Claims, parameters: JoinParameters, sink: SignalSink
) -> tuple[LiveRoom, Session] | None:
    try:
        if parameters.is_reconnect:
            resumed = door.resume(claims, parameters, sink)
            if resumed is None:
                _dismiss(sink, models.DisconnectReason.STATE_MISMATCH, Leave.Action.RECONNECT)
            return resumed
        return door.join(claims, parameters, sink)
    except RefusedError as error:  # the room filled up between check and upgrade
        log.info("join refused after the upgrade: %s", error)
    except ProtocolError as error:
        log.info("join with a malformed offer: %s", error)
    _dismiss(sink, models.DisconnectReason.JOIN_FAILURE, Leave.Action.DISCONNECT)
    return None


def _dismiss(sink: SignalSink, reason: models.DisconnectReason, action: "Leave.Action") -> None:
    leave = Leave(reason=reason, action=action, can_reconnect=action != Leave.Action.DISCONNECT)
    sink.send(rtc.SignalResponse(leave=leave))


async def _read(
    socket: web.WebSocketResponse,
    sink: SignalSink,
    room: LiveRoom,
    session: Session,
) -> None:
    async for message in socket:
        if message.type not in {WSMsgType.BINARY, WSMsgType.TEXT}:
            break
        if session.sink is not sink:
            break
        if not session.may_request(len(message.data)):
            session.log.info("too many requests")
            await socket.close(code=WSCloseCode.POLICY_VIOLATION)
            break
        try:
            request = read_frame(message.type, message.data)
            sink.is_text = message.type is WSMsgType.TEXT
            handle(room, session, request, int(time.time() * 1000))
        except ProtocolError as error:
            session.log.info("malformed signalling: %s", error)
            room.session_failed(session, models.DisconnectReason.STATE_MISMATCH)
            break
        except Exception:
            # One client's request must not end the task that others do not share, silently.
            session.log.exception("a request failed")
            room.session_failed(session, models.DisconnectReason.STATE_MISMATCH)
            break
    session.detach(sink)
