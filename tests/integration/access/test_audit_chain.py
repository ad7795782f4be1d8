"""The audit log: chained, only added to, and every tampering found, on both databases."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from conference.access import audit
from conference.access.models import AuditEntry
from conference.access.policy import Actor
from conference.database import Database
from web.cli import main

AT = datetime(2026, 12, 10, 1, 0, 0, 123456, tzinfo=UTC)
WHO = Actor(account_id=None, role=None, name="Trần Thị Bích")


def add(database: Database, count: int, *, each: bool = False) -> None:
    def one(session: object, number: int) -> None:
        audit.record(
            session, at=AT + timedelta(seconds=number), actor=WHO, action="test.act",  # type: ignore[arg-type]
            object_type="thing", object_id=number, detail={"số": number, "tỷ lệ": 0.1, "b": [1]},
        )  # fmt: skip

    if each:
        for number in range(count):
            with database.transaction() as session:
                one(session, number)
        return
    with database.transaction() as session:
        for number in range(count):
            one(session, number)


def checked(database: Database, heads: dict[int, str] | None = None) -> audit.Verification:
    with database.reading() as session:
        return audit.verify(session, heads)


def tamper(database: Database, statement: str) -> None:
    """Change rows as somebody could who owns the whole database."""
    with database.engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            for act in ("update", "delete"):
                connection.exec_driver_sql(f"DROP TRIGGER audit_entry_no_{act}")
        else:
            connection.exec_driver_sql("DROP TRIGGER audit_entry_only_added_to ON audit_entry")
        connection.execute(text(statement))


def test_a_chain_nobody_touched_is_whole(any_database: Database) -> None:
    assert checked(any_database).is_whole
    add(any_database, 5, each=True)
    add(any_database, 7)
    found = checked(any_database)
    assert (found.entries, found.fault) == (12, "")


@pytest.mark.parametrize("act", ["UPDATE audit_entry SET actor = 'x'", "DELETE FROM audit_entry"])
def test_the_database_itself_refuses_to_change_or_remove(any_database: Database, act: str) -> None:
    add(any_database, 2)
    with pytest.raises(DatabaseError), any_database.engine.begin() as connection:
        connection.execute(text(act))
    assert checked(any_database).entries == 2


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE audit_entry SET actor = 'Người khác' WHERE link = 4", "entry 4 was altered"),
        ("UPDATE audit_entry SET detail = '{}' WHERE link = 6", "entry 6 was altered"),
        ("DELETE FROM audit_entry WHERE link = 3", "entry 3 is missing"),
        ("DELETE FROM audit_entry WHERE link = 9", "entries after 8 are missing"),
        ("UPDATE audit_entry SET link = NULL, digest = '' WHERE link <= 2", "entry 1 is missing"),
    ],
)
def test_every_tampering_is_found_where_it_is(
    any_database: Database, statement: str, said: str
) -> None:
    add(any_database, 9)
    tamper(any_database, statement)
    assert said in checked(any_database).fault


def test_a_whole_new_chain_does_not_fit_an_end_kept_elsewhere(database: Database) -> None:
    add(database, 4)
    kept = {4: checked(database).head}
    tamper(database, "DELETE FROM audit_entry")
    with database.engine.begin() as connection:
        connection.execute(text("DELETE FROM audit_head"))
    add(database, 3)
    assert checked(database).is_whole
    assert "entry 4 is missing" in checked(database, kept).fault
    add(database, 3)
    assert "whose digest was written down" in checked(database, kept).fault


def test_two_who_write_at_once_make_one_chain(any_database: Database) -> None:
    threads = [
        threading.Thread(target=add, args=(any_database, 10), kwargs={"each": True})
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    found = checked(any_database)
    assert (found.entries, found.fault) == (40, "")


def test_the_command_says_so_and_its_status_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'diemcau.sqlite3'}")
    AuditEntry.metadata.create_all(database.engine)
    add(database, 3)
    assert main(["audit", "head", "--data", str(tmp_path)]) == 0
    heads = tmp_path / "heads.txt"
    heads.write_text(capsys.readouterr().out)
    arguments = ["audit", "verify", "--data", str(tmp_path), "--heads", str(heads)]
    assert main(arguments) == 0
    assert "whole: 3 entries" in capsys.readouterr().out
    tamper(database, "UPDATE audit_entry SET note = 'x' WHERE link = 2")
    assert main(arguments) == 1
    assert "BROKEN: entry 2" in capsys.readouterr().out
    heads.write_text("nonsense\n")
    assert main(arguments) == 2
    database.dispose()
