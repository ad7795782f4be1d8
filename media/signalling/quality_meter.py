"""Measure one participant's tracks, both ways, for its connection quality.

Counters of the media core are read once a window; what they say is judged by
``media.core.quality``. How far a picture is below the best possible layer is looked at every
second, for it changes within a window.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from media.core import quality
from media.core.codecs import Codec
from media.core.forward import DownTrack
from media.core.ids import TrackSid
from media.core.quality import TrackScore, Window
from media.core.track import UpTrack
from media.signalling.publishing import LiveTrack
from media.signalling.subscribing import Subscription


@dataclass(slots=True)
class _Meter:
    """One track in one direction."""

    score: TrackScore
    packets: int = 0
    lost: int = 0
    is_running: bool = False
    """Whether the track was already sending when the window began."""

    missed: list[int] = field(default_factory=list)
    octets: int = 0
    expected_bps: list[float] = field(default_factory=list)
    """What the best layer wanted took, each second that is known."""

    def close(
        self, packets: int, lost: int, *, seconds: float, octets: int = 0, **delays: float
    ) -> None:
        """End a window; the counters only ever grow."""
        before, lost_before, was_running = self.packets, self.lost, self.is_running
        octets_before, self.octets = self.octets, octets
        self.packets, self.lost, self.is_running = packets, lost, True
        if was_running:
            window = Window(
                packets - before,
                max(0, lost - lost_before),
                seconds,
                missed_layers=_mean(self.missed),
                bits=8 * (octets - octets_before),
                expected_bits=_mean(self.expected_bps) * seconds,
                **delays,
            )
            self.score.update(window)
        self._begin()

    def pause(self) -> None:
        """The track has nothing to send now."""
        self.is_running = False
        self._begin()
        self.score.pause()

    def _begin(self) -> None:
        self.missed.clear()
        self.expected_bps.clear()


class QualityMeter:
    """The meters of one session."""

    def __init__(self) -> None:
        self._up: dict[TrackSid, _Meter] = {}
        self._down: dict[int, _Meter] = {}
        self._closed_s: float | None = None

    def sample(self, subscriptions: Iterable[Subscription]) -> None:
        """Note, every second, how many layers each picture is below the best possible one."""
        for subscription in subscriptions:
            down = subscription.down
            meter = self._down.get(down.ssrc) if down is not None else None
            if down is None or meter is None or down.wanted is None:
                continue
            best = subscription.track.up.layers.best(down.wanted)
            if best is not None and down.layer is not None:
                meter.missed.append(max(0, best.quality - down.layer.quality))
                if down.is_video and not down.frame_rate and best.stream.bitrate_bps:
                    meter.expected_bps.append(best.stream.bitrate_bps)

    def close_window(
        self,
        published: Iterable[LiveTrack],
        subscriptions: Mapping[TrackSid, Subscription],
        *,
        unheard_s: float,
        now_s: float,
    ) -> quality.Verdict:
        """Judge the participant by what happened since the previous call."""
        seconds = now_s - self._closed_s if self._closed_s is not None else 0.0
        self._closed_s = now_s
        tracks = {track.sid: track for track in published}
        self._up = {sid: meter for sid, meter in self._up.items() if sid in tracks}
        for sid, track in tracks.items():
            meter = self._up.setdefault(sid, _Meter(TrackScore(loss_weight(track.codec))))
            _close_up(meter, track, seconds)
        live = {s.down.ssrc: (s, s.down) for s in subscriptions.values() if s.down is not None}
        self._down = {ssrc: meter for ssrc, meter in self._down.items() if ssrc in live}
        for ssrc, (subscription, down) in live.items():
            weight = loss_weight(subscription.track.codec)
            meter = self._down.setdefault(ssrc, _Meter(TrackScore(weight)))
            _close_down(meter, subscription.track, down, seconds)
        meters = [*self._up.values(), *self._down.values()]
        return quality.judge((meter.score.score for meter in meters), unheard_s=unheard_s)


def loss_weight(codec: Codec) -> float:
    """How much a lost packet of that codec is noticed."""
    if codec.is_video:
        return quality.LOSS_WEIGHT_VIDEO
    return quality.LOSS_WEIGHT_RED if codec.red_payload_type else quality.LOSS_WEIGHT_OPUS


def _close_up(meter: _Meter, track: LiveTrack, seconds: float) -> None:
    if track.info.muted or (track.codec.is_video and track.up.max_wanted() is None):
        meter.pause()
        return
    packets, lost, jitter_ms = _received(track.up)
    meter.close(packets, lost, seconds=seconds, jitter_ms=jitter_ms)


def _received(up: UpTrack) -> tuple[int, int, float]:
    """Packets expected and lost for good, and the worst jitter, over all layers."""
    streams = [layer.stream for layer in up.layers]
    return (
        sum(stream.expected for stream in streams),
        sum(stream.missing for stream in streams),
        max((stream.jitter_ms for stream in streams), default=0.0),
    )


def _close_down(meter: _Meter, track: LiveTrack, down: DownTrack, seconds: float) -> None:
    is_still = down.stats.packets_sent == meter.packets
    if track.info.muted or down.wanted is None or down.layer is None or is_still:
        # Nothing was sent: whether that is right is the publisher's score, or the line's pause.
        meter.pause()
        meter.packets, meter.octets = down.stats.packets_sent, down.stats.octets_sent
        return
    rtt_ms = 1000 * (down.stats.rtt_s or 0.0)
    lost = down.stats.packets_lost - down.stats.packets_resent
    stats = down.stats
    meter.close(stats.packets_sent, lost, seconds=seconds, octets=stats.octets_sent, rtt_ms=rtt_ms)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
