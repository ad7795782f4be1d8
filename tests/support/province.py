"""The sample province in a database of its own, and meetings in it, for tests."""

import atexit
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from sqlalchemy import event, select

import conference.models
from conference.access import sample
from conference.access.accounts import actor_of
from conference.access.models import Account
from conference.access.policy import Actor
from conference.database import Database
from conference.directory.models import Person, Site
from conference.scheduling.models import Scope
from conference.scheduling.rules import Classification, MeetingDraft

AT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
"""Monday, 10:00 in Vietnam."""
STARTS = datetime(2026, 12, 10, 1, 0, tzinfo=UTC)
"""Thursday, 8:00 in Vietnam."""
ENDS = datetime(2026, 12, 10, 4, 0, tzinfo=UTC)


FILENAME = "diemcau.sqlite3"
"""As the settings name it, so that an application on the same folder finds it."""


@cache
def _loaded_once() -> Path:
    """A loaded database to copy: hashing the passwords of the sample takes a second."""
    folder = Path(tempfile.mkdtemp(prefix="diemcau-province-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    database = Database(f"sqlite:///{folder / FILENAME}")
    conference.models.Base.metadata.create_all(database.engine)
    with database.transaction() as session:
        sample.load(session, AT)
    database.dispose()  # the last connection folds the write-ahead log into the file
    return folder / FILENAME


class Province:
    """A database with 134 sites and the people of the sample."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(_loaded_once(), folder / FILENAME)
        self.database = Database(f"sqlite:///{folder / FILENAME}")
        with self.database.reading() as session:
            accounts = session.scalars(select(Account)).all()
            self.actors: dict[str, Actor] = {a.username: actor_of(a) for a in accounts}
            people = session.scalars(select(Person)).all()
            self.people: dict[str, int] = {p.full_name: p.id for p in people}
            self.site_ids: list[int] = list(session.scalars(select(Site.id).order_by(Site.id)))

    @property
    def secretary(self) -> Actor:
        """The secretariat officer who plans meetings."""
        return self.actors["thuky"]

    def draft(
        self,
        *,
        title: str = "Giao ban tháng 12/2026",
        sites: Sequence[int] | None = None,
        starts_at: datetime = STARTS,
        ends_at: datetime = ENDS,
        classification: Classification | None = Classification.NONE,
        scope: Scope = Scope.INTRA,
        location: str = "",
        chair: str = "Nguyễn Văn An",
    ) -> MeetingDraft:
        """A meeting as typed; three sites unless told otherwise."""
        return MeetingDraft(
            classification=classification,
            scope=scope,
            title=title,
            starts_at=starts_at,
            ends_at=ends_at,
            chair_id=self.people[chair],
            secretary_id=self.people["Hoàng Thị Hạnh"],
            location=location,
            site_ids=tuple(self.site_ids[:3] if sites is None else sites),
        )


@contextmanager
def counted_queries(database: Database) -> Iterator[list[str]]:
    """The statements sent to ``database`` inside the block."""
    seen: list[str] = []

    def note(_c: object, _k: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
