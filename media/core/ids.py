"""Identifiers of rooms, participants and tracks, as LiveKit clients expect them.

A sid is a prefix and twelve characters of base 57 (letters and digits without the ones
easily mistaken for each other). Clients test the prefixes ``PA_`` and ``TR_``. Randomness
is passed in: the same bytes always give the same sid.
"""

from collections.abc import Callable
from typing import Final, NewType

from livekit.protocol import models

RoomName = NewType("RoomName", str)
RoomSid = NewType("RoomSid", str)
Identity = NewType("Identity", str)
ParticipantSid = NewType("ParticipantSid", str)
TrackSid = NewType("TrackSid", str)

RandomBytes = Callable[[int], bytes]
"""A source of ``n`` unpredictable bytes, such as ``secrets.token_bytes``."""

ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
SID_LENGTH: Final = 12

_SOURCE_LETTERS: Final = {
    models.TrackSource.CAMERA: "C",
    models.TrackSource.MICROPHONE: "M",
    models.TrackSource.SCREEN_SHARE: "S",
    models.TrackSource.SCREEN_SHARE_AUDIO: "s",
}


def random_text(random_bytes: RandomBytes, length: int = SID_LENGTH) -> str:
    """Draw ``length`` characters of the sid alphabet.

    Two bytes are drawn for each character, so that the bias of the modulo stays below 0.1 %.
    """
    raw = random_bytes(2 * length)
    size = len(ALPHABET)
    return "".join(
        ALPHABET[int.from_bytes(raw[at : at + 2], "big") % size] for at in range(0, len(raw), 2)
    )


def new_room_sid(random_bytes: RandomBytes) -> RoomSid:
    """Sid of a new room, ``RM_…``."""
    return RoomSid("RM_" + random_text(random_bytes))


def new_participant_sid(random_bytes: RandomBytes) -> ParticipantSid:
    """Sid of a new session of a participant, ``PA_…``."""
    return ParticipantSid("PA_" + random_text(random_bytes))


def new_track_sid(
    random_bytes: RandomBytes,
    kind: models.TrackType,
    source: models.TrackSource,
) -> TrackSid:
    """Sid of a new track: ``TR_``, a letter for the kind, one for the source, and chance."""
    letter = "A" if kind == models.TrackType.AUDIO else "V"
    letter += _SOURCE_LETTERS.get(source, "")
    return TrackSid("TR_" + letter + random_text(random_bytes, SID_LENGTH - len(letter)))
