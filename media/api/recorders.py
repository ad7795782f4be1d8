"""How a recorder gets its work from the node: it polls, and says how far it is.

Plain JSON beside the Server API, for LiveKit has no public protocol between server and recorder:

    POST /egress/claim    {"worker"}                         → {"egress": EgressInfo | null, "stop"}
    POST /egress/report   {"worker", "egress": EgressInfo}   → {"held": bool, "stop": bool}
    POST /egress/release  {"worker", "egress_id"}            → {}

``EgressInfo`` is LiveKit's, in protobuf's JSON. The token needs ``roomRecord``. ``stop`` tells the
recorder to bring the recording to its end; ``held`` is false when the job is another's by now.
"""

import json
from collections.abc import Callable
from typing import Any, Final, Protocol

from aiohttp import web
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from livekit.protocol import egress as api

from media.api.egress import allow_recording
from media.api.twirp import TwirpError
from media.core.egress import PROGRESS, Job
from media.core.grants import Claims
from media.tokens import TokenError, bearer_token

MAX_WORKER_CHARS: Final = 200


class RecorderVerbs(Protocol):
    """What recorders ask of a node."""

    def claim_egress(self, worker: str) -> Job | None:
        """Take a job nobody holds."""

    def report_egress(self, worker: str, news: api.EgressInfo) -> Job | None:
        """Say how a job stands; None when it is not the recorder's."""

    def release_egress(self, worker: str, egress_id: str) -> None:
        """Give a job up."""


class RecorderDoor:
    """The three handlers."""

    def __init__(self, node: RecorderVerbs, authenticate: Callable[[str], Claims]) -> None:
        self._node = node
        self._authenticate = authenticate

    def routes(self) -> list[web.RouteDef]:
        """Routes of the door."""
        return [
            web.post("/egress/claim", self._guarded(self._claim)),
            web.post("/egress/report", self._guarded(self._report)),
            web.post("/egress/release", self._guarded(self._release)),
        ]

    def _guarded(self, act: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
        async def handle(request: web.Request) -> web.Response:
            try:
                claims = self._authenticate(bearer_token(request.headers.get("Authorization", "")))
                allow_recording(claims)
                return web.json_response(act(_document(await request.read())))
            except TokenError as error:
                return TwirpError("unauthenticated", str(error)).response()
            except TwirpError as error:
                return error.response()

        return handle

    def _claim(self, document: dict[str, Any]) -> dict[str, Any]:
        job = self._node.claim_egress(_text(document, "worker"))
        if job is None:
            return {"egress": None, "stop": False}
        return {"egress": MessageToDict(job.info), "stop": job.is_stopping}

    def _report(self, document: dict[str, Any]) -> dict[str, Any]:
        try:
            news = ParseDict(document.get("egress") or {}, api.EgressInfo())
        except (ParseError, RecursionError, TypeError, AttributeError) as error:
            raise TwirpError("malformed", "egress is not an EgressInfo") from error
        if news.status not in PROGRESS:
            raise TwirpError("invalid_argument", "unknown status", argument="status")
        job = self._node.report_egress(_text(document, "worker"), news)
        return {"held": job is not None, "stop": job is None or job.is_stopping}

    def _release(self, document: dict[str, Any]) -> dict[str, Any]:
        self._node.release_egress(_text(document, "worker"), _text(document, "egress_id"))
        return {}


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise TwirpError("malformed", "the body is not JSON") from error
    if not isinstance(document, dict):
        raise TwirpError("malformed", "the body is not a JSON object")
    return document


def _text(document: dict[str, Any], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= MAX_WORKER_CHARS:
        raise TwirpError("invalid_argument", f"{name} is missing", argument=name)
    return value
