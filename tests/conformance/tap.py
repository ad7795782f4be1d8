"""A signalling proxy that reads along: what official clients and a server really say.

Clients connect to it instead of the server. Every frame passes unchanged, and a decoded copy is
kept for each identity. A test may also cut the sockets of somebody, or send a request or response
of its own, which is how the rows of the protocol are reached that an SDK has no method for.
Media goes past it, straight to the server.

It runs on a loop of its own in a thread, so that clients of any loop can be watched.
"""

import asyncio
import base64
import gzip
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
from aiohttp import web
from google.protobuf import json_format
from livekit.protocol import rtc

from tests.conformance.background import Background

NOT_PASSED_ON = re.compile(
    "connection|upgrade|host|date|server|content-(length|encoding)|transfer-encoding|"
    "accept-encoding|sec-websocket-.*"
)
"""Headers that belong to one connection (RFC 9110 section 7.6.1)."""


CANDIDATE = re.compile(r"(a=candidate:\S+ 1 udp \d+ \S+ )\d+( typ host)")
OVER_TCP = re.compile(r"a=candidate:\S+ 1 tcp [^\r\n]*\r\n", re.IGNORECASE)


@dataclass(eq=False)
class Wire:
    """One signalling socket."""

    identity: str
    path: str
    query: dict[str, str]
    requests: list[rtc.SignalRequest] = field(default_factory=list)
    responses: list[rtc.SignalResponse] = field(default_factory=list)
    is_open: bool = True
    client: web.WebSocketResponse | None = None
    server: aiohttp.ClientWebSocketResponse | None = None

    @property
    def join_request(self) -> rtc.JoinRequest:
        """What a v1 client packed into the address."""
        text = self.query["join_request"]
        wrapped = rtc.WrappedJoinRequest.FromString(
            base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        )
        packed = wrapped.join_request
        if wrapped.compression == rtc.WrappedJoinRequest.Compression.GZIP:
            packed = gzip.decompress(packed)
        return rtc.JoinRequest.FromString(packed)


