"""Every row of a meeting's file, named once: for packages, for taking them in, for destruction.

A record document (``du-lieu/ho-so.json`` of a package) holds the rows by table, with the numbers
they have where they were written. What they refer to outside the file (units, people, sites,
accounts) is described beside them, so that another installation can find or make its own. Links
that open a room, leases and places on a disk stay behind: they mean nothing elsewhere.
"""

import enum
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Column, Select, Table, select
from sqlalchemy.orm import Session

from conference.access.models import Account
from conference.archive.models import Recording, RecordingState
from conference.attendance.models import (
    AttendanceMark,
    AttendanceVersion,
    Delegate,
    PresenceEvidence,
)
from conference.conclusions.models import Notice, Task
from conference.conduct.models import Ballot, ChatMessage, FloorRequest, LogEntry, Vote, VoteReceipt
from conference.directory.models import Person, Site, Unit
from conference.invitation_papers.models import InvitationPaper
from conference.invitations.models import OutboxMessage
from conference.line_checks.models import LineCheck, LineCheckReminder
from conference.minutes.models import Minutes, MinutesAddendum, MinutesRevision
from conference.replies.models import SiteReply, Substitution
from conference.scheduling.models import AgendaItem, InvitedSite, Meeting, Paper
from conference.signatures.models import SignedPaper

FORMAT: Final = "diemcau-records/1"
IDENTITY: Final = re.compile(r"(site|person):([0-9]{1,9})")
"""Participants in evidence, floor, chat and log: an `InvitedSite` or an `Account`."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One table of the file, and the column by which its rows belong to the meeting."""

    model: type[Any]
    owner: str = "meeting_id"
    parent: type[Any] = Meeting
    left_behind: frozenset[str] = frozenset()
    """Columns that mean nothing in another installation."""

    @property
    def name(self) -> str:
        """Name of the table."""
        return str(self.model.__tablename__)

    @property
    def table(self) -> Table:
        """The table itself."""
        found = self.model.__table__
        assert isinstance(found, Table)
        return found

    def of(self, meeting_id: int) -> Select[Any]:
        """All rows of one meeting, oldest first."""
        rows = select(self.table)
        column = self.table.c[self.owner]
        if self.parent is not Meeting:
            parents = select(self.parent.id).where(self.parent.meeting_id == meeting_id)
            return rows.where(column.in_(parents)).order_by(self.table.c.id)
        return rows.where(column == meeting_id).order_by(self.table.c.id)


_LEASE: Final = frozenset({"lease_owner", "lease_until"})
_PLACE: Final = frozenset({"folder", "objects", "upload_attempts", "upload_after", "upload_error"})
MEETING: Final = Kept(
    Meeting, owner="id", left_behind=frozenset({"room_name", "ics_uid", "series_id"})
)
TABLES: Final = (
    Kept(AgendaItem),
    Kept(InvitedSite, left_behind=frozenset({"join_code"})),
    Kept(InvitationPaper),
    Kept(SiteReply),
    Kept(Substitution),
    Kept(Paper, left_behind=frozenset({"stored_name"})),
    Kept(ChatMessage),
    Kept(FloorRequest),
    Kept(Vote),
    Kept(Ballot, "vote_id", Vote),
    Kept(VoteReceipt, "vote_id", Vote),
    Kept(LineCheck),
    Kept(LineCheckReminder),
    Kept(LogEntry),  # names questions and points of the agenda
    Kept(PresenceEvidence),
    Kept(AttendanceMark),
    Kept(Delegate),
    Kept(AttendanceVersion),
    Kept(Recording, left_behind=_LEASE | _PLACE),
    Kept(Minutes),
    Kept(MinutesRevision, "minutes_id", Minutes),
    Kept(MinutesAddendum, "minutes_id", Minutes),
    Kept(Notice),
    Kept(Task),
    # a letter's content opens the room
    Kept(OutboxMessage, left_behind=_LEASE | {"content", "series_id", "once_key"}),
    Kept(SignedPaper, left_behind=frozenset({"stored_name"})),
)
"""Parents before children. A test compares them with what leads to a meeting in the schema."""

BESIDE: Final = {
    "search_piece": "words of the file; written anew from its rows",
    "incoming_message": "mail of the whole office, each message once; loses its meeting",
    "imported_file": "says where the meeting came from",
    "file_term": "how long this office keeps it",
    "legal_hold": "why this office keeps it longer",
}
"""Tables that know of a meeting and are no part of its file, each with its reason."""

LASTING: Final = frozenset(
    {RecordingState.PUBLISHED, RecordingState.FAILED_START, RecordingState.FAILED_COMPOSE}
)
"""Recordings in any other state are still worked on."""


def references(column: Column[Any]) -> str | None:
    """The table a column leads to, or None."""
    found = next(iter(column.foreign_keys), None)
    return found.column.table.name if found is not None else None


