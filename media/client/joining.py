"""What a client says when it opens its signalling socket, in both forms of the protocol.

v0 puts its options into the query string and is offered a second connection to receive on; v1
packs them, with the client's first offer, into one compressed ``join_request`` and uses a single
connection. A resume is the same request with the session's sid. Pure.
"""

import base64
import gzip
from typing import Final

from livekit.protocol import models, rtc

PROTOCOL: Final = 16
"""LiveKit's protocol version; 17 and later add only what this client does not use."""
VERSION: Final = "1.0.0"

PATHS: Final = {False: "rtc", True: "rtc/v1"}
"""Path of the signalling socket, by whether there is a single connection."""


def query(
    *,
    auto_subscribe: bool,
    adaptive_stream: bool,
    is_single: bool,
    offer: rtc.SessionDescription | None = None,
    resumed_sid: str = "",
) -> dict[str, str]:
    """The query of a join, or of a resume of the session ``resumed_sid``."""
    if not is_single:
        plain = {
            "protocol": str(PROTOCOL),
            "version": VERSION,
            "sdk": "unknown",
            "auto_subscribe": str(int(auto_subscribe)),
            "adaptive_stream": str(int(adaptive_stream)),
        }
        return plain | ({"reconnect": "1", "sid": resumed_sid} if resumed_sid else {})
    request = rtc.JoinRequest(
        client_info=models.ClientInfo(version=VERSION, protocol=PROTOCOL),
        connection_settings=rtc.ConnectionSettings(
            auto_subscribe=auto_subscribe, adaptive_stream=adaptive_stream
        ),
        publisher_offer=offer,
        reconnect=bool(resumed_sid),
        participant_sid=resumed_sid,
    )
    wrapped = rtc.WrappedJoinRequest(
        compression=rtc.WrappedJoinRequest.Compression.GZIP,
        join_request=gzip.compress(request.SerializeToString()),
    )
    return {"join_request": base64.urlsafe_b64encode(wrapped.SerializeToString()).decode()}
