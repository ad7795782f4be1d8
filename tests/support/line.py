"""A line between two endpoints in virtual time: seeded loss, delay, reordering, duplication."""

from heapq import heappop, heappush
from random import Random


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
    ) -> None:
        self.loss = loss
        self.lost = 0
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
        copies = 2 if self._random.random() < self._duplicate else 1
        for _ in range(copies):
            late_s = self._random.uniform(0.002, 0.03) if self._is_reordered() else 0.0
            self._order += 1
            heappush(self._in_flight, (now_s + self._delay_s + late_s, self._order, data))

    def _is_reordered(self) -> bool:
        return self._random.random() < self._reorder

    def arrivals(self, now_s: float) -> list[bytes]:
        """Packets that have come out since the previous call, in order of arrival."""
        out = []
        while self._in_flight and self._in_flight[0][0] <= now_s:
            out.append(heappop(self._in_flight)[2])
        return out
