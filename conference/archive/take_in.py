"""Take the package of another installation in: its meeting is then here to be read, not changed.

Nothing is believed before the package is whole and signed by the key the administrator names. Then
the rows come in under numbers of our own, files under names of our own, all of it or nothing; what
the rows call by number (sites, accounts, questions) is called by the new ones. The same package a
second time changes nothing; another package of the same meeting is refused, because a record that
was taken in stays what it was.
"""

import json
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from conference.access import audit
from conference.access.policy import Actor
from conference.archive import rows, search_index, verify
from conference.archive.collect import RECORDS
from conference.archive.models import ImportedFile
from conference.archive.verify import Report
from conference.archive.write_rows import Files, Folders, RefusedError, Writer
from conference.errors import ConflictError, InvalidError
from conference.scheduling.local_time import local_day
from conference.scheduling.models import Meeting

MAX_RECORDS_BYTES: Final = 256 << 20
RESERVE_BYTES: Final = 1 << 30
"""Room on the disk that an import leaves."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a package."""

    meeting_id: int
    title: str
    is_new: bool
    """False: it had been taken in before, and nothing changed."""
    files: int


def checked(file: IO[bytes], *, key: str, known: frozenset[str]) -> Report:
    """The package's report. Raises RefusedError unless it is whole and its key is the one named.

    ``key`` is what the administrator says, ``known`` are keys of packages taken in earlier.
    """
    report = verify.check(file)
    if report.faults:
        raise RefusedError(report.faults)
    named = "".join(key.lower().split()).replace(":", "")
    if named and named != report.key:
        raise RefusedError((f"signed by another key: {report.key}",))
    if not named and report.key not in known:
        raise InvalidError(
            {"key": f"Nhập vân tay khóa của nơi gửi. Gói này ký bằng khóa {report.key}."}
        )
    return report


def known_keys(session: Session) -> frozenset[str]:
    """Keys of installations from which something was taken in before."""
    return frozenset(session.scalars(select(ImportedFile.source_key).distinct()))


def take_in(
    session: Session,
    file: IO[bytes],
    *,
    key: str,
    folders: Folders,
    actor: Actor,
    at: datetime,
    address: str = "",
) -> Taken:
    """Take one package in. Raises RefusedError, InvalidError or ConflictError; files are undone."""
    report = checked(file, key=key, known=known_keys(session))
    with zipfile.ZipFile(file) as archive, _undone_on_failure() as written:
        document = _document(archive)
        source_id = _source_id(document)
        there = _taken_before(session, report, source_id)
        if there is not None:
            return there
        _require_room(folders.papers_dir, report.bytes)
        files = Files(archive, report.digests, folders, written)
        try:
            meeting_id = Writer(session, document, files, report.key, at).write()
            session.flush()
        except IntegrityError as error:
            raise InvalidError({"file": f"Dữ liệu trong gói mâu thuẫn: {error.orig}"}) from None
        search_index.index_meeting(session, meeting_id)
        meeting = session.get_one(Meeting, meeting_id)
        provenance = ImportedFile(
            meeting_id=meeting_id, source_key=report.key, source_office=report.office[:300],
            source_meeting_id=source_id, manifest_sha256=report.manifest_sha256,
            made_at=_made_at(report), imported_at=at, imported_by=actor.name[:160],
            files=report.files, size_bytes=report.bytes,
        )  # fmt: skip
        session.add(provenance)
        audit.record(
            session, at=at, actor=actor, action="archive.import", object_type="meeting",
            object_id=meeting_id, address=address, note=report.office,
            detail={
                "key": report.key, "manifest_sha256": report.manifest_sha256,
                "source_meeting": source_id, "files": report.files,
            },
        )  # fmt: skip
        return Taken(meeting_id, meeting.title, is_new=True, files=report.files)


@contextmanager
def _undone_on_failure() -> Iterator[list[Path]]:
    written: list[Path] = []
    try:
        yield written
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise


def _document(archive: zipfile.ZipFile) -> Mapping[str, Any]:
    try:
        document = json.loads(_records(archive), parse_constant=_no_constant)
    except KeyError:
        raise InvalidError(
            {"file": "Gói không có dữ liệu để nhập; hãy lập lại gói ở nơi gửi bằng bản mới."}
        ) from None
    except (ValueError, RecursionError) as error:
        raise InvalidError({"file": f"Không đọc được dữ liệu trong gói: {error}"}) from None
    if not isinstance(document, dict) or document.get("format") != rows.FORMAT:
        raise InvalidError({"file": "Dữ liệu trong gói ở định dạng khác."})
    return document


def _records(archive: zipfile.ZipFile) -> bytes:
    info = archive.getinfo(RECORDS)
    if info.file_size > MAX_RECORDS_BYTES:
        raise ValueError("too large")
    return archive.read(info)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _source_id(document: Mapping[str, Any]) -> int:
    meeting, tables = document.get("meeting"), document.get("tables")
    if not isinstance(meeting, dict) or not isinstance(tables, dict):
        raise InvalidError({"file": "Dữ liệu trong gói thiếu cuộc họp."})
    number = meeting.get("id")
    if not isinstance(number, int) or not 0 < number < 1 << 31:
        raise InvalidError({"file": "Dữ liệu trong gói thiếu số của cuộc họp."})
    return number


def _made_at(report: Report) -> datetime:
    try:
        made_at = datetime.fromisoformat(report.made_at)
    except ValueError:
        made_at = datetime.min  # noqa: DTZ901 -- only to be refused below
    if made_at.tzinfo is None:
        raise InvalidError({"file": "Gói không ghi thời điểm lập."})
    return made_at


def _taken_before(session: Session, report: Report, source_id: int) -> Taken | None:
    query = select(ImportedFile).where(
        ImportedFile.source_key == report.key, ImportedFile.source_meeting_id == source_id
    )
    row = session.scalars(query).first()
    if row is None:
        return None
    if row.manifest_sha256 != report.manifest_sha256:
        raise ConflictError(
            f"Cuộc họp này đã được nhập từ một gói khác, lập ngày "
            f"{local_day(row.made_at):%d/%m/%Y}; hồ sơ đã nhập không thay đổi được."
        )
    return Taken(row.meeting_id, row.meeting.title, is_new=False, files=row.files)


def _require_room(folder: Path, needed: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < needed + RESERVE_BYTES:
        raise ConflictError("Không đủ chỗ trên ổ đĩa để nhập gói này.")
