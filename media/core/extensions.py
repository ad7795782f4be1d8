"""RTP header extensions of WebRTC by their URI, and which of them pass through a node.

An id is agreed per connection, so every forwarded element is renumbered. Elements that describe
one hop only (transport-wide sequence number, transmission offset) or the sender's own description
(mid, rid) end at the node; absolute send time is written anew, because a receiver's bandwidth
estimate must see this node's sending times.
"""

from collections.abc import Mapping
from typing import Final

MID: Final = "urn:ietf:params:rtp-hdrext:sdes:mid"
RTP_STREAM_ID: Final = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
REPAIRED_RTP_STREAM_ID: Final = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
AUDIO_LEVEL: Final = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
"""RFC 6464: bit 7 voice activity, bits 0-6 level in -dBov."""
VIDEO_ORIENTATION: Final = "urn:3gpp:video-orientation"
ABSOLUTE_SEND_TIME: Final = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
ABSOLUTE_CAPTURE_TIME: Final = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"
TRANSPORT_WIDE_CC: Final = (
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
)
PLAYOUT_DELAY: Final = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
VIDEO_CONTENT_TYPE: Final = "http://www.webrtc.org/experiments/rtp-hdrext/video-content-type"
COLOR_SPACE: Final = "http://www.webrtc.org/experiments/rtp-hdrext/color-space"

FORWARDED: Final = frozenset(
    {
        AUDIO_LEVEL,
        VIDEO_ORIENTATION,
        ABSOLUTE_CAPTURE_TIME,
        PLAYOUT_DELAY,
        VIDEO_CONTENT_TYPE,
        COLOR_SPACE,
    }
)
"""Elements whose value stays true for every receiver."""


class ExtensionMap:
    """How one publisher's extension ids become one subscriber's. Immutable; shared by subscribers.

    ``publisher_ids`` and ``subscriber_ids`` map URIs to negotiated ids.
    """

    __slots__ = ("absolute_send_time_id", "key", "mid_id", "pairs")

    def __init__(self, publisher_ids: Mapping[str, int], subscriber_ids: Mapping[str, int]) -> None:
        writable = {uri: number for uri, number in subscriber_ids.items() if 1 <= number <= 14}
        self.pairs: tuple[tuple[int, int], ...] = tuple(
            sorted(
                (publisher_ids[uri], writable[uri])
                for uri in FORWARDED
                if uri in publisher_ids and uri in writable
            )
        )
        """Publisher's id and subscriber's id of every element that passes."""
        self.absolute_send_time_id: int = writable.get(ABSOLUTE_SEND_TIME, 0)
        """0 when not negotiated."""
        self.mid_id: int = writable.get(MID, 0)
        self.key: tuple[object, ...] = (self.pairs, self.absolute_send_time_id)
        """Equal keys give equal forwarded blocks (mid apart)."""

    def forwarded_values(self, values: Mapping[int, bytes]) -> list[tuple[int, bytes]]:
        """Renumbered elements of a packet, those that fit the one-byte form."""
        return [
            (theirs, values[ours])
            for ours, theirs in self.pairs
            if ours in values and 1 <= len(values[ours]) <= 16
        ]


def absolute_send_time(now_s: float) -> bytes:
    """24-bit fixed point seconds, 18 bits of fraction; wraps every 64 s."""
    return (int(now_s * 262144) & 0xFFFFFF).to_bytes(3, "big")
