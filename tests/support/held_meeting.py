"""The web application around a live meeting and a media engine in memory."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

from flask import Flask
from flask.testing import FlaskClient
from flask_socketio import SocketIOTestClient

from conference.access.models import Account
from conference.database import Database
from conference.engine.client import Engine
from conference.models import Base
from conference.scheduling.models import RoomPreset, Status
from config.settings import ObjectStorage, Settings
from tests.support.fake_engine import FakeEngine
from tests.support.live_meeting import STARTS_AT, LiveMeeting, hold
from web.app import create_app
from web.http.session import User
from web.realtime.server import conduct

NAMESPACE = "/conduct"


@dataclass
class Clock:
    """The time tests decide."""

    at: datetime = STARTS_AT

    def __call__(self) -> datetime:
        return self.at

    def pass_s(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class Socket:
    """One browser on the conduct channel."""

    def __init__(self, app: Flask, browser: FlaskClient, auth: object) -> None:
        socketio = conduct(app).socketio
        self._client: SocketIOTestClient = socketio.test_client(
            app, namespace=NAMESPACE, flask_test_client=browser, auth=auth
        )

    @property
    def is_connected(self) -> bool:
        return bool(self._client.is_connected(NAMESPACE))

    def send(self, event: str, payload: object = None) -> dict[str, Any]:
        """Send and return the acknowledgement."""
        data = {} if payload is None else payload
        return cast(
            dict[str, Any],
            self._client.emit(event, data, namespace=NAMESPACE, callback=True),
        )

    def told(self) -> list[tuple[str, Any]]:
        """What arrived since the last look: (event, document)."""
        return [
            (one["name"], one["args"][0] if one["args"] else None)
            for one in self._client.get_received(NAMESPACE)
        ]

    def last(self, event: str) -> Any:
        """The newest document of ``event`` among what arrived since the last look, or None."""
        found = [document for name, document in self.told() if name == event]
        return found[-1] if found else None

    def close(self) -> None:
        self._client.disconnect(NAMESPACE)


@dataclass
class HeldMeeting:
    """Everything a test of the live meeting needs."""

    app: Flask
    database: Database
    engine: FakeEngine
    clock: Clock
    live: LiveMeeting
    _sockets: list[Socket] = field(default_factory=list)

    @property
    def meeting_id(self) -> int:
        return self.live.meeting.id

    def browser(self, account: Account | None = None) -> FlaskClient:
        """A browser, logged in as ``account`` if given."""
        client = self.app.test_client()
        if account is not None:
            with self.database.reading() as session:
                user_id = User(session.get_one(Account, account.id)).get_id()
            with client.session_transaction() as session_cookie:
                session_cookie["_user_id"] = user_id
                session_cookie["_fresh"] = True
        return client

    def site_browser(self, number: int = 0) -> FlaskClient:
        """A browser that has opened the join link of site ``number``."""
        client = self.browser()
        answer = client.get(f"/vao/{self.live.sites[number].join_code}")
        assert answer.status_code == 200
        return client

    def socket(self, browser: FlaskClient, identity: str | None = None) -> Socket:
        """The conduct channel of ``browser``."""
        auth: dict[str, object] = {"meeting": self.meeting_id}
        if identity is not None:
            auth["identity"] = identity
        made = Socket(self.app, browser, auth)
        self._sockets.append(made)
        return made

    def chair_socket(self) -> Socket:
        return self.socket(self.browser(self.live.chair))

    def site_socket(self, number: int = 0) -> Socket:
        return self.socket(self.site_browser(number))

    def site_identity(self, number: int = 0) -> str:
        return f"site:{self.live.sites[number].id}"

    def change(self, act: Callable[[Any], None]) -> None:
        """Change rows in a transaction of their own."""
        with self.database.transaction() as session:
            act(session)


@contextmanager
def held_meeting(
    folder: Path,
    *,
    sites: int = 3,
    preset: RoomPreset = RoomPreset.CONFERENCE,
    status: Status = Status.LIVE,
    starts_at: datetime = STARTS_AT,
    storage: ObjectStorage | None = None,
) -> Iterator[HeldMeeting]:
    """An application with one meeting; its clock stands at the start of the meeting."""
    settings = Settings(data_dir=folder, storage=storage or ObjectStorage())
    database = Database(settings.database_url)
    Base.metadata.create_all(database.engine)
    engine = FakeEngine()
    clock = Clock()
    app = create_app(settings, database=database, engine=cast(Engine, engine), clock=clock)
    app.testing = True
    app.config["WTF_CSRF_ENABLED"] = False
    with database.transaction() as session:
        live = hold(session, sites=sites, preset=preset, status=status, starts_at=starts_at)
    held = HeldMeeting(app, database, engine, clock, live)
    yield held
    for socket in held._sockets:
        if socket.is_connected:
            socket.close()
    database.dispose()
