"""A received media packet, kept once for all who get it, and the cache it rests in.

Subscribers share the payload and the header extension elements written for their extension ids;
what differs per subscriber is twelve header bytes, elements of its own and, for VP8 after a layer
switch, the few bytes of the payload descriptor. The cache also serves retransmissions, so nothing
is stored per subscriber.
"""

from collections.abc import Mapping
from typing import Final

from media.core.extensions import ExtensionMap
from media.core.vp8 import Vp8Descriptor

CACHE_PACKETS: Final = 1024
"""About four seconds of a 2.5 Mb/s stream; a power of two."""


class MediaPacket:
    """One packet of one layer."""

    __slots__ = (
        "_elements",
        "arrival_s",
        "marker",
        "number",
        "payload",
        "starts_keyframe",
        "timestamp",
        "values",
        "vp8",
    )

    def __init__(
        self,
        *,
        number: int,
        timestamp: int,
        marker: bool,
        payload: bytes,
        values: Mapping[int, bytes],
        starts_keyframe: bool,
        vp8: Vp8Descriptor | None,
        arrival_s: float,
    ) -> None:
        self.number = number
        """Place in the layer's gapless numbering."""
        self.timestamp = timestamp
        self.marker = marker
        self.payload = payload
        self.values = values
        """The publisher's header extension elements, by its ids."""
        self.starts_keyframe = starts_keyframe
        """Whether a subscriber can begin here; always true for audio."""
        self.vp8 = vp8
        self.arrival_s = arrival_s
        self._elements: dict[ExtensionMap, bytes] | None = None

    def elements(self, extension_map: ExtensionMap) -> bytes:
        """Header extension elements that all with that map share; computed once per map."""
        written = self._elements
        if written is None:
            written = self._elements = {}
        found = written.get(extension_map)
        if found is None:
            found = written[extension_map] = extension_map.elements(self.values, self.arrival_s)
        return found


class PacketCache:
    """The newest packets of a layer by number."""

    __slots__ = ("_slots",)

    def __init__(self) -> None:
        self._slots: list[MediaPacket | None] = [None] * CACHE_PACKETS

    def put(self, packet: MediaPacket) -> None:
        """Keep ``packet``; the one that many numbers before it is forgotten."""
        self._slots[packet.number % CACHE_PACKETS] = packet

    def get(self, number: int) -> MediaPacket | None:
        """The packet with that number, if it still rests here."""
        packet = self._slots[number % CACHE_PACKETS]
        return packet if packet is not None and packet.number == number else None
