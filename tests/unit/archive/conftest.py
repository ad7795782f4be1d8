"""A database on disk with one meeting that is live."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from conference.database import Base, Database
from conference.scheduling.models import Meeting
from tests.support.recorded_meeting import hold_meeting


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'test.sqlite3'}")
    Base.metadata.create_all(database.engine)
    yield database
    database.dispose()


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.transaction() as session:
        yield session


@pytest.fixture
def meeting(session: Session) -> Meeting:
    return hold_meeting(session)
