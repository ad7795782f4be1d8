"""Servers the client is tried against: this project's node, and LiveKit's own when installed."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import pytest

from benchmarks.peers import Server, livekit_server, own_node
from media.client import Client
from media.client.load import LoadPlan, room_token


@pytest.fixture(scope="session", params=["node", "livekit-server"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    if request.param == "node":
        with own_node() as node:
            yield node
        return
    program = shutil.which("livekit-server")
    if program is None:
        pytest.skip("livekit-server is not installed")
    with livekit_server(program) as found:
        yield found


def plan_for(server: Server) -> LoadPlan:
    return LoadPlan(url=server.url, api_key="devkey", secret="secret")


Join = Callable[..., Awaitable[Client]]


@pytest.fixture(params=["v1", "v0"])
def signalling(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def join(
    server: Server, signalling: str, request: pytest.FixtureRequest
) -> AsyncIterator[Join]:
    """Let clients into a room of the test's own, by identity and options of ``connect``."""
    room = request.node.name
    async with AsyncExitStack() as stack:

        async def enter(identity: str, **options: object) -> Client:
            token = room_token(plan_for(server), room, identity, publishes=True)
            choice = {"single_connection": signalling == "v1"} | options
            client = await Client.connect(server.url, token, **choice)  # type: ignore[arg-type]
            await stack.enter_async_context(client)
            assert client.is_single == choice["single_connection"]
            return client

        yield enter
