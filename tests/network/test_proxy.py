"""The proxy between real sockets: each client its own line, and faults only where asked for."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.support.line import Line
from tests.support.udp_proxy import UdpProxy

MEDIA = bytes((0x80,)) + bytes(99)
HANDSHAKE = bytes((22,)) + bytes(99)


class Endpoint(asyncio.DatagramProtocol):
    """Keeps what arrives; a node also sends it back."""

    def __init__(self, *, echoes: bool) -> None:
        self.received: list[tuple[bytes, Any]] = []
        self.transport: Any = None
        self._echoes = echoes

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.received.append((data, addr))
        if self._echoes:
            self.transport.sendto(data, addr)


async def open_endpoint(*, echoes: bool = False, towards: int = 0) -> Endpoint:
    loop = asyncio.get_running_loop()
    place = {"remote_addr": ("127.0.0.1", towards)} if towards else {}
    _, endpoint = await loop.create_datagram_endpoint(
        lambda: Endpoint(echoes=echoes), None if towards else ("127.0.0.1", 0), **place
    )
    return endpoint


async def until(condition: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.01)


Setting = tuple[UdpProxy, Endpoint]


@pytest.fixture
async def setting() -> AsyncIterator[Setting]:
    proxy = UdpProxy(seed=5)
    await proxy.start()
    node = await open_endpoint(echoes=True)
    proxy.connect(node.transport.get_extra_info("sockname")[1])
    yield proxy, node
    proxy.close()
    node.transport.close()


async def enter(proxy: UdpProxy) -> Endpoint:
    client = await open_endpoint(towards=proxy.port)
    client.transport.sendto(HANDSHAKE)
    await until(lambda: client.received, "no echo")
    return client


async def test_clients_are_told_apart_and_have_lines_of_their_own(setting: Setting) -> None:
    proxy, node = setting
    clients = [await enter(proxy) for _ in range(2)]
    assert len({source for _, source in node.received}) == 2
    first = proxy.paths[clients[0].transport.get_extra_info("sockname")]
    first.up.loss = 1.0
    for client in clients:
        client.transport.sendto(MEDIA)
        client.transport.sendto(HANDSHAKE)
    await until(lambda: [len(client.received) for client in clients] == [2, 3], "wrong line")
    assert proxy.lost == first.up.lost == 1, "a handshake is spared"
    for client in clients:
        client.transport.close()


async def test_darkness_ends_and_a_new_port_reaches_the_same_client(setting: Setting) -> None:
    proxy, node = setting
    client = await enter(proxy)
    proxy.set_dark(True)
    client.transport.sendto(HANDSHAKE)
    await until(lambda: proxy.lost == 1, "it was to be lost")
    proxy.set_dark(False)
    await proxy.rebind()
    client.transport.sendto(HANDSHAKE)
    await until(lambda: len(client.received) == 2, "no echo from the new port")
    assert len({source for _, source in node.received}) == 2, "the port was to change"
    client.transport.close()


async def test_a_narrow_line_delivers_at_its_rate(setting: Setting) -> None:
    proxy, _ = setting
    proxy.make_line = lambda seed: Line(seed, rate_bps=80_000, queue_s=5.0, delay_s=0.0)
    client = await enter(proxy)
    began_s = asyncio.get_running_loop().time()
    for _ in range(20):  # 2,000 bytes each way at 10 kB/s
        client.transport.sendto(MEDIA)
    await until(lambda: len(client.received) == 21, "packets are missing")
    assert asyncio.get_running_loop().time() - began_s > 0.19
    client.transport.close()
