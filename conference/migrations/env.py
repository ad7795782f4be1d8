"""How Alembic connects and what it compares: run by Alembic, never imported.

All revisions that are missing run in one transaction, on SQLite too, so a failed upgrade leaves
the database as it was. SQLite changes a table by copying it and dropping the old one; foreign keys
are not enforced meanwhile (https://www.sqlite.org/lang_altertable.html, section 7) and are all
checked before the commit.
"""

from typing import Any

from alembic import context
from sqlalchemy import Connection, event

from conference.database import open_engine
from conference.migrations.env_rules import is_modelled, is_other_type, render_plainly
from conference.models import Base


def run() -> None:
    """Upgrade the database named in the configuration."""
    engine = open_engine(context.config.attributes["database_url"])
    is_sqlite = engine.dialect.name == "sqlite"
    if is_sqlite:
        event.listen(engine, "connect", _suspend_foreign_keys)
    try:
        with engine.begin() as connection:
            context.configure(
                connection=connection,
                target_metadata=Base.metadata,
                render_as_batch=True,
                render_item=render_plainly,
                compare_type=is_other_type,
                include_name=is_modelled,
                transactional_ddl=True,
            )
            context.run_migrations()
            if is_sqlite:
                _check_foreign_keys(connection)
    finally:
        engine.dispose()


def _suspend_foreign_keys(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA foreign_keys=OFF")


def _check_foreign_keys(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise RuntimeError(f"the upgrade would break references: {broken[:5]}")


run()
