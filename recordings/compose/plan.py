"""A timeline as ffmpeg command lines, built with ffmpeg-python and run by nobody here.

Every scene is a still card (background, names) with the pictures laid over it, cut to a whole
number of frames; scenes are concatenated. A picture's file is opened at the keyframe before it is
shown and closed after it, so that little more than what is shown is decoded, and that once.
Sounds go into lanes of files that do not overlap; lanes are mixed, once, into a file of their own.
The film is encoded in parts (`recordings.compose.parts`), as many at a time as there are
processors, and then joined with the sound without encoding again: much of ffmpeg's work in one
run goes through one thread, so two runs take little more than half the time of one.

The encoder is x264's fastest preset under a ceiling of bits: on two processors nothing slower
keeps five times the speed of playing at 720 rows, and what comes in had at most as many bits.

Inputs may only be files (``-protocol_whitelist``), of a stated format: nothing inside a media file
can make ffmpeg open an address. No text reaches a command line; names are in the cards.

Pure: names of files in, arguments out.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import ffmpeg

from recordings.compose.layout import Card, Layout
from recordings.compose.parts import split
from recordings.compose.pieces import Piece
from recordings.compose.timeline import FPS, Chapter, Scene, Sound, Timeline

REOPEN_FRAMES: Final = 10 * FPS
"""A piece that is not shown for longer than this is opened anew at a later keyframe."""

SAMPLE_RATE: Final = 48_000
_GUARD_FRAMES: Final = 2  # read a little more than is shown, so that the last frame is there
_VIDEO: Final = {
    "vcodec": "libx264",
    "preset": "ultrafast",
    "crf": 23,
    "maxrate": "3M",
    "bufsize": "6M",
    "threads": 1,  # parts run beside each other instead
    "pix_fmt": "yuv420p",
    "g": 5 * FPS,  # seeking in the player lands within 5 s
    "r": FPS,
}


@dataclass(frozen=True, slots=True)
class Files:
    """Where things are: plain paths as ffmpeg shall read them."""

    root: str
    """Folder that the pieces' paths are relative to."""
    cards: Mapping[Card, str]
    metadata: str
    """The chapters, as written by `metadata`."""
    parts_list: str
    part_pattern: str
    """With ``{}`` for the number of the part."""
    sound: str
    """The mixed sound, a file that plays by itself."""
    output: str


@dataclass(frozen=True, slots=True)
class Step:
    """One run of ffmpeg."""

    args: tuple[str, ...]
    """Without the program."""
    output: str
    duration_s: float
    """Length of what it writes, for progress."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All runs of ffmpeg for one film."""

    beside: tuple[Step, ...]
    """The sound and every part of the picture; none needs another."""
    join: Step
    """Makes the film of them."""
    parts_list: str
    """Text to write to ``files.parts_list`` before the join."""


def plan(timeline: Timeline, layouts: Mapping[Scene, Layout], files: Files) -> Plan:
    """What to run. ``layouts``: where everybody stands in each scene of the timeline."""
    steps = [_sound_step(timeline, files)]
    names = []
    for number, part in enumerate(split(timeline.scenes)):
        output = files.part_pattern.format(number)
        names.append(output.rsplit("/", 1)[-1])
        staged = [(stretch.shown, layouts[stretch.whole]) for stretch in part]
        picture = _picture(timeline.starts_s, staged, _Inputs(files))
        stream = ffmpeg.output(picture, output, f="matroska", **_VIDEO)
        frames = sum(scene.frames for scene, _ in staged)
        steps.append(Step(_arguments(stream), output, frames / FPS))
    return Plan(tuple(steps), _join(timeline, files), _list_of(names))


def _list_of(names: Sequence[str]) -> str:
    """Text of ``files.parts_list`` (format of ffmpeg's concat demuxer, names beside the list)."""
    return "".join(["ffconcat version 1.0\n", *(f"file '{name}'\n" for name in names)])


def metadata(title: str, chapters: Sequence[Chapter], duration_s: float) -> str:
    """Text of ``files.metadata`` (ffmpeg's metadata format) with title and chapters."""
    lines = [";FFMETADATA1", f"title={_escaped(title)}"]
    ends = [*(chapter.at_s for chapter in chapters[1:]), duration_s]
    for chapter, ends_s in zip(chapters, ends, strict=True):
        lines += [
            "[CHAPTER]",
            "TIMEBASE=1/1000",
            f"START={round(chapter.at_s * 1000)}",
            f"END={round(ends_s * 1000)}",
            f"title={_escaped(chapter.title)}",
        ]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    # ffmpeg takes a backslash at the end of a line for its continuation, escaped or not
    line = " ".join(text.replace("\\", "/").split())
    return "".join(f"\\{letter}" if letter in "=;#" else letter for letter in line)


