"""A line between two endpoints in virtual time: seeded loss, delay, reordering, duplication."""

from heapq import heappop, heappush
from random import Random

QUEUE_S = 0.15


class Line:
    """One direction. Rates are shares of packets, 0 to 1."""

    def __init__(
        self,
        seed: int,
        *,
        loss: float = 0.0,
        delay_s: float = 0.02,
        reorder: float = 0.0,
        duplicate: float = 0.0,
        rate_bps: float | None = None,
    ) -> None:
        self.loss = loss
        self.lost = 0
        self.rate_bps = rate_bps
        """A narrow line queues up to ``QUEUE_S`` of traffic and drops what exceeds it."""
        self._free_s = 0.0  # when the line has sent what is queued
        self._random = Random(seed)
        self._delay_s = delay_s
        self._reorder = reorder
        self._duplicate = duplicate
        self._order = 0
        self._in_flight: list[tuple[float, int, bytes]] = []

    def send(self, data: bytes, now_s: float) -> None:
        """Put a packet on the line."""
        if self._random.random() < self.loss:
            self.lost += 1
            return
        queued_s = 0.0
        if self.rate_bps is not None:
            queued_s = max(0.0, self._free_s - now_s)
            if queued_s > QUEUE_S:
                self.lost += 1
                return
            queued_s += len(data) * 8 / self.rate_bps
            self._free_s = now_s + queued_s
        copies = 2 if self._random.random() < self._duplicate else 1
        for _ in range(copies):
            late_s = self._random.uniform(0.002, 0.03) if self._is_reordered() else 0.0
            self._order += 1
            heappush(
                self._in_flight, (now_s + queued_s + self._delay_s + late_s, self._order, data)
            )

    def _is_reordered(self) -> bool:
        return self._random.random() < self._reorder

    def arrivals(self, now_s: float) -> list[bytes]:
        """Packets that have come out since the previous call, in order of arrival."""
        out = []
        while self._in_flight and self._in_flight[0][0] <= now_s:
            out.append(heappop(self._in_flight)[2])
        return out
