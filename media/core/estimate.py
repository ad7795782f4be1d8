"""What one line carries, judged by transport-wide feedback (delay first, loss second).

Ideas of draft-ietf-rmcat-gcc-02 at the pace of feedback messages instead of packet groups, since
a node does this for every subscriber: each message gives one sample of queueing delay, the least
of its packets. A queue that grows, or one that stands long, means overuse and brings the estimate
below what is being delivered. Loss counts when it comes with a queue, or when it is heavy; heavy
loss that stays although less is sent belongs to the line (radio, a bad cable) and is borne.
While less is sent than the line may carry, only a probe can tell how much more it would carry.

Pure. Two clocks meet: ``sent_s`` is ours, ``arrival_s`` the receiver's; only differences count.
"""

from collections import deque
from collections.abc import Iterable
from math import inf
from typing import Final

START_BPS: Final = 500_000.0
"""Believed before anything is known; the first probes raise it within a second."""
LEAST_START_SHARE: Final = 0.7
MIN_BPS: Final = 30_000.0
MAX_BPS: Final = 50_000_000.0

DELIVERY_WINDOW_S: Final = 0.6
FIRST_MESSAGE_S: Final = 0.1
"""What the first message tells of, about."""
TREND_SAMPLES: Final = 12
TREND_WINDOW_S: Final = 1.0
QUEUE_S: Final = 0.030
"""A queue below this, the line's own unsteadiness apart, is nobody's fault."""
LONG_QUEUE_S: Final = 0.25
GROWING: Final = 0.04
"""Seconds of queue gained in a second: 4 % more is sent than leaves."""
BASE_BUCKET_S: Final = 10.0
BASE_BUCKETS: Final = 3
"""The least delay is remembered for half a minute, then a route may have changed."""
MAX_CLOCK_STEP_S: Final = 20.0

BACKOFF: Final = 0.85
SETTLE_S: Final = 0.5
"""After a decrease, at least; a long queue needs its own length on top."""
GROWTH_PER_S: Final = 0.08

LOSS_WINDOW_S: Final = 1.0
LOSS_WINDOW_PACKETS: Final = 20
HEAVY_LOSS: Final = 0.15
"""With 60 packets a second, 10 % of random loss passes this twice running once in minutes."""
OVERFLOW_S: Final = 0.3
OVERFLOW_PACKETS: Final = 15
OVERFLOW_LOSS: Final = 0.3
"""So much lost for so long behind a queue that stands: it is full and drops what more comes. A line
that loses every tenth packet by itself hardly ever loses as many."""
QUEUE_LOSS: Final = 0.03
LOSS_QUEUE_S: Final = 0.08

Fate = tuple[int, float, float | None]
"""Size in bytes, when it was sent, when it arrived (None: lost)."""


