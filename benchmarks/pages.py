"""Pages at one and at ten years of data: server time and SQL statements, on both databases.

The data are sample years (`conference.demo`: 93 meetings a year, 134 sites each) and 5,672 accounts
taken in from a table, which is timed too. Each page is asked for by a person who may see it,
through the application in this process: the figures are what the server does, without network and
browser. The meeting looked at has three named delegates at each of its sites and twenty tasks.
``statements`` counts what is sent to the database, without BEGIN and COMMIT; ``cpu`` is processor
time of this process, which other work on the machine does not stretch.

PostgreSQL is measured where its server is installed; its data are copied from SQLite.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, Engine, MetaData, event, func, insert, select, text

import conference.models
from benchmarks._asked import PAGES
from conference import migrations
from conference.access import transfer
from conference.access.intake import COLUMNS
from conference.access.models import Account
from conference.access.transfer import Kind
from conference.attendance import delegates
from conference.attendance.models import Delegate
from conference.conclusions import service as conclusions
from conference.database import Database
from conference.demo.year import make_years
from conference.directory.models import Site, Unit
from conference.directory.tables import read_table, write_csv, write_xlsx
from conference.scheduling.local_time import local_day
from conference.scheduling.models import InvitedSite, Meeting, Status
from conference.statistics import tallies
from config.settings import Settings, load
from web.app import create_app
from web.http.session import User

ACCOUNTS: Final = 5_672
"""Accounts of the document system of Kon Tum in 2020."""
YEARS: Final = int(os.environ.get("DIEMCAU_BENCH_YEARS", "11"))
"""Ten years and this one: 1,023 meetings."""
ROUNDS: Final = 20
LAST_YEAR: Final = 2026
MOST_MS: Final = 100.0
MOST_STATEMENTS: Final = 12
TASKS: Final = 20
_COPIED_AT_ONCE: Final = 1_000


def run() -> dict[str, Any]:
    """Build, measure, print; the result is kept by ``python -m benchmarks``."""
    result: dict[str, Any] = {"unit": "ms of server time for one page"}
    with tempfile.TemporaryDirectory(prefix="diemcau-pages-") as folder:
        place = Path(os.environ.get("DIEMCAU_BENCH_DATA", folder))
        settings = load(place, environment={"": ""})
        place.mkdir(exist_ok=True)
        migrations.upgrade(settings.database_url)
        database = Database(settings.database_url)
        for years in sorted({1, YEARS}):
            result |= _at(settings, database, years)
        if YEARS > 1:
            with _postgres() as url:
                if url:
                    copied = _copy(database, url)
                    name = f"postgresql, {YEARS} years"
                    result[name] = measured(settings, copied, name)
                    copied.dispose()
        database.dispose()
    return result


def _at(settings: Settings, database: Database, years: int) -> dict[str, Any]:
    now = datetime.now(UTC)
    result: dict[str, Any] = {}
    made_s = _timed(
        lambda: make_years(database, range(LAST_YEAR - years + 1, LAST_YEAR + 1), now, _show)
    )
    print(f"{years} year(s) made in {made_s:.1f} s")
    if years == 1:
        result["import of 5,672 accounts, s"] = _import(database, now)
    tallies.fill(database, now)
    _analyse(database)
    name = f"sqlite, {years} year(s)"
    result[name] = measured(settings, database, name)
    return result


def _show(done: int, total: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done}/{total} meetings", end="", file=sys.stderr)


def _timed(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


# --- accounts ------------------------------------------------------------------------------------


def account_table(units: list[str]) -> list[dict[str, str]]:
    """Rows for as many invented accounts as the province has."""
    families = ["Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Đinh", "Vũ", "Đỗ", "Bùi", "Y", "A"]
    given = ["An", "Ánh", "Bình", "Đạt", "Dung", "Hoà", "Hương", "Khánh", "Lan", "Sỹ", "Thủy"]
    return [
        {
            "username": f"canbo{number:05d}",
            "display_name": f"{families[number % 11]} Thị {given[number // 11 % 11]} {number}",
            "role": "đại biểu",
            "unit_code": units[number % len(units)],
            "title": "Chuyên viên (mẫu)",
            "email": f"canbo{number:05d}@kontum.example",
            "phone": f"+84 900 {number:06d}",
        }
        for number in range(ACCOUNTS)
    ]


def _import(database: Database, now: datetime) -> dict[str, float]:
    with database.reading() as session:
        if (session.scalar(select(func.count()).select_from(Account)) or 0) > ACCOUNTS:
            return {}
        units = list(session.scalars(select(Unit.code).order_by(Unit.id)))
    rows = account_table(units)

    def take_in(data: bytes) -> None:
        table = read_table(data, COLUMNS)
        with database.transaction() as session:
            plan = transfer.plan(session, Kind.ACCOUNTS, table, today=local_day(now), at=now)
            assert not plan.faults, plan.faults[:3]
            plan.apply()

    first_s = _timed(lambda: take_in(write_xlsx(COLUMNS, rows)))
    again_s = _timed(lambda: take_in(write_csv(COLUMNS, rows)))
    print(f"{ACCOUNTS} accounts taken in: {first_s:.1f} s; the same again: {again_s:.1f} s")
    return {"new": round(first_s, 2), "again": round(again_s, 2)}


# --- pages ---------------------------------------------------------------------------------------


def measured(settings: Settings, database: Database, name: str) -> dict[str, Any]:
    """Figures of every page, printed as a table."""
    app = create_app(settings, database=database)
    app.config.update(TESTING=True)
    furnish(database)
    values = examples(database)
    print(f"\n{name}: {values.pop('about')}\n\n| page | p50 ms | p95 ms | CPU ms | statements |")
    print("|---|---:|---:|---:|---:|")
    result = {}
    for page, path, username in PAGES:
        client = logged_in(app, database, username)
        result[page] = _measure(client, database.engine, path.format(**values))
        row = result[page]
        over = row["p95_ms"] > MOST_MS or row["statements"] > MOST_STATEMENTS
        times = f"{row['median_ms']:.1f} | {row['p95_ms']:.1f} | {row['cpu_ms']:.1f}"
        figures = f"{times} | {row['statements']}"
        print(f"| {page}{' **over**' if over else ''} | {figures} |", flush=True)
    return result


def furnish(database: Database) -> None:
    """Give the meeting looked at what sample years leave out: delegates and tasks."""
    with database.transaction() as session:
        meeting = session.scalars(
            select(Meeting)
            .where(Meeting.status == Status.ENDED)
            .order_by(Meeting.starts_at.desc())
            .limit(1)
        ).one()
        if delegates.of_meeting(session, meeting.id):
            return
        for site in meeting.sites:
            names = "\n".join(f"{name} {site.position}, Chuyên viên" for name in "ABC")
            delegates.expect(session, meeting, site, delegates.parse(names))
        for number, site in enumerate(meeting.sites[:TASKS]):
            facts = conclusions.TaskFacts(
                f"Nhiệm vụ mẫu {number}", site.site.unit_id, (), date(LAST_YEAR, 12, 20)
            )
            conclusions.add_task(session, meeting, facts, by="mẫu", at=meeting.starts_at)


def examples(database: Database) -> dict[str, object]:
    """What to look at: a meeting that was held, one to come, a unit, a site."""
    with database.reading() as session:

        def first(status: Status) -> int | None:
            query = select(Meeting.id).where(Meeting.status == status)
            return session.scalar(query.order_by(Meeting.starts_at.desc()).limit(1))

        def count(model: type[conference.models.Base]) -> int:
            return session.scalar(select(func.count()).select_from(model)) or 0

        def site_of(meeting_id: int | None) -> InvitedSite:
            query = select(InvitedSite).where(InvitedSite.meeting_id == meeting_id)
            return session.scalars(query.order_by(InvitedSite.id).limit(1)).one()

        ended = first(Status.ENDED)
        upcoming = first(Status.INVITED) or ended
        about = (
            f"{count(Meeting)} meetings, {count(InvitedSite)} invitations, "
            f"{count(Account)} accounts"
        )
        return {
            "ended": ended,
            "ended_site": site_of(ended).id,
            "delegate": session.scalar(
                select(Delegate.id).where(Delegate.meeting_id == ended).limit(1)
            ),
            "upcoming": upcoming,
            "upcoming_site": site_of(upcoming).id,
            "join_code": site_of(upcoming).join_code,
            "unit": session.scalar(select(Unit.id).where(Unit.code == "610")),
            "site": session.scalar(select(Site.id).order_by(Site.id).limit(1)),
            "about": about,
        }


def logged_in(app: Flask, database: Database, username: str) -> FlaskClient:
    """A browser in which ``username`` is logged in; nobody is without a name."""
    if not username:
        return app.test_client()
    with database.reading() as session:
        account = session.scalars(select(Account).where(Account.username == username)).one()
        user_id = User(account).get_id()
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"] = user_id
        cookie["_fresh"] = True
    return client


def _measure(client: FlaskClient, engine: Engine, path: str) -> dict[str, Any]:
    with counted(engine) as statements:
        _ask(client, path)  # the first time compiles templates and statements
    begun_s = time.process_time()
    times_ms = sorted(_timed(lambda: _ask(client, path)) * 1000 for _ in range(ROUNDS))
    cpu_ms = (time.process_time() - begun_s) * 1000 / ROUNDS
    return {
        "median_ms": round(statistics.median(times_ms), 2),
        "min_ms": round(times_ms[0], 2),
        "max_ms": round(times_ms[-1], 2),
        "p95_ms": round(times_ms[int(ROUNDS * 0.95) - 1], 2),
        "cpu_ms": round(cpu_ms, 2),
        "statements": len(statements),
    }


def _ask(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200, f"{path}: {answer.status_code}"
    answer.get_data()


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """The statements sent inside the block, without those that only bound a transaction."""
    seen: list[str] = []

    def note(_connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(("BEGIN", "COMMIT", "ROLLBACK")):
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


# --- PostgreSQL ----------------------------------------------------------------------------------


@contextmanager
def _postgres() -> Iterator[str]:
    """Address of an empty database on a server of its own; empty without PostgreSQL."""
    from tests.support.postgres import cluster, find_binaries  # noqa: PLC0415

    if find_binaries() is None:
        print("PostgreSQL is not installed; not measured")
        yield ""
        return
    with tempfile.TemporaryDirectory(prefix="diemcau-pg-") as place, cluster(Path(place)) as made:
        yield made.new_database()


def _copy(source: Database, url: str) -> Database:
    """All rows of ``source`` in the database at ``url``."""
    migrations.upgrade(url)
    target = Database(url)
    metadata: MetaData = conference.models.Base.metadata
    with source.engine.connect() as reading, target.engine.begin() as writing:
        writing.execute(text("SET session_replication_role = replica"))  # rows in any order
        for table in metadata.sorted_tables:
            rows = reading.execute(select(table)).mappings()
            while block := rows.fetchmany(_COPIED_AT_ONCE):
                writing.execute(insert(table), [dict(row) for row in block])
            _continue_numbers(writing, table.name, table.columns.keys())
    _analyse(target)
    return target


def _continue_numbers(writing: Connection, name: str, columns: list[str]) -> None:
    """Let new rows follow the copied ones."""
    if "id" in columns:
        highest = f"(SELECT coalesce(max(id), 1) FROM {name})"
        writing.execute(text(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), {highest})"))


def _analyse(database: Database) -> None:
    """Let the database learn how its rows are spread, as its own upkeep does in time."""
    with database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))


def slowest(result: Mapping[str, Any], most_ms: float = MOST_MS) -> list[str]:
    """Pages above the budget."""
    return [
        f"{data}: {page}"
        for data, pages in result.items()
        if isinstance(pages, Mapping)
        for page, row in pages.items()
        if isinstance(row, Mapping) and row.get("p95_ms", 0) > most_ms
    ]


def lines(result: Mapping[str, Any]) -> list[str]:
    """A line for each page, a column for each database and amount of data."""
    measured_on = {
        name: rows for name, rows in result.items() if name.startswith(("sqlite", "pos"))
    }
    head = "".join(f" {name}: p50, p95 ms |" for name in measured_on)
    text = [f"| page |{head} CPU ms | statements |", "|---|" + "---:|" * (len(measured_on) + 2)]
    largest = next(reversed([rows for name, rows in measured_on.items() if "sqlite" in name]))
    for page in largest:
        rows = [measured[page] for measured in measured_on.values()]
        times = "".join(f" {row['median_ms']:.0f}, {row['p95_ms']:.0f} |" for row in rows)
        statements = max(row["statements"] for row in rows)
        text.append(f"| {page} |{times} {largest[page]['cpu_ms']:.0f} | {statements} |")
    taken = result.get("import of 5,672 accounts, s", {})
    if taken:
        text += ["", f"{ACCOUNTS} accounts taken in: {taken['new']} s; again: {taken['again']} s."]
    return text
