"""Write the rows and files of a record document under numbers and names of our own.

What the rows call by number (sites, accounts, questions of the agenda) is called by the new ones.
Every value is checked for its column first, every file is hashed once more on its way.
"""

import hashlib
import secrets
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from conference.archive import rows
from conference.archive.collect import CONTENT
from conference.archive.decode import WrongValueError, value_of
from conference.archive.files import RecordingFile
from conference.archive.match import Matcher, Refs
from conference.archive.models import Recording
from conference.archive.rows import IDENTITY, Kept
from conference.attendance.models import Delegate
from conference.conclusions.models import Task
from conference.conduct.models import Ballot, LogEntry, Vote, VoteReceipt
from conference.directory.vietnamese import fold
from conference.errors import InvalidError
from conference.invitations.models import Delivery, OutboxMessage
from conference.minutes.models import Minutes
from conference.scheduling.invitees import new_join_code
from conference.scheduling.local_time import local_day
from conference.scheduling.models import CALLED_OFF, HELD, AgendaItem, InvitedSite, Paper
from conference.scheduling.paper_types import media_type_of
from conference.signatures.models import SignedPaper

_CHUNK: Final = 1 << 20
_NUMBERED: Final = frozenset(
    {Task, AgendaItem, InvitedSite, Vote, Minutes, Paper, SignedPaper, Recording}
)
"""Models whose new numbers others need, or whose files are kept under them."""
_OVER: Final = HELD | CALLED_OFF


