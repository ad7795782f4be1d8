"""Temporal layers: which frame rate needs which of them, and a layer without the upper ones.

A publisher may send pictures of one size so that every second one, or three of four, can be left
out (RFC 7741 §4.2, RFC 9628 §4.2: TID). A ``Thinned`` layer is such a stream without the pictures
above a temporal id, under numbers of its own that know no gap: packets and, for VP8, picture ids.
TL0PICIDX counts pictures of the lowest temporal layer, which are never left out, and stays as it
is; VP9 pictures name those they need by distance and keep their ids.

It is followed just as a whole layer is, so all subscribers with the same wish share its packets. A
packet that was lost on the way in keeps its place, since nobody knows what it was; if it comes late
and is to be left out, its place is filled with an empty packet. A picture id that was kept for such
a picture stays unused: the pictures up to the next one of the lowest layer may then be held back by
a decoder.

Pure; driven by ``track.UpTrack``.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

from media.core import vp9
from media.core.packet import MediaPacket, PacketCache
from media.core.receive import UpStream
from media.core.sequence import WINDOW_PACKETS, SeqRewriter, unwrap
from media.core.vp8 import PictureNumbers, Vp8Descriptor

FPS_TOLERANCE: Final = 0.9
"""A frame rate counts as reached from this share on (LiveKit 1.13 does the same)."""
MAX_TEMPORAL_ID: Final = 7
RATE_WEIGHT: Final = 0.5
"""Of a new measurement of the frame rates."""
FOLLOWED_S: Final = 2.0
"""How long packets that come late are still placed after the last subscriber has left."""
PICTURE_ID_BITS: Final = 15
_PICTURE_ID_MASK: Final = (1 << PICTURE_ID_BITS) - 1


class Place(NamedTuple):
    """Where a packet stands among the temporal layers of its stream."""

    temporal_id: int = 0
    starts_picture: bool = False
    """First packet of a picture, all its spatial layers together."""
    is_sync: bool = False
    """VP8: the picture needs none but those of the lowest temporal layer (Y).
    VP9: pictures of higher temporal layers need none before this one (U)."""
    opens_all: bool = False
    """What ``is_sync`` says is said of all higher layers (VP9), not of this picture alone (VP8)."""


PlaceFinder = Callable[[MediaPacket], Place]


def vp8_place(packet: MediaPacket) -> Place:
    """By the payload descriptor."""
    vp8 = packet.vp8
    if vp8 is None:
        return Place()
    starts = vp8.starts_partition and vp8.partition == 0
    return Place(vp8.temporal_id or 0, starts, vp8.is_layer_sync)


def vp9_place(packet: MediaPacket) -> Place:
    """By the payload descriptor, which was read before."""
    layer = vp9.layer_of(packet.payload) if packet.payload else vp9.Vp9Layer()
    return Place(layer.temporal_id, layer.starts_picture, layer.is_switching_point, opens_all=True)


class FrameRates:
    """How many pictures a second a stream has, and what they weigh, by temporal layer."""

    __slots__ = ("_counts", "_octets", "_shares", "_since_s", "per_second")

    def __init__(self) -> None:
        self._counts = [0] * (MAX_TEMPORAL_ID + 1)
        self._octets = [0] * (MAX_TEMPORAL_ID + 1)
        self._shares: tuple[float, ...] = ()  # of the octets, as ``per_second``
        self._since_s: float | None = None
        self.per_second: tuple[float, ...] = ()
        """With all temporal layers up to that index; as many as there are layers."""

    def count(self, temporal_id: int, octets: int = 0) -> None:
        """A picture of so many octets ended."""
        self._counts[temporal_id] += 1
        self._octets[temporal_id] += octets

    def measure(self, now_s: float) -> None:
        """Take stock, about once a second."""
        elapsed_s = now_s - self._since_s if self._since_s is not None else 0.0
        if self._since_s is not None and elapsed_s <= 0:
            return
        self._since_s = now_s
        counts, self._counts = self._counts, [0] * (MAX_TEMPORAL_ID + 1)
        octets, self._octets = self._octets, [0] * (MAX_TEMPORAL_ID + 1)
        highest = max((index for index, count in enumerate(counts) if count), default=-1)
        if elapsed_s <= 0 or highest < 0:
            return  # nothing to compare with, or nothing sent: what was known stays true
        fresh = [sum(counts[: index + 1]) / elapsed_s for index in range(highest + 1)]
        self.per_second = _smoothed(self.per_second, fresh)
        total = max(1, sum(octets))
        fresh = [sum(octets[: index + 1]) / total for index in range(highest + 1)]
        self._shares = _smoothed(self._shares, fresh)

    def shares(self, least_fps: float) -> list[tuple[int, float]]:
        """Temporal ids that can be the highest kept, all of them apart, with their share of octets.

        Only those with which ``least_fps`` pictures a second remain.
        """
        return [
            (index, self._shares[index])
            for index, rate in enumerate(self.per_second[:-1])
            if rate >= least_fps
        ]

    def temporal_id_for(self, fps: float) -> int | None:
        """Highest temporal id that ``fps`` pictures a second need; None when that is all."""
        for index, rate in enumerate(self.per_second[:-1]):
            if rate >= FPS_TOLERANCE * fps:
                return index
        return None


def _smoothed(before: tuple[float, ...], fresh: list[float]) -> tuple[float, ...]:
    """A new measurement, weighed with the one before unless there are other layers now."""
    if len(before) != len(fresh):
        return tuple(fresh)
    return tuple(old + RATE_WEIGHT * (new - old) for old, new in zip(before, fresh, strict=True))


def may_raise(place: Place, top: int) -> bool:
    """Whether one more temporal layer than ``top`` can be had from this packet on."""
    if not (place.starts_picture and place.is_sync):
        return False
    return place.temporal_id <= top if place.opens_all else place.temporal_id == top + 1


class Followed(Protocol):
    """A stream of packets a subscription can follow: a layer, or a thinned one."""

    quality: Any

    stream: UpStream
    cache: PacketCache
    newest: int
    groups: dict[Hashable, Any]
    waiting: dict[Any, None]

    @property
    def top(self) -> int:
        """Highest temporal id it carries."""

    @property
    def needs_keyframe(self) -> bool:
        """False for sound."""

    def request_keyframe(self) -> None:
        """Somebody cannot go on without one."""

    def standing(self, packet: MediaPacket) -> "Standing":
        """Which numbers the publisher's packet has here."""


