"""One province for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.province import Province


@pytest.fixture
def province(tmp_path: Path) -> Iterator[Province]:
    found = Province(tmp_path)
    yield found
    found.database.dispose()
