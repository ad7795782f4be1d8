"""What a participant wishes to receive, and what became of wishes that cannot be granted.

A client may name a track before it is published. Such a wish is kept; when no such track has come
in time the client is told, once, that there is none. Wishes are bounded: a client that names
tracks at random loses its oldest ones.
"""

from collections.abc import Container
from typing import Final

from media.core.ids import TrackSid
from media.core.room import Participant

MAX_CHOICES: Final = 5000
NOT_FOUND_AFTER_S: Final = 20.0
"""How long a track that was asked for may still be published (LiveKit's figure)."""


def note_choice(
    participant: Participant,
    sid: TrackSid,
    *,
    is_wanted: bool,
    published: Container[TrackSid],
    now_s: float,
) -> None:
    """Note that the participant does, or does not, want a track; ``published``: those there are."""
    choices = participant.choices
    choices.pop(sid, None)
    choices[sid] = is_wanted
    participant.sought.pop(sid, None)
    if is_wanted and sid not in published:
        participant.sought[sid] = now_s + NOT_FOUND_AFTER_S
    while len(choices) > MAX_CHOICES:
        oldest = next(iter(choices))
        del choices[oldest]
        participant.sought.pop(oldest, None)


def not_found(
    participant: Participant, published: Container[TrackSid], now_s: float
) -> list[TrackSid]:
    """Tracks that were asked for and have not come in time; they are asked for no more."""
    missing = []
    for sid, deadline_s in list(participant.sought.items()):
        if sid in published:
            del participant.sought[sid]
        elif now_s >= deadline_s:
            del participant.sought[sid]
            participant.choices.pop(sid, None)
            missing.append(sid)
    return missing
