"""Slow down whoever guesses passwords.

Counts *failed* logins in a sliding window, by account and by address. Successful ones are free: a
whole office may log in from one address at half past seven. Kept in memory of the one web
process; a restart forgives, which costs an attacker more than it gives him.

Pure but for its own table; takes the time. Thread-safe by one lock.
"""

import threading
from collections import deque
from typing import Final

WINDOW_S: Final = 60.0
MAX_KEYS: Final = 50_000
"""Above this the oldest keys are forgotten: a flood of invented names must not eat the memory."""


class Throttle:
    """Allows ``limit`` failures in any ``window_s`` seconds for each key."""

    def __init__(self, limit: int, window_s: float = WINDOW_S) -> None:
        self._limit = limit
        self._window_s = window_s
        self._failures: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def wait_s(self, key: str, now_s: float) -> float:
        """Seconds until ``key`` may try again; 0 when it may now."""
        with self._lock:
            failures = self._recent(key, now_s)
            if failures is None or len(failures) < self._limit:
                return 0.0
            return failures[0] + self._window_s - now_s

    def failed(self, key: str, now_s: float) -> None:
        """Count one failure of ``key``."""
        with self._lock:
            failures = self._recent(key, now_s)
            if failures is None:
                failures = self._failures[key] = deque(maxlen=self._limit)
                while len(self._failures) > MAX_KEYS:
                    del self._failures[next(iter(self._failures))]
            failures.append(now_s)

    def forget(self, key: str) -> None:
        """Start ``key`` afresh, after a success."""
        with self._lock:
            self._failures.pop(key, None)

    def _recent(self, key: str, now_s: float) -> deque[float] | None:  # called locked
        failures = self._failures.get(key)
        while failures and failures[0] <= now_s - self._window_s:
            failures.popleft()
        if failures is not None and not failures:
            del self._failures[key]
            return None
        return failures
