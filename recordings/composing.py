"""Compose a captured recording: read its journals, decide, run ffmpeg, check, publish.

Everything is made in a work folder that a later try empties; the raw media is only read. The file
gets its name after it has been opened and decoded at several places, so that what can be seen can
be played.
"""

import json
import os
import selectors
import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import imageio_ffmpeg

from recordings import cards, journal, measuring
from recordings.compose import plan as planning
from recordings.compose.layout import Card, Layout, arrange
from recordings.compose.pieces import Measure, Piece, Session, pieces_of
from recordings.compose.timeline import Conduct, Timeline, build
from recordings.store import manifest
from recordings.store.folder import FolderStore

STALLED_S: Final = 180.0
"""ffmpeg that reports nothing for this long is ended."""

_NICE: Final = 10
_POLL_S: Final = 0.5


class ComposeError(Exception):
    """This try failed; the text says why. The raw media is as it was."""


class ComposeCancelledError(ComposeError):
    """Somebody else composes it by now, or the worker is stopping."""


@dataclass(frozen=True, slots=True)
class Composition:
    """What was published."""

    starts_s: float
    """Wall time of its first moment, seconds since the epoch."""
    duration_s: float
    size_bytes: int
    manifest_sha256: str
    chapters: list[dict[str, Any]]
    gaps: list[dict[str, Any]]
    speeches: list[dict[str, Any]]


ConductReader = Callable[[], Conduct]
Progress = Callable[[float], None]
"""Takes the share done, 0…1; may raise ComposeCancelledError."""


def ffmpeg_program() -> str:
    """The system's ffmpeg, or the one that imageio-ffmpeg brings."""
    for folder in os.get_exec_path():
        candidate = Path(folder) / "ffmpeg"
        if candidate.is_file() and os.access(candidate, os.X_OK):
            return str(candidate)
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def compose(
    store: FolderStore,
    key: str,
    conduct: Conduct,
    *,
    height: int,
    program: str,
    on_progress: Progress,
) -> Composition:
    """Make and publish the composed file of recording ``key``. Raises ComposeError."""
    _end_orphan(store.folder(key) / "work" / "ffmpeg.pid", str(store.folder(key)))
    work = store.work(key)
    timeline, pieces = _decide(store, key, conduct, on_progress)
    layouts = [arrange(scene, height) for scene in timeline.scenes]
    files = _prepare(store.folder(key), work, timeline, layouts, conduct.title)
    steps = planning.plan(timeline, layouts, files)
    total_s = sum(step.duration_s for step in steps)
    done_s = 0.0
    for step in steps:
        before_s = done_s

        def report(at_s: float, before_s: float = before_s) -> None:
            on_progress(min(0.99, (before_s + at_s) / total_s))

        _run(program, step.args, work, report)
        done_s += step.duration_s
    draft = Path(files.output)
    try:
        measuring.verify(draft, timeline.duration_s)
    except measuring.UnplayableError as error:
        raise ComposeError(f"the composed file is not right: {error}") from error
    sound = work / "draft.m4a"
    _run(
        program, planning.sound_alone(str(draft), str(sound)), work, lambda _at_s: on_progress(0.99)
    )
    store.publish(sound, store.sound(key))
    store.publish(draft, store.composed(key))
    composition = _record(store, key, timeline, pieces)
    store.clear_work(key)
    return composition


def _decide(
    store: FolderStore, key: str, conduct: Conduct, on_progress: Progress
) -> tuple[Timeline, list[Piece]]:
    sessions: list[Session] = []
    pieces: dict[str, list[Piece]] = {}
    for folder in store.sessions(key):
        session, measures = read_session(store.folder(key), folder, on_progress)
        sessions.append(session)
        pieces[session.folder] = pieces_of(session, measures)
    timeline = build(sessions, pieces, conduct)
    if timeline is None:
        raise ComposeError("nothing was captured")
    return timeline, [piece for of_session in pieces.values() for piece in of_session]


def read_session(
    root: Path, folder: Path, on_progress: Progress = lambda _share: None
) -> tuple[Session, dict[str, Measure]]:
    """A session's journal and the measures of its files, by path below ``root``."""
    name = folder.relative_to(root).as_posix()
    path = folder / "journal.ndjson"
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    measures = {}
    for file in sorted(folder.glob("*.mkv")):
        on_progress(0.0)
        found = measuring.measure(file)
        if found is not None:
            measures[f"{name}/{file.name}"] = found
    return Session(name, journal.read(lines)), measures


