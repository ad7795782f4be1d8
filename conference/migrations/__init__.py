"""Bring a database to the schema of this version: `upgrade` runs what is missing, in order.

Alembic keeps the position in the table ``alembic_version``. The same revisions serve SQLite and
PostgreSQL; a test compares what they build with the models. A revision is never edited after a
release: the next change is the next file in ``versions``.

A new revision, after the models were changed::

    .venv/bin/python -m conference.migrations "add the site's second phone"
"""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config

FOLDER: Final = Path(__file__).parent


def configuration(database_url: str) -> Config:
    """Alembic's configuration for one database; there is no ini file."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["database_url"] = database_url  # not an option: % in passwords is no syntax
    return config


def upgrade(database_url: str) -> None:
    """Create or bring the schema to the newest revision; safe to repeat."""
    command.upgrade(configuration(database_url), "head")
