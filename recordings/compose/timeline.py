"""From pieces and the conduct log to a timeline: who is large when, who beside, what is missing.

Time is counted in frames of `FPS` from the start of the recording, so that scenes of whole frames
follow each other without drifting from the sound. Rules of the stage:

* a shared screen is large, and who speaks stands beside it first;
* else who has the floor is large, with or without a picture;
* else who spoke last for at least `HOLD_S`; before anybody spoke, the first camera.

The title stands below the picture for the first seconds, a question while it is voted on, and the
result after it is published. A time in which no worker captured is a *gap*: the scene says so, a
chapter names it and its length. Nothing is shortened: a second of the meeting is a second of the
file.

Pure: no clock, no I/O.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import isfinite
from typing import Final

from recordings.compose.intervals import Interval, subtract, union
from recordings.compose.pieces import Piece, Session, presence_of
from recordings.journal import Speakers

FPS: Final = 25
HOLD_S: Final = 2.0
"""Somebody becomes large after speaking alone for this long: coughs do not cut the picture."""

MAX_TILES: Final = 5
TITLE_S: Final = 6.0
RESULT_S: Final = 10.0
"""How long the meeting's title, and a published result, stand below the picture."""

GAP_S: Final = 0.5
"""Shorter interruptions are not worth a card."""

_EPSILON_S = 1e-6


@dataclass(frozen=True, slots=True)
class Floor:
    """Somebody had the floor."""

    identity: str
    name: str
    from_s: float
    to_s: float


@dataclass(frozen=True, slots=True)
class AgendaPoint:
    """An agenda item was taken up."""

    at_s: float
    title: str


@dataclass(frozen=True, slots=True)
class VoteMark:
    """A question was voted on, and perhaps its result was published."""

    question: str
    from_s: float
    to_s: float
    result: str = ""
    result_at_s: float = float("inf")


@dataclass(frozen=True, slots=True)
class Conduct:
    """What the log of the meeting knows."""

    title: str = ""
    floors: Sequence[Floor] = ()
    agenda: Sequence[AgendaPoint] = ()
    votes: Sequence[VoteMark] = ()


@dataclass(frozen=True, slots=True)
class Tile:
    """Somebody on the stage: with a picture, or by name only."""

    identity: str
    name: str
    piece: Piece | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """A stretch of whole frames in which the stage does not change."""

    from_frame: int
    to_frame: int
    large: Tile | None
    tiles: tuple[Tile, ...] = ()
    is_gap: bool = False
    banner: str = ""
    """A line below the pictures."""

    @property
    def frames(self) -> int:
        """Its length."""
        return self.to_frame - self.from_frame


@dataclass(frozen=True, slots=True)
class Sound:
    """A stretch of one audio file to be heard, in seconds from the start of the recording."""

    piece: Piece
    from_s: float
    to_s: float
    skip_s: float
    """Seconds of the file before the stretch."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """A place to jump to."""

    at_s: float
    title: str
    identity: str = ""


@dataclass(frozen=True, slots=True)
class Speech:
    """Somebody had the floor, in seconds from the start of the recording."""

    from_s: float
    to_s: float
    name: str
    identity: str


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which nothing was captured."""

    from_s: float
    to_s: float
    reason: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """All that is decided before a picture is touched."""

    starts_s: float
    """Wall time of second 0."""
    frames: int
    scenes: tuple[Scene, ...]
    sounds: tuple[Sound, ...]
    chapters: tuple[Chapter, ...]
    gaps: tuple[Gap, ...]
    speeches: tuple[Speech, ...] = ()

    @property
    def duration_s(self) -> float:
        """Length of the composed file."""
        return self.frames / FPS


