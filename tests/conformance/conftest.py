"""Official clients, a server, and a proxy between them that reads along.

Every test runs against this project's node, and again against LiveKit's server when
``livekit-server`` is on the PATH: what is demanded here is demanded of both.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from livekit import rtc
from livekit.api import AccessToken, LiveKitAPI, VideoGrants
from livekit.protocol.webhook import WebhookEvent

from tests.conformance import chromium
from tests.conformance.background import Background
from tests.conformance.servers import (
    Server,
    livekit_program,
    livekit_server,
    own_node,
)
from tests.conformance.tap import Tap, tapped
from tests.integration.media_api.receiver import KEY, SECRET, Receiver
from tests.integration.media_node.conftest import Person

WITHIN_S = 20.0


def token(identity: str, room: str, *, claims: dict[str, Any] | None = None, **grants: Any) -> str:
    """An access token; ``claims`` are set by name of ``AccessToken.with_…``."""
    issued = AccessToken(KEY, SECRET).with_identity(identity).with_ttl(timedelta(hours=1))
    for name, value in (claims or {}).items():
        issued = getattr(issued, f"with_{name}")(value)
    grants = {"room_join": True, "room": room} | grants
    return issued.with_grants(VideoGrants(**grants)).to_jwt()


async def until(condition: Callable[[], Any], what: str = "", within_s: float = WITHIN_S) -> Any:
    """The first true value of ``condition``; AssertionError when there is none in time."""
    deadline = time.monotonic() + within_s
    while True:
        value = condition()
        if asyncio.iscoroutine(value):
            value = await value
        if value:
            return value
        assert time.monotonic() < deadline, what or "nothing came"
        await asyncio.sleep(0.03)


class Hooks:
    """Where the servers send their webhooks."""

    def __init__(self) -> None:
        self._background = Background("webhooks")
        self._receiver = self._background.do(self._make())
        self._runner: web.AppRunner | None = None
        self.url = self._background.do(self._start())

    async def _make(self) -> Receiver:
        return Receiver()

    async def _start(self) -> str:
        app = web.Application()
        app.router.add_post("/hook", self._receiver.handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}/hook"

    def of(self, room: str) -> list[WebhookEvent]:
        """What was told of a room, in order of arrival."""
        return [event for event in list(self._receiver.events) if event.room.name == room]

    def close(self) -> None:
        assert self._runner is not None
        self._background.do(self._runner.cleanup())
        self._background.close()


@pytest.fixture(scope="session")
def hooks() -> Iterator[Hooks]:
    made = Hooks()
    yield made
    made.close()


@pytest.fixture(scope="session", params=["node", "livekit-server"])
def server(request: pytest.FixtureRequest, hooks: Hooks) -> Iterator[Server]:
    if request.param == "node":
        with own_node(webhook=hooks.url) as node:
            yield node
        return
    program = livekit_program()
    if program is None:
        pytest.skip("livekit-server is not on the PATH, so there is nothing to compare with")
    with livekit_server(program, webhook=hooks.url) as found:
        yield found


@pytest.fixture(scope="session")
def tap(server: Server) -> Iterator[Tap]:
    with tapped(server.url) as proxy:
        yield proxy


@pytest.fixture
def room(request: pytest.FixtureRequest) -> str:
    """A room for each test, so that none meets the leftovers of another."""
    return str(request.node.name)[:200]


@pytest.fixture
async def api(server: Server) -> AsyncIterator[LiveKitAPI]:
    async with LiveKitAPI(server.http, KEY, SECRET) as made:
        yield made


class Guest(Person):
    """An official Python client that keeps every event of its room, by name."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[tuple[str, tuple[Any, ...]]] = []
        self._emit = self.room.emit
        self.room.emit = self._keep  # type: ignore[method-assign]

    def _keep(self, name: Any, *given: Any) -> None:
        self.events.append((str(name), given))
        self._emit(name, *given)

    def heard(self, name: str) -> list[tuple[Any, ...]]:
        """What came with each event of this name."""
        return [given for event, given in self.events if event == name]

    @property
    def me(self) -> rtc.LocalParticipant:
        return self.room.local_participant

    def sees(self, identity: str) -> bool:
        return identity in self.room.remote_participants

    def tracks_of(self, identity: str) -> dict[str, rtc.RemoteTrackPublication]:
        other = self.room.remote_participants.get(identity)
        return dict(other.track_publications) if other is not None else {}


Join = Callable[..., Awaitable[Guest]]


@pytest.fixture
async def join(tap: Tap, room: str) -> AsyncIterator[Join]:
    """Let official Python clients into the test's room: identity, options, grants."""
    guests: list[Guest] = []

    async def enter(
        identity: str,
        *,
        is_single: bool = True,
        auto_subscribe: bool = True,
        claims: dict[str, Any] | None = None,
        **grants: Any,
    ) -> Guest:
        guest = Guest()
        guests.append(guest)
        options = rtc.RoomOptions(
            single_peer_connection=is_single, auto_subscribe=auto_subscribe, dynacast=True
        )
        await guest.room.connect(
            tap.url, token(_own(identity, room), room, claims=claims, **grants), options
        )
        return guest

    yield enter
    for guest in guests:
        await guest.leave()


def _own(identity: str, room: str) -> str:
    return f"{identity}@{room}"


@pytest.fixture
def own(room: str) -> Callable[[str], str]:
    """The identity of a test's guest: names are shared between tests, identities are not."""
    return lambda identity: _own(identity, room)


@pytest.fixture(scope="session")
def tabs() -> Iterator[chromium.Tabs]:
    if not chromium.is_installed():
        pytest.skip("the room app's packages are not installed")
    with chromium.tabs() as opened:
        yield opened


@pytest.fixture
async def open_tab(
    tabs: chromium.Tabs, tap: Tap, room: str
) -> AsyncIterator[Callable[..., Awaitable[chromium.Tab]]]:
    """Let ``livekit-client`` in Chromium into the test's room."""
    opened: list[chromium.Tab] = []

    async def enter(
        identity: str, *, single: bool = True, grants: dict[str, Any] | None = None, **options: Any
    ) -> chromium.Tab:
        tab = await tabs.open()
        opened.append(tab)
        access = token(_own(identity, room), room, **(grants or {}))
        options = {"singlePeerConnection": single} | options
        await tab.call("join", tap.url, access, options)
        return tab

    yield enter
    for tab in opened:
        await tab.close()
