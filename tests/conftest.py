"""Fixtures every kind of test may ask for. Nothing heavy is imported before it is asked for.

``database``      an empty SQLite database with the whole schema
``any_database``  the same, once on SQLite and once on PostgreSQL (marker ``postgres``)
``settings``      settings of a data folder of its own
``app``           the web application on ``database``; ``client`` its test client;
                  ``login(client, username)`` for accounts of ``sample_accounts``
``mailbox``       a real SMTP server that keeps what it gets
``service``       the whole service with the sample province, one for the session
``chromium``      a browser process, one for the session; see `tests.support.browser`
"""

# ruff: noqa: PLC0415 -- fast tests must not pay for what they do not use
import re
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from config.settings import Settings, load

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient
    from playwright.sync_api import Browser

    from conference.access.sample import SampleAccount
    from conference.database import Database
    from tests.support.mailbox import Mailbox
    from tests.support.postgres import Cluster
    from tests.support.service import Service

# A machine that is busy with something else is no fault of the code: no time limit per example.
hypothesis.settings.register_profile(
    "house", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("house")

TRIED_TWICE = {
    "browser", "conformance", "network", "egress", "media_api", "media_client", "media_node",
    "recordings", "web",
}  # fmt: skip
"""Folders of tests that wait for real programs."""

AT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
"""Monday, 10:00 in Vietnam."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    data = tmp_path / "var"
    data.mkdir()
    return load(data, environment={"": ""})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browsers last: Playwright keeps the thread's event loop, which async tests need.

    Tests with real clients, media and clocks are tried a second time on a machine that is busy
    with something else; the summary counts those that needed it.
    """
    for item in items:
        if TRIED_TWICE.intersection(item.path.parts):
            item.add_marker(pytest.mark.flaky(reruns=1))
    items.sort(
        key=lambda item: (
            "chromium" in getattr(item, "fixturenames", ()) or "browser" in item.path.parts
        )
    )


def _create_schema(url: str) -> "Database":
    import conference.models  # noqa: F401
    from conference.database import Base, Database

    made = Database(url)
    Base.metadata.create_all(made.engine)
    return made


@pytest.fixture
def database(settings: Settings) -> Iterator["Database"]:
    made = _create_schema(settings.database_url)
    yield made
    made.dispose()


@pytest.fixture(scope="session")
def postgres() -> Iterator["Cluster"]:
    from tests.support.postgres import cluster, find_binaries

    if find_binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    # not below pytest's folder: each start of pytest closes that to other users, the server's too
    with tempfile.TemporaryDirectory(prefix="diemcau-pg-") as folder, cluster(Path(folder)) as made:
        yield made


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def any_database(request: pytest.FixtureRequest, settings: Settings) -> Iterator["Database"]:
    if request.param == "sqlite":
        url = settings.database_url
    else:
        url = request.getfixturevalue("postgres").new_database()
    made = _create_schema(url)
    yield made
    made.dispose()


@pytest.fixture
def app(settings: Settings, database: "Database") -> "Flask":
    from web.app import create_app

    return create_app(settings, database=database)


@pytest.fixture
def client(app: "Flask") -> "FlaskClient":
    return app.test_client()


@pytest.fixture(scope="session")
def _province(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list["SampleAccount"]]:
    """A database file with the sample province, made once, and its accounts."""
    from conference.access import sample

    path = tmp_path_factory.mktemp("province") / "province.sqlite3"
    made = _create_schema(f"sqlite:///{path}")
    with made.transaction() as session:
        accounts = sample.load(session, AT)
    made.dispose()
    return path, accounts


@pytest.fixture
def sample_accounts(
    database: "Database", _province: tuple[Path, list["SampleAccount"]]
) -> dict[str, "SampleAccount"]:
    """The sample province in ``database``; accounts by name."""
    path, accounts = _province
    connection = database.engine.raw_connection()
    with closing(sqlite3.connect(path)) as source:
        source.backup(connection.driver_connection)
    connection.close()
    return {account.username: account for account in accounts}


def csrf_token(page: str) -> str:
    """The token a page carries for its forms."""
    match = re.search(r'name="csrf-token" content="([^"]+)"', page)
    assert match is not None, "the page has no CSRF token"
    return match[1]


@pytest.fixture
def login(sample_accounts: dict[str, "SampleAccount"]) -> Callable[["FlaskClient", str], str]:
    """Log a test client in through the login page; the CSRF token for what follows."""

    def log_in(client: "FlaskClient", username: str) -> str:
        token = csrf_token(client.get("/dang-nhap").text)
        form = {
            "csrf_token": token,
            "username": username,
            "password": sample_accounts[username].password,
        }
        assert client.post("/dang-nhap", data=form).status_code == 302
        return csrf_token(client.get("/hom-nay").text)

    return log_in


@pytest.fixture(scope="session")
def mailbox() -> Iterator["Mailbox"]:
    from tests.support.mailbox import Mailbox
    from tests.support.service import free_ports

    running = Mailbox().start(free_ports(1)[0])
    yield running
    running.stop()


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory, mailbox: "Mailbox") -> Iterator["Service"]:
    """``diemcau serve`` with the sample province, sending its mail to ``mailbox``."""
    from tests.support.service import Service

    environment = {
        "DIEMCAU_MAIL_HOST": mailbox.host,
        "DIEMCAU_MAIL_PORT": str(mailbox.port),
        "DIEMCAU_OFFICE_HOTLINE": "0260 3862 318",
        "DIEMCAU_RECORDINGS_MIN_HEADROOM_MIB": "64",
    }
    running = Service(tmp_path_factory.mktemp("service") / "var", environment).start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def chromium() -> Iterator["Browser"]:
    from tests.support.browser import chromium

    with chromium() as browser:
        yield browser
