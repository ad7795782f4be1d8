"""Headers that let a page from any origin talk to the node, and tolerance for ``//``.

Browsers call ``/rtc/validate`` and open the WebSocket from whatever origin serves the
room page, so every answer, errors included, carries CORS headers; a 404 without them is
unreadable for the page and stops livekit-client from falling back to the older protocol.
Access is decided by the token alone, never by the origin; no cookie is used.

A client URL that ends in ``/`` yields ``//rtc``: repeated slashes count as one.
"""

import re
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

METHODS: Final = "OPTIONS, HEAD, GET, POST, PATCH, DELETE"
MAX_AGE_S: Final = 86_400
"""How long a browser may remember the answer to a preflight request."""


async def add_cors_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Signal handler for ``on_response_prepare``: allow the origin that asks."""
    origin = request.headers.get(hdrs.ORIGIN)
    response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin or "*"
    if origin:
        response.headers.add(hdrs.VARY, hdrs.ORIGIN)


@web.middleware
async def answer_preflight(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every OPTIONS request here, whatever the path."""
    if request.method != hdrs.METH_OPTIONS:
        return await handler(request)
    headers = {
        hdrs.ACCESS_CONTROL_ALLOW_METHODS: METHODS,
        hdrs.ACCESS_CONTROL_ALLOW_HEADERS: request.headers.get(
            hdrs.ACCESS_CONTROL_REQUEST_HEADERS, "*"
        ),
        hdrs.ACCESS_CONTROL_MAX_AGE: str(MAX_AGE_S),
    }
    return web.Response(status=204, headers=headers)


@web.middleware
async def merge_slashes(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Route ``//rtc//v1`` like ``/rtc/v1``, without the redirect a WebSocket cannot follow."""
    if "//" not in request.path:
        return await handler(request)
    merged = request.clone(rel_url=request.rel_url.with_path(re.sub("/{2,}", "/", request.path)).
                           with_query(request.rel_url.query))  # fmt: skip
    match_info = await request.app.router.resolve(merged)
    match_info.add_app(request.app)
    match_info.freeze()
    merged._match_info = match_info
    return await match_info.handler(merged)
