"""A meeting of many speakers in canned media: each flashes and beeps while having the floor.

It is captured as fast as the writer goes, on a clock that the player moves, and composed by real
ffmpeg. Every speaker has a clock of its own, and pictures arrive later than sound, so that only
the sender reports can bring them together.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from recordings import composing
from recordings.capture.port import EncodedFrame, Track
from recordings.capture.session import CaptureSession
from recordings.compose.timeline import Conduct, Floor
from recordings.store.folder import FolderStore
from tests.support.flash_and_beep import RATE, VIDEO_LATE_S, Clips, flashes, offsets

KEY: Final = "meeting-1-recording-1"
QUIET_S: Final = 2
"""At the end of a turn nobody flashes: the next one's first flash is where a chapter belongs."""

REPORT_S: Final = 5


class Instant:
    """A clock that the player moves."""

    def __init__(self) -> None:
        self.now_s = float(int(time.time()))

    def __call__(self) -> float:
        return self.now_s


@dataclass(frozen=True)
class Figures:
    """What was found in the film."""

    composition: composing.Composition
    film: Path
    compose_s: float
    """How long composing took."""
    chapter_errors_s: list[float]
    """From each speaker's chapter, but the one at 0, to the first flash of the turn."""
    offsets_s: list[float]
    """Sound minus picture of each flash."""


def hold(
    root: Path, clips: Clips, *, speakers: int, turn_s: int, turns: int, height: int
) -> Figures:
    """Capture, compose and measure; ``turns`` of ``turn_s`` seconds go round the speakers."""
    store = FolderStore(root)
    clock = Instant()
    begun_s = clock.now_s
    session = CaptureSession(store.next_session(KEY), clock, room="r", worker="w")
    for number in range(speakers):
        for track in tracks_of(number):
            session.track_opened(track)
    for second in range(turns * turn_s):
        for at_s, sid, frame in sorted(_second(clips, speakers, turn_s, second), key=_when):
            clock.now_s = begun_s + at_s
            session.frame(sid, frame)
        if second % REPORT_S == 1:
            _report(session, speakers, second)
        time.sleep(0.004)  # the writer keeps up, as it does in real time
    clock.now_s = begun_s + turns * turn_s
    assert session.close("stopped", 120)
    assert session.frames_dropped == 0
    floors = [
        Floor(
            f"site:{turn % speakers}", f"Điểm cầu {turn % speakers + 1}",
            begun_s + turn * turn_s, begun_s + (turn + 1) * turn_s,
        )
        for turn in range(turns)
    ]  # fmt: skip
    started_s = time.perf_counter()
    composition = composing.compose(
        store, KEY, Conduct("Giao ban", floors),
        height=height, program=composing.ffmpeg_program(), on_progress=lambda _share: None,
    )  # fmt: skip
    compose_s = time.perf_counter() - started_s
    film = store.composed(KEY)
    return Figures(composition, film, compose_s, _chapter_errors(film, composition), offsets(film))


def tracks_of(number: int) -> tuple[Track, Track]:
    """Camera and microphone of a speaker."""
    who = (f"site:{number}", f"Điểm cầu {number + 1}")
    return (
        Track(f"TR_v{number}", *who, "camera", "vp8", 90_000),
        Track(f"TR_a{number}", *who, "microphone", "opus", 48_000),
    )


def _second(
    clips: Clips, speakers: int, turn_s: int, second: int
) -> Iterator[tuple[float, str, EncodedFrame]]:
    """Everything that arrives of one second: when, of which track, what."""
    speaking = second // turn_s % speakers
    is_quiet = second % turn_s >= turn_s - QUIET_S
    for number in range(speakers):
        flashes_now = number == speaking and not is_quiet
        for n in range(RATE if number == speaking else 5):
            at_s = second + n / (RATE if number == speaking else 5)
            data = clips.picture(n) if flashes_now else clips.black
            yield (
                at_s + VIDEO_LATE_S, f"TR_v{number}", EncodedFrame(data, round(at_s * 90_000), True)
            )  # fmt: skip
        for n in range(50):
            at_s = second + n / 50
            data = clips.packet(n) if flashes_now else clips.silence
            yield at_s, f"TR_a{number}", EncodedFrame(data, round(at_s * 48_000), True)


def _when(item: tuple[float, str, EncodedFrame]) -> float:
    return item[0]


def _report(session: CaptureSession, speakers: int, second: int) -> None:
    for number in range(speakers):
        of_sender_s = 1_700_000_000.0 + 1000 * number + second
        session.clock_read(f"TR_v{number}", second * 90_000, of_sender_s)
        session.clock_read(f"TR_a{number}", second * 48_000, of_sender_s)


def _chapter_errors(film: Path, composition: composing.Composition) -> list[float]:
    seen = flashes(film)
    errors = []
    for chapter in composition.chapters:
        at_s = float(chapter["at_s"])
        if at_s > 0 and str(chapter["title"]).startswith("Phát biểu"):
            errors.append(min((abs(one - at_s) for one in seen), default=float("inf")))
    return errors
