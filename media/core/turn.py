"""Passwords for a TURN server that end by themselves.

The server and the node share a secret; the user name carries the end of its validity, and the
password is its HMAC (draft-uberti-behave-turn-rest-00 §2.2, coturn's ``use-auth-secret``). So
nobody has to be told of a client, and a password that leaks is worth hours.
"""

import base64
import hashlib
import hmac
from typing import Final, NamedTuple

LIFETIME_S: Final = 4 * 3600
"""Long enough for a meeting: an allocation is refreshed with the password it began with."""


class TurnPassword(NamedTuple):
    """What a client shows to the TURN server."""

    username: str
    credential: str


def turn_password(secret: str, identity: str, at_s: float) -> TurnPassword:
    """A password for ``identity``, valid for `LIFETIME_S` from ``at_s`` (seconds since 1970)."""
    username = f"{int(at_s) + LIFETIME_S}:{identity}"
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return TurnPassword(username, base64.b64encode(digest).decode())
