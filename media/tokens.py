"""Access tokens: verify one that a client shows, issue one for the server's own use.

JWT, HS256 and nothing else. The ``iss`` claim names the API key, the key selects the
secret; ``exp`` is required; times are compared with 60 s of leeway. The current time is
an argument (seconds since the Unix epoch), so a table of forged and stale tokens runs
without a clock. Tokens addressed to somebody else (an ``aud`` claim) are refused: a
session token of another system signed with the same secret is not a room token.
"""

from collections.abc import Mapping
from typing import Final

import jwt

from media.core.grants import Claims, ClaimsError

LEEWAY_S: Final = 60.0
"""Tolerated difference between the issuer's clock and ours."""
MAX_TOKEN_BYTES: Final = 1 << 20
"""Longest token looked at: metadata of 512 KiB and attributes of 64 KiB, in base64, fit."""

ALGORITHM: Final = "HS256"
_JWT: Final = jwt.PyJWT()
_UNTIMED: Final = {
    "require": ["exp"],
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_sub": False,
    "verify_jti": False,
}


class TokenError(ClaimsError):
    """The token is refused; the message says why and never repeats the token."""


def verify_token(token: str, keys: Mapping[str, str], now_s: float) -> Claims:
    """Claims of ``token``; ``keys`` maps API key to secret, ``now_s`` is epoch seconds.

    Raises :class:`TokenError` for anything but a well-formed, current token signed
    with HS256 and the secret of the API key it names.
    """
    if not token or len(token) > MAX_TOKEN_BYTES:
        raise TokenError("no access token" if not token else "access token too long")
    secret = keys.get(_issuer(token))
    if secret is None:
        raise TokenError("unknown API key")
    try:
        payload = _JWT.decode(token, _hmac_key(secret), algorithms=[ALGORITHM], options=_UNTIMED)  # type: ignore[arg-type]
        claims = Claims.from_payload(payload)
        not_before_s = payload.get("nbf")
    except (jwt.PyJWTError, ClaimsError, ValueError, OverflowError, RecursionError) as error:
        raise TokenError("invalid access token") from error
    if not claims.expires_at_s > now_s - LEEWAY_S:  # written so that NaN is refused too
        raise TokenError("access token has expired")
    if not_before_s is not None and not _has_begun(not_before_s, now_s):
        raise TokenError("access token is not valid yet")
    return claims


def bearer_token(header: str) -> str:
    """The token of an ``Authorization`` header. Raises :class:`TokenError` without ``Bearer``."""
    scheme, _, token = header.partition(" ")
    if scheme != "Bearer" or not token:
        raise TokenError("the authorization header must read: Bearer <token>")
    return token.strip()


def issue_token(claims: Claims, secret: str, now_s: float, ttl_s: float) -> str:
    """A signed token carrying ``claims``, valid from ``now_s`` for ``ttl_s`` seconds."""
    payload = claims.to_payload()
    payload["nbf"] = int(now_s)
    payload["exp"] = int(now_s + ttl_s)
    return _JWT.encode(payload, _hmac_key(secret), algorithm=ALGORITHM)


def _issuer(token: str) -> str:
    """API key the token claims to be signed with; nothing is trusted yet."""
    try:
        payload = _JWT.decode(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, OverflowError, RecursionError) as error:
        raise TokenError("invalid access token") from error
    issuer = payload.get("iss")
    if not isinstance(issuer, str):
        raise TokenError("access token names no API key")
    return issuer


def _has_begun(not_before_s: object, now_s: float) -> bool:
    if isinstance(not_before_s, bool) or not isinstance(not_before_s, int | float):
        return False
    return not_before_s <= now_s + LEEWAY_S


def _hmac_key(secret: str) -> bytes:
    """The secret as key, zero-padded to 32 bytes.

    HMAC pads its key with zeros to the block size anyway (RFC 2104 §2), so signatures do
    not change; only the library's warning about short keys goes. Whether a secret is
    long enough is judged once, when the settings are read.
    """
    return secret.encode().ljust(32, b"\0")
