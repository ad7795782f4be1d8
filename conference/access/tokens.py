"""Access tokens for the media engine: JWT, HS256, with LiveKit's claims.

The engine checks them by itself, with the shared secret; it asks nothing back. Source: LiveKit's
token reference (claims ``iss`` = API key, ``sub`` = identity, ``video`` = grants). An unset
``canPublish`` or ``canSubscribe`` means *true* there, so every grant is written out.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import jwt

CLOCK_TOLERANCE: Final = timedelta(seconds=10)
"""How much earlier than now a token starts to be valid, for clocks that differ."""


@dataclass(frozen=True, slots=True)
class Grants:
    """What the bearer may do in one room, and, for servers, to rooms."""

    room_join: bool = True
    can_publish: bool = True
    can_publish_sources: tuple[str, ...] | None = None
    """camera, microphone, screen_share, screen_share_audio; None = all."""
    can_subscribe: bool = True
    can_publish_data: bool = True
    hidden: bool = False
    recorder: bool = False
    room_admin: bool = False
    room_create: bool = False
    room_list: bool = False

    def claim(self, room: str) -> dict[str, Any]:
        """The ``video`` claim for ``room`` (empty for tokens that name no room)."""
        claim: dict[str, Any] = {
            "roomJoin": self.room_join,
            "canPublish": self.can_publish,
            "canSubscribe": self.can_subscribe,
            "canPublishData": self.can_publish_data,
        }
        if room:
            claim["room"] = room
        if self.can_publish_sources is not None:
            claim["canPublishSources"] = list(self.can_publish_sources)
        flags = {
            "hidden": self.hidden,
            "recorder": self.recorder,
            "roomAdmin": self.room_admin,
            "roomCreate": self.room_create,
            "roomList": self.room_list,
        }
        return claim | {name: True for name, is_set in flags.items() if is_set}


def room_token(
    *,
    api_key: str,
    secret: str,
    room: str,
    identity: str,
    name: str,
    grants: Grants,
    at: datetime,
    life: timedelta,
    metadata: Mapping[str, Any] | None = None,
    attributes: Mapping[str, str] | None = None,
) -> str:
    """Signed token with which ``identity`` may act in ``room`` until ``at + life``."""
    claims: dict[str, Any] = {
        "iss": api_key,
        "sub": identity,
        "name": name,
        "nbf": int((at - CLOCK_TOLERANCE).timestamp()),
        "iat": int(at.timestamp()),
        "exp": int((at + life).timestamp()),
        "video": grants.claim(room),
    }
    if metadata is not None:
        claims["metadata"] = json.dumps(metadata, ensure_ascii=False)
    if attributes is not None:
        claims["attributes"] = dict(attributes)
    return jwt.encode(claims, secret, algorithm="HS256")


def server_token(
    *, api_key: str, secret: str, at: datetime, life: timedelta, room: str = ""
) -> str:
    """Token for the Server API: room management, and everything inside ``room`` if named."""
    grants = Grants(
        room_join=False,
        can_publish=False,
        can_subscribe=False,
        can_publish_data=False,
        room_admin=bool(room),
        room_create=True,
        room_list=True,
    )
    return room_token(
        api_key=api_key, secret=secret, room=room, identity="diemcau-web", name="",
        grants=grants, at=at, life=life,
    )  # fmt: skip
