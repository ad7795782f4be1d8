"""When to wait for the next datagram, and when to look for it at fixed times.

Each time the system wakes a process for a datagram costs more than reading it. Where they come
often, it is cheaper to look every few milliseconds and find several, as network cards do by
holding back their interrupts. The price is a delay of half an interval on average, so it is paid
only by a node that would otherwise be woken hundreds of times a second.

Pure: told the time and what was read.
"""

from typing import Final

INTERVAL_S: Final = 0.005
"""Between two looks; times are multiples of it, so that other timers fall on the same wake-ups."""
WINDOW_S: Final = 0.25
BUSY_PER_S: Final = 400.0
"""Wake-ups a second beyond which fixed times begin."""
WORTHWHILE: Final = 1.5
"""Datagrams for each look below which they end."""


class Pace:
    """The choice for the sockets of one node."""

    __slots__ = ("_begun_s", "_datagrams", "_looks", "is_fixed")

    def __init__(self) -> None:
        self.is_fixed = False
        """Whether to look at fixed times, and to be woken by nothing else."""
        self._begun_s = float("-inf")
        self._looks = 0
        self._datagrams = 0

    def note(self, datagrams: int, now_s: float) -> bool:
        """So many were found at one look; whether that changes the choice."""
        self._looks += 1
        self._datagrams += datagrams
        elapsed_s = now_s - self._begun_s
        if elapsed_s < WINDOW_S:
            return False
        was_fixed = self.is_fixed
        if was_fixed:
            self.is_fixed = self._datagrams >= WORTHWHILE * self._looks
        else:
            self.is_fixed = self._looks > BUSY_PER_S * elapsed_s
        self._begun_s, self._looks, self._datagrams = now_s, 0, 0
        return self.is_fixed is not was_fixed


def next_look_s(now_s: float, interval_s: float = INTERVAL_S) -> float:
    """The next of the times that are multiples of the interval."""
    return (now_s // interval_s + 1) * interval_s
