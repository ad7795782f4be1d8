"""From captured media to the file that was ordered.

A room is composed into one picture and then written as asked for: sound or picture alone, MP4 or
OGG. A track is written as it was sent, its pieces one after the other; sound is encoded anew only
where the container asks for it.
"""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

from livekit.protocol import egress as api

from recordings import composing
from recordings.compose.timeline import Conduct
from recordings.egress.orders import Order
from recordings.journal import TrackStarted
from recordings.store.folder import FolderStore, sync

FOLDER: Final = "egress"
"""Below the store's root: where ordered files lie."""

COPY_TIMEOUT_S: Final = 3600.0


def deliver(
    store: FolderStore,
    key: str,
    order: Order,
    *,
    height: int,
    on_progress: Callable[[float], None],
) -> api.FileInfo:
    """Make the file of an order. ComposeError when it cannot be made."""
    program = composing.ffmpeg_program()
    target = target_of(store, order.info.file.filename)
    draft = store.folder(key) / f"delivered{target.suffix}"
    if order.track_sid:
        seconds, started_s = _copy_track(store, key, draft, program)
    else:
        made = composing.compose(
            store, key, Conduct(title=order.info.room_name),
            height=height, program=program, on_progress=on_progress,
        )  # fmt: skip
        seconds, started_s = made.duration_s, made.starts_s
        _rewrap(store.composed(key), draft, order.info.room_composite, program)
    target.parent.mkdir(parents=True, exist_ok=True)
    sync(draft)
    draft.replace(target)
    sync(target.parent)
    started_ns = int(started_s * 1e9)
    return api.FileInfo(
        filename=order.info.file.filename,
        location=str(target),
        size=target.stat().st_size,
        duration=int(seconds * 1e9),
        started_at=started_ns,
        ended_at=started_ns + int(seconds * 1e9),
    )


def target_of(store: FolderStore, name: str) -> Path:
    """Where a file of that name goes; ComposeError for a name that leads elsewhere."""
    root = (store.root / FOLDER).resolve()
    target = (root / name).resolve()
    if root not in target.parents:
        raise composing.ComposeError(f"the path leads out of the folder: {name}")
    return target


def _rewrap(
    source: Path, draft: Path, request: api.RoomCompositeEgressRequest, program: str
) -> None:
    streams = ["-vn"] if request.audio_only else ["-an"] if request.video_only else []
    is_ogg = draft.suffix.lower() in (".ogg", ".opus")
    codec = ["-vn", "-c:a", "libopus"] if is_ogg else ["-c", "copy"]
    _ffmpeg(program, ["-i", str(source), *streams, *codec, str(draft)])


def _copy_track(store: FolderStore, key: str, draft: Path, program: str) -> tuple[float, float]:
    """Write the track's pieces into one file; its length and when it began, in seconds."""
    pieces = [path for path in store.raw_files(key) if path.suffix == ".mkv"]
    if not pieces:
        raise composing.ComposeError("nothing was captured")
    listing = store.folder(key) / "pieces.txt"
    listing.write_text("".join(f"file '{path}'\n" for path in pieces), encoding="utf-8")
    only_files = ["-protocol_whitelist", "file,pipe"]
    source = [*only_files, "-f", "concat", "-safe", "0", "-i", str(listing)]
    # Only Matroska takes Opus without the header that captured files do not have.
    sound = "copy" if draft.suffix == ".mkv" else "libopus"
    _ffmpeg(program, [*source, "-c:v", "copy", "-c:a", sound, str(draft)])
    seconds, started_s = 0.0, 0.0
    for folder in store.sessions(key):
        session, measures = composing.read_session(store.folder(key), folder)
        begun = [entry.at for entry in session.entries if isinstance(entry, TrackStarted)]
        started_s = started_s or min(begun, default=0.0)
        seconds += sum(measure.length_s for measure in measures.values())
    return seconds, started_s


def _ffmpeg(program: str, arguments: list[str]) -> None:
    command = [program, "-nostdin", "-hide_banner", "-loglevel", "error", "-y", *arguments]
    try:
        done = subprocess.run(  # noqa: S603 -- our own arguments, no shell
            command, capture_output=True, timeout=COPY_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise composing.ComposeError("ffmpeg did not end") from error
    if done.returncode:
        reason = done.stderr.decode("utf-8", "replace").strip()[-300:]
        raise composing.ComposeError(f"ffmpeg: {reason}")
