"""A poor line between real clients and a real media node: sockets around ``line.Line``.

The proxy stands where the node is advertised. Every client address gets a socket of its own
towards the node, so that the node sees distinct peers, and a line of its own each way: what is
done to one site leaves the others alone. Lines of new clients are made by ``make_line``; those of
present ones are in ``paths``. STUN and DTLS are spared of chance, since a handshake that fails is
another test, but not of darkness, queues and delay.
"""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any

from tests.support.line import Line

MakeLine = Callable[[int], Line]
"""Takes a seed."""


def clean(seed: int) -> Line:
    """A line without fault."""
    return Line(seed, delay_s=0.0)


class _Socket(asyncio.DatagramProtocol):
    def __init__(self, received: Callable[[bytes, Any], None]) -> None:
        self._received = received

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._received(data, addr)

    def error_received(self, exc: Exception) -> None:
        """A peer that has gone is the test's business."""


class Path:
    """One client's lines, and its socket towards the node."""

    def __init__(self, proxy: "UdpProxy", client: Any, up: Line, down: Line) -> None:
        self.client = client
        self.up, self.down = up, down
        self.leg: Any = None
        self._proxy = proxy
        self._timers: dict[Line, asyncio.TimerHandle] = {}

    @property
    def lines(self) -> tuple[Line, Line]:
        """Towards the node, and from it."""
        return self.up, self.down

    def pass_on(self, line: Line, data: bytes) -> None:
        """Put a datagram on one of the lines."""
        loop = asyncio.get_running_loop()
        is_media = bool(data) and 128 <= data[0] <= 191
        is_spared = self._proxy.spares_handshakes and not is_media
        line.send(data, loop.time(), is_spared=is_spared)
        self._deliver(line)

    def _deliver(self, line: Line) -> None:
        loop = asyncio.get_running_loop()
        for data in line.arrivals(loop.time()):
            if line is self.down:
                self._proxy.front.sendto(data, self.client)
            elif self.leg is not None:
                self.leg.sendto(data)
        timer = self._timers.pop(line, None)
        if timer is not None:
            timer.cancel()
        if line.due_s < float("inf"):
            self._timers[line] = loop.call_at(line.due_s, self._deliver, line)

    def close(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        if self.leg is not None:
            self.leg.close()


class UdpProxy:
    """Forward datagrams to ``node_port`` of 127.0.0.1 over lines of the test's making."""

    def __init__(self, seed: int = 1, make_line: MakeLine = clean) -> None:
        self.make_line = make_line
        """Makes both lines of every client that comes from now on."""
        self.spares_handshakes = True
        """False: STUN and DTLS take their chances like media."""
        self.admits: Callable[[Any], bool] = lambda client: True
        """Whether datagrams of that address come this far; those of others are not answered."""
        self.refused = 0
        """Datagrams of others."""
        self.paths: dict[Any, Path] = {}
        self.port = 0
        self.front: Any = None
        self._node_port = 0
        self._random = Random(seed)
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self.front, _ = await loop.create_datagram_endpoint(
            lambda: _Socket(self._from_client), local_addr=("127.0.0.1", 0)
        )
        self.port = self.front.get_extra_info("sockname")[1]

    def connect(self, node_port: int) -> None:
        self._node_port = node_port

    @property
    def lines(self) -> list[Line]:
        """All lines, both directions of every client."""
        return [line for path in self.paths.values() for line in path.lines]

    @property
    def lost(self) -> int:
        """Datagrams that did not get through."""
        return sum(line.lost for line in self.lines)

    def set_dark(self, is_dark: bool) -> None:
        """Let nothing pass in either direction, or everything again."""
        for line in self.lines:
            line.is_dark = is_dark

    async def rebind(self) -> None:
        """Give every client a new port towards the node, as a NAT that forgot it does."""
        for path in self.paths.values():
            former, path.leg = path.leg, None
            if former is not None:
                former.close()
            await self._open(path)

    def _from_client(self, data: bytes, client: Any) -> None:
        if not self.admits(client):
            self.refused += 1
            return
        path = self.paths.get(client)
        if path is None:
            up, down = (self.make_line(self._random.randrange(2**32)) for _ in range(2))
            path = self.paths[client] = Path(self, client, up, down)
            task = asyncio.get_running_loop().create_task(self._begin(path, data))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return
        path.pass_on(path.up, data)

    async def _begin(self, path: Path, first: bytes) -> None:
        await self._open(path)
        path.pass_on(path.up, first)

    async def _open(self, path: Path) -> None:
        path.leg, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Socket(lambda data, _: path.pass_on(path.down, data)),
            remote_addr=("127.0.0.1", self._node_port),
        )

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        for path in self.paths.values():
            path.close()
        self.front.close()
