"""How good a participant's connection is, from loss in both directions.

A coarse measure on purpose: what clients show is three bars. LOST is never said of a
participant that is being heard: clients answer it with a full reconnect.
"""

from collections.abc import Iterable
from typing import Final

from livekit.protocol import models

GOOD_ABOVE_LOSS: Final = 0.03
POOR_ABOVE_LOSS: Final = 0.10


def connection_quality(losses: Iterable[float]) -> tuple[models.ConnectionQuality, float]:
    """Quality and score 0-5 by the worst of ``losses`` (shares of packets lost, 0 to 1)."""
    worst = max(losses, default=0.0)
    score = max(0.0, 5.0 * (1 - 4 * worst))
    if worst > POOR_ABOVE_LOSS:
        return models.ConnectionQuality.POOR, min(score, 2.0)
    if worst > GOOD_ABOVE_LOSS:
        return models.ConnectionQuality.GOOD, min(score, 4.0)
    return models.ConnectionQuality.EXCELLENT, score
