"""Whose turn it is to load the media node: at most so many tests at once, the others wait in order.

A test sends and receives a few Mbit/s for seconds; 134 sites that begin in the same minute would
otherwise measure each other and disturb a meeting. A turn is a lease: who closes the page is
forgotten when it ends, and who waits but stopped asking loses the place.

Pure but for its own table; takes the time. Not thread-safe; its owner holds a lock. Kept in the
memory of a web process: several processes each let their own number through.
"""

from dataclasses import dataclass
from typing import Final

TURN_S: Final = 90.0
"""Longer than a test with every way blocked takes (about 40 s)."""
ABSENT_S: Final = 30.0
"""Who waits asks again at least every `MAX_RETRY_S`."""
MIN_RETRY_S: Final = 1.0
MAX_RETRY_S: Final = 10.0
_RETRY_PER_PLACE_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Go:
    """The test may begin."""

    until_s: float


@dataclass(frozen=True, slots=True)
class Wait:
    """Others are first."""

    ahead: int
    """How many wait before; 0 = next."""
    retry_s: float


class Turns:
    """Running tests and those who wait, in the order in which they came."""

    def __init__(self) -> None:
        self._running: dict[int, float] = {}  # key → when the turn ends
        self._waiting: dict[int, float] = {}  # key → last asked; insertion order is the queue

    def ask(self, key: int, now_s: float, at_once: int) -> Go | Wait:
        """Whether ``key`` may run now, with at most ``at_once`` (≥ 1) running.

        Who runs already keeps the turn and gets its whole length again.
        """
        self._forget(now_s)
        if key in self._running:
            self._running[key] = now_s + TURN_S
            return Go(self._running[key])
        self._waiting[key] = now_s  # a known key keeps its place
        ahead = list(self._waiting).index(key)
        if ahead < at_once - len(self._running):
            del self._waiting[key]
            self._running[key] = now_s + TURN_S
            return Go(self._running[key])
        retry_s = min(MAX_RETRY_S, MIN_RETRY_S + ahead * _RETRY_PER_PLACE_S)
        return Wait(ahead, retry_s)

    def holds(self, key: int, now_s: float) -> bool:
        """Whether ``key`` has the turn."""
        return self._running.get(key, 0.0) > now_s

    def finish(self, key: int) -> None:
        """Give the turn back; unknown keys are no error."""
        self._running.pop(key, None)

    def running(self, now_s: float) -> int:
        """How many run."""
        self._forget(now_s)
        return len(self._running)

    def _forget(self, now_s: float) -> None:
        self._running = {key: until for key, until in self._running.items() if until > now_s}
        self._waiting = {
            key: asked for key, asked in self._waiting.items() if asked > now_s - ABSENT_S
        }
