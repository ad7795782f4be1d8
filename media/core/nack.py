"""Which missing packets to ask for again, and when (RFC 4585 §6.2.1).

A gap is given a moment to close by itself, since reordering is not loss; then each missing packet
is asked for at growing intervals until it comes, gets too old to be played, or the tries are used
up. After a gap too wide to repair nothing is asked for: a keyframe is the cure.
"""

from dataclasses import dataclass
from math import inf
from typing import Final

REORDER_WAIT_S: Final = 0.010
"""Neighbouring packets of one burst arrive within this time even when reordered."""
RETRY_S: Final = 0.060
"""Before the second request; doubles up to ``MAX_RETRY_S``."""
MAX_RETRY_S: Final = 0.240
MAX_TRIES: Final = 8
MAX_AGE_S: Final = 1.2
"""Beyond this a receiver's jitter buffer has moved on."""
MAX_MISSING: Final = 512


@dataclass(slots=True)
class _Missing:
    noticed_s: float
    due_s: float
    tries: int = 0


class NackGenerator:
    """Missing packets of one received stream, by extended sequence number."""

    __slots__ = ("_missing", "given_up", "next_due_s")

    def __init__(self) -> None:
        self._missing: dict[int, _Missing] = {}
        self.next_due_s = inf
        """When ``due`` has something to say again; may be early, never late."""
        self.given_up = 0
        """Packets no longer asked for."""

    def __len__(self) -> int:
        return len(self._missing)

    def add(self, first: int, end: int, now_s: float) -> bool:
        """Packets ``first`` to ``end - 1`` are missing. False if too many: all are given up."""
        if len(self._missing) + end - first > MAX_MISSING:
            self.given_up += len(self._missing) + end - first
            self.clear()
            return False
        due_s = now_s + REORDER_WAIT_S
        for ext_seq in range(first, end):
            self._missing[ext_seq] = _Missing(now_s, due_s)
        self.next_due_s = min(self.next_due_s, due_s)
        return True

    def arrived(self, ext_seq: int) -> None:
        """It came after all."""
        self._missing.pop(ext_seq, None)

    def clear(self) -> None:
        """Forget everything missing."""
        self._missing.clear()
        self.next_due_s = inf

    def due(self, now_s: float) -> list[int]:
        """Packets to ask for now, ascending; they count as asked for."""
        if now_s < self.next_due_s:
            return []
        wanted = []
        self.next_due_s = inf
        for ext_seq, entry in sorted(self._missing.items()):
            if now_s - entry.noticed_s > MAX_AGE_S or entry.tries == MAX_TRIES:
                del self._missing[ext_seq]
                self.given_up += 1
                continue
            if entry.due_s <= now_s:
                wanted.append(ext_seq)
                entry.due_s = now_s + min(RETRY_S * 2**entry.tries, MAX_RETRY_S)
                entry.tries += 1
            self.next_due_s = min(self.next_due_s, entry.due_s)
        return wanted
