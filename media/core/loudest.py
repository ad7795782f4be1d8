"""Which microphones of a room are forwarded when many are open: the loudest few.

A hundred halls with open microphones are a hundred streams of noise for everybody. As long as no
more are open than ``limit`` all are forwarded. Beyond that a microphone comes in when it is
clearly louder than the quietest one forwarded, and stays for a while, so that a cough does not
take a speaker's place and pauses between sentences cost nothing. Those named as ``always``
(the floor holder) are forwarded besides.

Pure; levels are smoothed by ``speakers.AudioLevel``.
"""

from collections.abc import Collection, Mapping
from typing import Final

from media.core.room import Participant

FLOOR_ATTRIBUTE: Final = "diemcau.floor"
"""Participant attribute that marks the floor holder; any value but an empty one."""
INTERVAL_S: Final = 0.1
MIN_STAY_S: Final = 1.0
"""A microphone that came in is not displaced before."""
LOUDER: Final = 2.0
"""Times the power of the one to displace: 3 dB."""
AUDIBLE: Final = 1e-5
"""Power below which nobody comes in: -50 dBov, a quiet room."""


class Loudest:
    """The choice for one room."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        """How many at a time; 0: no limit."""
        self.heard: frozenset[str] = frozenset()
        self._since_s: dict[str, float] = {}

    def choose(
        self, powers: Mapping[str, float], now_s: float, always: Collection[str] = ()
    ) -> frozenset[str]:
        """Keys to forward, out of all open microphones with their present ``powers``."""
        if not self.limit or len(powers) <= self.limit:
            self._since_s = dict.fromkeys(powers, now_s - MIN_STAY_S)
            self.heard = frozenset(powers)
            return self.heard
        ranked = [key for key in powers if key not in always]
        inside = {key: since for key, since in self._since_s.items() if key in ranked}
        ranked.sort(key=lambda key: -powers[key])
        if len(inside) > self.limit:  # the room has just become full
            kept = [key for key in ranked if key in inside][: self.limit]
            inside = {key: inside[key] for key in kept}
        for key in ranked:
            if key in inside:
                continue
            if len(inside) < self.limit:
                inside[key] = now_s
                continue
            weakest = min(inside, key=lambda other: (powers[other], other))
            if powers[key] <= max(AUDIBLE, LOUDER * powers[weakest]):
                break  # nor is anybody behind it
            if now_s - inside[weakest] >= MIN_STAY_S:
                del inside[weakest]
                inside[key] = now_s
        self._since_s = inside
        self.heard = frozenset(inside) | (frozenset(always) & powers.keys())
        return self.heard


def holds_floor(participant: Participant) -> bool:
    """Whether a participant is to be heard whoever else is louder."""
    return bool(participant.attributes.get(FLOOR_ATTRIBUTE))
