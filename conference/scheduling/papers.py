"""The papers of a meeting: files stored under our own names, with their digest.

A file is written, synced and only then named by a row; a row that is rolled back leaves a file
without a row, which `discard` removes. Names given by people never touch the file system.
"""

import hashlib
import os
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from conference.access import audit
from conference.access.policy import Actor
from conference.errors import ConflictError, InvalidError, NotFoundError
from conference.scheduling import journal
from conference.scheduling.journal import Kind
from conference.scheduling.models import Meeting, Paper, Status
from conference.scheduling.paper_safety import fault_of
from conference.scheduling.paper_text import text_of
from conference.scheduling.paper_types import clean_name, media_type_of
from conference.scheduling.rules import REFUSAL, is_marked_secret

WRONG_TYPE: Final = (
    "Tệp sai loại. Nhận PDF, Word, Excel, PowerPoint, OpenDocument, RTF, văn bản, ảnh PNG, JPEG."
)
_CHUNK_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that is safely on disk."""

    filename: str
    stored_name: str
    media_type: str
    size_bytes: int
    sha256: str
    text: str = ""
    """What it says, as far as it could be read."""


def store(folder: Path, content: IO[bytes], filename: str, *, max_bytes: int) -> StoredFile:
    """Write ``content`` into ``folder``. Raises InvalidError if it is not to be accepted."""
    name = clean_name(filename)
    if is_marked_secret(name.replace("_", " ")):
        raise InvalidError({"file": REFUSAL}, code="state_secret")
    media_type = media_type_of(content, name)
    if media_type is None:
        raise InvalidError({"file": WRONG_TYPE})
    danger = fault_of(content, media_type)
    if danger:
        raise InvalidError({"file": danger}, code="unsafe")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    stored_name = secrets.token_hex(20)
    draft = folder / f".{stored_name}.part"
    try:
        size_bytes, digest = _copy(content, draft, max_bytes)
        draft.replace(folder / stored_name)
    finally:
        draft.unlink(missing_ok=True)
    text = text_of(content, media_type)
    return StoredFile(name, stored_name, media_type, size_bytes, digest, text)


def _copy(content: IO[bytes], target: Path, max_bytes: int) -> tuple[int, str]:
    content.seek(0)
    digest, size_bytes = hashlib.sha256(), 0
    with target.open("xb") as file:
        while chunk := content.read(_CHUNK_BYTES):
            size_bytes += len(chunk)
            if size_bytes > max_bytes:
                raise InvalidError({"file": f"Tệp quá lớn; tối đa {max_bytes >> 20} MB."})
            digest.update(chunk)
            file.write(chunk)
        if not size_bytes:
            raise InvalidError({"file": "Tệp rỗng."})
        file.flush()
        os.fsync(file.fileno())
    return size_bytes, digest.hexdigest()


def discard(folder: Path, stored_name: str) -> None:
    """Remove a stored file; one that is gone is no error."""
    (folder / stored_name).unlink(missing_ok=True)


def add_paper(
    session: Session,
    meeting_id: int,
    stored: StoredFile,
    *,
    actor: Actor,
    at: datetime,
    address: str = "",
    is_summary: bool = False,
    is_restricted: bool = False,
) -> Paper:
    """Put a stored file into the meeting's papers. Raises NotFoundError or ConflictError."""
    meeting = session.get(Meeting, meeting_id)
    if meeting is None:
        raise NotFoundError
    if meeting.status is Status.CANCELLED:
        raise ConflictError("Cuộc họp đã hủy; không thêm tài liệu được.")
    paper = Paper(
        meeting_id=meeting_id,
        filename=stored.filename,
        stored_name=stored.stored_name,
        media_type=stored.media_type,
        size_bytes=stored.size_bytes,
        sha256=stored.sha256,
        text="" if is_restricted else stored.text,  # the search shows words to every reader
        is_summary=is_summary,
        is_restricted=is_restricted,
        uploaded_by=actor.name,
        uploaded_at=at,
    )
    session.add(paper)
    session.flush()
    _record(session, paper, Kind.PAPER_ADDED, actor=actor, at=at, address=address)
    return paper


def remove_paper(
    session: Session,
    meeting_id: int,
    paper_id: int,
    *,
    actor: Actor,
    at: datetime,
    address: str = "",
) -> str:
    """Take a paper off the meeting; the stored file's name, to be discarded after the commit.

    Raises NotFoundError; ConflictError once the meeting has ended: its hồ sơ stays complete.
    """
    paper = find_paper(session, meeting_id, paper_id)
    meeting = session.get(Meeting, meeting_id)
    if meeting is not None and meeting.status is Status.ENDED:
        raise ConflictError("Cuộc họp đã kết thúc; tài liệu thuộc hồ sơ, không gỡ được.")
    _record(session, paper, Kind.PAPER_REMOVED, actor=actor, at=at, address=address)
    session.delete(paper)
    return paper.stored_name


def find_paper(session: Session, meeting_id: int, paper_id: int) -> Paper:
    """One paper of one meeting. Raises NotFoundError."""
    paper = session.get(Paper, paper_id)
    if paper is None or paper.meeting_id != meeting_id:
        raise NotFoundError
    return paper


def read_texts(session: Session, folder: Path) -> tuple[int, int]:
    """Read again what every paper says: how many were read, and how many have no file."""
    read = missing = 0
    for paper in session.scalars(
        select(Paper).where(Paper.is_restricted.is_(False)).order_by(Paper.id)
    ):
        try:
            with (folder / paper.stored_name).open("rb") as content:
                paper.text = text_of(content, paper.media_type)
        except FileNotFoundError:
            missing += 1
        else:
            read += 1
    return read, missing


def papers_of(session: Session, meeting_id: int) -> list[Paper]:
    """The papers of a meeting in the order they were added."""
    query = select(Paper).where(Paper.meeting_id == meeting_id).order_by(Paper.id)
    return list(session.scalars(query))


def _record(
    session: Session, paper: Paper, kind: Kind, *, actor: Actor, at: datetime, address: str
) -> None:
    journal.note(session, paper.meeting_id, kind, at=at, actor=actor.name, subject=paper.filename)
    audit.record(
        session, at=at, actor=actor, action=kind.value.replace("_", ".", 1), object_type="meeting",
        object_id=paper.meeting_id, address=address, note=paper.filename,
        detail={"sha256": paper.sha256, "size_bytes": paper.size_bytes},
    )  # fmt: skip
