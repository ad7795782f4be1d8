"""The sidecar of captured media: one JSON object a line, written while things happen.

A session of capture (one stay of one worker in the room) writes one journal beside its media
files. Every line stands alone, so a crash costs at most the line being written, and a reader
takes whatever is whole. ``at`` is wall time in seconds since the epoch, counted monotonically from
the start of the session: a clock that is set in mid-session moves nothing.

Pure: text in, values out, and back.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class SessionStarted:
    """A worker begins to capture; ``folder`` of its files is the journal's own."""

    at: float
    room: str
    worker: str


@dataclass(frozen=True, slots=True)
class SessionStopped:
    """The worker left in order. A journal without this line ended in a crash."""

    at: float
    reason: str


@dataclass(frozen=True, slots=True)
class TrackStarted:
    """A media file begins with the frame that arrived at ``at`` (presentation time 0)."""

    at: float
    file: str
    sid: str
    identity: str
    name: str
    source: str
    """camera, microphone, screen_share or screen_share_audio (LiveKit's track sources)."""
    codec: str
    """opus, vp8, vp9 or h264."""
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class TrackRefused:
    """A track was there that cannot be recorded: ``what`` is its codec, or why."""

    at: float
    sid: str
    identity: str
    name: str
    what: str


@dataclass(frozen=True, slots=True)
class TrackStopped:
    """A media file is complete."""

    at: float
    file: str
    reason: str
    frames: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Muted:
    """A track fell silent or dark by its owner's or the chair's hand, or came back."""

    at: float
    sid: str
    identity: str
    is_muted: bool


@dataclass(frozen=True, slots=True)
class Speakers:
    """Who speaks from now on, loudest first."""

    at: float
    identities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClockRead:
    """A sender report: presentation time ``pts_s`` of the file is the sender's time ``ntp_s``."""

    at: float
    file: str
    pts_s: float
    ntp_s: float


@dataclass(frozen=True, slots=True)
class MediaLost:
    """Frames are missing in a file between two presentation times: loss, or a slow disk."""

    at: float
    file: str
    from_s: float
    to_s: float
    reason: str


@dataclass(frozen=True, slots=True)
class KeyframeRequested:
    """The sender was asked for a frame at which a decoder can start."""

    at: float
    sid: str


Entry = (
    SessionStarted
    | SessionStopped
    | TrackStarted
    | TrackRefused
    | TrackStopped
    | Muted
    | Speakers
    | ClockRead
    | MediaLost
    | KeyframeRequested
)

_KINDS: Final[dict[str, type[Any]]] = {
    "session_started": SessionStarted,
    "session_stopped": SessionStopped,
    "track_started": TrackStarted,
    "track_refused": TrackRefused,
    "track_stopped": TrackStopped,
    "muted": Muted,
    "speakers": Speakers,
    "clock_read": ClockRead,
    "media_lost": MediaLost,
    "keyframe_requested": KeyframeRequested,
}
_NAMES: Final = {kind: name for name, kind in _KINDS.items()}


def encode(entry: Entry) -> str:
    """One line without its line break."""
    return json.dumps({"kind": _NAMES[type(entry)], **asdict(entry)}, ensure_ascii=False)


def decode(line: str) -> Entry | None:
    """The entry of a line; None if it is torn, of an unknown kind or of a wrong shape."""
    try:
        value = json.loads(line)
        kind = _KINDS[value.pop("kind")]
        entry: Entry = kind(**value)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if isinstance(entry, Speakers):
        return _speakers(entry.at, entry.identities)
    return entry if _has_right_types(entry) else None


def _speakers(at: object, identities: object) -> Speakers | None:
    is_list = isinstance(identities, list) and all(isinstance(one, str) for one in identities)
    if not isinstance(at, int | float) or not is_list:
        return None
    assert isinstance(identities, list)
    return Speakers(at, tuple(identities))


def _has_right_types(entry: Entry) -> bool:
    for field in fields(entry):
        value = getattr(entry, field.name)
        wanted = {float: (int, float), str: (str,), int: (int,), bool: (bool,)}
        if not isinstance(value, wanted.get(field.type, (object,))):  # type: ignore[arg-type]
            return False
    return True


def read(lines: Iterable[str]) -> list[Entry]:
    """All whole entries, in the order written."""
    return [entry for entry in map(decode, lines) if entry is not None]
