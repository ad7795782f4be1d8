"""Taking tables in as acts that are on record and can be taken back; headings an office uses."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from conference.access import audit, transfer
from conference.access.policy import Actor
from conference.access.transfer import Kind
from conference.directory import changes_made
from conference.directory.intake import Plan, Progress
from conference.directory.models import DirectoryImport, ImportHeading
from conference.directory.tables import Column
from conference.directory.vietnamese import fold
from conference.errors import ConflictError, InvalidError, NotFoundError

SHOWN: Final = 10


def take_in(  # noqa: PLR0917 (what is taken in, and who takes it in when from where)
    session: Session, kind: Kind, plan: Plan, digest: str, actor: Actor, at: datetime,
    address: str = "", progress: Progress | None = None,
) -> DirectoryImport:  # fmt: skip
    """Write ``plan`` and keep what it wrote. Raises InvalidError while it has faults."""
    with changes_made.watching(session) as watch:
        plan.apply(progress)
    row = DirectoryImport(
        kind=kind.value, digest=digest, made_at=at, made_by=actor.name, new=plan.new,
        changed=plan.changed, record=watch.record(), undone_at=None, undone_by="",
    )  # fmt: skip
    session.add(row)
    audit.record(
        session, at=at, actor=actor, action="directory.imported", object_type=kind.value,
        object_id=digest[:16], address=address,
        detail={"rows": plan.total, "new": plan.new, "changed": plan.changed},
    )  # fmt: skip
    session.flush()
    return row


def undo(
    session: Session, import_id: int, *, actor: Actor, at: datetime, address: str = ""
) -> DirectoryImport:
    """Take an import back whole. Raises NotFoundError, ConflictError with the reason."""
    row = session.get(DirectoryImport, import_id, with_for_update=True)
    if row is None:
        raise NotFoundError
    if row.undone_at is not None:
        raise ConflictError("Lần nhập này đã được hoàn tác.", code="undone")
    count = changes_made.take_back(session, row.record)
    row.undone_at, row.undone_by = at, actor.name
    audit.record(
        session, at=at, actor=actor, action="directory.import_undone", object_type=row.kind,
        object_id=row.digest[:16], address=address, detail={"rows": count},
    )  # fmt: skip
    session.flush()
    return row


def recent(session: Session) -> Sequence[DirectoryImport]:
    """The last imports, newest first."""
    query = select(DirectoryImport).order_by(DirectoryImport.id.desc()).limit(SHOWN)
    return session.scalars(query).all()


# --- headings ------------------------------------------------------------------------------------


def columns_of(session: Session, kind: Kind) -> list[Column]:
    """The columns of a kind with the headings this office uses for them."""
    query = select(ImportHeading).where(ImportHeading.kind == kind.value)
    ours: dict[str, list[str]] = {}
    for row in session.scalars(query):
        ours.setdefault(row.column, []).append(row.heading_folded)
    return [
        replace(column, others=(*column.others, *ours.get(column.key, ())))
        for column in transfer.COLUMNS[kind]
    ]


def match(
    session: Session, kind: Kind, chosen: Mapping[str, str], *, actor: Actor, at: datetime,
    address: str = "",
) -> None:  # fmt: skip
    """Remember what headings mean: column key by heading, empty for none.

    Raises InvalidError when two headings are to be the same column.
    """
    known = {column.key for column in transfer.COLUMNS[kind]}
    wanted = {fold(heading).rstrip(" *")[:200]: key for heading, key in chosen.items()}
    keys = [key for key in wanted.values() if key]
    if len(keys) != len(set(keys)):
        raise InvalidError({"columns": "Hai cột của tệp không thể là cùng một cột."})
    for heading, key in wanted.items():
        session.execute(
            delete(ImportHeading).where(
                ImportHeading.kind == kind.value, ImportHeading.heading_folded == heading
            )
        )
        if key in known:
            session.add(ImportHeading(kind=kind.value, heading_folded=heading, column=key))
    audit.record(
        session, at=at, actor=actor, action="directory.columns_matched", object_type=kind.value,
        object_id="", address=address, detail={"columns": dict(wanted)},
    )  # fmt: skip
    session.flush()
