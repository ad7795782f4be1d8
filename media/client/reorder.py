"""A small buffer that puts packets back in order and waits a little for resent ones.

Packets come out with ascending sequence numbers. A missing one is waited for; when it has
not come after ``wait_s``, or when too many wait behind it, it is given up and the next
packet out says how many are missing before it. A packet that comes after its place was
given up is dropped: order is promised, completeness is not.

Pure: the time is an argument. One owner; not thread-safe.
"""

from collections.abc import Iterator
from heapq import heappop, heappush
from typing import Final, Generic, TypeVar

Item = TypeVar("Item")

MAX_WAITING: Final = 2048
"""Packets kept behind a gap; about two seconds of 8 Mb/s video."""


class ReorderBuffer(Generic[Item]):
    """Items keyed by extended sequence number, given out in order."""

    def __init__(self, wait_s: float) -> None:
        self._wait_s = wait_s
        self._heap: list[tuple[int, float]] = []  # ext_seq, arrival
        self._items: dict[int, Item] = {}
        self._next: int | None = None

    def push(self, ext_seq: int, item: Item, now_s: float) -> bool:
        """Take an item; False for a duplicate or one whose place was given up."""
        if ext_seq in self._items or (self._next is not None and ext_seq < self._next):
            return False
        self._items[ext_seq] = item
        heappush(self._heap, (ext_seq, now_s))
        return True

    def pop(self, now_s: float) -> Iterator[tuple[int, int, Item]]:
        """Yield ``(ext_seq, missing_before, item)`` for everything that is due."""
        while self._heap:
            ext_seq, arrived_s = self._heap[0]
            missing = 0 if self._next is None else ext_seq - self._next
            if missing and not self._gives_up(arrived_s, now_s):
                return
            heappop(self._heap)
            self._next = ext_seq + 1
            yield ext_seq, missing, self._items.pop(ext_seq)

    @property
    def deadline_s(self) -> float | None:
        """When ``pop`` may give up the present gap; None while nothing waits."""
        return self._heap[0][1] + self._wait_s if self._heap else None

    def _gives_up(self, arrived_s: float, now_s: float) -> bool:
        return now_s - arrived_s >= self._wait_s or len(self._heap) > MAX_WAITING