class Tap:
    """A proxy in front of ``target`` (``http://…``)."""

    def __init__(self, target: str, media_port: Callable[[], int] | None = None) -> None:
        self._target = target
        self._media_port = media_port
        self._background = Background("tap")
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None
        self.wires: list[Wire] = []
        self.refuses = False
        """True: signalling is not reachable."""
        self.url = ""

    def start(self) -> None:
        self._background.do(self._start())

    def close(self) -> None:
        self._background.do(self._close())
        self._background.close()

    # What was said

    def of(self, identity: str) -> list[Wire]:
        """The sockets of an identity, oldest first."""
        return [wire for wire in self.wires if wire.identity == identity]

    def requests(self, identity: str, kind: str) -> list[Any]:
        """Requests of one kind that an identity has sent, oldest first."""
        return _of_kind([m for wire in self.of(identity) for m in list(wire.requests)], kind)

    def responses(self, identity: str, kind: str) -> list[Any]:
        """Responses of one kind that an identity has received, oldest first."""
        return _of_kind([m for wire in self.of(identity) for m in list(wire.responses)], kind)

    # Meddling

    def ask(self, identity: str, request: rtc.SignalRequest) -> None:
        """Send a request to the server as if the client had."""
        wire = self.of(identity)[-1]
        assert wire.server is not None
        self._background.do(wire.server.send_bytes(request.SerializeToString()))

    def cut(self, identity: str) -> None:
        """Drop the TCP connections of an identity's newest socket, without a goodbye."""
        self._background.do(self._cut(self.of(identity)[-1]))

    async def _cut(self, wire: Wire) -> None:
        for socket in (wire.client, wire.server):
            if isinstance(socket, web.WebSocketResponse):
                transport = socket._req.transport if socket._req is not None else None
            else:
                transport = socket._conn.transport if socket is not None else None
            if transport is not None:
                transport.abort()

    # Inside

    def _reroute(self, response: rtc.SignalResponse) -> bool:
        """Name another media port in the server's candidates, if one is wanted, and no TCP."""
        kind = response.WhichOneof("message")
        if self._media_port is None or kind not in {"offer", "answer"}:
            return False
        description = getattr(response, kind)
        description.sdp = OVER_TCP.sub("", description.sdp)
        description.sdp = CANDIDATE.sub(rf"\g<1>{self._media_port()}\g<2>", description.sdp)
        return True

    async def _start(self) -> None:
        self._session = aiohttp.ClientSession(auto_decompress=True)
        app = web.Application(handler_args={"max_line_size": 64 * 1024})
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=0.1, max_line_size=64 * 1024
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"ws://127.0.0.1:{self._runner.addresses[0][1]}"

    async def _close(self) -> None:
        for wire in self.wires:
            if wire.is_open:
                await self._cut(wire)
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if self.refuses:
            raise web.HTTPBadGateway(text="the tap is closed")
        headers = {
            k: v for k, v in request.headers.items() if not NOT_PASSED_ON.fullmatch(k.lower())
        }
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._converse(request, headers)
        assert self._session is not None
        async with self._session.request(
            request.method,
            self._target + request.raw_path,
            headers=headers,
            data=await request.read(),
        ) as answer:
            kept = {
                k: v for k, v in answer.headers.items() if not NOT_PASSED_ON.fullmatch(k.lower())
            }
            return web.Response(status=answer.status, body=await answer.read(), headers=kept)

    async def _converse(self, request: web.Request, headers: dict[str, str]) -> web.StreamResponse:
        assert self._session is not None
        try:
            server = await self._session.ws_connect(
                self._target + request.raw_path, headers=headers, max_msg_size=1 << 23, compress=0
            )
        except aiohttp.WSServerHandshakeError as error:
            return web.Response(status=error.status, text=error.message)
        client = web.WebSocketResponse(max_msg_size=1 << 23, compress=False)
        query = {name: values[0] for name, values in parse_qs(request.query_string).items()}
        wire = Wire(_identity(request, query), request.path, query, client=client, server=server)
        await client.prepare(request)
        self.wires.append(wire)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_pass_on(client, server, wire.requests, rtc.SignalRequest))
                both.create_task(
                    _pass_on(server, client, wire.responses, rtc.SignalResponse, self._reroute)
                )
        finally:
            wire.is_open = False
            with suppress(ConnectionError, aiohttp.ClientError):
                await server.close()
        return client


async def _pass_on(
    source: Any,
    target: Any,
    kept: list[Any],
    kind: Callable[..., Any],
    change: Callable[[Any], bool] | None = None,
) -> None:
    with suppress(ConnectionError, aiohttp.ClientError):
        async for message in source:
            decoded = kind()
            if message.type is aiohttp.WSMsgType.BINARY:
                decoded.ParseFromString(message.data)
                changed = change is not None and change(decoded)
                kept.append(decoded)
                await target.send_bytes(decoded.SerializeToString() if changed else message.data)
            elif message.type is aiohttp.WSMsgType.TEXT:
                json_format.Parse(message.data, decoded, ignore_unknown_fields=True)
                kept.append(decoded)
                await target.send_str(message.data)
    with suppress(ConnectionError, aiohttp.ClientError, RuntimeError):
        await target.close(code=source.close_code or 1000)


def _identity(request: web.Request, query: dict[str, str]) -> str:
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    token = token or query.get("access_token", "")
    body = token.split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))).get("sub", ""))


def _of_kind(messages: list[Any], kind: str) -> list[Any]:
    return [getattr(m, kind) for m in messages if m.WhichOneof("message") == kind]


@contextmanager
def tapped(url: str, media_port: Callable[[], int] | None = None) -> Iterator[Tap]:
    """A proxy in front of the server at ``url`` (``ws://…`` or ``http://…``).

    ``media_port`` gives the UDP port its clients are told instead of the server's.
    """
    parts = urlsplit(url)
    tap = Tap(f"http://{parts.netloc}", media_port)
    tap.start()
    try:
        yield tap
    finally:
        tap.close()
