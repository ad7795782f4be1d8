"""Where the files of a recording are, for whoever plays or downloads them.

The recorder writes into one folder for each recording, whose name is in the row; the names inside
are part of the contract between the recorder and the pages. Nothing a browser sends becomes part
of a path.
"""

import enum
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from conference.archive.models import Recording
from conference.errors import NotFoundError


class RecordingFile(enum.Enum):
    """A file of a published recording; the value is its name in the folder."""

    VIDEO = "recording.mp4"
    SOUND = "recording.m4a"
    CAPTIONS = "captions.vtt"
    MANIFEST = "manifest.json"


def path_of(recordings_dir: Path, recording: Recording, file: RecordingFile) -> Path:
    """The file's place. Raises NotFoundError when there is none (yet), or outside the store."""
    root = recordings_dir.resolve()
    path = (root / recording.folder / file.value).resolve()
    is_inside = bool(recording.folder) and path.is_relative_to(root)
    if not is_inside or not path.is_file():
        raise NotFoundError
    return path


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One captured track, or a stretch of it, as it was sent."""

    path: str
    """Below the recording's folder."""
    name: str
    """Whose it is."""
    source: str
    """``microphone``, ``camera``, ``screen_share`` or ``screen_share_audio``."""
    from_s: float
    to_s: float
    size_bytes: int


def sources_of(recordings_dir: Path, recording: Recording) -> list[SourceFile]:
    """The captured files of a published recording, as its manifest lists them."""
    try:
        manifest = json.loads(
            path_of(recordings_dir, recording, RecordingFile.MANIFEST).read_text()
        )
    except NotFoundError:
        return []
    sizes = {entry["path"]: int(entry["size_bytes"]) for entry in manifest.get("files", ())}
    return [
        SourceFile(
            path=track["path"],
            name=track["name"],
            source=track["source"],
            from_s=float(track["from_s"]),
            to_s=float(track["to_s"]),
            size_bytes=sizes[track["path"]],
        )
        for track in manifest.get("tracks", ())
        if track["path"] in sizes
    ]


def source_path(recordings_dir: Path, recording: Recording, source: SourceFile) -> Path:
    """Place of one captured file. Raises NotFoundError when it is gone or outside the folder."""
    root = (recordings_dir / recording.folder).resolve()
    path = (root / source.path).resolve()
    if not recording.folder or not path.is_relative_to(root) or not path.is_file():
        raise NotFoundError
    return path


def keep_captions(recordings_dir: Path, recording: Recording, captions: str) -> None:
    """Put captions beside the film; earlier ones are replaced as a whole."""
    film = path_of(recordings_dir, recording, RecordingFile.VIDEO)
    draft = film.with_name(f".{secrets.token_hex(8)}.part")
    with draft.open("x", encoding="utf-8") as file:
        file.write(captions)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(film.with_name(RecordingFile.CAPTIONS.value))


def has_captions(recordings_dir: Path, recording: Recording) -> bool:
    """Whether somebody has put captions beside the film."""
    try:
        path_of(recordings_dir, recording, RecordingFile.CAPTIONS)
    except NotFoundError:
        return False
    return True
