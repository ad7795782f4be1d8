"""Twirp over aiohttp: one POST for each call, JSON or protobuf in, the same out.

Wire format of Twirp v7 (https://twitchtv.github.io/twirp/docs/spec_v7.html) as LiveKit's
Go server speaks it: JSON input takes snake_case and camelCase and ignores unknown names,
JSON output is snake_case with defaults written out; errors are always JSON with a code
from a fixed list. No request, however malformed, is answered with a 5xx.
"""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web
from google.protobuf.json_format import MessageToJson, ParseDict, ParseError
from google.protobuf.message import DecodeError, Message

from media.core.grants import Claims
from media.core.refusals import RefusedError
from media.tokens import TokenError, bearer_token

logger = logging.getLogger(__name__)

PROTOBUF: Final = "application/protobuf"
JSON: Final = "application/json"

HTTP_STATUS: Final[Mapping[str, int]] = {
    "canceled": 408,
    "unknown": 500,
    "invalid_argument": 400,
    "malformed": 400,
    "deadline_exceeded": 408,
    "not_found": 404,
    "bad_route": 404,
    "already_exists": 409,
    "permission_denied": 403,
    "unauthenticated": 401,
    "resource_exhausted": 429,
    "failed_precondition": 412,
    "aborted": 409,
    "out_of_range": 400,
    "unimplemented": 501,
    "internal": 500,
    "unavailable": 503,
    "dataloss": 500,
}
"""Twirp error code → HTTP status."""


class TwirpError(Exception):
    """A refusal in Twirp's terms; ``code`` is one of :data:`HTTP_STATUS`."""

    def __init__(self, code: str, message: str, **meta: str) -> None:
        super().__init__(message)
        assert code in HTTP_STATUS, code
        self.code = code
        self.message = message
        self.meta = meta

    def response(self) -> web.Response:
        """The HTTP answer."""
        body: dict[str, Any] = {"code": self.code, "msg": self.message}
        if self.meta:
            body["meta"] = self.meta
        return web.Response(status=HTTP_STATUS[self.code], text=json.dumps(body), content_type=JSON)


@dataclass(frozen=True, slots=True)
class Method:
    """One call: its request type, who may make it, and what carries it out.

    ``allow(claims, request)`` raises :class:`TwirpError` to refuse.
    """

    request: type[Message]
    allow: Callable[[Claims, Any], None]
    call: Callable[[Any], Awaitable[Message]]


class TwirpService:
    """Handler of ``POST /twirp/<package.Service>/{method}`` for one table of methods."""

    def __init__(
        self,
        name: str,
        methods: Mapping[str, Method],
        authenticate: Callable[[str], Claims],
    ) -> None:
        self.name = name
        self._methods = methods
        self._authenticate = authenticate

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one call."""
        try:
            return await self._handle(request)
        except TwirpError as error:
            return error.response()
        except RefusedError as error:
            return TwirpError(error.code, str(error)).response()
        except web.HTTPRequestEntityTooLarge:
            return TwirpError("resource_exhausted", "the request body is too large").response()
        except Exception:
            # The boundary of one request: others go on, the caller learns no internals.
            logger.exception("%s failed", request.path)
            return TwirpError("internal", "internal error").response()

    async def _handle(self, request: web.Request) -> web.Response:
        method = self._methods.get(request.match_info["method"])
        if method is None or request.method != "POST":
            raise bad_route(request)
        claims = self._claims(request)
        if request.content_type not in (PROTOBUF, JSON):
            raise bad_route(request)
        body = await request.read()
        message = method.request()
        read_json(body, message) if request.content_type == JSON else read_binary(body, message)
        method.allow(claims, message)
        answer = await method.call(message)
        if request.content_type == JSON:
            return web.Response(text=write_json(answer), content_type=JSON)
        return web.Response(body=answer.SerializeToString(), content_type=PROTOBUF)

    def _claims(self, request: web.Request) -> Claims:
        try:
            return self._authenticate(bearer_token(request.headers.get("Authorization", "")))
        except TokenError as error:
            raise TwirpError("unauthenticated", str(error)) from error


def bad_route(request: web.Request) -> TwirpError:
    """The error for a path, method or content type that leads nowhere."""
    return TwirpError(
        "bad_route",
        f"no handler for {request.method} {request.path} with this content type",
        twirp_invalid_route=f"{request.method} {request.path}",
    )


def read_binary(body: bytes, message: Message) -> None:
    """Fill ``message``; raises :class:`TwirpError` ``malformed``."""
    try:
        message.ParseFromString(body)
    except (DecodeError, ValueError, RecursionError) as error:
        raise TwirpError("malformed", "the body is not this request in protobuf") from error


def read_json(body: bytes, message: Message) -> None:
    """Fill ``message``; raises :class:`TwirpError` ``malformed``."""
    try:
        values = json.loads(body)
        if not isinstance(values, dict):
            raise TwirpError("malformed", "the body is not a JSON object")
        ParseDict(values, message, ignore_unknown_fields=True)
    except (ParseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise TwirpError("malformed", "the body is not this request in JSON") from error


def write_json(message: Message) -> str:
    """The message in Twirp's JSON: snake_case, defaults included, 64-bit integers as text."""
    return MessageToJson(
        message,
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
        indent=None,
    )
