"""The node's HTTP application: signalling, Server API, health and metrics under one roof.

Routes of LiveKit's server: ``/`` health, ``/rtc…`` signalling (handlers of the node),
``/twirp/livekit.<Service>/…``; besides them ``/metrics`` and, for recorders, ``/egress/…``.
Everything is served on one port and one event loop.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from media.api.cors import add_cors_headers, answer_preflight, merge_slashes
from media.api.egress import egress_service
from media.api.metrics import Metrics
from media.api.recorders import RecorderDoor
from media.api.room_service import room_service
from media.api.twirp import TwirpError, bad_route
from media.api.unserved import unserved_services
from media.core.grants import Claims
from media.signalling.node import Node

MAX_BODY_BYTES: Final = 10 << 20
"""Largest request body of the Server API, as LiveKit's."""
MAX_LINE_BYTES: Final = 256 << 10
"""Longest request line: a v1 join carries its SDP offer in the query string."""


def build_app(
    node: Node, authenticate: Callable[[str], Claims], metrics: Metrics
) -> web.Application:
    """Put the application together; the caller starts and closes the node."""
    app = web.Application(
        client_max_size=MAX_BODY_BYTES, middlewares=[answer_preflight, merge_slashes]
    )
    app.on_response_prepare.append(add_cors_headers)
    services = [
        room_service(node, authenticate),
        egress_service(node.recordings, authenticate),
        *unserved_services(authenticate),
    ]
    app.add_routes(
        [
            web.get("/", _health_of(node)),
            web.get("/metrics", metrics.handle),
            *node.routes(),
            *RecorderDoor(node.recordings, authenticate).routes(),
            *(web.route("*", f"/twirp/{one.name}/{{method}}", one.handle) for one in services),
            web.route("*", "/twirp/{path:.*}", _unknown_call),
        ]
    )
    return app


def _health_of(node: Node) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(_request: web.Request) -> web.Response:
        fault = node.fault()
        if fault:  # the status LiveKit's server answers, so that balancers take the node out
            return web.Response(status=406, text=fault)
        return web.Response(text="OK")

    return answer


async def _unknown_call(request: web.Request) -> web.Response:
    error: TwirpError = bad_route(request)
    return error.response()
