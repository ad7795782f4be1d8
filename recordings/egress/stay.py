"""How the recorder of an order stays in the room: hidden, as LiveKit's own egress does.

Its identity is the order's id and its kind *egress*, so it counts neither against the room's limit
nor as somebody whose presence keeps the room open.
"""

import time
from collections.abc import Callable
from typing import Final

from livekit.protocol.models import ParticipantInfo

from media.core.grants import Claims, VideoGrant
from media.tokens import issue_token
from recordings.capture.livekit_room import LiveKitRoom
from recordings.capture.port import Room
from recordings.egress.ledger import OrderClaim

TOKEN_LIFE_S: Final = 12 * 3600.0


def ordered_room_maker(url: str, api_key: str, secret: str) -> Callable[[OrderClaim], Room]:
    """Makes stays in the rooms of the media engine at ``url`` (ws or wss)."""

    def make(claim: OrderClaim) -> Room:
        grant = VideoGrant(
            room=claim.room_name, room_join=True, can_publish=False, can_publish_data=False,
            can_subscribe=True, hidden=True, recorder=True,
        )  # fmt: skip
        claims = Claims(
            api_key=api_key,
            identity=claim.order.info.egress_id,
            video=grant,
            kind=ParticipantInfo.EGRESS,
        )
        return LiveKitRoom(url, issue_token(claims, secret, time.time(), TOKEN_LIFE_S))

    return make
