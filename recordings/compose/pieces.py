"""Journals and measured files become pieces: what was seen or heard of whom, from when to when.

All times are seconds since the epoch on the worker's clock. Where sender reports exist, the
tracks of one participant are placed against each other by the sender's own clock, because arrival
times carry each track's network delay and the wait for the first keyframe; the least delayed
track ties the sender's clock to ours.

Pure: no clock, no I/O.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from recordings.compose.intervals import Interval, subtract
from recordings.journal import (
    ClockRead,
    Entry,
    MediaLost,
    Muted,
    SessionStarted,
    SessionStopped,
    TrackStarted,
)

HOLE_S: Final = 2.0
"""Missing frames for longer than this take the picture off the stage."""

JOIN_S: Final = 10.0
"""First media within this time of a session's start was there before: it is part of the gap."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What a media file really contains, read from its packets."""

    length_s: float
    """From presentation time 0 to the end of the last frame."""
    keyframes_s: tuple[float, ...] = (0.0,)
    """Presentation times at which a decoder can start, ascending."""


@dataclass(frozen=True, slots=True)
class Session:
    """One stay of a worker in the room: its folder's name and its journal."""

    folder: str
    entries: Sequence[Entry]


@dataclass(frozen=True, slots=True)
class Piece:
    """One media file on the clock of the world."""

    path: str
    """Relative to the recording's folder, with forward slashes."""
    identity: str
    name: str
    source: str
    starts_s: float
    length_s: float
    shown: tuple[Interval, ...]
    """Parts in which there is something to see or hear: not muted, not missing."""
    keyframes_s: tuple[float, ...] = (0.0,)

    @property
    def ends_s(self) -> float:
        """When the last frame ends."""
        return self.starts_s + self.length_s

    @property
    def is_video(self) -> bool:
        """True for cameras and shared screens."""
        return self.source in {"camera", "screen_share"}


def pieces_of(session: Session, measures: Mapping[str, Measure]) -> list[Piece]:
    """The pieces of one session; ``measures`` by path. Files that hold nothing are left out."""
    starts = [entry for entry in session.entries if isinstance(entry, TrackStarted)]
    placed = _placed(starts, session.entries)
    found = []
    for start in starts:
        path = f"{session.folder}/{start.file}"
        measure = measures.get(path)
        if measure is None or measure.length_s <= 0:
            continue
        starts_s = placed[start.file]
        whole = Interval(starts_s, starts_s + measure.length_s)
        hidden = [
            *_muted(start, session.entries, whole),
            *_missing(start.file, starts_s, session.entries),
        ]
        found.append(
            Piece(
                path,
                start.identity,
                start.name or start.identity,
                start.source,
                starts_s,
                measure.length_s,
                tuple(subtract([whole], hidden)),
                measure.keyframes_s,
            )
        )
    return found


def _placed(starts: Sequence[TrackStarted], entries: Iterable[Entry]) -> dict[str, float]:
    """When presentation time 0 of each file was, on our clock."""
    read: dict[str, list[float]] = defaultdict(list)
    for entry in entries:
        if isinstance(entry, ClockRead):
            read[entry.file].append(entry.ntp_s - entry.pts_s)
    origin = {file: median(values) for file, values in read.items()}
    delays: dict[str, float] = {}
    for start in starts:
        if start.file in origin:
            delay = start.at - origin[start.file]
            delays[start.identity] = min(delay, delays.get(start.identity, delay))
    return {
        start.file: origin[start.file] + delays[start.identity]
        if start.file in origin
        else start.at
        for start in starts
    }


def _muted(start: TrackStarted, entries: Iterable[Entry], whole: Interval) -> list[Interval]:
    found: list[Interval] = []
    since: float | None = None
    for entry in entries:
        if not isinstance(entry, Muted) or entry.sid != start.sid:
            continue
        if entry.is_muted:
            since = entry.at if since is None else since
        elif since is not None:
            found.append(Interval(since, max(since, entry.at)))
            since = None
    if since is not None and since < whole.to_s:
        found.append(Interval(since, whole.to_s))
    return found


def _missing(file: str, starts_s: float, entries: Iterable[Entry]) -> list[Interval]:
    return [
        Interval(starts_s + entry.from_s, starts_s + entry.to_s)
        for entry in entries
        if isinstance(entry, MediaLost)
        and entry.file == file
        and entry.to_s - entry.from_s >= HOLE_S
    ]


def presence_of(session: Session, pieces: Sequence[Piece]) -> Interval | None:
    """When the session was recording, from its first media on.

    It ends with its goodbye, or after a crash with its last evidence. A session that met nobody
    counts from its start: there was nothing to miss.
    """
    started = [entry.at for entry in session.entries if isinstance(entry, SessionStarted)]
    if not started:
        return None
    from_s = started[0]
    first_media = min((piece.starts_s for piece in pieces), default=from_s)
    if from_s < first_media < from_s + JOIN_S:
        from_s = first_media
    stopped = [entry.at for entry in session.entries if isinstance(entry, SessionStopped)]
    evidence = [entry.at for entry in session.entries] + [piece.ends_s for piece in pieces]
    return Interval(from_s, max(from_s, stopped[0] if stopped else max(evidence)))
