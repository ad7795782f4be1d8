"""How often one socket may speak: a token bucket.

Pure: the time is an argument. One owner; not thread-safe.
"""


class Bucket:
    """Lets ``rate_per_s`` messages a second through, with a burst of as many at once."""

    def __init__(self, rate_per_s: float, now_s: float) -> None:
        self._rate_per_s = rate_per_s
        self._tokens = rate_per_s
        self._filled_s = now_s

    def take(self, now_s: float) -> bool:
        """Whether one more message may pass at ``now_s``."""
        passed_s = max(0.0, now_s - self._filled_s)
        self._tokens = min(self._rate_per_s, self._tokens + passed_s * self._rate_per_s)
        self._filled_s = now_s
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
