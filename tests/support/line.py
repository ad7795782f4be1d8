"""One direction of a poor line, as pure decisions: seeded, in whatever time the caller keeps.

A packet first waits its turn at a bottleneck (``rate_bps`` with a queue that overflows at the
tail), then travels ``delay_s`` plus jitter. Loss is independent (``loss``), or comes in bursts
after Gilbert and Elliott (``burst``). Jitter keeps the order, as a queue elsewhere on the path
would; ``reorder`` is asked for by itself. Every setting may be changed while packets are on
their way, which then keep the fate they were given.

The scenarios drive it in virtual time; ``udp_proxy`` puts sockets around it.
"""

from dataclasses import dataclass
from heapq import heappop, heappush
from random import Random

QUEUE_S = 0.15


@dataclass(frozen=True, slots=True)
class Burst:
    """Loss that comes in bursts: chances, for each packet, of entering and of leaving one."""

    enter: float
    leave: float
    """1 / mean length of a burst in packets."""
    loss: float = 1.0
    """Share lost while it lasts."""


class Line:
    """One direction. Rates are shares of packets, 0 to 1."""

    def __init__(
        self,
        seed: int,
        *,
        loss: float = 0.0,
        burst: Burst | None = None,
        delay_s: float = 0.02,
        jitter_s: float = 0.0,
        reorder: float = 0.0,
        duplicate: float = 0.0,
        corrupt: float = 0.0,
        rate_bps: float | None = None,
        queue_s: float = QUEUE_S,
    ) -> None:
        self.loss = loss
        self.burst = burst
        self.delay_s = delay_s
        self.jitter_s = jitter_s
        """Longest further delay; each packet draws its own, evenly."""
        self.reorder = reorder
        self.duplicate = duplicate
        self.corrupt = corrupt
        """Share with one bit turned."""
        self.rate_bps = rate_bps
        self.queue_s = queue_s
        """A narrow line queues up to that much of its rate and drops what exceeds it."""
        self.is_dark = False
        """True: nothing enters any more."""
        self.sent = 0
        self.lost = 0
        self._free_s = 0.0  # when the bottleneck has sent what is queued
        self._newest_s = 0.0  # latest arrival given to a packet in order
        self._in_burst = False
        self._random = Random(seed)
        self._order = 0
        self._in_flight: list[tuple[float, int, bytes]] = []

    def send(self, data: bytes, now_s: float, *, is_spared: bool = False) -> None:
        """Put a packet on the line. One that is spared meets queue and delay, but no chance."""
        self.sent += 1
        if self.is_dark or (not is_spared and self._is_unlucky()):
            self.lost += 1
            return
        queued_s = self._queue(len(data), now_s)
        if queued_s is None:
            self.lost += 1
            return
        copies = 2 if self._happens(self.duplicate) else 1
        if self._happens(self.corrupt) and data and not is_spared:
            data = self._turned(data)
        for _ in range(copies):
            self._launch(data, now_s + queued_s + self.delay_s)

    def _is_unlucky(self) -> bool:
        if self.burst is not None:
            chance = self.burst.leave if self._in_burst else self.burst.enter
            if self._random.random() < chance:
                self._in_burst = not self._in_burst
            if self._in_burst and self._happens(self.burst.loss):
                return True
        return self._happens(self.loss)

    def _happens(self, chance: float) -> bool:
        return chance > 0 and self._random.random() < chance

    def _queue(self, size: int, now_s: float) -> float | None:
        """Seconds until the bottleneck has sent the packet; None when its queue is full."""
        if self.rate_bps is None:
            return 0.0
        waiting_s = max(0.0, self._free_s - now_s)
        if waiting_s > self.queue_s:
            return None
        waiting_s += size * 8 / self.rate_bps
        self._free_s = now_s + waiting_s
        return waiting_s

    def _turned(self, data: bytes) -> bytes:
        at = self._random.randrange(len(data))
        return data[:at] + bytes((data[at] ^ 1 << self._random.randrange(8),)) + data[at + 1 :]

    def _launch(self, data: bytes, at_s: float) -> None:
        if self.jitter_s:
            at_s += self._random.uniform(0, self.jitter_s)
        if self._happens(self.reorder):
            at_s += self._random.uniform(0.002, 0.03)
        else:
            at_s = self._newest_s = max(at_s, self._newest_s)
        self._order += 1
        heappush(self._in_flight, (at_s, self._order, data))

    @property
    def due_s(self) -> float:
        """When the next packet comes out; infinite while there is none."""
        return self._in_flight[0][0] if self._in_flight else float("inf")

    def arrivals(self, now_s: float) -> list[bytes]:
        """Packets that have come out since the previous call, in order of arrival."""
        out = []
        while self._in_flight and self._in_flight[0][0] <= now_s:
            out.append(heappop(self._in_flight)[2])
        return out
