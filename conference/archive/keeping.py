"""Carry the whole files of published recordings from the folder into the bucket.

Order: upload and prove every file, write the list into the row, remove what is proved from the
folder. A crash anywhere leaves the file in at least one place and the next try goes on: what is in
the bucket already is proved, not sent again. A file that was replaced meanwhile (captions) stays
and is carried by the next try. A failure is written into the row, shown on the page and tried
again with growing pauses (`object_keys.pause_after`).
"""

import hashlib
import mimetypes
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, cast

from sqlalchemy import CursorResult, func, select, update
from sqlalchemy.orm import Session

from conference.archive.bucket import Bucket
from conference.archive.models import Recording, RecordingState
from conference.archive.object_keys import folder_key, key_of, pause_after
from conference.database import Database
from conference.errors import DomainError

CLAIM: Final = timedelta(minutes=10)
"""How long one worker carries a file before another may try; two at once do no harm."""
_TYPES: Final = {".mkv": "video/x-matroska", ".m4a": "audio/mp4", ".vtt": "text/vtt",
                 ".ndjson": "application/x-ndjson"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Carried:
    """A file that is proved to be in the bucket, and what it was on the disk."""

    path: Path
    name: str
    size_bytes: int
    sha256: str
    seen: tuple[int, int, int]
    """Inode, size and time of change when it was read."""

    def entry(self) -> dict[str, Any]:
        """Its line in the row."""
        return {"path": self.name, "size_bytes": self.size_bytes, "sha256": self.sha256}


class Keeper:
    """Carries one recording at a time; blocks, so it is called from a thread."""

    def __init__(
        self, database: Database, root: Path, bucket: Bucket, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._root = root.resolve()
        self._bucket = bucket
        self._clock = clock

    def step(self) -> bool:
        """Carry the next recording that is due; False when there is none.

        Its failure is written into the row and does not raise.
        """
        claimed = self._claim()
        if claimed is None:
            return False
        number, folder = claimed
        try:
            carried = self._carry(number, folder)
        except (DomainError, OSError, ValueError) as error:
            with self._database.transaction() as session:
                _failed(session, number, str(error) or type(error).__name__, self._clock())
            return True
        with self._database.transaction() as session:
            is_known = _carried(session, number, carried)
        if not is_known:  # destroyed meanwhile
            self._bucket.remove(folder_key(self._bucket.prefix, folder))
            return True
        _clear(self._root, self._root / folder, carried)
        return True

    def _claim(self) -> tuple[int, str] | None:
        """Take a recording with files on the disk; writes nothing while there is none."""
        at = self._clock()
        is_due = (Recording.upload_after.is_(None)) | (Recording.upload_after <= at)
        with self._database.reading() as session:
            rows = session.execute(
                select(Recording.id, Recording.folder)
                .where(Recording.state == RecordingState.PUBLISHED, Recording.folder != "", is_due)
                .order_by(Recording.upload_attempts, Recording.id)
            ).all()
        outermost = {path.name for path in self._root.iterdir()} if self._root.is_dir() else set()
        for number, folder in rows:
            # most recordings have left the disk: one listing spares a look for each of them
            if folder.split("/")[0] not in outermost:
                continue
            if next(_files(self._root, folder), None) is None:
                continue
            claim = update(Recording).where(Recording.id == number, is_due)
            claim = claim.values(upload_after=at + CLAIM)
            with self._database.transaction() as session:
                if cast("CursorResult[Any]", session.execute(claim)).rowcount == 1:
                    return number, folder
        return None

    def _carry(self, number: int, folder: str) -> list[Carried]:
        carried = []
        for path in list(_files(self._root, folder)):
            name = path.relative_to(self._root / folder).as_posix()
            key = key_of(self._bucket.prefix, folder, name)
            try:
                seen = _seen(path)
                with path.open("rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
                self._bucket.put(key, path, digest, _media_type(path))
            except FileNotFoundError:
                continue  # another worker was faster
            carried.append(Carried(path, name, seen[1], digest, seen))
            with self._database.transaction() as session:
                session.execute(
                    update(Recording)
                    .where(Recording.id == number)
                    .values(upload_after=self._clock() + CLAIM)
                )
        return carried


def waiting(session: Session) -> int:
    """How many recordings could not be carried at the last try."""
    query = select(func.count()).select_from(Recording).where(Recording.upload_error != "")
    return session.scalar(query) or 0


def _failed(session: Session, number: int, reason: str, at: datetime) -> None:
    row = session.get(Recording, number)
    if row is not None:
        row.upload_attempts += 1
        row.upload_error = reason[:500]
        row.upload_after = at + pause_after(row.upload_attempts)


def _carried(session: Session, number: int, carried: Sequence[Carried]) -> bool:
    """Write what is in the bucket into the row; False when the row is gone."""
    row = session.get(Recording, number, with_for_update=True)
    if row is None:
        return False
    listed = {entry["path"]: entry for entry in row.objects}
    listed |= {one.name: one.entry() for one in carried}
    row.objects = [listed[name] for name in sorted(listed)]
    row.upload_attempts, row.upload_error, row.upload_after = 0, "", None
    return True


def _clear(root: Path, folder: Path, carried: Sequence[Carried]) -> None:
    """Remove what was carried and is still the same, then the folders that are empty."""
    for one in carried:
        try:
            if _seen(one.path) == one.seen:
                one.path.unlink()
        except FileNotFoundError:
            continue
    for inner in sorted(folder.rglob("*"), reverse=True):
        _remove_empty(inner)
    while folder != root:
        _remove_empty(folder)
        folder = folder.parent


def _remove_empty(folder: Path) -> None:
    if not folder.is_dir():
        return
    try:
        folder.rmdir()
    except OSError:
        return  # something new is in it


def _files(root: Path, folder: str) -> Iterator[Path]:
    """Whole files of a recording on the disk; drafts have names that begin with a dot."""
    place = (root / folder).resolve()
    if place == root or not place.is_relative_to(root):
        return
    for path in sorted(place.rglob("*")):
        parts = path.relative_to(place).parts
        if path.is_file() and not path.is_symlink() and not _is_draft(parts):
            yield path


def _is_draft(parts: tuple[str, ...]) -> bool:
    return parts[0] == "work" or any(part.startswith(".") for part in parts)


def _seen(path: Path) -> tuple[int, int, int]:
    found = os.stat(path)  # noqa: PTH116 -- one call for all three
    return found.st_ino, found.st_size, found.st_mtime_ns


def _media_type(path: Path) -> str:
    return (
        _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    )
