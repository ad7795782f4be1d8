"""The truth of the house: engine, sessions, and the column types every slice shares.

Seam 1 of the architecture is SQL: whatever must survive a crash is a committed row before
anybody is told of it. SQLite (WAL, ``synchronous=FULL``, foreign keys on) for one machine,
PostgreSQL for more. Times are stored as UTC and come back timezone-aware, on both.

Threading: an ``Engine`` and its ``sessionmaker`` may be shared; a ``Session`` belongs to one
request, one Socket.IO event or one worker step.
"""

import enum
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import DateTime, Dialect, Engine, Enum, MetaData, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.types import JSON, TypeDecorator

LOCK_WAIT_MS: Final = 10_000
"""How long a SQLite writer waits for another before the request is answered with 503."""


class UtcDateTime(TypeDecorator[datetime]):
    """An instant. Naive values are refused; SQLite's lack of time zones is made good on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store UTC. Raises ValueError for a naive datetime (the caller's fault)."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time must be timezone-aware")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the instant as aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def text_enum(kind: type[enum.Enum]) -> Enum:
    """Column type that stores an enum's value as text with a check, alike on both databases."""
    return Enum(
        kind,
        native_enum=False,
        length=32,
        validate_strings=True,
        values_callable=lambda members: [member.value for member in members],
    )


class Base(DeclarativeBase):
    """Parent of every model; the naming convention keeps migrations reversible on SQLite."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime, dict[str, Any]: JSON, list[Any]: JSON}  # noqa: RUF012


def open_engine(url: str) -> Engine:
    """Engine for ``url`` (``sqlite:///…`` or ``postgresql+psycopg://…``) with safe settings."""
    engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
    if url.startswith("sqlite"):
        event.listen(engine, "connect", _harden_sqlite)
        event.listen(engine, "begin", _begin_immediate)
    return engine


def _harden_sqlite(connection: Any, _record: Any) -> None:
    # autocommit at driver level, so that _begin_immediate alone decides how a transaction starts
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(f"PRAGMA busy_timeout={LOCK_WAIT_MS}")
    cursor.close()


def _begin_immediate(connection: Any) -> None:
    # A deferred transaction that reads, then writes fails with SQLITE_BUSY at once when another
    # process wrote in between; taking the write lock first makes it wait instead. Readers that
    # promise not to write ask for execution option ``read_only``.
    mode = "" if connection.get_execution_options().get("read_only") else " IMMEDIATE"
    connection.exec_driver_sql(f"BEGIN{mode}")


class Database:
    """An engine with its session factory; one for each process."""

    def __init__(self, url: str) -> None:
        self.engine = open_engine(url)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session that commits at the end of the block, or rolls back if it raises."""
        with self._sessions.begin() as session:
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for queries only: never waits for a writer, is rolled back at the end."""
        with self._sessions() as session:
            session.connection(execution_options={"read_only": True})
            yield session

    def dispose(self) -> None:
        """Close all connections; the object stays usable and reconnects on next use."""
        self.engine.dispose()
