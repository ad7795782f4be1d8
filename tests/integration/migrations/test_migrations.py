"""The revisions build what the models say, on both databases."""

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import func, inspect, select, text

from conference.access import sample
from conference.access.models import Account
from conference.database import Database, open_engine
from conference.directory.models import Person, Site, Unit
from conference.migrations import configuration, upgrade
from conference.migrations.env_rules import is_modelled, is_other_type
from conference.models import Base
from tests.support.province import AT


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.sqlite3'}"
    return str(request.getfixturevalue("postgres").new_database())


def test_an_upgraded_database_is_what_the_models_say(empty_url: str) -> None:
    upgrade(empty_url)
    engine = open_engine(empty_url)
    with engine.connect() as connection:
        options = {"compare_type": is_other_type, "include_name": is_modelled}
        context = MigrationContext.configure(connection, opts=options)
        differences = compare_metadata(context, Base.metadata)
    engine.dispose()
    assert not differences


def test_upgrading_twice_changes_nothing(empty_url: str) -> None:
    upgrade(empty_url)
    upgrade(empty_url)
    engine = open_engine(empty_url)
    assert "meeting" in inspect(engine).get_table_names()
    engine.dispose()


def test_every_revision_can_be_undone_and_made_again_with_data_in_it(empty_url: str) -> None:
    upgrade(empty_url)
    database = Database(empty_url)
    with database.transaction() as session:
        sample.load(session, AT)
    before = _counts(database)
    command.downgrade(configuration(empty_url), "0001")
    upgrade(empty_url)
    assert _counts(database) == before
    with database.reading() as session:
        folded = session.scalars(select(Account.name_folded).where(Account.username == "chutoa"))
        assert folded.one() == "nguyen van an"
    database.dispose()


def _counts(database: Database) -> list[int]:
    with database.reading() as session:
        return [
            session.scalar(select(func.count()).select_from(model)) or 0
            for model in (Unit, Site, Person, Account)
        ]


def test_units_that_share_a_code_are_told_apart_by_the_older_schema(empty_url: str) -> None:
    upgrade(empty_url)
    database = Database(empty_url)
    with database.transaction() as session:
        sample.load(session, AT)
        for unit in session.scalars(select(Unit).where(Unit.code.in_(["23284", "23293"]))):
            unit.code = "23284"
    command.downgrade(configuration(empty_url), "0001")
    with database.reading() as session:
        codes = session.scalars(text("SELECT code FROM unit WHERE code LIKE '23284%'")).all()
    database.dispose()
    assert len(set(codes)) == len(codes) == 2


def test_the_revisions_are_one_line() -> None:
    script = ScriptDirectory.from_config(configuration("sqlite://"))
    assert len(script.get_heads()) == 1
