"""Where the files of a recording are, for whoever plays or downloads them.

The recorder writes into one folder for each recording, whose name is in the row; the names inside
are part of the contract between the recorder and the pages. Nothing a browser sends becomes part
of a path.
"""

import enum
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
