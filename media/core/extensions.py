"""RTP header extensions of WebRTC by their URI, and which of them pass through a node.

An id is agreed per connection, so every forwarded element is renumbered. Elements that describe
one hop only (transport-wide sequence number, transmission offset) or the sender's own description
(mid, rid) end at the node; absolute send time is written anew, because a receiver's bandwidth
estimate must see this node's sending times.
"""

from collections.abc import Mapping
from typing import Final

from media.core.rtp import ONE_BYTE_PROFILE, one_byte_elements

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
    """How a publisher's header extensions reach one subscriber. Immutable; equal maps are shared.

    ``publisher_ids`` and ``subscriber_ids`` map URIs to negotiated ids; ``mid`` is the
    subscriber's, written on every packet when the extension is negotiated.
    """

    __slots__ = ("_mid", "_plain_head", "_plain_tail", "_send_time_id", "key", "pairs")

    def __init__(
        self,
        publisher_ids: Mapping[str, int],
        subscriber_ids: Mapping[str, int],
        mid: str | None = None,
    ) -> None:
        writable = {uri: number for uri, number in subscriber_ids.items() if 1 <= number <= 14}
        self.pairs: tuple[tuple[int, int], ...] = tuple(
            sorted(
                (publisher_ids[uri], writable[uri])
                for uri in FORWARDED
                if uri in publisher_ids and uri in writable
            )
        )
        """Publisher's id and subscriber's id of every element that passes."""
        self._send_time_id = writable.get(ABSOLUTE_SEND_TIME, 0)
        mid_bytes = mid.encode() if mid else b""
        self._mid: tuple[tuple[int, bytes], ...] = ()
        if MID in writable and 1 <= len(mid_bytes) <= 16:
            self._mid = ((writable[MID], mid_bytes),)
        self.key: tuple[object, ...] = (self.pairs, self._send_time_id, self._mid)
        """Maps with equal keys write equal blocks."""
        # Most packets carry no element of the publisher: their blocks differ in time only, which
        # stands first, behind profile, length and its own head.
        plain = self._written([], 0.0)
        self._plain_head = plain[:5] if self._send_time_id else plain
        self._plain_tail = plain[8:] if self._send_time_id else b""

    def block(self, values: Mapping[int, bytes], now_s: float) -> bytes:
        """Header extension of a forwarded packet, profile and length included; may be empty.

        ``values`` are the publisher's elements by its ids. Values that do not fit the one-byte
        form are left out.
        """
        passed = [
            (theirs, values[ours])
            for ours, theirs in self.pairs
            if ours in values and 1 <= len(values[ours]) <= 16
        ]
        if passed:
            return self._written(passed, now_s)
        if self._send_time_id:
            return self._plain_head + absolute_send_time(now_s) + self._plain_tail
        return self._plain_head

    def _written(self, passed: list[tuple[int, bytes]], now_s: float) -> bytes:
        elements = [*self._mid, *passed]
        if self._send_time_id:
            elements.insert(0, (self._send_time_id, absolute_send_time(now_s)))
        if not elements:
            return b""
        data = one_byte_elements(elements)
        return ONE_BYTE_PROFILE.to_bytes(2, "big") + (len(data) // 4).to_bytes(2, "big") + data


def absolute_send_time(now_s: float) -> bytes:
    """24-bit fixed point seconds, 18 bits of fraction; wraps every 64 s."""
    return (int(now_s * 262144) & 0xFFFFFF).to_bytes(3, "big")
