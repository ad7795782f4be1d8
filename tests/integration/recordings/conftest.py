"""Canned media, and a database with a meeting that is live."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from conference.database import Base, Database
from tests.support.canned_media import Canned, canned_in, make_media


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("canned")
    make_media(folder)
    return folder


@pytest.fixture
def canned(media: Path) -> list[Canned]:
    return canned_in(media)


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'test.sqlite3'}"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    Base.metadata.create_all(database.engine)
    yield database
    database.dispose()
