"""Layers of a published track, and which of them a subscriber shall get (RFC 8853).

A publisher sends one picture in up to three sizes, each on an SSRC of its own; an audio track or
a plain video track is the case of a single layer. A subscriber gets the best layer not above the
wanted quality among those that are live, else the smallest live one. A layer counts as live while
its packets keep pace with those of the other layers: a publisher short of bandwidth stops the
large ones without a word.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping
from enum import IntEnum
from typing import Any, Final

from media.core import av1, codecs, h264, vp9
from media.core.packet import MediaPacket, PacketCache
from media.core.receive import UpStream
from media.core.rtp import RtpHeader
from media.core.sequence import SeqRewriter
from media.core.temporal import (
    MAX_TEMPORAL_ID,
    FrameRates,
    Place,
    PlaceFinder,
    Standing,
    Thinned,
    vp8_place,
    vp9_place,
)
from media.core.vp8 import Vp8Descriptor

STALE_AFTER_S: Final = 1.5
"""A layer this far behind the liveliest one has been stopped by its publisher."""
KEYFRAME_INTERVAL_S: Final = 0.5
"""Least time between two keyframe requests for one layer."""


class Quality(IntEnum):
    """Spatial quality, with the numbers of LiveKit's ``VideoQuality``."""

    LOW = 0
    MEDIUM = 1
    HIGH = 2


_QUALITY_OF_RID: Final = {"q": Quality.LOW, "h": Quality.MEDIUM, "f": Quality.HIGH}


def quality_of_rid(rid: str) -> Quality | None:
    """Quality a restriction identifier stands for; order in the offer means nothing."""
    return _QUALITY_OF_RID.get(rid)


class Layer:
    """One received stream of a track with its gapless numbering and its packets."""

    __slots__ = (
        "_finds_keyframe",
        "_keyframe_wanted",
        "_last_request_s",
        "_picture_octets",
        "_place",
        "_restarts",
        "_rewriter",
        "_thinned_groups",
        "_uses_vp8",
        "_vp8",
        "_vp8_bytes",
        "cache",
        "groups",
        "is_withheld",
        "needs_keyframe",
        "newest",
        "quality",
        "rates",
        "stream",
        "thinned",
        "waiting",
    )
    top: Final = MAX_TEMPORAL_ID
    """It has all temporal layers there are."""

    def __init__(
        self, quality: Quality, ssrc: int, codec: codecs.Codec, *, wants_nack: bool
    ) -> None:
        self.quality = quality
        self.stream = UpStream(ssrc, codec.clock_rate, wants_nack=wants_nack)
        self.needs_keyframe = codec.is_video
        self.cache = PacketCache()
        self.newest = -1
        """Highest number given to a packet."""
        self.groups: dict[Hashable, Any] = {}
        """Subscriptions that follow this layer, together (``forward.LegGroup``)."""
        self.waiting: dict[Any, None] = {}
        """Subscriptions that follow it from its next keyframe on."""
        self.is_withheld = False
        """While set, nothing is handed on, and subscribers see no gap."""
        self._rewriter = SeqRewriter()
        self._restarts = 0
        self._uses_vp8 = codec.mime_type == codecs.VP8
        self._vp8: Vp8Descriptor | None = None
        self._vp8_bytes = b""
        self._finds_keyframe = _keyframe_finder(codec)
        self._place = _place_finder(codec)
        self.rates = FrameRates()
        self._picture_octets = 0
        self.thinned: dict[int, Thinned] = {}
        """What is followed of it without its upper temporal layers, by the highest one kept."""
        self._thinned_groups: dict[int, dict[Hashable, Any]] = {}
        self._keyframe_wanted = False
        self._last_request_s = float("-inf")

    def accept(
        self,
        header: RtpHeader,
        data: bytes,
        values: Mapping[int, bytes],
        now_s: float,
        *,
        recovered: bool,
    ) -> MediaPacket | None:
        """The packet to hand on; None if it is old, a duplicate, or padding nobody will miss.

        Raises RemoteProtocolError if the payload contradicts its codec.
        """
        payload = data[header.payload_start : header.payload_end]
        vp8, starts_keyframe = self._look_into(payload)
        ext_seq = self.stream.receive(
            header.seq, header.timestamp, len(data), now_s, recovered=recovered
        )
        if ext_seq is None:
            return None
        if self.stream.restarts != self._restarts:
            self._restarts = self.stream.restarts
            self._rewriter.skip_to(ext_seq)
        if (self.is_withheld or not payload) and self._rewriter.drop(ext_seq):
            return None
        number = self._rewriter.forward(ext_seq)
        if number is None:
            return None
        packet = MediaPacket(
            number=number,
            timestamp=header.timestamp,
            marker=header.marker,
            payload=payload,
            values=values,
            starts_keyframe=starts_keyframe,
            vp8=vp8,
            arrival_s=now_s,
        )
        self.newest = max(self.newest, number)
        self.cache.put(packet)
        if starts_keyframe:
            self._keyframe_wanted = False
        self._picture_octets += len(payload)
        if header.marker and self._place is not None:
            self.rates.count(self._place(packet).temporal_id, self._picture_octets)
            self._picture_octets = 0
        return packet

    # Temporal layers.

    def place(self, packet: MediaPacket) -> Place:
        """Where a packet stands among the temporal layers."""
        return self._place(packet) if self._place is not None else Place()

    def up_to(self, temporal_id: int | None) -> "Layer | Thinned":
        """What to follow to get the temporal layers up to that one; None: all."""
        is_all = temporal_id is None or temporal_id >= len(self.rates.per_second) - 1
        if self._place is None or temporal_id is None or is_all:
            return self
        found = self.thinned.get(temporal_id)
        if found is None:
            found = self.thinned[temporal_id] = Thinned(
                temporal_id,
                quality=self.quality,
                stream=self.stream,
                place=self._place,
                request_keyframe=self.request_keyframe,
                groups=self._thinned_groups.setdefault(temporal_id, {}),
            )
        return found

    def thin(self, packet: MediaPacket) -> list[tuple["Layer | Thinned", MediaPacket]]:
        """What a packet becomes for all that is followed of this layer, itself included."""
        here: list[tuple[Layer | Thinned, MediaPacket]] = [(self, packet)]
        for top, thinned in list(self.thinned.items()):
            if not thinned.is_in_use(packet.arrival_s):
                del self.thinned[top]
                continue
            moved = thinned.accept(packet)
            if moved is not None:
                here.append((thinned, moved))
        return here

    def standing(self, packet: MediaPacket) -> Standing:
        """Its numbers are the publisher's."""
        return Standing(packet.number, packet.vp8.picture_id if packet.vp8 is not None else None)

    def all_groups(self) -> Iterator[Any]:
        """The groups of everything that was ever followed of it."""
        yield from self.groups.values()
        for groups in self._thinned_groups.values():
            yield from groups.values()

    def _look_into(self, payload: bytes) -> tuple[Vp8Descriptor | None, bool]:
        if not payload:
            return None, False
        if self._uses_vp8:
            vp8 = self._vp8
            if vp8 is None or vp8.starts_partition or not payload.startswith(self._vp8_bytes):
                vp8 = self._vp8 = Vp8Descriptor.parse(payload)
                self._vp8_bytes = payload[: vp8.size]
            # else: another packet of the same frame, with the very same descriptor
            return vp8, vp8.starts_keyframe
        return None, self._finds_keyframe is None or self._finds_keyframe(payload)

    def request_keyframe(self) -> None:
        """A subscriber cannot go on, or cannot begin, without a keyframe of this layer."""
        self._keyframe_wanted = self.needs_keyframe

    @property
    def keyframe_due_s(self) -> float:
        """When the next keyframe request may go out; infinite while none is wanted."""
        if not self._keyframe_wanted:
            return float("inf")
        return self._last_request_s + KEYFRAME_INTERVAL_S

    def take_keyframe_request(self, now_s: float) -> bool:
        """Whether to send a request now. Repeats, throttled, until a keyframe comes.

        A layer that has fallen silent (muted, or stopped for want of bandwidth) is left in peace.
        """
        if now_s < self.keyframe_due_s:
            return False
        self._last_request_s = now_s
        return now_s - self.stream.last_arrival_s <= STALE_AFTER_S


