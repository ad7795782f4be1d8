"""How good a participant's connection is, both ways, as LiveKit 1.13 scores it.

Each published track and each subscription has a score of 0 to 100, renewed every window of five
seconds: loss after repair, weighted by what the codec can stand; delay; how far the layer that
goes through is below the one that could; and how many bits go through of those expected. It falls
fast and rises slowly. A participant is as good as the worst of its tracks; without tracks it is
excellent.

LOST is said only of a participant that is not heard at all. A client told so of itself gives its
connection up, so it is never told.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import log, sqrt
from typing import Final

from livekit.protocol import models

Quality = models.ConnectionQuality

BEST: Final = 100.0
WORST_HEARD: Final = 30.0
"""Below it a score would take too long to recover; still POOR."""

DRY: Final = 40.0
"""Score of a track that should send and does not."""

GOOD_UP_TO: Final = 80.0
POOR_UP_TO: Final = 40.0
LOST_UP_TO: Final = 20.0
RISE: Final = 0.4
FALL: Final = 0.8
LAYER_COST: Final = 35.0
"""Each layer missed costs one step of quality."""

LOSS_WEIGHT_VIDEO: Final = 10.0
"""2 % of loss after repair is no longer excellent, 6 % is poor."""

LOSS_WEIGHT_OPUS: Final = 8.0 / 1.5
"""Opus conceals some loss by its in-band error correction."""

LOSS_WEIGHT_RED: Final = 5.0 / 1.5
"""Redundant audio (RFC 2198) conceals most of it."""

SILENT_AFTER_S: Final = 10.0
"""A participant not heard for this long is lost; checks of ICE come every few seconds."""

_MOS_LOWEST, _MOS_HIGHEST = 1.0, 4.5


@dataclass(frozen=True, slots=True)
class Window:
    """What one track did in one window."""

    packets: int
    """Sent or expected."""

    lost: int
    """Of them, those that repair did not bring either."""

    seconds: float
    rtt_ms: float = 0.0
    jitter_ms: float = 0.0
    missed_layers: float = 0.0
    """How many layers below the best possible one, on average."""
    bits: float = 0.0
    """Sent, or received."""
    expected_bits: float = 0.0
    """What the best layer wanted would have taken; 0 when that is not known."""


def packet_score(window: Window, loss_weight: float) -> float:
    """Score by loss and delay (a simplified E-model, ITU-T G.107)."""
    delay_ms = window.rtt_ms / 2 + 2 * window.jitter_ms
    delay_cost = (delay_ms - 120) / 10 if delay_ms > 160 else delay_ms / 40
    loss_cost = loss_weight * 100 * window.lost / window.packets
    return max(0.0, BEST - delay_cost - loss_cost)


def bitrate_score(window: Window) -> float:
    """Score by the share of the expected bits: good from 1/2.7 of them down, poor from 1/20."""
    if window.expected_bits <= 0:
        return BEST
    if window.bits <= 0:
        return 0.0
    return max(0.0, min(BEST, BEST - 20 * log(window.expected_bits / window.bits)))


class TrackScore:
    """The score of one track in one direction."""

    __slots__ = ("_busiest", "_loss_weight", "score")

    def __init__(self, loss_weight: float) -> None:
        self._loss_weight = loss_weight
        self._busiest = 0.0  # packets a second
        self.score = BEST

    def pause(self) -> None:
        """The track has nothing to send: muted, or wanted by nobody."""
        self.score = BEST

    def update(self, window: Window) -> float:
        """Take in a window of a track that should send; the new score."""
        if window.packets <= 0:
            self.score = DRY
            return self.score
        rate = window.packets / window.seconds
        self._busiest = max(self._busiest, rate)
        # A loss in silence or on a still screen is heard and seen less.
        weight = self._loss_weight * sqrt(rate / self._busiest)
        layers = max(0.0, BEST - LAYER_COST * window.missed_layers)
        now = min(packet_score(window, weight), layers, bitrate_score(window))
        share = FALL if now < self.score else RISE
        self.score = max(WORST_HEARD, share * now + (1 - share) * self.score)
        return self.score


def quality_of(score: float) -> models.ConnectionQuality:
    """The bars a client shows for a score."""
    if score > GOOD_UP_TO:
        return Quality.EXCELLENT
    if score > POOR_UP_TO:
        return Quality.GOOD
    return Quality.POOR if score > LOST_UP_TO else Quality.LOST


def opinion_score(score: float) -> float:
    """The score as a mean opinion score, 1.0 to 4.5, the scale of the protocol."""
    return _MOS_LOWEST + score / BEST * (_MOS_HIGHEST - _MOS_LOWEST)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What others, and the participant itself, are told."""

    quality: models.ConnectionQuality
    score: float
    """Mean opinion score."""

    @property
    def is_lost(self) -> bool:
        """True when the participant is not heard."""
        return self.quality == Quality.LOST


def judge(scores: Iterable[float], *, unheard_s: float) -> Verdict:
    """Judge a participant by its tracks' scores and how long nothing was heard of it."""
    if unheard_s > SILENT_AFTER_S:
        return Verdict(Quality.LOST, _MOS_LOWEST)
    worst = min(scores, default=BEST)
    return Verdict(quality_of(worst), opinion_score(worst))
