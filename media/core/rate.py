"""How much a participant may ask of the node: token buckets, as plain arithmetic.

A bucket refills at a steady rate and holds a burst. What cannot be dropped without breaking a
promise (reliable data) is taken on credit, and the debt is the time its sender has to wait.
"""

from dataclasses import dataclass, field
from typing import Final

REQUEST_BYTES_PER_TOKEN: Final = 16 * 1024
"""Signalling is weighed: a long description or long metadata costs more than a ping."""

DATA_BYTES_PER_TOKEN: Final = 4 * 1024


def weight(size_bytes: int, bytes_per_token: int) -> float:
    """Tokens a message of that size costs: one, and more the longer it is."""
    return 1 + size_bytes / bytes_per_token


@dataclass(slots=True)
class TokenBucket:
    """Allow ``rate_per_s`` on average and ``burst`` at once."""

    rate_per_s: float
    burst: float
    _level: float = field(init=False)
    _filled_s: float = 0.0

    def __post_init__(self) -> None:
        """Begin full."""
        self._level = self.burst

    def take(self, now_s: float, tokens: float = 1.0) -> bool:
        """Spend ``tokens``; False, and nothing is spent, when there are too few.

        What costs more than a full bucket passes when the bucket is full.
        """
        self._fill(now_s)
        if self._level < min(tokens, self.burst):
            return False
        self._level -= tokens
        return True

    def spend(self, now_s: float, tokens: float = 1.0) -> float:
        """Spend in any case; how many seconds the spender has to wait until it is out of debt."""
        self._fill(now_s)
        self._level -= tokens
        return max(0.0, -self._level / self.rate_per_s)

    def _fill(self, now_s: float) -> None:
        elapsed_s = max(0.0, now_s - self._filled_s)
        self._filled_s = now_s
        self._level = min(self.burst, self._level + elapsed_s * self.rate_per_s)