def as_document(
    session: Session, meeting: Meeting, files: Mapping[tuple[str, int], Mapping[str, str]]
) -> dict[str, Any]:
    """All rows of ``meeting`` as JSON. ``files``: place in the package by table, row and part."""
    tables: dict[str, list[dict[str, Any]]] = {}
    for kept in TABLES:
        rows = session.execute(kept.of(meeting.id)).mappings()
        if kept.model is Recording:
            rows = [one for one in rows if one["state"] in LASTING]  # type: ignore[assignment]
        tables[kept.name] = [_row(kept, one, files) for one in rows]
    own = session.execute(select(MEETING.table).where(MEETING.table.c.id == meeting.id))
    head = _row(MEETING, own.mappings().one(), files)
    beside = _Beside(session)
    beside.note(MEETING, [head])
    for kept in TABLES:
        beside.note(kept, tables[kept.name])
    return {"format": FORMAT, "meeting": head, **beside.described(), "tables": tables}


def _row(
    kept: Kept, row: Mapping[Any, Any], files: Mapping[tuple[str, int], Mapping[str, str]]
) -> dict[str, Any]:
    made = {
        column.name: _plain(row[column.name])
        for column in kept.table.columns
        if column.name not in kept.left_behind
    }
    found = files.get((kept.name, row["id"]))
    return {**made, "files": dict(found)} if found else made


def _plain(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return value.value
    return value.isoformat() if isinstance(value, date | datetime) else value


class _Beside:
    """What the rows refer to outside the file, described by what does not depend on numbers."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._wanted: dict[str, set[int]] = {
            "unit": set(), "person": set(), "site": set(), "account": set()
        }  # fmt: skip

    def note(self, kept: Kept, rows: Iterable[Mapping[str, Any]]) -> None:
        """Remember what ``rows`` lead to."""
        columns = {c.name: references(c) for c in kept.table.columns}
        for row in rows:
            for name, value in row.items():
                target = columns.get(name)
                if target in self._wanted and value is not None:
                    self._wanted[str(target)].add(value)
                elif name == "identity" and value:
                    found = IDENTITY.fullmatch(value)
                    self._wanted["account"] |= _accounts(found)
            for unit in row.get("coordinating") or ():
                self._wanted["unit"].add(unit["id"])

    def described(self) -> dict[str, list[dict[str, Any]]]:
        """Accounts, sites, people and units, each once, parents of units before their children."""
        accounts = self._found(Account, "account")
        self._wanted["person"] |= {one.person_id for one in accounts if one.person_id}
        sites = self._found(Site, "site")
        people = self._found(Person, "person")
        self._wanted["unit"] |= {one.unit_id for one in (*sites, *people) if one.unit_id}
        return {
            "units": [_unit(one) for one in self._units()],
            "people": [_person(one) for one in people],
            "sites": [
                {"ref": one.id, "unit": one.unit_id, "name": one.name, "room": one.room}
                for one in sites
            ],
            "accounts": [
                {
                    "ref": one.id, "person": one.person_id,
                    "name": one.person.full_name if one.person else one.display_name,
                }
                for one in accounts
            ],
        }  # fmt: skip

    def _found(self, model: type[Any], kind: str) -> list[Any]:
        query = select(model).where(model.id.in_(self._wanted[kind])).order_by(model.id)
        return list(self._session.scalars(query))

    def _units(self) -> list[Unit]:
        ordered: dict[int, Unit] = {}

        def add(unit: Unit, above: frozenset[int]) -> None:
            if unit.parent is not None and unit.parent_id not in above:
                add(unit.parent, above | {unit.id})
            ordered.setdefault(unit.id, unit)

        for one in self._found(Unit, "unit"):
            add(one, frozenset({one.id}))
        return list(ordered.values())


def _accounts(found: re.Match[str] | None) -> set[int]:
    return {int(found[2])} if found and found[1] == "person" else set()


def _unit(one: Unit) -> dict[str, Any]:
    return {
        "ref": one.id, "code": one.code, "name": one.name, "type": one.type,
        "level": one.level.value, "parent": one.parent_id, "protocol_order": one.protocol_order,
        "valid_from": _plain(one.valid_from), "valid_to": _plain(one.valid_to),
    }  # fmt: skip


def _person(one: Person) -> dict[str, Any]:
    return {
        "ref": one.id, "full_name": one.full_name, "title": one.title, "unit": one.unit_id,
        "sort_key": one.sort_key, "protocol_order": one.protocol_order,
    }  # fmt: skip


def with_identities(value: Any, renamed: Callable[[str], str]) -> Any:
    """A JSON value in which every ``identity`` is renamed, however deep it stands."""
    if isinstance(value, Mapping):
        return {
            key: renamed(one) if key == "identity" and isinstance(one, str)
            else with_identities(one, renamed)
            for key, one in value.items()
        }  # fmt: skip
    if isinstance(value, list):
        return [with_identities(one, renamed) for one in value]
    return value
