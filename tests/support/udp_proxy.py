"""A UDP line with seeded faults between real clients and a real media node.

The proxy stands where the node is advertised; every client address gets a socket of its own
towards the node, so the node sees distinct peers. ``loss`` applies to each direction.
"""

import asyncio
from random import Random
from typing import Any


class _Leg(asyncio.DatagramProtocol):
    def __init__(self, proxy: "UdpProxy", client: Any) -> None:
        self.proxy, self.client = proxy, client

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if self.proxy.passes(data):
            self.proxy.front.sendto(data, self.client)


class _Front(asyncio.DatagramProtocol):
    def __init__(self, proxy: "UdpProxy") -> None:
        self.proxy = proxy

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.proxy.from_client(data, addr)


class UdpProxy:
    """Forward datagrams to ``node_port`` of 127.0.0.1, losing some."""

    def __init__(self, seed: int = 1, *, loss: float = 0.0) -> None:
        self.loss = loss
        self.is_dark = False
        """True: nothing passes, in either direction."""
        self.lost = 0
        self.passed = 0
        self.port = 0
        self.front: Any = None
        self._node_port = 0
        self._random = Random(seed)
        self._legs: dict[Any, Any] = {}
        self._opening: set[Any] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self.front, _ = await loop.create_datagram_endpoint(
            lambda: _Front(self), local_addr=("127.0.0.1", 0)
        )
        self.port = self.front.get_extra_info("sockname")[1]

    def connect(self, node_port: int) -> None:
        self._node_port = node_port

    def passes(self, data: bytes) -> bool:
        # Loss is of media; a handshake that fails is another test.
        is_media = 128 <= data[0] <= 191
        if self.is_dark or (is_media and self._random.random() < self.loss):
            self.lost += 1
            return False
        self.passed += 1
        return True

    def from_client(self, data: bytes, client: Any) -> None:
        if not self.passes(data):
            return
        leg = self._legs.get(client)
        if leg is not None:
            leg.sendto(data)
        elif client not in self._opening:
            self._opening.add(client)
            task = asyncio.get_running_loop().create_task(self._open(client, data))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _open(self, client: Any, first: bytes) -> None:
        leg, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Leg(self, client), remote_addr=("127.0.0.1", self._node_port)
        )
        self._legs[client] = leg
        leg.sendto(first)

    def close(self) -> None:
        for leg in self._legs.values():
            leg.close()
        self.front.close()
