"""Which layer of a track one subscription shall follow, and at which frame rate.

What the subscriber wants is limited by what its line allows. A change to another layer waits for a
keyframe; the frame rate of the same layer changes without one, downwards with any picture, upwards
one temporal layer at a time, each where the publisher says that it can be had.

Pure functions of plain values.
"""

from dataclasses import dataclass

from media.core.packet import MediaPacket
from media.core.simulcast import Layer, Layers, Quality
from media.core.temporal import Followed, Place, may_raise


@dataclass(slots=True)
class Selection:
    """A subscriber's wish and its line's limits."""

    wanted: Quality | None = Quality.HIGH
    """None: paused."""
    limit: Quality | None = None
    """What the line allows at most; None while it allows what is wanted."""
    fps: float = 0.0
    """Pictures a second wanted at most; 0: as many as there are."""
    temporal_limit: int | None = None
    """Highest temporal id the line allows; None while it allows all."""
    is_withheld: bool = False
    """Whether the line does not even carry the smallest layer."""

    @property
    def is_rate_limited(self) -> bool:
        """Whether fewer pictures than there are may be enough."""
        return bool(self.fps) or self.temporal_limit is not None

    def best(self, layers: Layers) -> Layer | None:
        """The layer to follow; None while none is live."""
        assert self.wanted is not None, "asked only while something is wanted"
        return layers.best(self.wanted if self.limit is None else min(self.wanted, self.limit))

    def final(self, layer: Layer) -> Followed:
        """What to follow of a layer in the end."""
        by_rate = layer.rates.temporal_id_for(self.fps) if self.fps else None
        limits = [one for one in (by_rate, self.temporal_limit) if one is not None]
        return layer.up_to(min(limits, default=None))

    def next_step(self, layer: Layer, here: Followed | None) -> Followed:
        """What to follow of a layer next, for who follows ``here`` now."""
        final = self.final(layer)
        if here is None or here.stream is not layer.stream or final.top <= here.top:
            return final
        return layer.up_to(here.top + 1)


def may_cross(here: Followed, target: Followed, packet: MediaPacket, place: Place) -> bool:
    """Whether the frame rate of a layer can change with this packet, the next in order."""
    if packet.starts_keyframe:
        return True
    if target.top < here.top:
        return place.starts_picture and place.temporal_id <= target.top
    return may_raise(place, here.top)
