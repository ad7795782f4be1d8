"""The thread that writes a session's files, so that a slow disk never holds up the room.

The loop hands over operations through a queue bounded in bytes; what does not fit is refused
(`Writer.offer` is False) and counted, never waited for. The thread empties the queue every
`GATHER_S`, since waking it for every frame costs more than writing the frame. Every `SYNC_S` all
files and the journal are synced, and only then does `Writer.progress` move: it is about bytes that
are on disk.
"""

import os
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from recordings.capture.media_file import DiskError, MediaFile, UnusableFrameError
from recordings.journal import Entry, TrackStopped, encode

SYNC_S: Final = 1.0
GATHER_S: Final = 0.2
MAX_PENDING_BYTES: Final = 32 << 20


@dataclass(frozen=True, slots=True)
class Open:
    """Begin a file; ``first_frame`` tells its format and is written by a `Write` of its own."""

    file: str
    codec: str
    first_frame: bytes


@dataclass(frozen=True, slots=True)
class Write:
    """Append a frame."""

    file: str
    data: bytes
    pts_ms: int
    is_keyframe: bool


@dataclass(frozen=True, slots=True)
class Close:
    """Complete a file."""

    file: str
    reason: str


Operation = Open | Write | Close | Entry


@dataclass(frozen=True, slots=True)
class Progress:
    """What is on disk."""

    size_bytes: int = 0
    grown_at: float | None = None
    """When it was last seen to grow, on the session's clock."""
    failure: str = ""
    """Why the disk refused; nothing is written after that."""


class Writer:
    """Owns the files of one session's folder."""

    def __init__(self, folder: Path, clock: Callable[[], float]) -> None:
        """``clock`` gives the session's wall time in seconds; called on the writer's thread."""
        self._folder = folder
        self._clock = clock
        self._queue: deque[Operation] = deque()
        self._is_ending = threading.Event()
        self._pending = 0
        self._lock = threading.Lock()
        self._files: dict[str, MediaFile] = {}
        self._closed_bytes = 0
        self.progress = Progress()
        folder.mkdir(parents=True, exist_ok=False)
        self._journal: TextIO = (folder / "journal.ndjson").open("a", encoding="utf-8")
        self._thread = threading.Thread(target=self._run, name=f"writer {folder.name}", daemon=True)
        self._thread.start()

    def offer(self, operation: Operation) -> bool:
        """Hand over an operation. False: the disk is too far behind, and it was dropped."""
        size = len(operation.data) if isinstance(operation, Write) else 0
        with self._lock:
            if size and self._pending + size > MAX_PENDING_BYTES:
                return False
            self._pending += size
        self._queue.append(operation)
        return True

    def stop(self, timeout_s: float) -> bool:
        """Write what is queued, complete all files; False if the disk took too long. Blocks."""
        self._is_ending.set()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    # --- on the thread ----------------------------------------------------------------------

    def _run(self) -> None:
        due_s = self._clock() + SYNC_S
        try:
            while not self._is_ending.wait(GATHER_S):
                self._carry_out_all()
                if self._clock() >= due_s:
                    self._sync()
                    due_s = self._clock() + SYNC_S
            self._carry_out_all()
            for file in list(self._files):
                self._close(file, "stopped")
            self._sync()
        except (DiskError, OSError) as error:
            self.progress = Progress(
                self.progress.size_bytes, self.progress.grown_at, str(error) or "disk"
            )
        finally:
            with suppress(OSError):  # a full disk refuses even what is buffered
                self._journal.close()

    def _carry_out_all(self) -> None:
        """What is queued now; what comes meanwhile as well, which a slow disk keeps bounded."""
        while self._queue:
            operation = self._queue.popleft()
            try:
                self._carry_out(operation)
            except UnusableFrameError as error:
                self._abandon(operation, str(error))

    def _carry_out(self, operation: Operation) -> None:
        match operation:
            case Open(file, codec, first_frame):
                self._files[file] = MediaFile(self._folder / file, codec, first_frame)
            case Write(file, data, pts_ms, is_keyframe):
                with self._lock:
                    self._pending -= len(data)
                if file in self._files:
                    self._files[file].write(data, pts_ms, is_keyframe=is_keyframe)
            case Close(file, reason):
                self._close(file, reason)
            case entry:
                self._journal.write(encode(entry) + "\n")

    def _abandon(self, operation: Operation, reason: str) -> None:
        """Give up a file that cannot hold what its sender gave; what it has stays."""
        name = operation.file if isinstance(operation, Open | Write | Close) else ""
        file = self._files.pop(name, None)
        frames = file.frames if file is not None else 0
        self._journal.write(encode(TrackStopped(self._clock(), name, reason, frames, 0)) + "\n")

    def _close(self, name: str, reason: str) -> None:
        file = self._files.pop(name, None)
        if file is None:
            return  # given up before
        size = file.close()
        self._closed_bytes += size
        stopped = TrackStopped(self._clock(), name, reason, file.frames, size)
        self._journal.write(encode(stopped) + "\n")

    def _sync(self) -> None:
        for file in self._files.values():
            file.sync()
        self._journal.flush()
        os.fsync(self._journal.fileno())
        size = self._closed_bytes + sum(file.size for file in self._files.values())
        if size > self.progress.size_bytes:
            self.progress = Progress(size, self._clock())
