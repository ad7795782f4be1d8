"""Who is speaking, from the audio levels that publishers write into their packets (RFC 6464).

The method is LiveKit's, so that clients see the behaviour they are tuned to. Levels are -dBov:
0 is the loudest, 127 silence. A packet is *active* at or below 35. Per window of 400 ms of audio
the loudest active level counts, lowered by how little of the window was active; less than 40 %
counts as silence. The result, as a linear amplitude, is smoothed exponentially and quantised to
eighths for sending.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from math import ceil, log10
from typing import Final

ACTIVE_LEVEL_DBOV: Final = 35
"""Packets louder than this (a smaller number) are speech."""
MIN_ACTIVE_SHARE: Final = 0.40
WINDOW_MS: Final = 400.0
INTERVAL_S: Final = 0.4
SMOOTHING: Final = 2 / (2 + 1)
"""Weight of the newest window: an exponential average over two windows."""
STALE_WINDOWS: Final = 2
SILENCE_DBOV: Final = 127
_STEPS: Final = 8

POWER_SMOOTHING: Final = 0.2
"""For each packet: half of a change shows after three."""


def linear_level(dbov: float) -> float:
    """Amplitude, 0 to 1, of a level in -dBov."""
    return float(10 ** (-dbov / 20))


ACTIVE_LEVEL: Final = linear_level(ACTIVE_LEVEL_DBOV)


class AudioLevel:
    """Smoothed loudness of one audio track."""

    __slots__ = ("_active_ms", "_loudest", "_observed_ms", "_smoothed", "_updated_s", "power")

    def __init__(self) -> None:
        self._loudest = SILENCE_DBOV
        self._active_ms = 0.0
        self._observed_ms = 0.0
        self._smoothed = 0.0
        self._updated_s = float("-inf")
        self.power = 0.0
        """Of the last tenth of a second or so, 0 to 1; quicker than ``level``."""

    def observe(self, level_dbov: int, duration_ms: float, now_s: float) -> None:
        """One packet of ``duration_ms`` with that level."""
        self._updated_s = now_s
        self.power += (10 ** (-level_dbov / 10) - self.power) * POWER_SMOOTHING
        self._observed_ms += duration_ms
        if level_dbov <= ACTIVE_LEVEL_DBOV:
            self._active_ms += duration_ms
            self._loudest = min(self._loudest, level_dbov)
        if self._observed_ms >= WINDOW_MS:
            self._close_window()

    def _close_window(self) -> None:
        level = 0.0
        share = min(1.0, self._active_ms / self._observed_ms)
        if share >= MIN_ACTIVE_SHARE:
            level = linear_level(self._loudest - 20 * log10(share))
        self._smoothed += (level - self._smoothed) * SMOOTHING
        self._loudest = SILENCE_DBOV
        self._active_ms = 0.0
        self._observed_ms = 0.0

    def level(self, now_s: float) -> float:
        """Amplitude, 0 to 1, in eighths; 0 when not speaking or nothing was heard for a while."""
        if now_s - self._updated_s > STALE_WINDOWS * WINDOW_MS / 1000:
            self._smoothed = 0.0
        if self._smoothed < ACTIVE_LEVEL:
            return 0.0
        return min(1.0, ceil(self._smoothed * _STEPS) / _STEPS)


@dataclass(slots=True, frozen=True)
class SpeakerChange:
    """A participant's new level; inactive with level 0 once it stopped speaking."""

    key: str
    level: float
    is_active: bool


class SpeakerDetector:
    """The speakers of one room. Keys name participants; each may have several audio tracks."""

    def __init__(self) -> None:
        self._tracks: dict[str, list[AudioLevel]] = {}
        self._last: dict[str, float] = {}
        self._next_s = float("-inf")

    def add(self, key: str, level: AudioLevel) -> None:
        """Watch one more audio track of a participant."""
        self._tracks.setdefault(key, []).append(level)

    def remove(self, key: str, level: AudioLevel | None = None) -> None:
        """Stop watching one track, or all tracks of a participant; unknown ones are ignored."""
        levels = self._tracks.get(key, [])
        if level is not None and level in levels:
            levels.remove(level)
        if level is None or not levels:
            self._tracks.pop(key, None)

    def poll(self, now_s: float) -> list[SpeakerChange]:
        """Changes since the previous call; says something at most every ``INTERVAL_S``.

        A participant removed while speaking is reported as silent once.
        """
        if now_s < self._next_s:
            return []
        self._next_s = now_s + INTERVAL_S
        levels = {
            key: max(level.level(now_s) for level in tracks) for key, tracks in self._tracks.items()
        }
        speaking = {key: level for key, level in levels.items() if level > 0}
        changes = [
            SpeakerChange(key, level, is_active=True)
            for key, level in sorted(speaking.items(), key=lambda item: -item[1])
            if self._last.get(key) != level
        ]
        changes += [
            SpeakerChange(key, 0.0, is_active=False) for key in self._last if key not in speaking
        ]
        self._last = speaking
        return changes

    def speaking(self) -> dict[str, float]:
        """Levels of those who were speaking at the last poll, loudest first."""
        return dict(sorted(self._last.items(), key=lambda item: -item[1]))


class SpeakerNews:
    """What one listener has been told of the speakers it can hear.

    A listener hears of those it is subscribed to and of itself; of one it is no longer subscribed
    to, once more, that it is silent.
    """

    def __init__(self) -> None:
        self._told: set[str] = set()

    def select(
        self, changes: Iterable[SpeakerChange], audible: Collection[str]
    ) -> list[SpeakerChange]:
        """Of ``changes``, those for this listener, who can hear ``audible``."""
        news = []
        for change in changes:
            if change.is_active and change.key in audible:
                self._told.add(change.key)
                news.append(change)
            elif not change.is_active and change.key in self._told:
                self._told.discard(change.key)
                news.append(change)
        gone = [key for key in sorted(self._told) if key not in audible]
        self._told.difference_update(gone)
        return news + [SpeakerChange(key, 0.0, is_active=False) for key in gone]
