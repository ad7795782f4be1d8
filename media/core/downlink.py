"""Fit the pictures of one subscriber to its line: feedback in, layers and probes out.

Joins ``estimate`` (what the line carries), ``allocation`` (who gets what of it) and ``probing``
(does it carry more). A subscriber whose client sends no transport-wide feedback is judged by its
receiver reports alone (``bandwidth``). Sound is taken off the budget first and never touched.

Steps down are taken at once. A step up waits for room with headroom to spare; when a line turned
out too narrow soon after one, more headroom is asked for, so that the picture does not swing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Final

from media.core.allocation import Demand, Step, allocate, next_step_bps
from media.core.bandwidth import DownlinkBudget
from media.core.estimate import Fate, LineEstimate
from media.core.forward import RESEND_INTERVAL_S, DownTrack
from media.core.headroom import Headroom
from media.core.probing import MAX_STEP, Prober
from media.core.rtcp import ReportBlock
from media.core.simulcast import Quality

CAP_ATTRIBUTE: Final = "diemcau.max_kbps"
"""Participant attribute: kbit/s of media that its site wants at most, sound included."""
MIN_CAP_BPS: Final = 64_000.0
"""Speech needs as much."""
INTERVAL_S: Final = 1.0
FAST_INTERVAL_S: Final = 0.2
"""While somebody gets less than wanted."""
FEEDBACK_TIMEOUT_S: Final = 5.0
"""Without transport-wide feedback for so long, reports are believed again."""
PACKET_OVERHEAD_BYTES: Final = 40
"""RTP header, extensions and SRTP tag on top of the payload."""
RATE_WEIGHT: Final = 0.4
"""Of a new measurement of a layer's rate, which swings with what is seen."""
REPAIR_SHARE: Final = 0.25
"""Of the estimate, at most, for retransmitted pictures."""
DRAIN_S: Final = 1.2
"""For so long after its queue was full a line gets less than it carries."""
DRAIN: Final = 0.5
"""So much less: the queue empties, and the keyframe of a smaller picture gets through."""
SHARE_BEHIND_QUEUE: Final = 0.08
"""The same while a full queue empties: what is resent comes late."""
REPAIR_BURST_S: Final = 0.5
REPAIR_PACKET_BYTES: Final = 1100
MAX_REPAIRS: Final = 256
PROBE_TICK_BYTES: Final = 12_000
"""At most of padding at one time."""
NOMINAL_BPS: Final = {Quality.LOW: 150_000.0, Quality.MEDIUM: 500_000.0, Quality.HIGH: 1_500_000.0}
"""For a layer whose rate has not been measured yet."""
NOMINAL_STEPS_BPS: Final = {Step(quality): rate_bps for quality, rate_bps in NOMINAL_BPS.items()}
FAIR_FPS: Final = 10.0
"""So many pictures a second are better than a smaller picture."""
SLOW_FPS: Final = 4.0
"""So many are better than none."""


@dataclass(slots=True)
class _Sent:
    """What a subscription had sent when it was last looked at, and the loss told since."""

    packets: int = 0
    octets: int = 0
    loss: float | None = None
    rates_bps: dict[Quality, float] = field(default_factory=dict)
    """Of the layers of its track, smoothed."""

    def note(self, down: DownTrack) -> None:
        """Begin a new interval."""
        self.packets, self.octets = down.stats.packets_sent, down.stats.octets_sent
        self.loss = None


