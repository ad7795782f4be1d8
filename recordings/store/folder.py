"""Where recordings are kept: a folder of this machine, laid out so that a person can read it.

    <root>/<key>/sessions/<nnnn>/journal.ndjson, <media files>.mkv   raw, never changed afterwards
    <root>/<key>/work/                                               of a composing that runs
    <root>/<key>/recording.mp4                                       the composed file
    <root>/<key>/recording.m4a                                       its sound alone
    <root>/<key>/manifest.json                                       SHA-256 of all of them

Names are made here, never taken from people. A file appears under its name only when it is whole:
written beside, synced, renamed, and the folder synced.
"""

import os
import re
import shutil
from pathlib import Path
from typing import Final

COMPOSED: Final = "recording.mp4"
SOUND: Final = "recording.m4a"
MANIFEST: Final = "manifest.json"
_KEY: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")


class FolderStore:
    """Recordings below one root folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, key: str) -> Path:
        """Folder of one recording. Raises ValueError for a key this store did not make."""
        if not _KEY.match(key):
            raise ValueError(f"not the key of a recording: {key!r}")
        return self.root / key

    @staticmethod
    def key(meeting_id: int, recording_id: int) -> str:
        """Key of a new recording."""
        return f"meeting-{meeting_id}-recording-{recording_id}"

    def composed(self, key: str) -> Path:
        """The file that people play; it exists once the recording is published."""
        return self.folder(key) / COMPOSED

    def sound(self, key: str) -> Path:
        """The composed sound without pictures."""
        return self.folder(key) / SOUND

    def next_session(self, key: str) -> Path:
        """A path for the folder of the next capture session; the caller makes it."""
        sessions = self.folder(key) / "sessions"
        sessions.mkdir(parents=True, exist_ok=True)
        numbers = [int(entry.name) for entry in sessions.iterdir() if entry.name.isdigit()]
        return sessions / f"{max(numbers, default=0) + 1:04d}"

    def sessions(self, key: str) -> list[Path]:
        """Folders of all sessions, oldest first."""
        sessions = self.folder(key) / "sessions"
        if not sessions.is_dir():
            return []
        return sorted(entry for entry in sessions.iterdir() if entry.name.isdigit())

    def raw_files(self, key: str) -> list[Path]:
        """Every captured file, journals included, in a stable order."""
        return [
            path
            for session in self.sessions(key)
            for path in sorted(session.iterdir())
            if path.is_file()
        ]

    def work(self, key: str) -> Path:
        """An empty folder for a composing; what an earlier try left is removed."""
        work = self.folder(key) / "work"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        return work

    def publish(self, draft: Path, target: Path) -> None:
        """Give a whole file its name, durably; an older one under that name is replaced."""
        sync(draft)
        draft.replace(target)
        sync(target.parent)

    def clear_work(self, key: str) -> None:
        """Remove the folder of a composing."""
        shutil.rmtree(self.folder(key) / "work", ignore_errors=True)

    def free_mib(self) -> int:
        """Free space on the store's volume, in MiB."""
        self.root.mkdir(parents=True, exist_ok=True)
        return shutil.disk_usage(self.root).free >> 20


def sync(path: Path) -> None:
    """Make a file's bytes, or a folder's names, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