def _keyframe_finder(codec: codecs.Codec) -> Callable[[bytes], bool] | None:
    """What recognises a keyframe of that codec; None for audio, which can be entered anywhere."""
    match codec.mime_type:
        case codecs.H264:
            return h264.KeyframeFinder().starts_keyframe
        case codecs.VP9:
            return vp9.starts_keyframe
        case codecs.AV1:
            return av1.starts_keyframe
        case _:
            return None


def _place_finder(codec: codecs.Codec) -> PlaceFinder | None:
    """What tells temporal layers apart; None where they are not known or there are none."""
    return {codecs.VP8: vp8_place, codecs.VP9: vp9_place}.get(codec.mime_type)


class Layers:
    """The layers of one track, at most one per quality."""

    __slots__ = ("_by_quality", "are_video")

    def __init__(self, *, are_video: bool) -> None:
        self._by_quality: dict[Quality, Layer] = {}
        self.are_video = are_video

    def __iter__(self) -> Iterator[Layer]:
        return iter(self._by_quality.values())

    def __len__(self) -> int:
        return len(self._by_quality)

    def put(self, layer: Layer) -> Layer | None:
        """Add a layer; the one of the same quality that it replaces, if any."""
        replaced = self._by_quality.get(layer.quality)
        self._by_quality[layer.quality] = layer
        return replaced

    def get(self, quality: Quality) -> Layer | None:
        """The layer of that quality."""
        return self._by_quality.get(quality)

    def live(self) -> list[Layer]:
        """Layers whose packets keep pace, ascending by quality."""
        arrivals = [layer.stream.last_arrival_s for layer in self._by_quality.values()]
        oldest_s = max(arrivals, default=0.0) - STALE_AFTER_S
        return [
            layer
            for _, layer in sorted(self._by_quality.items())
            if layer.stream.last_arrival_s >= oldest_s and layer.stream.highest >= 0
        ]

    def best(self, wanted: Quality) -> Layer | None:
        """The layer a subscriber with that wish shall get; None while none is live."""
        live = self.live()
        below = [layer for layer in live if layer.quality <= wanted]
        if below:
            return below[-1]
        return live[0] if live else None
