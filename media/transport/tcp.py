"""Media over TCP, for networks that let no UDP out: passive candidates of RFC 6544.

Every packet is preceded by its length in two bytes (RFC 4571). A connection looks to the rest of
the transport like a socket with one peer: the same checks validate it, the same packets pass. What
TCP adds is its own queue. It is kept short: a packet that finds more than ``MAX_WAITING_BYTES``
waiting is dropped, as on a full router, because a late picture is worth less than no picture and
the bandwidth estimate must see the queue.

A stranger can hold a connection for ``GREETING_S`` only, unless it sends an authentic check.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from typing import Any, Final

from media.transport.udp import UdpSocket

MAX_FRAME_BYTES: Final = 4096
"""Longer frames end the connection; media packets are below 1,500 bytes."""
MAX_WAITING_BYTES: Final = 96 * 1024
UNSENT_BYTES: Final = 16 * 1024
"""The kernel's share of the queue, see tcp(7) on TCP_NOTSENT_LOWAT."""
GREETING_S: Final = 10.0
MAX_CONNECTIONS: Final = 2000

FrameHandler = Callable[["TcpPath", bytes, Any], None]
"""Called with the path, the packet and the source address."""


class TcpPath(asyncio.Protocol):
    """One TCP connection, as a path of a media connection."""

    def __init__(self, port: "TcpPort") -> None:
        self._port = port
        self._pending = bytearray()
        self._transport: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self.peer: Any = None
        self.connections: dict[Any, Any] = {}
        """The one validated source address, once it is, with its media connection."""
        self.send_errors = 0

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client connected."""
        assert isinstance(transport, asyncio.Transport)
        self.peer = transport.get_extra_info("peername")
        if self.peer is None or not self._port.admit(self):
            transport.abort()
            return
        self._transport = transport
        sock = transport.get_extra_info("socket")
        low_water = getattr(socket, "TCP_NOTSENT_LOWAT", None)
        if sock is not None and low_water is not None:
            sock.setsockopt(socket.IPPROTO_TCP, low_water, UNSENT_BYTES)
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(GREETING_S, self._end_if_unknown)

    def data_received(self, data: bytes) -> None:
        """Take apart what has come so far."""
        self._pending += data
        position, end = 0, len(self._pending)
        while end - position >= 2:
            size = int.from_bytes(self._pending[position : position + 2], "big")
            if not 0 < size <= MAX_FRAME_BYTES:
                self.abort()
                return
            if end - position < 2 + size:
                break
            frame = bytes(self._pending[position + 2 : position + 2 + size])
            position += 2 + size
            self._port.received += 1
            self._port.on_frame(self, frame, self.peer)
            if self._transport is None:
                return
        del self._pending[:position]
        self._port.drained()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client, or the network, closed it."""
        self._transport = None
        if self._deadline is not None:
            self._deadline.cancel()
        for connection in list(self.connections.values()):
            connection.forget_path(self, self.peer)
        self.connections.clear()
        self._port.forget(self)

    # What the transport calls.

    def send(self, data: bytes, _address: Any) -> bool:
        """Send one packet; False when the queue is full or the connection has gone."""
        transport = self._transport
        if transport is None or transport.get_write_buffer_size() > MAX_WAITING_BYTES:
            self.send_errors += 1
            return False
        transport.write(len(data).to_bytes(2, "big") + data)
        return True

    def abort(self) -> None:
        """End it at once."""
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    def _end_if_unknown(self) -> None:
        if not self.connections:
            self.abort()


class TcpPort:
    """The listening sockets of the node, all on one port."""

    def __init__(self, on_frame: FrameHandler, drained: Callable[[], None]) -> None:
        self.on_frame = on_frame
        self.drained = drained
        self.received = 0
        self._paths: set[TcpPath] = set()
        self._servers: list[asyncio.Server] = []

    async def open(self, addresses: Sequence[str], port: int) -> None:
        """Listen on every address. OSError when one does not allow it."""
        loop = asyncio.get_running_loop()
        try:
            for address in addresses:
                server = await loop.create_server(lambda: TcpPath(self), address, port)
                self._servers.append(server)
        except OSError:
            self.close()
            raise

    def admit(self, path: TcpPath) -> bool:
        """Count a connection in; False when there are too many."""
        if len(self._paths) >= MAX_CONNECTIONS:
            return False
        self._paths.add(path)
        return True

    def forget(self, path: TcpPath) -> None:
        """Count a connection out."""
        self._paths.discard(path)

    @property
    def count(self) -> int:
        """Connections that are open."""
        return len(self._paths)

    def close(self) -> None:
        """Stop listening and end every connection."""
        for server in self._servers:
            server.close()
        self._servers.clear()
        for path in list(self._paths):
            path.abort()


Path = UdpSocket | TcpPath
"""What a packet can come and go by."""