class Downlink:
    """The line to one subscriber and the pictures on it."""

    __slots__ = (
        "_budget",
        "_feedback_s",
        "_headroom",
        "_measured_s",
        "_probed_octets",
        "_prober",
        "_repair_bytes",
        "_repaired_s",
        "_sent",
        "_sound_bps",
        "cap_bps",
        "due_s",
        "estimate",
        "expects_feedback",
        "has_news",
    )

    def __init__(self) -> None:
        self.estimate = LineEstimate()
        self.cap_bps = inf
        """What the subscriber asked to be kept below, sound included."""
        self.due_s = float("-inf")
        """When ``update`` has something to decide."""
        self.expects_feedback = False
        """Whether packets are numbered, so that the client can tell when each arrived."""
        self.has_news = False
        """Whether a picture was withheld or given back; the caller clears it."""
        self._budget = DownlinkBudget()
        self._prober = Prober()
        self._sent: dict[int, _Sent] = {}
        self._feedback_s = float("-inf")
        self._measured_s: float | None = None
        self._sound_bps = 0.0
        self._headroom = Headroom()
        self._probed_octets = 0
        self._repair_bytes = 0.0
        self._repaired_s = -inf

    @property
    def budget_bps(self) -> float:
        """What the line is trusted with, without transport-wide feedback."""
        return self._budget.budget_bps

    def note(self, down: DownTrack, block: ReportBlock) -> None:
        """The subscriber reported on ``down``."""
        if down.is_video:
            self._sent.setdefault(down.ssrc, _Sent()).loss = block.fraction_lost / 256

    def begin(self) -> None:
        """A subscription was added: give it its share before it takes more."""
        self.due_s = float("-inf")

    def forget(self, down: DownTrack) -> None:
        """The subscription ended."""
        self._sent.pop(down.ssrc, None)
        self.due_s = float("-inf")

    def set_cap(self, cap_bps: float) -> None:
        """Keep the subscriber below a rate; infinite lifts it."""
        if cap_bps != self.cap_bps:
            self.cap_bps = cap_bps
            self.due_s = float("-inf")

    def handle_feedback(self, fates: Sequence[Fate], now_s: float) -> None:
        """Take one transport-wide feedback message."""
        estimate = self.estimate
        self._feedback_s = now_s
        decreased_s = estimate.decreased_s
        target_bps = self._prober.target_bps
        is_burst = target_bps is not None or self._headroom.has_just_raised(now_s)
        estimate.handle(fates, now_s, is_probed=is_burst)
        passed_bps = self._prober.handle(fates, now_s)
        if estimate.decreased_s > decreased_s:
            self._prober.note_decrease(now_s)
            self._headroom.note_decrease(estimate.bps, now_s)
            self.due_s = now_s
        elif passed_bps is not None and target_bps is not None:
            estimate.raise_to(min(passed_bps, target_bps))
            self.due_s = now_s

    # Shares.

    def update(self, downs: Iterable[DownTrack], now_s: float) -> None:
        """Decide anew who gets what."""
        downs = list(downs)
        self._measure(downs, now_s)
        pictures = [down for down in downs if down.is_video and down.wanted is not None]
        if self.expects_feedback and self._feedback_s == -inf and downs:
            self._feedback_s = now_s  # it needs a moment
        is_less = False
        if now_s - self._feedback_s < FEEDBACK_TIMEOUT_S:
            is_less = self._fit(pictures, now_s)
        self.due_s = now_s + (FAST_INTERVAL_S if is_less else INTERVAL_S)

    def _fit(self, pictures: list[DownTrack], now_s: float) -> bool:
        """Share out the estimate; whether somebody gets less than wanted."""
        estimate = self.estimate
        self._headroom.review(estimate.bps, now_s)
        demands = [self._demand(down) for down in pictures]
        line_bps = min(self._useful_bps * (1 - self._drain(now_s)), self.cap_bps)
        chosen = allocate(
            line_bps - self._sound_bps,
            demands,
            headroom=self._headroom.share,
            may_withhold=estimate.has_proof or self.cap_bps < inf,
        )
        if _is_step_up(demands, chosen):
            self._headroom.note_raise(now_s)
        self._apply(pictures, demands, chosen)
        further_bps = next_step_bps(demands, chosen)
        if further_bps is None:
            return False
        self._probe(self._sound_bps + further_bps, now_s)
        return True

    @property
    def _useful_bps(self) -> float:
        """What of the estimate is left for first transmissions."""
        return self.estimate.bps * (1 - self.estimate.inherent_loss)

    def _drain(self, now_s: float) -> float:
        """Share of the line to leave unused at the moment."""
        return DRAIN if now_s - self.estimate.overflowed_s < DRAIN_S else 0.0

    def _probe(self, wanted_bps: float, now_s: float) -> None:
        prober, estimate = self._prober, self.estimate
        if prober.target_bps is not None or now_s < prober.next_s or not estimate.is_calm:
            return
        enough_bps = wanted_bps * (self._headroom.share + 0.1)
        if wanted_bps > self.cap_bps:
            return
        if enough_bps > self._useful_bps:
            prober.begin(min(1.2 * enough_bps, MAX_STEP * estimate.bps), now_s)
            self._probed_octets = -1

    def is_probing(self, now_s: float) -> bool:
        """Whether padding is being sent."""
        return self._prober.is_sending(now_s)

    def probes(self, downs: Iterable[DownTrack], now_s: float) -> list[bytes]:
        """Padding to send now."""
        prober = self._prober
        if not prober.is_sending(now_s):
            return []
        downs = list(downs)
        octets = sum(
            down.stats.octets_sent + PACKET_OVERHEAD_BYTES * down.stats.packets_sent
            for down in downs
        )
        media = octets - self._probed_octets if self._probed_octets >= 0 else 0
        self._probed_octets = octets
        missing = min(PROBE_TICK_BYTES, prober.missing_bytes(max(0, media), now_s))
        carrier = next((d for d in downs if d.is_video and d.rtx_ssrc is not None), None)
        out: list[bytes] = []
        while carrier is not None and missing > 0:
            data = carrier.padding(now_s)
            if data is None:
                break
            size = len(data) + 16
            missing -= size
            prober.note_padding(size)
            out.append(data)
        return out

    # Repairs.

    @property
    def repair_wait_s(self) -> float:
        """How long a retransmission may be on its way."""
        return RESEND_INTERVAL_S + self.estimate.queue_s

    def repair_room(self, now_s: float) -> int:
        """How many packets of pictures may be resent now.

        On a line that has shown its limit repairs compete with sound and with what is new, and
        most of what a full queue drops is given up for a smaller picture anyway.
        """
        elapsed_s, self._repaired_s = now_s - self._repaired_s, now_s
        share = SHARE_BEHIND_QUEUE if self._drain(now_s) else REPAIR_SHARE
        rate = share * self.estimate.bps / 8
        self._repair_bytes = min(REPAIR_BURST_S * rate, self._repair_bytes + elapsed_s * rate)
        if not self.estimate.has_proof:
            return MAX_REPAIRS
        return int(self._repair_bytes / REPAIR_PACKET_BYTES)

    def note_repairs(self, size_bytes: int) -> None:
        """So much was resent."""
        self._repair_bytes -= size_bytes

    # Without transport-wide feedback.

    def _measure(self, downs: list[DownTrack], now_s: float) -> None:
        """Once a second: what sound takes, and what the receiver reports say."""
        elapsed_s = now_s - self._measured_s if self._measured_s is not None else 0.0
        if self._measured_s is not None and elapsed_s < 0.9 * INTERVAL_S:
            return
        self._measured_s = now_s
        sound = [down for down in downs if not down.is_video]
        pictures = [down for down in downs if down.is_video and down.wanted is not None]
        sound_octets = self._octets_since(sound)
        loss, octets = self._since_last(pictures)
        if elapsed_s <= 0:
            return
        self._sound_bps = sound_octets * 8 / elapsed_s
        is_unheard = now_s - self._feedback_s >= FEEDBACK_TIMEOUT_S
        if is_unheard and pictures:
            self._fit_by_loss(pictures, loss, octets * 8 / elapsed_s, now_s)

    def _fit_by_loss(
        self, pictures: list[DownTrack], loss: float | None, sent_bps: float, now_s: float
    ) -> None:
        demands = [self._demand(down) for down in pictures]
        if loss is not None:
            begun = [demand for demand in demands if demand.given is not None]
            next_step = next_step_bps(begun, [demand.given for demand in begun])
            self._budget.update(loss, sent_bps, next_step, now_s)
        budget_bps = min(self._budget.budget_bps, self.cap_bps - self._sound_bps)
        may_withhold = self.cap_bps < inf
        chosen = allocate(budget_bps, demands, headroom=1.0, may_withhold=may_withhold)
        self._apply(pictures, demands, chosen)

    def _apply(
        self, pictures: list[DownTrack], demands: list[Demand], chosen: list[Step | None]
    ) -> None:
        for down, demand, step in zip(pictures, demands, chosen, strict=True):
            is_less = step is not None and step.quality < demand.wanted
            down.set_limit(step.quality if step is not None and is_less else None)
            down.set_temporal_limit(None if step is None or step.is_whole else step.top)
            if down.is_withheld != (step is None):
                down.set_withheld(step is None)
                self.has_news = True

    def _demand(self, down: DownTrack) -> Demand:
        assert down.wanted is not None, "paused subscriptions are left out"
        followed, top = down.target or down.layer, down.temporal_limit
        given = None
        if followed is not None:
            given = Step(followed.quality) if top is None else Step(followed.quality, top)
        # Before its first packet a track may turn out to have any layer.
        return Demand(down.wanted, self._rates(down) or NOMINAL_STEPS_BPS, down.rank, given)

    def _rates(self, down: DownTrack) -> dict[Step, float]:
        """What the live layers of a track take, whole and with fewer pictures."""
        known = self._sent.setdefault(down.ssrc, _Sent()).rates_bps
        rates: dict[Step, float] = {}
        for layer in down.live_layers():
            quality, rate_bps = layer.quality, layer.stream.bitrate_bps
            before_bps = known.get(quality) or rate_bps
            known[quality] = before_bps + RATE_WEIGHT * (rate_bps - before_bps)
            # A shared screen wants to be read, and the smallest picture is the last resort.
            is_slow_enough = not rates or down.rank[0] == 0
            whole_bps = rates[Step(quality)] = known[quality] or NOMINAL_BPS[quality]
            for top, share in layer.rates.shares(SLOW_FPS if is_slow_enough else FAIR_FPS):
                rates[Step(quality, top)] = share * whole_bps
        return rates

    def _octets_since(self, downs: list[DownTrack]) -> int:
        """Bytes on the wire since the previous call."""
        total = 0
        for down in downs:
            before = self._sent.setdefault(down.ssrc, _Sent())
            packets = down.stats.packets_sent - before.packets
            total += down.stats.octets_sent - before.octets + PACKET_OVERHEAD_BYTES * packets
            before.note(down)
        return total

    def _since_last(self, pictures: list[DownTrack]) -> tuple[float | None, int]:
        """Loss, weighted by packets, among pictures reported on; and octets sent by all."""
        octets, packets, lost = 0, 0, 0.0
        for down in pictures:
            before = self._sent.setdefault(down.ssrc, _Sent())
            octets += down.stats.octets_sent - before.octets
            if before.loss is not None:
                weight = max(1, down.stats.packets_sent - before.packets)
                packets += weight
                lost += before.loss * weight
            before.note(down)
        return (lost / packets if packets else None), octets


def _is_step_up(demands: Sequence[Demand], chosen: Sequence[Step | None]) -> bool:
    return any(
        step is not None and (demand.given is None or step > demand.given)
        for demand, step in zip(demands, chosen, strict=True)
    )


def cap_of(attributes: Mapping[str, str]) -> float:
    """What a participant is to be kept below, in bit/s; infinite without a readable attribute."""
    text = attributes.get(CAP_ATTRIBUTE, "")
    if text.isascii() and text.isdecimal() and 0 < len(text) <= 7:
        return max(MIN_CAP_BPS, 1000.0 * int(text))
    return inf
