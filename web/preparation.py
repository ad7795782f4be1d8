"""Bring a data folder into working order: folders, secrets, schema, and the sample province.

Safe to run at every start: what exists stays as it is. The sample is loaded only into a database
without a single account, so a real installation never gets accounts with published passwords.
"""

from datetime import UTC, datetime

from sqlalchemy import select

from conference import migrations
from conference.access import sample
from conference.access.models import Account
from conference.access.sample import SampleAccount
from conference.archive import search_index
from conference.archive.bucket import open_bucket
from conference.database import Database
from conference.retention import service as retention
from conference.retention.erase import Stores
from conference.scheduling import papers
from conference.statistics import tallies
from config.settings import Settings


def prepare(settings: Settings) -> None:
    """Create folders and secrets and bring the schema to the newest state."""
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o750)
    for folder in (settings.papers_dir, settings.recordings_dir):
        folder.mkdir(parents=True, exist_ok=True)
    settings.media_secret()
    settings.session_secret()
    settings.turn_secret()
    migrations.upgrade(settings.database_url)
    _index(settings)
    _keep_figures(settings)
    _finish_destructions(settings)


def _finish_destructions(settings: Settings) -> None:
    """Remove files of destroyed meetings that a crash left on the disk or in the bucket."""
    database = Database(settings.database_url)
    try:
        with database.reading() as session:
            has_left = retention.has_files_left(session)
        if has_left:
            bucket = open_bucket(settings.storage)
            stores = Stores(settings.papers_dir, settings.recordings_dir, bucket)
            retention.finish(database, stores)
    finally:
        database.dispose()


def _index(settings: Settings) -> None:
    """Make the search index where an earlier version left meetings without one."""
    database = Database(settings.database_url)
    try:
        with database.reading() as session:
            is_missing = search_index.is_missing(session)
        if is_missing:
            with database.transaction() as session:
                papers.read_texts(session, settings.papers_dir)
                search_index.rebuild(session)
    finally:
        database.dispose()


def _keep_figures(settings: Settings) -> None:
    """Keep the sums of past months that are not kept yet, as after an upgrade."""
    database = Database(settings.database_url)
    try:
        tallies.fill(database, datetime.now(UTC))
    finally:
        database.dispose()


def load_sample(settings: Settings) -> list[SampleAccount]:
    """Load the sample province into an empty database; sample accounts that are in force."""
    database = Database(settings.database_url)
    try:
        with database.transaction() as session:
            if session.scalar(select(Account.id).limit(1)) is None:
                return sample.load(session, datetime.now(UTC))
            return sample.in_force(session)
    finally:
        database.dispose()