def build(
    sessions: Sequence[Session], pieces: Mapping[str, Sequence[Piece]], conduct: Conduct
) -> Timeline | None:
    """The timeline of a recording; ``pieces`` by session folder. None if nothing was captured."""
    everything = [piece for session in sessions for piece in pieces.get(session.folder, ())]
    if not everything:
        return None
    present = [
        span
        for session in sessions
        if (span := presence_of(session, pieces.get(session.folder, ()))) is not None
    ]
    starts_s = min(piece.starts_s for piece in everything)
    ends_s = max(*(piece.ends_s for piece in everything), *(span.to_s for span in present), 0.0)
    whole = Interval(starts_s, ends_s)
    captured = union([*present, *(Interval(p.starts_s, p.ends_s) for p in everything)])
    gaps = [gap for gap in subtract([whole], captured) if gap.length_s >= GAP_S]
    frames = max(1, round(whole.length_s * FPS))
    stage = _Stage(everything, conduct, _speaking(sessions), gaps)
    return Timeline(
        starts_s,
        frames,
        tuple(_scenes(stage, _banners(conduct, starts_s), starts_s, frames)),
        tuple(_sounds(everything, starts_s, frames / FPS)),
        tuple(_chapters(conduct, gaps, whole)),
        tuple(
            Gap(gap.from_s - starts_s, gap.to_s - starts_s, "Máy ghi bị gián đoạn") for gap in gaps
        ),
        tuple(_speeches(conduct, whole)),
    )


def _speaking(sessions: Iterable[Session]) -> list[tuple[float, str]]:
    """``(from, identity)`` of who was loudest, once they held it for `HOLD_S`; sorted."""
    heard = sorted(
        (entry.at, entry.identities[0] if entry.identities else "")
        for session in sessions
        for entry in session.entries
        if isinstance(entry, Speakers)
    )
    held: list[tuple[float, str]] = []
    since: tuple[float, str] | None = None
    for at, loudest in [*heard, (float("inf"), "")]:
        if since is not None and since[1] == loudest:
            continue
        if since is not None and since[1] and at - since[0] >= HOLD_S:
            held.append((since[0] + HOLD_S, since[1]))
        since = (at, loudest)
    return held


class _Stage:
    """Answers who is to be seen at an instant; boundaries are where the answer may change."""

    def __init__(
        self,
        pieces: Sequence[Piece],
        conduct: Conduct,
        speaking: Sequence[tuple[float, str]],
        gaps: Sequence[Interval],
    ) -> None:
        self._shown = [
            (span, piece)
            for piece in sorted(pieces, key=lambda p: (p.starts_s, p.path))
            if piece.is_video
            for span in piece.shown
        ]
        arrivals = [piece.identity for _, piece in self._shown]
        self._place = {identity: place for place, identity in enumerate(dict.fromkeys(arrivals))}
        self._floors = conduct.floors
        self._speaking_from = [at for at, _ in speaking]
        self._speaking = [identity for _, identity in speaking]
        self._gaps = gaps

    def boundaries(self) -> set[float]:
        """Every instant at which the stage may change."""
        spans = [*(span for span, _ in self._shown), *self._gaps]
        edges = {edge for span in spans for edge in span}
        edges.update(edge for floor in self._floors for edge in (floor.from_s, floor.to_s))
        return {edge for edge in edges if isfinite(edge)} | set(self._speaking_from)

    def at(self, now_s: float) -> tuple[Tile | None, tuple[Tile, ...], bool]:
        """``(large, tiles, is_gap)`` at an instant."""
        if any(gap.covers(now_s) for gap in self._gaps):
            return None, (), True
        cameras: dict[str, Tile] = {}
        screen: Tile | None = None
        for span, piece in self._shown:
            if span.covers(now_s):
                tile = Tile(piece.identity, piece.name, piece)
                if piece.source == "screen_share":
                    screen = tile  # the newest share wins
                else:
                    cameras[piece.identity] = tile
        speaker = self._speaker(now_s, cameras)
        large = screen or speaker
        beside = [tile for tile in cameras.values() if tile is not large and tile is not speaker]
        beside.sort(key=lambda tile: self._place[tile.identity])
        if screen is not None and speaker is not None:
            beside.insert(0, speaker)
        return large, tuple(beside[:MAX_TILES]), False

    def _speaker(self, now_s: float, cameras: Mapping[str, Tile]) -> Tile | None:
        for floor in self._floors:
            if floor.from_s <= now_s < floor.to_s:
                return cameras.get(floor.identity) or Tile(floor.identity, floor.name)
        last = bisect_right(self._speaking_from, now_s) - 1
        while last >= 0:
            identity = self._speaking[last]
            if identity in cameras:
                return cameras[identity]
            last -= 1
        if cameras:
            return min(cameras.values(), key=lambda tile: self._place[tile.identity])
        return None


