"""How Alembic connects and what it compares: run by Alembic, never imported.

All revisions that are missing run in one transaction, on SQLite too, so a failed upgrade leaves
the database as it was.
"""

from alembic import context

from conference.database import open_engine
from conference.migrations.env_rules import is_other_type, render_plainly
from conference.models import Base


def run() -> None:
    """Upgrade the database named in the configuration."""
    engine = open_engine(context.config.attributes["database_url"])
    try:
        with engine.begin() as connection:
            context.configure(
                connection=connection,
                target_metadata=Base.metadata,
                render_as_batch=True,
                render_item=render_plainly,
                compare_type=is_other_type,
                transactional_ddl=True,
            )
            context.run_migrations()
    finally:
        engine.dispose()


run()
