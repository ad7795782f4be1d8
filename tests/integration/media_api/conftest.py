"""A whole media node in this process, and a receiver of its webhooks."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from livekit.api import AccessToken, LiveKitAPI, VideoGrants

from media.api.server import MediaServer
from media.client import Client
from media.settings import RtcSettings, Settings, WebhookSettings
from tests.integration.media_api.receiver import KEY, SECRET, Receiver, serving


@pytest.fixture
async def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def server(receiver: Receiver) -> AsyncIterator[MediaServer]:
    async with serving(receiver) as webhook_url:
        node = MediaServer(
            Settings(
                keys={KEY: SECRET},
                host="127.0.0.1",
                port=0,
                rtc=RtcSettings(udp_port=0, node_ip=("127.0.0.1",)),
                webhook=WebhookSettings(urls=(webhook_url,)),
            )
        )
        await node.start()
        try:
            yield node
        finally:
            await node.close()


@pytest.fixture
def url(server: MediaServer) -> str:
    return f"http://127.0.0.1:{server.port}"


@pytest.fixture
async def api(url: str) -> AsyncIterator[LiveKitAPI]:
    async with LiveKitAPI(url, KEY, SECRET) as client:
        yield client


def token(identity: str = "", **grants: object) -> str:
    issued = AccessToken(KEY, SECRET).with_grants(VideoGrants(**grants))  # type: ignore[arg-type]
    return issued.with_identity(identity).to_jwt()


@pytest.fixture
async def join(url: str) -> AsyncIterator[object]:
    """Let participants in, by room, identity and grants."""
    async with AsyncExitStack() as stack:

        async def enter(room: str, identity: str, **grants: object) -> Client:
            joining = token(identity, room=room, room_join=True, **grants)
            return await stack.enter_async_context(await Client.connect(url, joining))

        yield enter
