"""Reports of the media engine: is this one genuine, and what does it say.

LiveKit signs each report with an access token in ``Authorization`` (no ``Bearer``) whose ``sha256``
claim is the Base64 digest of the body (https://docs.livekit.io/home/server/webhooks). Nothing of
the body is read before issuer, signature, age and digest are right.

Pure: takes the time.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import jwt
from jwt.types import Options

OLDEST: Final = timedelta(minutes=5)
"""A report older than this is a replay, or comes from a machine with a wrong clock."""
CLOCK_TOLERANCE: Final = timedelta(seconds=30)


class InvalidSignatureError(Exception):
    """The report is not from our engine, was altered, or is too old; the message is for the log."""


@dataclass(frozen=True, slots=True)
class Event:
    """One report; fields it does not have are empty."""

    id: str
    kind: str
    """room_started, room_finished, participant_joined, participant_left, track_published …"""
    created_at: datetime
    room_name: str
    room_sid: str
    identity: str
    participant_sid: str
    participant_name: str
    is_hidden: bool
    reason: str
    """Why a participant left (LiveKit DisconnectReason), lower case."""
    track_sid: str


def verify(body: bytes, authorization: str, key: str, secret: str, at: datetime) -> Event:
    """The report in ``body``; raises InvalidSignatureError."""
    claims = _claims(authorization.removeprefix("Bearer ").strip(), key, secret, at)
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    if not hmac.compare_digest(str(claims.get("sha256", "")).encode(), digest.encode()):
        raise InvalidSignatureError("the digest is of another body")
    try:
        document = json.loads(body)
    except ValueError as error:
        raise InvalidSignatureError("the body is not JSON") from error
    if not isinstance(document, dict):
        raise InvalidSignatureError("the body is not an object")
    return _event(document, at)


def _claims(token: str, key: str, secret: str, at: datetime) -> dict[str, Any]:
    # times are compared with ``at`` below, not with the library's own clock
    options: Options = {
        "verify_exp": False,
        "verify_nbf": False,
        "verify_iat": False,
        "require": ["exp", "iss"],
    }
    try:
        claims = jwt.decode(token, secret, algorithms=["HS256"], issuer=key, options=options)
    except jwt.InvalidTokenError as error:
        raise InvalidSignatureError(str(error)) from error
    now_s, tolerance_s = at.timestamp(), CLOCK_TOLERANCE.total_seconds()
    expires_s, begins_s = _seconds(claims, "exp"), _seconds(claims, "nbf")
    if expires_s is None or expires_s < now_s - tolerance_s:
        raise InvalidSignatureError("the token has expired")
    if begins_s is not None and begins_s > now_s + tolerance_s:
        raise InvalidSignatureError("the token is not valid yet")
    if begins_s is not None and begins_s < now_s - OLDEST.total_seconds() - tolerance_s:
        raise InvalidSignatureError("the report is too old")
    return claims


def _seconds(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    return float(value) if isinstance(value, int | float) else None


def _event(document: Mapping[str, Any], at: datetime) -> Event:
    room, participant = _part(document, "room"), _part(document, "participant")
    permission = _part(participant, "permission")
    return Event(
        id=_text(document, "id"),
        kind=_text(document, "event"),
        created_at=_time(document.get("createdAt"), at),
        room_name=_text(room, "name"),
        room_sid=_text(room, "sid"),
        identity=_text(participant, "identity"),
        participant_sid=_text(participant, "sid"),
        participant_name=_text(participant, "name"),
        is_hidden=bool(permission.get("hidden") or permission.get("recorder")),
        reason=_text(participant, "disconnectReason").lower(),
        track_sid=_text(_part(document, "track"), "sid"),
    )


def _part(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = document.get(name)
    return part if isinstance(part, dict) else {}


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    return value if isinstance(value, str) else ""


def _time(value: object, at: datetime) -> datetime:
    """Whole seconds since 1970, as text or number; ``at`` when missing or out of range."""
    try:
        return datetime.fromtimestamp(int(str(value)), UTC)
    except (ValueError, OverflowError, OSError):
        return at