def _prepare(
    root: Path, work: Path, timeline: Timeline, layouts: Sequence[Layout], title: str
) -> planning.Files:
    drawn: dict[Card, str] = {}
    for layout in layouts:
        if layout.card not in drawn:
            path = work / f"card-{len(drawn):04d}.png"
            cards.draw(layout.card, path)
            drawn[layout.card] = str(path)
    files = planning.Files(
        root=str(root),
        cards=drawn,
        metadata=str(work / "chapters.txt"),
        parts_list=str(work / "parts.txt"),
        part_pattern=str(work / "part-{:04d}.mkv"),
        output=str(work / "draft.mp4"),
    )
    chapters = planning.metadata(title, timeline.chapters, timeline.duration_s)
    Path(files.metadata).write_text(chapters, encoding="utf-8")
    Path(files.parts_list).write_text(planning.parts(timeline, files), encoding="utf-8")
    return files


def _record(
    store: FolderStore, key: str, timeline: Timeline, pieces: Sequence[Piece]
) -> Composition:
    chapters = [asdict(chapter) for chapter in timeline.chapters]
    gaps = [asdict(gap) for gap in timeline.gaps]
    speeches = [asdict(speech) for speech in timeline.speeches]
    facts = {
        "duration_s": timeline.duration_s,
        "starts_at_s": timeline.starts_s,
        "chapters": chapters,
        "gaps": gaps,
        "speeches": speeches,
        "tracks": [
            {
                "path": piece.path,
                "name": piece.name,
                "source": piece.source,
                "from_s": max(0.0, piece.starts_s - timeline.starts_s),
                "to_s": piece.ends_s - timeline.starts_s,
            }
            for piece in pieces
        ],
    }
    digest = manifest.write(store, key, json.loads(json.dumps(facts)))
    size = store.composed(key).stat().st_size
    return Composition(
        timeline.starts_s, timeline.duration_s, size, digest, chapters, gaps, speeches
    )


# --- ffmpeg ---------------------------------------------------------------------------------


def _run(program: str, args: Sequence[str], work: Path, report: Progress) -> None:
    """Run one step at low priority. Raises ComposeError with ffmpeg's last words."""
    command = [
        program, "-hide_banner", "-nostdin", "-nostats", "-loglevel", "warning",
        "-progress", "pipe:1", "-y", *args,
    ]  # fmt: skip
    log = work / "ffmpeg.log"
    with (
        log.open("ab") as errors,
        subprocess.Popen(  # noqa: S603  (no shell; arguments are our own)
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, cwd=work
        ) as process,
    ):
        try:
            os.setpriority(os.PRIO_PROCESS, process.pid, _NICE)
            (work / "ffmpeg.pid").write_text(str(process.pid))
            _follow(process, report)
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        words = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:]
        raise ComposeError(f"ffmpeg ended with {process.returncode}: {' | '.join(words)[:500]}")


def _follow(process: "subprocess.Popen[bytes]", report: Progress) -> None:
    """Read ``-progress`` output until it ends."""
    assert process.stdout is not None
    silent_s, at_s, text = 0.0, 0.0, b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(_POLL_S):
                silent_s += _POLL_S
                if silent_s >= STALLED_S:
                    raise ComposeError("ffmpeg stalled")
                report(at_s)
                continue
            chunk = os.read(process.stdout.fileno(), 65_536)
            if not chunk:
                return
            *lines, text = (text + chunk).split(b"\n")
            before_s, at_s = at_s, max([at_s, *map(_out_time_s, lines)])
            silent_s = 0.0 if at_s > before_s else silent_s + _POLL_S
            report(at_s)


def _out_time_s(line: bytes) -> float:
    """Seconds written so far from one line of ``-progress`` output; 0 for any other line."""
    name, _, value = line.strip().partition(b"=")
    return int(value) / 1e6 if name == b"out_time_us" and value.isdigit() else 0.0


def _end_orphan(pid_file: Path, folder: str) -> None:
    """End the ffmpeg of a worker that was killed; it is known by the folder it works in."""
    try:
        pid = int(pid_file.read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        if folder.encode() in command and b"-progress" in command:
            os.kill(pid, signal.SIGKILL)
    except (OSError, ValueError):
        return