class RefusedError(InvalidError):
    """The package is not as it was made, or signed by another key. ``faults`` say what differs."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        self.faults = faults
        super().__init__({"file": "Gói hồ sơ không nguyên vẹn: " + "; ".join(faults[:20])})


@dataclass(frozen=True, slots=True)
class Folders:
    """Where files go."""

    papers_dir: Path
    recordings_dir: Path


class Files:
    """Copies files out of the package, under our own names, and proves each once more."""

    def __init__(
        self,
        archive: zipfile.ZipFile,
        digests: Mapping[str, str],
        folders: Folders,
        written: list[Path],
    ) -> None:
        self._archive = archive
        self._digests = digests
        self._folders = folders
        self._written = written

    def paper(self, places: Mapping[str, Any], stored_name: str) -> Path | None:
        """One paper; None when the package says that it was gone."""
        place = places.get(CONTENT)
        return self._copy(place, self._folders.papers_dir / stored_name) if place else None

    def recording(self, places: Mapping[str, Any], folder: str) -> None:
        """What can be played of one recording."""
        for part in RecordingFile:
            if place := places.get(part.value):
                self._copy(place, self._folders.recordings_dir / folder / part.value)

    def _copy(self, place: Any, target: Path) -> Path:
        if not isinstance(place, str) or place not in self._digests:
            raise InvalidError({"file": f"Tệp {place!r} không có trong gói."})
        target.parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256()
        self._written.append(target)
        with self._archive.open(place) as source, target.open("xb") as file:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                file.write(chunk)
        if digest.hexdigest() != self._digests[place]:
            raise RefusedError((f"{place} was changed",))
        return target


class Writer:
    """Writes one document's rows."""

    def __init__(
        self, session: Session, document: Mapping[str, Any], files: Files, source: str,
        at: datetime,
    ) -> None:  # fmt: skip
        self._session = session
        self._document = document
        self._files = files
        self._source = source
        self._at = at
        self._refs: Refs = {}
        self._ids: dict[str, dict[int, int]] = {}
        self._meeting_id = 0

    def write(self) -> int:
        """Everything; the new meeting's number."""
        head = self._values(rows.MEETING, self._document["meeting"], is_outside_known=False)
        if head["status"] not in _OVER:
            raise InvalidError(
                {"file": "Cuộc họp trong gói chưa kết thúc; chỉ nhập hồ sơ đã xong."}
            )
        matcher = Matcher(
            self._session, source=self._source, day=local_day(head["starts_at"]), at=self._at
        )
        self._refs = matcher.match(self._document)
        head = self._values(rows.MEETING, self._document["meeting"])
        head.update(
            room_name=f"nhap-{secrets.token_hex(12)}", ics_uid=f"{secrets.token_hex(16)}@diemcau",
            title_folded=fold(head["title"])[:300], is_imported=True,
        )  # fmt: skip
        del head["id"]
        self._meeting_id = self._insert(rows.MEETING, head)
        for kept in rows.TABLES:
            self._table(kept)
        return self._meeting_id

    def _table(self, kept: Kept) -> None:
        given = self._document["tables"].get(kept.name, [])
        if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
            raise InvalidError({"file": f"Bảng {kept.name} trong gói không đọc được."})
        ids = self._ids.setdefault(kept.name, {})
        bulk = []
        for one in given:
            values = self._values(kept, one)
            number = values.pop("id")
            self._complete(kept, values, one.get("files") or {})
            if kept.model in _NUMBERED:
                ids[number] = self._insert(kept, values)
            else:
                bulk.append(values)
            if kept.model is Recording and one.get("files"):
                self._film(ids[number], one["files"])
        for group in _alike(bulk):
            self._session.execute(insert(kept.table), group)

    def _insert(self, kept: Kept, values: Mapping[str, Any]) -> int:
        made = insert(kept.table).values(**values).returning(kept.table.c.id)
        return int(self._session.execute(made).scalar_one())

    def _film(self, number: int, places: Any) -> None:
        if not isinstance(places, dict):
            raise InvalidError({"file": "Tệp của bản ghi trong gói không đọc được."})
        folder = f"{self._meeting_id}/{number}"
        self._files.recording(places, folder)
        self._session.execute(update(Recording).where(Recording.id == number).values(folder=folder))

    def _values(
        self, kept: Kept, row: Mapping[str, Any], *, is_outside_known: bool = True
    ) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for column in kept.table.columns:
            if column.name in kept.left_behind:
                continue
            if column.name not in row:
                if column.nullable or column.default is not None or column.server_default:
                    continue
                raise _wrong(kept, row, column.name, "is missing")
            try:
                value = value_of(column, row[column.name])
            except (WrongValueError, RecursionError) as error:
                raise _wrong(kept, row, column.name, str(error)) from None
            target = rows.references(column)
            if target is not None and is_outside_known and value is not None:
                value = self._known(kept, row, column.name, target, value)
            elif column.name == "identity" and value:
                value = self._renamed(value)
            made[column.name] = value
        return made

    def _known(
        self, kept: Kept, row: Mapping[str, Any], column: str, target: str, value: int
    ) -> int:
        if target == "meeting":
            return self._meeting_id
        known = self._refs.get(target, self._ids.get(target, {}))
        if value not in known:
            raise _wrong(kept, row, column, f"names {target} {value}, which is not there")
        return known[value]

    def _renamed(self, identity: str) -> str:
        found = IDENTITY.fullmatch(identity)
        if found is None:
            return identity
        kind = {"site": self._ids.get("invited_site"), "person": self._refs.get("account")}[
            found[1]
        ]
        # a number that nobody here has is better than that of somebody else
        return f"{found[1]}:{(kind or {}).get(int(found[2]), 0)}"

    def _complete(self, kept: Kept, values: dict[str, Any], places: Mapping[str, Any]) -> None:
        """What stayed behind gets a value of ours; numbers inside texts become ours."""
        model = kept.model
        if model is InvitedSite:
            values["join_code"] = new_join_code()
        elif model in (Paper, SignedPaper):
            self._file(values, places)
        elif model is OutboxMessage:
            _no_letter(values)
        elif model in (Ballot, VoteReceipt):
            values["id"] = secrets.randbits(62)
        elif model is Delegate:
            place, colon, rest = values["key"].partition(":")
            site = self._ids["invited_site"].get(int(place)) if place.isdecimal() else ""
            values["key"] = f"{site}{colon}{rest}"[:300]
        elif model is Task:
            units = self._refs["unit"]
            values["coordinating"] = [
                {**one, "id": units.get(int(one.get("id") or 0), 0)}
                for one in values.get("coordinating", ())
                if isinstance(one, dict)
            ]
        elif model is LogEntry:
            values["detail"] = self._detail(values.get("detail", {}))
        elif model is Recording:
            for name in ("chapters", "speeches"):
                values[name] = rows.with_identities(values.get(name, []), self._renamed)

    def _detail(self, detail: Any) -> Any:
        made = rows.with_identities(detail, self._renamed)
        for name, table in (("vote_id", "vote"), ("item_id", "agenda_item")):
            if isinstance(made, dict) and isinstance(made.get(name), int):
                made[name] = self._ids.get(table, {}).get(made[name], 0)
        return made

    def _file(self, values: dict[str, Any], places: Any) -> None:
        if not isinstance(places, dict):
            raise InvalidError({"file": "Tệp của tài liệu trong gói không đọc được."})
        values["stored_name"] = secrets.token_hex(20)
        target = self._files.paper(places, values["stored_name"])
        if target is None:
            return
        with target.open("rb") as file:
            if (
                "media_type" in values
                and media_type_of(file, values["filename"]) != (values["media_type"])
            ):
                raise InvalidError({"file": f"Tài liệu {values['filename']} không đúng loại tệp."})
            file.seek(0)
            if hashlib.file_digest(file, "sha256").hexdigest() != values["sha256"]:
                raise RefusedError((f"{values['filename']} is not the file that was filed",))


def _no_letter(values: dict[str, Any]) -> None:
    """A letter is on record, and never sent again from here."""
    values["content"] = ""
    if values["state"] is Delivery.WAITING:
        values["state"] = Delivery.FAILED
        values["last_error"] = "Chưa gửi khi lập gói hồ sơ."


def _alike(values: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Rows that name the same columns, together, in their order."""
    group: list[dict[str, Any]] = []
    for one in values:
        if group and group[0].keys() != one.keys():
            yield group
            group = []
        group.append(one)
    if group:
        yield group


def _wrong(kept: Kept, row: Mapping[str, Any], column: str, why: str) -> InvalidError:
    where = f"{kept.name} {row.get('id')!s:.20}, {column}"
    return InvalidError({"file": f"Dữ liệu trong gói không hợp lệ ({where}: {why})."})
