"""Compose a captured recording: read its journals, decide, run ffmpeg, check, publish.

Everything is made in a work folder that a later try empties; the raw media is only read. The file
gets its name after it has been opened and decoded at several places, so that what can be seen can
be played.
"""

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import imageio_ffmpeg

from recordings import cards, journal, measuring
from recordings.compose import plan as planning
from recordings.compose.layout import Card, Layout, arrange
from recordings.compose.pieces import Measure, Piece, Session, pieces_of
from recordings.compose.timeline import Conduct, Timeline, build
from recordings.running import (
    ComposeCancelledError,
    ComposeError,
    Progress,
    Runner,
    end_orphans,
)
from recordings.store import manifest
from recordings.store.folder import FolderStore

__all__ = [
    "ComposeCancelledError",
    "ComposeError",
    "Composition",
    "compose",
    "ffmpeg_program",
    "read_session",
]


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
    end_orphans(store.folder(key) / "work")
    work = store.work(key)
    timeline, pieces = _decide(store, key, conduct, on_progress)
    layouts = {scene: arrange(scene, height) for scene in timeline.scenes}
    files = _prepare(store.folder(key), work, timeline, layouts.values(), conduct.title)
    plan = planning.plan(timeline, layouts, files)
    Path(files.parts_list).write_text(plan.parts_list, encoding="utf-8")
    total_s = sum(step.duration_s for step in (*plan.beside, plan.join))
    runner = Runner(program, work, total_s, on_progress)
    runner.run(plan.beside)
    runner.run([plan.join])
    draft = Path(files.output)
    try:
        measuring.verify(draft, timeline.duration_s)
    except measuring.UnplayableError as error:
        raise ComposeError(f"the composed file is not right: {error}") from error
    store.publish(Path(files.sound), store.sound(key))
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
    root: Path, work: Path, timeline: Timeline, layouts: Iterable[Layout], title: str
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
        sound=str(work / "sound.m4a"),
        output=str(work / "draft.mp4"),
    )
    chapters = planning.metadata(title, timeline.chapters, timeline.duration_s)
    Path(files.metadata).write_text(chapters, encoding="utf-8")
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