class _Inputs:
    """Opens files for the graph, each opening a node of its own.

    ffmpeg-python takes two openings with equal arguments for one stream, which may not be used
    twice; a queue length that differs keeps them apart and changes nothing else.
    """

    def __init__(self, files: Files) -> None:
        self.files = files
        self._count = 0

    def open(self, path: str, **options: Any) -> Any:
        """An input that may be a file and nothing else."""
        self._count += 1
        return ffmpeg.input(
            path, protocol_whitelist="file,pipe", thread_queue_size=8 + self._count, **options
        )


# --- picture --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Use:
    """A stretch of one piece that a scene shows, in frames from the piece's beginning."""

    piece: Piece
    from_frame: int
    to_frame: int


class _Decoders:
    """Opens each piece once for a run of uses, from the keyframe before to the last frame shown.

    Uses further apart than `REOPEN_FRAMES` get openings of their own, so that little is decoded
    that nobody sees.
    """

    def __init__(self, uses: Sequence[_Use], inputs: _Inputs) -> None:
        self._streams: dict[_Use, Any] = {}
        by_piece: dict[str, list[_Use]] = {}
        for use in uses:
            by_piece.setdefault(use.piece.path, []).append(use)
        for of_piece in by_piece.values():
            run: list[_Use] = []
            for use in of_piece:
                if run and use.from_frame - run[-1].to_frame > REOPEN_FRAMES:
                    self._open(run, inputs)
                    run = []
                run.append(use)
            self._open(run, inputs)

    def stream(self, use: _Use) -> Any:
        """Exactly the frames of a use, from time 0."""
        return self._streams[use]

    def _open(self, run: Sequence[_Use], inputs: _Inputs) -> None:
        piece, wanted_s = run[0].piece, run[0].from_frame / FPS
        index = bisect_right(piece.keyframes_s, wanted_s + 0.5 / FPS) - 1
        opened_s = piece.keyframes_s[index] if index >= 0 else 0.0
        skipped = round(opened_s * FPS)
        frames = run[-1].to_frame - skipped + _GUARD_FRAMES
        source = inputs.open(
            f"{inputs.files.root}/{piece.path}",
            f="matroska",
            ss=f"{opened_s:.3f}",
            t=f"{frames / FPS:.3f}",
            threads=1,
        )
        steady = source.video.filter("fps", FPS, start_time=0)
        branches = steady.filter_multi_output("split", len(run)) if len(run) > 1 else [steady]
        for number, use in enumerate(run):
            first = max(0, use.from_frame - skipped)
            last = max(first + 1, use.to_frame - skipped)
            cut = branches[number].filter("trim", start_frame=first, end_frame=last)
            self._streams[use] = cut.filter("setpts", "PTS-STARTPTS")


def _use(starts_s: float, scene: Scene, piece: Piece) -> _Use:
    first = max(0, round((starts_s - piece.starts_s) * FPS) + scene.from_frame)
    return _Use(piece, first, first + scene.frames)


def _picture(starts_s: float, staged: Sequence[tuple[Scene, Layout]], inputs: _Inputs) -> Any:
    uses = [
        _use(starts_s, scene, place.tile.piece)
        for scene, layout in staged
        for place in layout.places
        if place.tile.piece is not None
    ]
    decoders = _Decoders(uses, inputs)
    scenes = [_scene(starts_s, scene, layout, inputs, decoders) for scene, layout in staged]
    return scenes[0] if len(scenes) == 1 else ffmpeg.concat(*scenes, v=1, a=0)


def _scene(
    starts_s: float, scene: Scene, layout: Layout, inputs: _Inputs, decoders: _Decoders
) -> Any:
    still = inputs.open(inputs.files.cards[layout.card], f="png_pipe", framerate=FPS).video
    stage = (
        still.filter("format", "yuv420p")
        .filter("loop", loop=-1, size=1, start=0)
        .filter("trim", end_frame=scene.frames)
        .filter("setsar", 1)
    )
    for place in layout.places:
        assert place.tile.piece is not None
        box = place.picture
        moving = (
            decoders.stream(_use(starts_s, scene, place.tile.piece))
            .filter(
                "scale", box.width, box.height,
                force_original_aspect_ratio="decrease", force_divisible_by=2, flags="bilinear",
            )
            .filter("setsar", 1)
            .filter("format", "yuv420p")
        )  # fmt: skip
        stage = stage.overlay(
            moving,
            x=f"{box.x}+floor(({box.width}-w)/4)*2",
            y=f"{box.y}+floor(({box.height}-h)/4)*2",
            eof_action="repeat",
        )
    return stage.filter("setpts", f"N/{FPS}/TB")


