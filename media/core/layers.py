"""Which layer a subscriber shall get, and which layers a publisher need send at all.

The subscriber says what it shows (UpdateTrackSettings); the publisher hears which of its
layers nobody wants (dynacast). Rules follow LiveKit 1.13: with a size given, the smallest
layer at least nine tenths as high; sizes compare the shorter side, so portrait works too.
"""

from collections.abc import Iterable
from typing import Final

from livekit.protocol import models, rtc

from media.core.simulcast import Quality

_NO_PRIORITY: Final = 2**32
HEIGHT_TOLERANCE: Final = 0.9
LOWER_AFTER_S: Final = 3.5
"""How long a layer must be unwanted before the publisher is told, give or take a second."""


def wanted_quality(
    settings: rtc.UpdateTrackSettings | None, info: models.TrackInfo, *, is_adaptive: bool
) -> Quality | None:
    """Quality a subscriber wants of a track; None while it is paused."""
    if settings is None:
        # An adaptive client tells its sizes in a moment; until then it gets the cheapest.
        return Quality.LOW if is_adaptive and info.type == models.TrackType.VIDEO else Quality.HIGH
    if settings.disabled:
        return None
    if settings.width > 0 and settings.height > 0:
        return _quality_for_size(min(settings.width, settings.height), info.layers)
    if settings.quality == models.VideoQuality.OFF:
        return None
    return Quality(min(settings.quality, Quality.HIGH))


def rank(settings: rtc.UpdateTrackSettings | None, info: models.TrackInfo) -> tuple[int, int, int]:
    """How soon a picture is served on a narrow line; least first.

    A shared screen comes before cameras, then the subscriber's own priority counts (1 is the
    highest, 0 says nothing), then the area it shows the picture on.
    """
    kind = 0 if info.source == models.TrackSource.SCREEN_SHARE else 1
    if settings is None:
        return kind, _NO_PRIORITY, 0
    area_px = settings.width * settings.height
    return kind, settings.priority or _NO_PRIORITY, -area_px


def quality_states(maximum: Quality | None) -> list[rtc.SubscribedQuality]:
    """Say for each layer whether anybody needs it; ``maximum`` is the highest one wanted."""
    return [
        rtc.SubscribedQuality(
            quality=quality.name, enabled=maximum is not None and quality <= maximum
        )
        for quality in Quality
    ]


def _quality_for_size(side_px: int, layers: Iterable[models.VideoLayer]) -> Quality:
    sizes = sorted(
        (min(layer.width, layer.height), layer.quality) for layer in layers if layer.width
    )
    for layer_px, quality in sizes:
        if layer_px >= HEIGHT_TOLERANCE * side_px:
            return Quality(min(quality, Quality.HIGH))
    return Quality.HIGH


class Dynacast:
    """What one publisher has been told about one track; raised at once, lowered after a while."""

    def __init__(self) -> None:
        self._told: Quality | None = Quality.HIGH
        self._lower_since_s: float | None = None

    def update(self, maximum: Quality | None, now_s: float) -> bool:
        """Take note of the highest wanted quality; True when the publisher must be told."""
        told = -1 if self._told is None else int(self._told)
        wanted = -1 if maximum is None else int(maximum)
        if wanted >= told:
            self._lower_since_s = None
            self._told = maximum
            return wanted > told
        if self._lower_since_s is None:
            self._lower_since_s = now_s
        if now_s - self._lower_since_s < LOWER_AFTER_S:
            return False
        self._lower_since_s = None
        self._told = maximum
        return True
