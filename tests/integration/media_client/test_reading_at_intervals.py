"""Sockets that are looked at now and then instead of at every arrival."""

import asyncio
import socket

import pytest

from media.transport.udp import DRAIN_PACKETS, UdpPort

pytestmark = pytest.mark.media


async def test_nothing_is_lost_while_nobody_looks_and_nothing_is_read_after_closing() -> None:
    taken: list[bytes] = []
    port = UdpPort(lambda _socket, data, _source: taken.append(data))
    number = port.open(["127.0.0.1"], 0)
    port.read_every(0.02)
    count = 2 * DRAIN_PACKETS + 3
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for n in range(count):
            sender.sendto(b"%d" % n, ("127.0.0.1", number))
    async with asyncio.timeout(20):
        while len(taken) < count:
            await asyncio.sleep(0.01)
    assert taken == [b"%d" % n for n in range(count)]
    port.close()
    await asyncio.sleep(0.05)  # a timer that outlived the port would raise in the loop
    assert len(taken) == count