# --- sound ----------------------------------------------------------------------------------


def lanes_of(sounds: Sequence[Sound]) -> list[list[Sound]]:
    """As few lanes as possible in which no two sounds overlap."""
    lanes: list[list[Sound]] = []
    for sound in sorted(sounds, key=lambda one: (one.from_s, one.piece.path)):
        for lane in lanes:
            if lane[-1].to_s <= sound.from_s:
                lane.append(sound)
                break
        else:
            lanes.append([sound])
    return lanes


def _sound(timeline: Timeline, inputs: _Inputs) -> Any:
    duration_s = timeline.duration_s
    lanes = [_lane(lane, duration_s, inputs) for lane in lanes_of(timeline.sounds)]
    if not lanes:
        silence = f"anullsrc=r={SAMPLE_RATE}:cl=stereo"
        return ffmpeg.input(silence, f="lavfi", t=f"{duration_s:.3f}").audio
    mixed = lanes[0]
    if len(lanes) > 1:
        mixed = ffmpeg.filter(lanes, "amix", inputs=len(lanes), normalize=0, duration="longest")
    return mixed.filter("alimiter", limit=0.95, level=0)


def _lane(lane: Sequence[Sound], duration_s: float, inputs: _Inputs) -> Any:
    """One stream as long as the recording: each sound at its time, silence between."""
    ends = [*(sound.from_s for sound in lane[1:]), duration_s]
    stretches: list[Any] = []
    for sound, ends_s in zip(lane, ends, strict=True):
        source = inputs.open(f"{inputs.files.root}/{sound.piece.path}", f="matroska")
        stream = source.audio.filter("aresample", SAMPLE_RATE, **{"async": 1, "first_pts": 0})
        stream = stream.filter("aformat", sample_fmts="fltp", channel_layouts="stereo")
        if sound.skip_s > 0:
            stream = stream.filter("atrim", start=f"{sound.skip_s:.6f}")
            stream = stream.filter("asetpts", "PTS-STARTPTS")
        length_s = ends_s - sound.from_s
        if not stretches and sound.from_s > 0:
            stream = stream.filter("adelay", delays=f"{round(sound.from_s * 1000)}", all=1)
            length_s = ends_s
        samples = round(length_s * SAMPLE_RATE)
        stream = stream.filter("apad", whole_len=samples).filter("atrim", end_sample=samples)
        stretches.append(stream)
    return stretches[0] if len(stretches) == 1 else ffmpeg.concat(*stretches, v=0, a=1)


# --- output ---------------------------------------------------------------------------------


def _sound_step(timeline: Timeline, files: Files) -> Step:
    """Mix and encode the sound, with the chapters."""
    output = ffmpeg.output(
        _sound(timeline, _Inputs(files)),
        files.sound,
        f="ipod",
        acodec="aac",
        audio_bitrate="128k",
        ar=SAMPLE_RATE,
        ac=2,
        movflags="+faststart",
        t=f"{timeline.duration_s:.3f}",
    )
    return Step(_with_chapters(output, files, files.sound), files.sound, timeline.duration_s)


def _join(timeline: Timeline, files: Files) -> Step:
    """Pictures and sound into one film, copied."""
    inputs = _Inputs(files)
    output = ffmpeg.output(
        inputs.open(files.parts_list, f="concat").video,
        inputs.open(files.sound, f="mp4").audio,
        files.output,
        f="mp4",
        vcodec="copy",
        acodec="copy",
        movflags="+faststart",
        t=f"{timeline.duration_s:.3f}",
    )
    return Step(_with_chapters(output, files, files.output), files.output, timeline.duration_s)


def _with_chapters(output: Any, files: Files, target: str) -> tuple[str, ...]:
    arguments = list(_arguments(output))
    count = arguments.count("-i")
    # ffmpeg-python knows no input without streams: the chapters' file goes in by hand
    chapters = ["-f", "ffmetadata", "-protocol_whitelist", "file,pipe", "-i", files.metadata]
    mapping = ["-map_metadata", str(count), "-map_chapters", str(count)]
    last_input = max(index for index, word in enumerate(arguments) if word == "-i") + 2
    arguments[last_input:last_input] = chapters
    where = arguments.index(target)
    arguments[where:where] = mapping
    return tuple(arguments)


def _arguments(output: Any) -> tuple[str, ...]:
    return tuple(str(word) for word in ffmpeg.get_args(output))