class LineEstimate:
    """The rate one subscriber's line carries."""

    __slots__ = (
        "_bases",
        "_delay_s",
        "_delivered",
        "_heavy_windows",
        "_loss",
        "_noise_s",
        "_overuses",
        "_probed_s",
        "_recent",
        "_settles_s",
        "_trend",
        "_trial",
        "_updated_s",
        "bps",
        "decreased_s",
        "has_proof",
        "inherent_loss",
        "loss",
        "overflowed_s",
        "queue_s",
    )

    def __init__(self) -> None:
        self.bps = START_BPS
        self.has_proof = False
        """Whether the line has ever shown its limit."""
        self.decreased_s = -inf
        """When the estimate last went down."""
        self.overflowed_s = -inf
        """When the line's queue was last found full."""
        self.queue_s = 0.0
        """Present queueing delay."""
        self.loss = 0.0
        """Share lost in the last loss window."""
        self.inherent_loss = 0.0
        """Share the line loses however little is sent."""
        self._bases: deque[tuple[float, float]] = deque(maxlen=BASE_BUCKETS)  # begin, least delay
        self._delay_s: float | None = None
        self._delivered: deque[tuple[float, int]] = deque()
        self._trend: deque[tuple[float, float]] = deque(maxlen=TREND_SAMPLES)
        self._noise_s = 0.0
        self._overuses = 0
        self._settles_s = -inf
        self._probed_s = -inf
        self._updated_s: float | None = None
        self._loss = _LossWindow()
        self._recent: deque[tuple[float, int, int, int]] = deque()  # when, arrived, lost, octets
        self._heavy_windows = 0
        self._trial: _LossTrial | None = None

    @property
    def is_calm(self) -> bool:
        """Whether nothing speaks against trying more."""
        return self._overuses == 0 and self.queue_s < QUEUE_S + 2 * self._noise_s + 0.02

    def delivered_bps(self, now_s: float) -> float:
        """What arrived lately."""
        while self._delivered and self._delivered[0][0] < now_s - DELIVERY_WINDOW_S:
            self._delivered.popleft()
        if len(self._delivered) < 2:
            return sum(size for _, size in self._delivered) * 8 / FIRST_MESSAGE_S
        # A message tells of the time before it: the oldest one only opens the interval.
        begun_s, first = self._delivered[0]
        total = sum(size for _, size in self._delivered) - first
        return total * 8 / max(FIRST_MESSAGE_S, now_s - begun_s)

    def handle(self, fates: Iterable[Fate], now_s: float, *, is_probed: bool = False) -> None:
        """Take one feedback message. A probe makes a queue of its own, which is forgiven."""
        least_s, arrived, lost, size = inf, 0, 0, 0
        for size_bytes, sent_s, arrival_s in fates:
            if arrival_s is None:
                lost += 1
                continue
            arrived += 1
            size += size_bytes
            least_s = min(least_s, arrival_s - sent_s)
        self._loss.add(arrived, lost, size, now_s)
        self._recent.append((now_s, arrived, lost, size))
        if arrived:
            self._delivered.append((now_s, size))
            self._note_delay(least_s, now_s)
            if not is_probed or self.queue_s > LONG_QUEUE_S:
                self._judge_delay(now_s)
                self._judge_overflow(now_s)
        self._judge_loss(now_s)
        if is_probed:
            self._probed_s = now_s
        self._grow(now_s)

    def raise_to(self, bps: float) -> None:
        """A probe got that much through.

        Before anything was known less than believed is news as well, though one train of a line
        that is only unsteady must not make much of it.
        """
        if self.bps == START_BPS and not self.has_proof:
            self.bps = max(bps, LEAST_START_SHARE * START_BPS)
        self.bps = min(MAX_BPS, max(self.bps, bps))

    # Delay.

    def _note_delay(self, delay_s: float, now_s: float) -> None:
        if self._delay_s is not None and abs(delay_s - self._delay_s) > MAX_CLOCK_STEP_S:
            self._bases.clear()  # the receiver's clock began anew
            self._trend.clear()
        elif self._delay_s is not None and self._overuses == 0:
            self._noise_s += 0.1 * (min(0.05, abs(delay_s - self._delay_s)) - self._noise_s)
        self._delay_s = delay_s
        if not self._bases or now_s - self._bases[-1][0] >= BASE_BUCKET_S:
            self._bases.append((now_s, delay_s))
        elif delay_s < self._bases[-1][1]:
            self._bases[-1] = (self._bases[-1][0], delay_s)
        self.queue_s = delay_s - min(base_s for _, base_s in self._bases)
        while self._trend and self._trend[0][0] < now_s - TREND_WINDOW_S:
            self._trend.popleft()
        self._trend.append((now_s, delay_s))

    def _slope(self) -> float:
        """Seconds of delay gained in a second, by least squares over the last samples."""
        count = len(self._trend)
        if count < 3:
            return 0.0
        mean_t = sum(at_s for at_s, _ in self._trend) / count
        mean_d = sum(delay_s for _, delay_s in self._trend) / count
        above = sum((at_s - mean_t) * (delay_s - mean_d) for at_s, delay_s in self._trend)
        below = sum((at_s - mean_t) ** 2 for at_s, _ in self._trend)
        return above / below if below > 0 else 0.0

    def _judge_delay(self, now_s: float) -> None:
        limit_s = QUEUE_S + 2 * self._noise_s
        if self.queue_s <= limit_s:
            self._overuses = 0
            return
        slope = self._slope()
        is_long = self.queue_s > LONG_QUEUE_S + 2 * self._noise_s and slope > -GROWING
        if slope <= GROWING and not is_long:
            self._overuses = 0
            return
        self._overuses += 1
        if self._overuses >= 2:
            self._decrease(BACKOFF * self.delivered_bps(now_s), now_s)

    @property
    def has_long_queue(self) -> bool:
        """Whether so much waits in front of the line that it may overflow."""
        return self.queue_s > LOSS_QUEUE_S + 2 * self._noise_s

    def _judge_overflow(self, now_s: float) -> None:
        """A short queue that is full grows no longer; what is sent too much is lost instead."""
        while self._recent and self._recent[0][0] < now_s - OVERFLOW_S:
            self._recent.popleft()
        if (
            not self.has_long_queue
            or len(self._recent) < 3
            or now_s < self.decreased_s + OVERFLOW_S
        ):
            return
        arrived, lost = (sum(one[at] for one in self._recent) for at in (1, 2))
        if arrived + lost < OVERFLOW_PACKETS or lost < OVERFLOW_LOSS * (arrived + lost):
            return
        begun_s, octets = self._recent[0][0], sum(one[3] for one in list(self._recent)[1:])
        self.overflowed_s = self._settles_s = now_s  # what the last decrease did is known
        self._decrease(BACKOFF * octets * 8 / max(FIRST_MESSAGE_S, now_s - begun_s), now_s)

    def _decrease(self, bps: float, now_s: float) -> None:
        if now_s < self._settles_s:
            return
        self.bps = max(MIN_BPS, min(self.bps, bps))
        self.has_proof = True
        self.decreased_s = now_s
        self._settles_s = now_s + SETTLE_S + min(1.0, self.queue_s)
        self._overuses = 0
        self._trend.clear()

    # Loss.

    def _judge_loss(self, now_s: float) -> None:
        window = self._loss.take(now_s)
        if window is None:
            return
        self.loss, sent_bps, delivered_bps = window
        has_queue = self.has_long_queue
        if self._trial is not None:
            self._end_trial(self._trial, sent_bps)
        self.inherent_loss = min(self.inherent_loss, self.loss + 0.05)
        is_heavy = self.loss - self.inherent_loss > HEAVY_LOSS
        if not is_heavy and not (has_queue and self.loss > QUEUE_LOSS):
            self._heavy_windows = 0
            return
        self._heavy_windows += 1
        if self._heavy_windows < 2 and not (is_heavy and has_queue):
            return
        self._heavy_windows = 0
        before_bps, had_proof = self.bps, self.has_proof
        self._decrease(0.95 * delivered_bps, now_s)
        if is_heavy and not has_queue and self.bps < before_bps:
            self._trial = _LossTrial(self.loss, sent_bps, before_bps, had_proof)

    def _end_trial(self, trial: "_LossTrial", sent_bps: float) -> None:
        """Less is sent since a decrease; see whether less is lost too."""
        if sent_bps > 0.85 * trial.sent_bps:
            return  # not yet
        self._trial = None
        if self.loss >= 0.7 * trial.loss:
            self.inherent_loss = min(self.loss, trial.loss)
            self.bps = max(self.bps, trial.estimate_bps)
            self.has_proof = trial.had_proof
            self._heavy_windows = 0

    def _grow(self, now_s: float) -> None:
        """A line that is nearly filled without complaint may carry a little more."""
        elapsed_s = now_s - self._updated_s if self._updated_s is not None else 0.0
        self._updated_s = now_s
        if not self.is_calm or now_s < self._settles_s:
            return
        if now_s - self._probed_s < DELIVERY_WINDOW_S:
            return  # padding was delivered as well
        delivered_bps = self.delivered_bps(now_s)
        if delivered_bps > 0.85 * self.bps:
            grown_bps = self.bps * (1 + GROWTH_PER_S * min(elapsed_s, 1.0))
            self.bps = min(MAX_BPS, max(grown_bps, delivered_bps))


