"""Joining and leaving leaves nothing behind; a bad line is survived."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from media.api.server import MediaServer
from media.client import Client
from tests.integration.media_node.conftest import Joiner, Person, settings, token, until
from tests.support.udp_proxy import UdpProxy

pytestmark = pytest.mark.media


def node_tasks() -> list[str]:
    return [task.get_name() for task in asyncio.all_tasks()]


async def test_fifty_joins_and_leaves_leave_nothing_behind(server: MediaServer, url: str) -> None:
    before = len(node_tasks())
    for number in range(50):
        client = await Client.connect(url, token(f"visitor-{number}"))
        await client.leave()
    figures = server.node.figures

    def is_empty() -> bool:
        now = figures()
        names = ("participants", "connections", "tracks", "subscriptions", "transport_tasks")
        return not any(now[name] for name in names)

    await until(is_empty, 30, f"left behind: {figures()}")
    assert figures()["joins_total"] == 50
    await until(lambda: len(node_tasks()) <= before + 1, 5, f"tasks remain: {node_tasks()}")
    room = server.node.rooms["hall"]  # type: ignore[index]
    assert room.room.closes_at_s() is not None


@pytest.fixture
async def line() -> AsyncIterator[tuple[MediaServer, UdpProxy]]:
    """A node behind a UDP line whose faults the test chooses."""
    proxy = UdpProxy(seed=7)
    await proxy.start()
    server = MediaServer(settings())
    # The node binds its own port and advertises the line's.
    await server.start()
    proxy.connect(server.node.udp_port)
    server.node._hub.port = proxy.port
    try:
        yield server, proxy
    finally:
        await server.close()
        proxy.close()


async def enter(server: MediaServer, identity: str) -> Person:
    person = Person()
    await person.join(f"ws://127.0.0.1:{server.port}", token(identity))
    return person


async def test_video_survives_five_percent_loss(line: tuple[MediaServer, UdpProxy]) -> None:
    server, proxy = line
    speaker, viewer = await enter(server, "speaker"), await enter(server, "viewer")
    try:
        await speaker.show_picture()
        await speaker.make_sound()
        await until(lambda: viewer.frames.get("speaker", 0) > 10, 15, "no picture")
        for impaired in proxy.lines:
            impaired.loss = 0.05
        for _ in range(5):
            seen = viewer.frames["speaker"]
            await asyncio.sleep(2)
            assert viewer.frames["speaker"] - seen > 20, "the picture froze"
        assert proxy.lost > 20
    finally:
        await speaker.leave()
        await viewer.leave()


async def test_media_returns_after_a_break_of_eight_seconds(
    line: tuple[MediaServer, UdpProxy],
) -> None:
    server, proxy = line
    speaker, viewer = await enter(server, "speaker"), await enter(server, "viewer")
    try:
        await speaker.show_picture()
        await until(lambda: viewer.frames.get("speaker", 0) > 10, 15, "no picture")
        sids = {s.participant.sid for r in server.node.rooms.values() for s in r.sessions.values()}
        proxy.set_dark(True)
        await asyncio.sleep(8)
        proxy.set_dark(False)
        seen = viewer.frames["speaker"]
        await until(lambda: viewer.frames["speaker"] > seen + 25, 20, "the picture stays away")
        now = {s.participant.sid for r in server.node.rooms.values() for s in r.sessions.values()}
        assert now == sids, "the sessions were not kept"
    finally:
        await speaker.leave()
        await viewer.leave()


async def test_room_closes_when_nobody_is_left(server: MediaServer, join: Joiner) -> None:
    person = await join("only")
    server.node.rooms["hall"].room.departure_timeout_s = 1  # type: ignore[index]
    await person.leave()
    await until(lambda: not server.node.rooms, 10, "the room stays open")
