"""The web application over the sample province, and browsers of its people."""

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
from conference.engine.client import Engine
from config.settings import Settings, Web
from tests.support.fake_engine import FakeEngine
from tests.support.province import AT, Province
from web.app import create_app
from web.http.session import User


@dataclass
class Pages:
    """The application, its province, and ways in."""

    app: Flask
    province: Province
    settings: Settings

    def browser(self, username: str | None = "thuky") -> FlaskClient:
        """A browser logged in as ``username``, or nobody's."""
        client = self.app.test_client()
        if username is not None:
            with self.province.database.reading() as session:
                account = session.scalars(select(Account).where(Account.username == username)).one()
                user_id = User(account).get_id()
            with client.session_transaction() as cookie:
                cookie["_user_id"] = user_id
                cookie["_fresh"] = True
        return client


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[Pages]:
    province = Province(tmp_path)
    settings = Settings(data_dir=tmp_path, web=Web(max_upload_mib=1))

    def clock() -> datetime:
        return AT

    app = create_app(
        settings,
        database=province.database,
        engine=cast(Engine, FakeEngine()),
        clock=clock,
    )
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False, PROPAGATE_EXCEPTIONS=False)
    yield Pages(app, province, settings)
    province.database.dispose()
