"""The application over a sample province with the year 2020 held."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import cast

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from conference.access.models import Account
from conference.api_keys import service as keys
from conference.api_keys.models import Scope
from conference.engine.client import Engine
from config.settings import Settings
from tests.support.fake_engine import FakeEngine
from tests.support.held_year import fill_year
from tests.support.province import AT, Province
from web.app import create_app
from web.http.session import User


@dataclass
class Year:
    """The application, its province, a key for everything."""

    app: Flask
    province: Province
    key: str
    folder: Path

    def browser(self, username: str) -> FlaskClient:
        """A browser logged in as ``username``."""
        client = self.app.test_client()
        with self.province.database.reading() as session:
            account = session.scalars(select(Account).where(Account.username == username)).one()
            user_id = User(account).get_id()
        with client.session_transaction() as cookie:
            cookie["_user_id"] = user_id
            cookie["_fresh"] = True
        return client

    def new_key(self, *scopes: Scope) -> str:
        """A key with ``scopes`` only."""
        with self.province.database.transaction() as session:
            return keys.create(
                session, "Thử", scopes, actor=self.province.actors["quantri"], at=AT
            )[1]


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Year]:
    folder: Path = tmp_path_factory.mktemp("year")
    province = Province(folder)

    def clock() -> datetime:
        return AT

    app = create_app(
        Settings(data_dir=folder), database=province.database,
        engine=cast(Engine, FakeEngine()), clock=clock,
    )  # fmt: skip
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False, PROPAGATE_EXCEPTIONS=False)
    with province.database.transaction() as session:
        fill_year(session, 2019, central=40, intra=30)
        fill_year(session, 2020, sites=40)
    made = Year(app, province, "", folder)
    made.key = made.new_key(*Scope)
    yield made
    province.database.dispose()
