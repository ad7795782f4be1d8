"""Counting votes: choices in, totals out.

Totals are always counted from the ballots themselves, never kept beside them; shown hands are
added to the open ballots of a vote. Pure.
"""

import enum
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


class Choice(enum.Enum):
    """What a ballot says; the value is stored and is the protocol's word."""

    FOR = "for"
    AGAINST = "against"
    ABSTAIN = "abstain"


@dataclass(frozen=True, slots=True)
class Tally:
    """How a vote stands: tán thành, không tán thành, không có ý kiến."""

    in_favour: int = 0
    against: int = 0
    abstaining: int = 0

    @property
    def total(self) -> int:
        """All that were counted."""
        return self.in_favour + self.against + self.abstaining

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.in_favour + other.in_favour,
            self.against + other.against,
            self.abstaining + other.abstaining,
        )


def tally(choices: Iterable[Choice]) -> Tally:
    """The totals of ``choices``."""
    counted = Counter(choices)
    return Tally(counted[Choice.FOR], counted[Choice.AGAINST], counted[Choice.ABSTAIN])


def share(part: int, whole: int) -> float | None:
    """``part`` of ``whole`` in per cent, 0…100; None where there is no whole."""
    return None if whole <= 0 else 100 * part / whole
