"""The revisions build what the models say, on both databases."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from conference.database import open_engine
from conference.migrations import configuration, upgrade
from conference.migrations.env_rules import is_other_type
from conference.models import Base


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.sqlite3'}"
    return str(request.getfixturevalue("postgres").new_database())


def test_an_upgraded_database_is_what_the_models_say(empty_url: str) -> None:
    upgrade(empty_url)
    engine = open_engine(empty_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": is_other_type})
        differences = compare_metadata(context, Base.metadata)
    engine.dispose()
    assert not differences


def test_upgrading_twice_changes_nothing(empty_url: str) -> None:
    upgrade(empty_url)
    upgrade(empty_url)
    engine = open_engine(empty_url)
    assert "meeting" in inspect(engine).get_table_names()
    engine.dispose()


def test_the_revisions_are_one_line() -> None:
    script = ScriptDirectory.from_config(configuration("sqlite://"))
    assert len(script.get_heads()) == 1
