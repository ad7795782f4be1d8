"""The conduct channel of a served process: gunicorn, real WebSockets, 134 sites at once."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
import socketio
import websocket

from conference.database import Database
from config.settings import load
from tests.support.live_meeting import hold
from tests.support.service import free_ports, wait_until
from web.preparation import prepare

SITES = 134
NAMESPACE = "/conduct"


@dataclass
class Served:
    """One web process with a live meeting of 134 sites; no media engine beside it."""

    url: str
    meeting_id: int
    codes: list[str]
    identities: list[str]
    process: subprocess.Popen[bytes]

    def cookie(self, number: int) -> str:
        """Session of the browser that opened the link of site ``number``."""
        with requests.Session() as browser:
            answer = browser.get(f"{self.url}/vao/{self.codes[number]}", timeout=10)
            assert answer.status_code == 200
            return "; ".join(f"{one.name}={one.value}" for one in browser.cookies)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("web") / "var"
    port, media_port, _ = free_ports(3)
    changes = {"DIEMCAU_WEB_PORT": str(port), "DIEMCAU_MEDIA_PORT": str(media_port)}
    settings = load(folder, environment=changes)
    prepare(settings)
    database = Database(settings.database_url)
    with database.transaction() as session:
        live = hold(session, sites=SITES)
        meeting_id = live.meeting.id
        codes = [site.join_code for site in live.sites]
        identities = [f"site:{site.id}" for site in live.sites]
    database.dispose()
    log = (folder / "web.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "web", "--data", str(folder)],
        env={**os.environ, **changes}, stdout=log, stderr=log,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: _answers(url), "the pages answer", 30)
        yield Served(url, meeting_id, codes, identities, process)
    finally:
        process.kill()
        process.wait()
        log.close()


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/healthz", timeout=2).status_code < 500
    except requests.RequestException:
        return False


@dataclass
class Site:
    """One site's socket and what it was told."""

    client: socketio.AsyncClient
    told: list[tuple[str, Any]] = field(default_factory=list)

    def has(self, event: str) -> bool:
        return any(name == event for name, _ in self.told)


async def connect(served: Served, number: int, cookie: str) -> Site:
    site = Site(socketio.AsyncClient(reconnection=False))

    async def remember(event: str, *data: Any) -> None:
        site.told.append((event, data[0] if data else None))

    site.client.on("*", remember, namespace=NAMESPACE)
    await site.client.connect(
        served.url, headers={"Cookie": cookie}, transports=["websocket"], namespaces=[NAMESPACE],
        auth={"meeting": served.meeting_id, "identity": served.identities[number]},
        wait_timeout=20,
    )  # fmt: skip
    return site


async def until(condition: Any, what: str, within_s: float = 15) -> None:
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s, what
        await asyncio.sleep(0.02)


async def test_134_sites_hear_every_raised_hand(served: Served) -> None:
    cookies = await asyncio.gather(
        *(asyncio.to_thread(served.cookie, number) for number in range(SITES))
    )
    sites = [await connect(served, number, cookie) for number, cookie in enumerate(cookies)]
    try:
        await until(lambda: all(site.has("state") for site in sites), "everybody has the state")
        for site in sites:
            site.told.clear()
        for number in range(10):
            ack = await sites[number].client.call("floor.request", {}, namespace=NAMESPACE)
            assert ack["ok"]
        await until(
            lambda: all(sum(name == "floor" for name, _ in site.told) == 10 for site in sites),
            "every socket hears all ten",
        )
        for site in sites:
            newest = max((d for n, d in site.told if n == "floor"), key=lambda d: d["version"])
            assert [one["identity"] for one in newest["queue"]] == served.identities[:10]
        said = await sites[0].client.call("chat.send", {"text": "Chào"}, namespace=NAMESPACE)
        assert said["ok"]
        await until(lambda: all(site.has("chat") for site in sites), "everybody reads the chat")
    finally:
        await asyncio.gather(*(site.client.disconnect() for site in sites))


async def test_a_message_that_is_too_large_closes_only_its_socket(served: Served) -> None:
    big = await connect(served, 0, served.cookie(0))
    other = await connect(served, 1, served.cookie(1))
    await until(lambda: big.has("state") and other.has("state"), "both are in")
    await big.client.emit("chat.send", {"text": "x" * (300 * 1024)}, namespace=NAMESPACE)
    await until(lambda: not big.client.connected, "the large message closes its socket")
    assert (await other.client.call("state.get", {}, namespace=NAMESPACE))["ok"]
    await other.client.disconnect()


def test_pages_of_other_hosts_cannot_open_a_socket(served: Served) -> None:
    address = served.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
    cookie = served.cookie(0)
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        websocket.create_connection(address, cookie=cookie, origin="http://evil.example")
    assert refused.value.status_code == 400
    ours = websocket.create_connection(address, cookie=cookie, origin=served.url)
    assert ours.recv().startswith("0")
    ours.close()


def test_a_socket_that_asks_for_nothing_is_closed(served: Served) -> None:
    address = served.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
    silent = websocket.create_connection(address, timeout=20)
    assert silent.recv().startswith("0")
    begun_s = time.monotonic()
    while (message := silent.recv()) not in {"1", ""}:
        assert message == "2"  # pings; they are answered, so only idleness can end it
        silent.send("3")
    assert 8 < time.monotonic() - begun_s < 18
    silent.close()


def test_long_polling_is_not_offered(served: Served) -> None:
    answer = requests.get(f"{served.url}/socket.io/?EIO=4&transport=polling", timeout=5)
    assert answer.status_code == 400


async def test_a_refused_connection_says_why(served: Served) -> None:
    client = socketio.AsyncClient(reconnection=False)
    refused: list[Any] = []

    async def remember(data: Any) -> None:
        refused.append(data)

    client.on("connect_error", remember, namespace=NAMESPACE)
    with pytest.raises(socketio.exceptions.ConnectionError):
        await client.connect(
            served.url, transports=["websocket"], namespaces=[NAMESPACE],
            auth={"meeting": served.meeting_id}, wait_timeout=5,
        )  # fmt: skip
    assert refused[0]["data"]["code"] == "unauthenticated"
    assert refused[0]["data"]["message"]
    await client.disconnect()


async def test_sigterm_ends_the_process_within_five_seconds_with_sockets_open(
    served: Served,
) -> None:
    sites = [await connect(served, number, served.cookie(number)) for number in range(20)]
    begun_s = time.monotonic()
    served.process.send_signal(signal.SIGTERM)
    await asyncio.to_thread(served.process.wait, 10)
    assert time.monotonic() - begun_s < 5
    await until(lambda: not any(site.client.connected for site in sites), "sockets are closed")