class _LossTrial:
    """A decrease for loss alone, which has to prove itself."""

    __slots__ = ("estimate_bps", "had_proof", "loss", "sent_bps")

    def __init__(self, loss: float, sent_bps: float, estimate_bps: float, had_proof: bool) -> None:
        self.loss = loss
        self.sent_bps = sent_bps
        self.estimate_bps = estimate_bps
        self.had_proof = had_proof


class _LossWindow:
    """Counts until they are enough to judge."""

    __slots__ = ("_arrived", "_began_s", "_lost", "_size")

    def __init__(self) -> None:
        self._arrived = self._lost = self._size = 0
        self._began_s: float | None = None

    def add(self, arrived: int, lost: int, size: int, now_s: float) -> None:
        """Count one message."""
        if self._began_s is None:
            self._began_s = now_s
        self._arrived += arrived
        self._lost += lost
        self._size += size

    def take(self, now_s: float) -> tuple[float, float, float] | None:
        """Share lost, rate sent and rate delivered of a full window, which then begins anew."""
        count = self._arrived + self._lost
        assert self._began_s is not None, "add comes first"
        elapsed_s = now_s - self._began_s
        if elapsed_s < LOSS_WINDOW_S or count < LOSS_WINDOW_PACKETS:
            return None
        delivered_bps = self._size * 8 / elapsed_s
        loss = self._lost / count
        sent_bps = delivered_bps / (1 - loss) if loss < 1 else 0.0
        self._arrived = self._lost = self._size = 0
        self._began_s = now_s
        return loss, sent_bps, delivered_bps
