"""A node that goes away and comes back: clients join anew and publish again by themselves."""

import asyncio
import socket
from dataclasses import replace

import pytest
from aiohttp import web

from media.api.server import MediaServer
from media.client import (
    Client,
    ConnectError,
    Disconnected,
    Reconnected,
    TrackSubscribed,
    TrackUnsubscribed,
)
from media.client.load import LoadPlan, room_token
from media.settings import DEV_KEYS, RtcSettings, Settings
from tests.integration.media_client.test_client import sending, until, watching

pytestmark = pytest.mark.media


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("single", [True, False], ids=["v1", "v0"])
async def test_clients_survive_a_restart_of_the_node(single: bool) -> None:
    settings = Settings(
        keys=DEV_KEYS,
        host="127.0.0.1",
        port=free_port(socket.SOCK_STREAM),
        rtc=RtcSettings(udp_port=free_port(socket.SOCK_DGRAM), node_ip=("127.0.0.1",)),
        allow_short_secrets=True,
    )
    url = f"http://127.0.0.1:{settings.port}"
    plan = LoadPlan(url=url, api_key="devkey", secret="secret")

    async def join(identity: str) -> Client:
        token = room_token(plan, "r", identity, publishes=True)
        return await Client.connect(url, token, single_connection=single)

    server = MediaServer(settings)
    await server.start()
    async with await join("speaker") as speaker, await join("listener") as listener:
        session = listener.sid
        async with watching(listener) as watcher:
            audio = await speaker.publish_audio()
            async with sending(audio):
                heard = await watcher.track("audio")
                await until(lambda: len(watcher.packets[heard.sid]) > 20)
                await server.close()
                server = MediaServer(settings)
                await server.start()
                back = await watcher.event(Reconnected)
                assert not back.is_resumed
                again = await watcher.event(TrackSubscribed, lambda e: e.track is not heard)
                await until(lambda: len(watcher.packets[again.track.sid]) > 20)
        assert any(
            isinstance(event, TrackUnsubscribed) and event.track is heard for event in watcher.seen
        )
        assert listener.sid != session
        assert audio.sid == again.track.sid
    await server.close()


async def test_a_client_gives_up_when_its_time_is_over() -> None:
    settings = Settings(
        keys=DEV_KEYS,
        host="127.0.0.1",
        port=0,
        rtc=RtcSettings(udp_port=0, node_ip=("127.0.0.1",)),
        allow_short_secrets=True,
    )
    server = MediaServer(settings)
    await server.start()
    url = f"http://127.0.0.1:{server.port}"
    plan = LoadPlan(url=url, api_key="devkey", secret="secret")
    token = room_token(plan, "r", "a", publishes=True)
    client = await Client.connect(url, token, retry_for_s=0.5)
    async with client, watching(client) as watcher:
        await server.close()
        async with asyncio.timeout(10):
            ended = await watcher.event(Disconnected)
        assert ended.detail.startswith("SERVER_SHUTDOWN; ")
        assert "Cannot connect" in ended.detail


async def test_with_fresh_tokens_a_client_outlives_even_a_change_of_keys() -> None:
    settings = Settings(
        keys=DEV_KEYS,
        host="127.0.0.1",
        port=free_port(socket.SOCK_STREAM),
        rtc=RtcSettings(udp_port=free_port(socket.SOCK_DGRAM), node_ip=("127.0.0.1",)),
        allow_short_secrets=True,
    )
    url = f"http://127.0.0.1:{settings.port}"
    asked: list[str] = []
    secret = "secret"

    def fresh() -> str:
        asked.append(secret)
        plan = LoadPlan(url=url, api_key="devkey", secret=secret)
        return room_token(plan, "r", "a", publishes=True)

    server = MediaServer(settings)
    await server.start()
    client = await Client.connect(url, fresh, retry_for_s=float("inf"))
    async with client, watching(client) as watcher:
        await server.close()
        server = MediaServer(replace(settings, keys={"devkey": "another"}))
        await server.start()
        await until(lambda: len(asked) >= 3)  # refused at least once
        secret = "another"
        back = await watcher.event(Reconnected)
        assert not back.is_resumed
    await server.close()


async def test_a_server_that_knows_only_v0_is_joined_on_v0() -> None:
    paths: list[str] = []

    async def refuse(request: web.Request) -> web.Response:
        paths.append(request.path)
        status = 404 if request.path.startswith("/rtc/v1") else 401
        return web.Response(status=status, text="page not found" if status == 404 else "no token")

    app = web.Application()
    app.router.add_get("/{path:.*}", refuse)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        with pytest.raises(ConnectError, match="no token"):
            await Client.connect(f"http://127.0.0.1:{runner.addresses[0][1]}", "token")
    finally:
        await runner.cleanup()
    assert [path for path in paths if not path.endswith("/validate")] == ["/rtc/v1", "/rtc"]