@dataclass(slots=True, frozen=True)
class Standing:
    """Which numbers a packet has, or would have, in something that is followed."""

    number: int
    picture_id: int | None


class Thinned:
    """A layer's packets up to temporal id ``top``; quacks like a layer to who follows it."""

    __slots__ = (
        "_last_followed_s",
        "_newest_picture",
        "_pictures",
        "_place",
        "_request_keyframe",
        "_rewriter",
        "cache",
        "groups",
        "newest",
        "quality",
        "stream",
        "top",
        "waiting",
    )
    needs_keyframe: Final = True

    def __init__(
        self,
        top: int,
        *,
        quality: Any,
        stream: UpStream,
        place: PlaceFinder,
        request_keyframe: Callable[[], None],
        groups: dict[Hashable, Any],
    ) -> None:
        self.top = top
        self.quality = quality
        self.stream = stream
        self.cache = PacketCache()
        self.newest = -1
        self.groups = groups
        self.waiting: dict[Any, None] = {}
        self._place = place
        self._request_keyframe = request_keyframe
        self._rewriter = SeqRewriter()
        self._pictures = SeqRewriter()
        self._newest_picture = 1 << PICTURE_ID_BITS  # of the publisher, unwrapped
        self._last_followed_s = float("inf")

    def request_keyframe(self) -> None:
        """Ask the publisher of the layer."""
        self._request_keyframe()

    @property
    def is_followed(self) -> bool:
        """Whether anybody follows or waits to."""
        return bool(self.waiting) or any(group.is_followed for group in self.groups.values())

    def is_in_use(self, now_s: float) -> bool:
        """Whether anybody follows, waits, or has followed a moment ago."""
        if self.is_followed:
            self._last_followed_s = now_s
            return True
        return now_s - self._last_followed_s < FOLLOWED_S

    def accept(self, packet: MediaPacket) -> MediaPacket | None:
        """The packet under its number here; None if it is left out without leaving a place.

        An empty packet if it is left out and later ones were numbered already.
        """
        picture = self._picture_of(packet)
        is_left_out = self._place(packet).temporal_id > self.top
        if is_left_out and picture is not None:
            self._pictures.drop(picture)
        new_picture = self._pictures.forward(picture) if picture is not None else None
        # A publisher that gives packets of one picture several temporal ids loses the picture.
        is_left_out = is_left_out or (picture is not None and new_picture is None)
        if is_left_out and self._rewriter.drop(packet.number):
            return None
        number = self._rewriter.forward(packet.number)
        if number is None:
            return None
        moved = _emptied(packet, number) if is_left_out else _moved(packet, number, new_picture)
        self.newest = max(self.newest, number)
        self.cache.put(moved)
        return moved

    def standing(self, packet: MediaPacket) -> Standing:
        """Numbers of a packet that was just accepted; those of the next one, if it is left out."""
        picture = self._picture_of(packet)
        if picture is not None:
            picture = self._pictures.place(picture) & _PICTURE_ID_MASK
        return Standing(self._rewriter.place(packet.number), picture)

    def _picture_of(self, packet: MediaPacket) -> int | None:
        vp8 = packet.vp8
        if vp8 is None or vp8.picture_id is None:
            return None
        picture = unwrap(vp8.picture_id, self._newest_picture, vp8.picture_id_bits)
        if picture <= self._newest_picture - WINDOW_PACKETS:
            picture += 1 << vp8.picture_id_bits  # nobody is that late: the publisher jumped
        self._newest_picture = max(self._newest_picture, picture)
        return picture


def _emptied(packet: MediaPacket, number: int) -> MediaPacket:
    """What holds the place of a packet that nobody gets."""
    return MediaPacket(
        number=number,
        timestamp=packet.timestamp,
        marker=False,
        payload=b"",
        values={},
        starts_keyframe=False,
        vp8=None,
        arrival_s=packet.arrival_s,
    )


def _moved(packet: MediaPacket, number: int, picture: int | None) -> MediaPacket:
    """The packet under other numbers; picture ids are written with 15 bits."""
    vp8, payload = packet.vp8, packet.payload
    if vp8 is not None and vp8.picture_id is not None and picture is not None:
        distance = PictureNumbers(picture_id=picture - vp8.picture_id & _PICTURE_ID_MASK)
        if vp8.picture_id_bits < PICTURE_ID_BITS or not distance.is_identity:
            payload = distance.descriptor(vp8) + payload[vp8.size :]
            vp8 = Vp8Descriptor.parse(payload)
    return MediaPacket(
        number=number,
        timestamp=packet.timestamp,
        marker=packet.marker,
        payload=payload,
        values=packet.values,
        starts_keyframe=packet.starts_keyframe,
        vp8=vp8,
        arrival_s=packet.arrival_s,
    )
