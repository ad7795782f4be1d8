"""What an operator sees of a node at work, and what a participant that floods it gets."""

import asyncio

import aiohttp
import pytest

from media.api.server import MediaServer
from tests.integration.media_node.conftest import Joiner, until

pytestmark = pytest.mark.media

SOME_TIME_S = 20.0


async def scraped(server: MediaServer) -> dict[str, float]:
    address = f"http://127.0.0.1:{server.port}/metrics"
    async with aiohttp.ClientSession() as session, session.get(address) as answer:
        text = await answer.text()
    samples = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in samples}


async def test_a_picture_on_its_way_shows_in_the_metrics(join: Joiner, server: MediaServer) -> None:
    speaker, viewer = await join("speaker"), await join("viewer")
    await speaker.show_picture()
    await until(lambda: viewer.frames.get("speaker", 0) > 25, SOME_TIME_S, "no picture")
    found = await scraped(server)
    assert found["media_rooms"] == 1
    assert found["media_participants"] == 2
    assert found["media_tracks"] == found["media_subscriptions"] == 1
    for name in (
        "packets_received_total", "bytes_received_total", "packets_forwarded_total",
        "bytes_sent_total", "egress_microseconds_total", "pli_sent_total",
        "loop_lag_seconds_count", "joins_total",
    ):  # fmt: skip
        assert found[f"media_{name}"] > 0, name
    for name in ("nack_received_total", "nack_sent_total", "layer_switches_total"):
        assert f"media_{name}" in found
    each_us = found["media_egress_microseconds_total"] / found["media_packets_forwarded_total"]
    assert 0 < each_us < 10_000


async def test_a_node_that_closes_is_not_healthy(server: MediaServer) -> None:
    address = f"http://127.0.0.1:{server.port}/"
    async with aiohttp.ClientSession() as session:
        async with session.get(address) as answer:
            assert (answer.status, await answer.text()) == (200, "OK")
        server.node._is_closing = True
        async with session.get(address) as answer:
            assert answer.status == 406


async def test_who_floods_with_data_is_slowed_down_and_nobody_else(
    join: Joiner, server: MediaServer
) -> None:
    rude, quiet, reader = await join("rude"), await join("quiet"), await join("reader")
    sid = rude.room.local_participant.sid

    async def flood() -> None:
        for _ in range(6000):  # 6000 × (1 + 2) tokens: more than ten times what a second allows
            await rude.room.local_participant.publish_data(bytes(8000), reliable=True)

    flooding = asyncio.create_task(flood())
    await until(lambda: len(reader.data) > 200, SOME_TIME_S, "the flood has not begun")

    def answered(number: int) -> bool:
        return (f"quiet {number}".encode(), "quiet") in reader.data

    for number in range(5):
        await quiet.room.local_participant.publish_data(f"quiet {number}".encode(), reliable=True)
        await until(lambda n=number: answered(n), SOME_TIME_S, "others cannot talk")
    assert not flooding.done(), "nothing held the flood back"
    flooding.cancel()
    await asyncio.gather(flooding, return_exceptions=True)
    (room,) = server.node.rooms.values()
    assert sid in room.sessions, "the flood cost its sender the session"
