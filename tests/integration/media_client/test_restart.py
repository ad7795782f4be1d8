"""A node that goes away and comes back: clients join anew and publish again by themselves."""

import asyncio
import socket

import pytest

from media.api.server import MediaServer
from media.client import Client, Disconnected, Reconnected, TrackSubscribed, TrackUnsubscribed
from media.client.load import LoadPlan, room_token
from media.settings import DEV_KEYS, RtcSettings, Settings
from tests.integration.media_client.test_client import sending, until, watching

pytestmark = pytest.mark.media


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_clients_survive_a_restart_of_the_node() -> None:
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
        return await Client.connect(url, room_token(plan, "r", identity, publishes=True))

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
