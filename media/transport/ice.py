"""ICE-lite: answer connectivity checks, start none (RFC 8445 §2.5, RFC 8489).

A check is believed only when its MESSAGE-INTEGRITY fits the password of the ufrag it
names: parsing with aioice alone does not verify it. Anything else yields None and is
dropped by the caller; the answer is never longer than the shortest valid check, so the
node cannot be used to amplify. Client candidates are not needed: the address a check
comes from is the address to answer.
"""

import secrets
from dataclasses import dataclass
from typing import Final, NamedTuple

from aioice import stun

STUN_MAX_BYTES: Final = 1280
_UFRAG_BYTES: Final = 6
_PASSWORD_BYTES: Final = 24
_ROLE_CONFLICT: Final = (487, "Role Conflict")

Address = tuple[str, int]


class Credentials(NamedTuple):
    """One side's ice-ufrag and ice-pwd (RFC 8839 §5.4)."""

    ufrag: str
    password: str

    @classmethod
    def draw(cls) -> "Credentials":
        """Draw fresh credentials: 48 and 192 bits, in ICE characters."""
        return cls(_ice_text(_UFRAG_BYTES), _ice_text(_PASSWORD_BYTES))


def _ice_text(size: int) -> str:
    # ice-char is ALPHA / DIGIT / "+" / "/" (RFC 8839 §5.4); url-safe base64 has - and _.
    return secrets.token_urlsafe(size).replace("-", "+").replace("_", "/")


@dataclass(frozen=True, slots=True)
class Check:
    """A binding request that is well formed but not yet believed."""

    ufrag: str
    """The ufrag of ours it is addressed to."""

    nominates: bool
    message: stun.Message

    def is_authentic(self, password: str) -> bool:
        """True when the sender knows ``password``."""
        try:
            return bool(self.message.check_message_integrity(password.encode()))
        except (ValueError, KeyError, TypeError):
            return False


def read_check(data: bytes) -> Check | None:
    """Read a binding request; None for anything else, malformed or not."""
    if len(data) > STUN_MAX_BYTES:
        return None
    try:
        message = stun.parse_message(data)
        if (
            message.message_method != stun.Method.BINDING
            or message.message_class != stun.Class.REQUEST
        ):
            return None
        ufrag = message.attributes["USERNAME"].partition(":")[0]
    except Exception:
        return None
    return Check(ufrag, "USE-CANDIDATE" in message.attributes, message)


def answer(check: Check, source: Address, password: str) -> bytes:
    """Build the answer to an authentic check that came from ``source``."""
    request = check.message
    conflict = "ICE-CONTROLLED" in request.attributes
    response = stun.Message(
        message_method=stun.Method.BINDING,
        message_class=stun.Class.ERROR if conflict else stun.Class.RESPONSE,
        transaction_id=request.transaction_id,
    )
    if conflict:  # a lite agent is always the controlled one (RFC 8445 §6.1.1)
        response.attributes["ERROR-CODE"] = _ROLE_CONFLICT
    else:
        response.attributes["XOR-MAPPED-ADDRESS"] = (source[0], source[1])
    response.add_message_integrity(password.encode())
    return bytes(response)
