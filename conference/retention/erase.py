"""Take one meeting's file out of the database and off the disk, for good.

Rows go in the transaction that records the destruction; files go after its commit, from a list in
that same row, so a crash in between leaves a list and no half-deleted record. Deleted rows are
overwritten where the database can do it: SQLite with ``secure_delete``, an optimised word index and
a truncated write-ahead log; PostgreSQL by ``VACUUM``. Backups are the office's to age out.
"""

import hashlib
import logging
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from conference.archive.bucket import Bucket
from conference.archive.models import ImportedFile, Recording
from conference.archive.object_keys import folder_key
from conference.archive.rows import TABLES
from conference.archive.search_piece import SearchPiece
from conference.database import Database
from conference.errors import DomainError
from conference.replies.models import IncomingMessage
from conference.retention.models import FileTerm, LegalHold
from conference.scheduling.models import Meeting, Paper
from conference.signatures.models import SignedPaper

_CHUNK: Final = 1 << 20
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stores:
    """Where files are."""

    papers_dir: Path
    recordings_dir: Path
    bucket: Bucket | None = None


@dataclass(frozen=True, slots=True)
class Erased:
    """What was taken out of the database, and the files that are to follow."""

    rows: dict[str, int]
    files: list[dict[str, Any]]
    """[{"name", "bytes", "sha256"}]: what each file was."""
    places: list[str]
    """Places of those files: ``papers/…``, ``recordings/…`` on the disk, ``bucket/…``."""


def erase(session: Session, meeting: Meeting, stores: Stores) -> Erased:
    """Delete every row of ``meeting`` and say which files have to follow."""
    files, places = _files(session, meeting.id, stores)
    connection = session.connection()
    is_sqlite = connection.dialect.name == "sqlite"
    if is_sqlite:
        connection.exec_driver_sql("PRAGMA secure_delete = ON")
    session.flush()
    counted: dict[str, int] = {}
    for kept in reversed(TABLES):
        ids = [row.id for row in session.execute(kept.of(meeting.id))]
        counted[kept.name] = len(ids)
        for start in range(0, len(ids), 500):
            part = ids[start : start + 500]
            session.execute(delete(kept.table).where(kept.table.c.id.in_(part)))
    for model in (SearchPiece, ImportedFile, FileTerm, LegalHold):
        session.execute(delete(model).where(model.meeting_id == meeting.id))
    session.execute(
        update(IncomingMessage)
        .where(IncomingMessage.meeting_id == meeting.id)
        .values(meeting_id=None, sender="", subject="")
    )
    session.execute(delete(Meeting).where(Meeting.id == meeting.id))
    session.expunge_all()
    if is_sqlite:
        connection.exec_driver_sql("INSERT INTO search_words(search_words) VALUES ('optimize')")
    return Erased(counted, files, places)


def _files(
    session: Session, meeting_id: int, stores: Stores
) -> tuple[list[dict[str, Any]], list[str]]:
    files: list[dict[str, Any]] = []
    places: list[str] = []
    for model in (Paper, SignedPaper):
        names = select(model.stored_name, model.filename).where(model.meeting_id == meeting_id)
        for stored_name, filename in session.execute(names.order_by(model.id)):
            files += _described(stores.papers_dir / stored_name, filename)
            places.append(f"papers/{stored_name}")
    recordings = select(Recording).where(Recording.meeting_id == meeting_id)
    for recording in session.scalars(recordings.order_by(Recording.id)):
        if not recording.folder:
            continue
        folder = _inside(stores.recordings_dir, recording.folder)
        places.append(f"recordings/{recording.folder}")
        local = sorted(folder.rglob("*")) if folder else []
        for path in local:
            files += _described(path, f"{recording.folder}/{path.relative_to(folder or path)}")
        if recording.objects or stores.bucket is not None:
            # what a broken upload left goes, too
            places.append(f"bucket/{recording.folder}")
        files += _described_objects(recording, files)
    return files, places


def _described(path: Path, name: str) -> list[dict[str, Any]]:
    if not path.is_file() or path.is_symlink():
        return []
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return [{"name": name, "bytes": path.stat().st_size, "sha256": digest}]


def _described_objects(
    recording: Recording, described: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """What is in the bucket and not on the disk as well."""
    known = {one["name"] for one in described}
    return [
        {"name": name, "bytes": entry["size_bytes"], "sha256": entry["sha256"]}
        for entry in recording.objects
        if (name := f"{recording.folder}/{entry['path']}") not in known
    ]


def _inside(root: Path, name: str) -> Path | None:
    """A place below ``root``, never ``root`` itself; None for anything else."""
    whole = root.resolve()
    path = (whole / name).resolve()
    return path if path.is_relative_to(whole) and path != whole else None


def remove(places: Iterable[str], stores: Stores) -> list[str]:
    """Remove files, folders and objects; those that are still there are returned."""
    left = []
    roots = {"papers": stores.papers_dir, "recordings": stores.recordings_dir}
    for place in places:
        kind, _, name = place.partition("/")
        if kind == "bucket":
            left += [] if _is_removed(name, stores.bucket) else [place]
            continue
        path = _inside(roots[kind], name) if kind in roots else None
        if path is None:
            continue
        try:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except OSError:
            left.append(place)
    return left


def _is_removed(folder: str, bucket: Bucket | None) -> bool:
    """Whether nothing of a recording is left in the bucket, in any version."""
    if bucket is None:
        return False  # it was there, and the settings do not say where that is
    try:
        return bucket.remove(folder_key(bucket.prefix, folder))
    except (DomainError, ValueError) as error:
        _log.warning("objects of %s stay: %s", folder, error)
        return False


def forget(database: Database, tables: Sequence[str] = ()) -> None:
    """Have the database overwrite what was deleted; outside any transaction."""
    connection = database.engine.raw_connection()
    try:
        if database.engine.dialect.name == "sqlite":
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            driver: Any = connection.driver_connection
            driver.autocommit = True
            names = (*tables, *(kept.name for kept in TABLES), "search_piece", "meeting")
            for name in names:
                connection.cursor().execute(f"VACUUM {name}")
            driver.autocommit = False
    finally:
        connection.close()