def _banners(conduct: Conduct, starts_s: float) -> list[tuple[Interval, str]]:
    """What stands below the picture when; of two at a time the later one counts."""
    banners = []
    if conduct.title:
        banners.append((Interval(starts_s, starts_s + TITLE_S), conduct.title))
    for vote in conduct.votes:
        banners.append((Interval(vote.from_s, vote.to_s), f"Biểu quyết: {vote.question}"))
        if vote.result:
            shown = Interval(vote.result_at_s, vote.result_at_s + RESULT_S)
            banners.append((shown, f"Kết quả: {vote.result}"))
    return banners


def _scenes(
    stage: _Stage, banners: Sequence[tuple[Interval, str]], starts_s: float, frames: int
) -> list[Scene]:
    edges = {0, frames}
    of_banners = {edge for span, _ in banners for edge in span if isfinite(edge)}
    for boundary in stage.boundaries() | of_banners:
        # up to the next frame, so that a frame shows what is there during its whole length
        frame = int(-(-(boundary - starts_s - _EPSILON_S) * FPS // 1))
        if 0 < frame < frames:
            edges.add(frame)
    ordered = sorted(edges)
    scenes: list[Scene] = []
    for from_frame, to_frame in pairwise(ordered):
        middle_s = starts_s + (from_frame + to_frame) / 2 / FPS
        large, tiles, is_gap = stage.at(middle_s)
        banner = next((text for span, text in reversed(banners) if span.covers(middle_s)), "")
        scene = Scene(from_frame, to_frame, large, tiles, is_gap, "" if is_gap else banner)
        if scenes and _is_same_stage(scenes[-1], scene):
            scenes[-1] = replace(scenes[-1], to_frame=to_frame)
        else:
            scenes.append(scene)
    return scenes


def _is_same_stage(a: Scene, b: Scene) -> bool:
    return (a.large, a.tiles, a.is_gap, a.banner) == (b.large, b.tiles, b.is_gap, b.banner)


def _sounds(pieces: Iterable[Piece], starts_s: float, duration_s: float) -> list[Sound]:
    found = []
    for piece in sorted(pieces, key=lambda p: (p.starts_s, p.path)):
        if piece.is_video:
            continue
        from_s = max(0.0, piece.starts_s - starts_s)
        to_s = min(duration_s, piece.ends_s - starts_s)
        if to_s - from_s > 0:
            found.append(Sound(piece, from_s, to_s, from_s - (piece.starts_s - starts_s)))
    return found


def _chapters(conduct: Conduct, gaps: Sequence[Interval], whole: Interval) -> list[Chapter]:
    marks = [
        *(Chapter(point.at_s, f"Nội dung: {point.title}") for point in conduct.agenda),
        *(
            Chapter(floor.from_s, f"Phát biểu: {floor.name}", floor.identity)
            for floor in conduct.floors
            if floor.to_s > whole.from_s
        ),
        *(Chapter(vote.from_s, f"Biểu quyết: {vote.question}") for vote in conduct.votes),
        *(Chapter(gap.from_s, f"Gián đoạn {round(gap.length_s)} giây") for gap in gaps),
    ]
    # what had begun before the recording did is where the recording begins
    earlier = [mark for mark in marks if mark.at_s <= whole.from_s]
    inside = [mark for mark in marks if whole.from_s < mark.at_s < whole.to_s]
    chapters = [Chapter(0.0, conduct.title or "Bắt đầu ghi")]
    if earlier:
        newest = max(earlier, key=lambda mark: mark.at_s)
        chapters = [Chapter(0.0, newest.title, newest.identity)]
    chapters += [
        Chapter(mark.at_s - whole.from_s, mark.title, mark.identity)
        for mark in sorted(inside, key=lambda mark: (mark.at_s, mark.title))
    ]
    return chapters


def _speeches(conduct: Conduct, whole: Interval) -> list[Speech]:
    """Who had the floor while it was recorded, cut to the recording."""
    return [
        Speech(
            max(floor.from_s, whole.from_s) - whole.from_s,
            min(floor.to_s, whole.to_s) - whole.from_s,
            floor.name,
            floor.identity,
        )
        for floor in conduct.floors
        if floor.to_s > whole.from_s and floor.from_s < whole.to_s
    ]
