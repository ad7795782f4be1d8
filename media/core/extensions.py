"""RTP header extensions of WebRTC by their URI, and which of them pass through a node.

An id is agreed per connection, so every forwarded element is renumbered. Elements that describe
one hop only (transport-wide sequence number, transmission offset) or the sender's own description
(mid, rid) end at the node; absolute send time is written anew, because a receiver's bandwidth
estimate must see this node's sending times. The one-byte form is written: first what all
subscribers with the same ids share, then what is one subscriber's own.
"""

from collections.abc import Mapping
from typing import Final

from media.core.rtp import ONE_BYTE_PROFILE, TWO_BYTE_PROFILE, two_byte_elements

MAX_ONE_BYTE: Final = 16
MAX_TWO_BYTE: Final = 255

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

DEPENDENCY_DESCRIPTOR: Final = (
    "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"
)
"""How frames and layers depend on each other, readable without the payload (AV1, VP9, E2EE)."""

FORWARDED: Final = frozenset(
    {
        AUDIO_LEVEL,
        VIDEO_ORIENTATION,
        ABSOLUTE_CAPTURE_TIME,
        PLAYOUT_DELAY,
        VIDEO_CONTENT_TYPE,
        COLOR_SPACE,
        DEPENDENCY_DESCRIPTOR,
    }
)
"""Elements whose value stays true for every receiver."""


class ExtensionMap:
    """How a publisher's header extensions reach subscribers with the same ids. Immutable.

    ``publisher_ids`` and ``subscriber_ids`` map URIs to negotiated ids. Equal maps are shared, so
    that what they write is computed once for all who get it.
    """

    __slots__ = ("_long_id", "_send_time_id", "key", "pairs")

    def __init__(self, publisher_ids: Mapping[str, int], subscriber_ids: Mapping[str, int]) -> None:
        writable = _writable(subscriber_ids)
        self.pairs: tuple[tuple[int, int], ...] = tuple(
            sorted(
                (publisher_ids[uri], writable[uri])
                for uri in FORWARDED
                if uri in publisher_ids and uri in writable
            )
        )
        """Publisher's id and subscriber's id of every element that passes."""
        self._send_time_id = writable.get(ABSOLUTE_SEND_TIME, 0)
        carried = DEPENDENCY_DESCRIPTOR in publisher_ids and DEPENDENCY_DESCRIPTOR in writable
        self._long_id = publisher_ids[DEPENDENCY_DESCRIPTOR] if carried else 0
        self.key: tuple[object, ...] = (self.pairs, self._send_time_id)
        """Maps with equal keys write equal elements."""

    def elements(self, values: Mapping[int, bytes], now_s: float) -> bytes:
        """Elements of a forwarded packet, not padded, without those of one subscriber only.

        ``values`` are the publisher's elements by its ids. Values that do not fit the one-byte
        form are left out; see ``long_elements``.
        """
        written = b""
        if self._send_time_id:
            written = bytes((self._send_time_id << 4 | 2,)) + absolute_send_time(now_s)
        for ours, theirs in self.pairs:
            value = values.get(ours, b"")
            if 1 <= len(value) <= MAX_ONE_BYTE:
                written += bytes((theirs << 4 | len(value) - 1,)) + value
        return written

    def has_long(self, values: Mapping[int, bytes]) -> bool:
        """Whether something passes that only the two-byte form can carry.

        That is a dependency descriptor which tells the whole structure, once for each keyframe.
        """
        return self._long_id != 0 and len(values.get(self._long_id, b"")) > MAX_ONE_BYTE

    def long_elements(self, values: Mapping[int, bytes], now_s: float) -> list[tuple[int, bytes]]:
        """All that passes, by the subscribers' ids, for the two-byte form."""
        passed = [(theirs, values[ours]) for ours, theirs in self.pairs if ours in values]
        elements = [(number, value) for number, value in passed if len(value) <= MAX_TWO_BYTE]
        if self._send_time_id:
            elements.insert(0, (self._send_time_id, absolute_send_time(now_s)))
        return elements


class OwnExtensions:
    """The elements that only one subscription gets: its mid, and room for a running number.

    The number counts all packets of a connection (transport-wide congestion control), so it is
    written when a packet is sent; here its place is left at zero, always last.
    """

    __slots__ = ("_mid", "cc_id", "elements")

    def __init__(self, subscriber_ids: Mapping[str, int], mid: str | None = None) -> None:
        writable = _writable(subscriber_ids)
        mid_bytes = mid.encode() if mid else b""
        self.elements = b""
        """Without the running number."""
        self._mid: tuple[tuple[int, bytes], ...] = ()
        if MID in writable and 1 <= len(mid_bytes) <= MAX_ONE_BYTE:
            self.elements = bytes((writable[MID] << 4 | len(mid_bytes) - 1,)) + mid_bytes
            self._mid = ((writable[MID], mid_bytes),)
        self.cc_id = writable.get(TRANSPORT_WIDE_CC, 0)
        """Id of the running number; 0: none."""

    def block(self, shared: bytes) -> bytes:
        """Header extension with ``shared`` elements first, profile and length included."""
        elements = shared + self.elements
        if self.cc_id:
            elements += bytes((self.cc_id << 4 | 1, 0, 0))
        if not elements:
            return b""
        words = (len(elements) + 3) // 4
        head = ONE_BYTE_PROFILE.to_bytes(2, "big") + words.to_bytes(2, "big")
        return head + elements.ljust(4 * words, b"\0")

    def long_block(self, shared: list[tuple[int, bytes]]) -> bytes:
        """Header extension in the two-byte form (RFC 8285 §4.3), without the running number."""
        data = two_byte_elements([*shared, *self._mid])
        return TWO_BYTE_PROFILE.to_bytes(2, "big") + (len(data) // 4).to_bytes(2, "big") + data


def _writable(ids: Mapping[str, int]) -> dict[str, int]:
    """Ids that the one-byte form can carry."""
    return {uri: number for uri, number in ids.items() if 1 <= number <= 14}


def absolute_send_time(now_s: float) -> bytes:
    """24-bit fixed point seconds, 18 bits of fraction; wraps every 64 s."""
    return (int(now_s * 262144) & 0xFFFFFF).to_bytes(3, "big")
