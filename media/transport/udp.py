"""UDP sockets of the node: one for each local address, all on the same port.

A socket is bound to a concrete address and never to the wildcard: a reply to a check
must leave from the address the check was sent to, and the kernel picks another one on a
machine with several. A wake-up drains up to ``DRAIN_PACKETS`` datagrams; how many it finds, and
not the cost of decryption, decides what ingress costs, so a busy node is not woken for each (see
``pace``). It stops earlier when what was read makes enough work for one turn: the rest waits and
the loop comes back to it after others had theirs.
"""

import asyncio
import errno
import ipaddress
import logging
import socket
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Protocol

import ifaddr

from media.transport.pace import Pace, next_look_s

log = logging.getLogger(__name__)

DRAIN_PACKETS: Final = 128
RECEIVE_BUFFER_BYTES: Final = 4 * 1024 * 1024
"""The kernel's default of 208 KiB holds about 92 full packets; this holds some 3,600."""

DATAGRAM_MAX_BYTES: Final = 2048
"""Longer datagrams are cut by the kernel and fail authentication."""

DatagramHandler = Callable[["UdpSocket", bytes, Any], None]
"""Called with the socket, the datagram and the source address."""


class UdpSocket:
    """One bound, non-blocking socket and the connections reached through it."""

    __slots__ = ("address", "connections", "family", "fd", "send_errors", "sock")

    def __init__(self, address: str, port: int) -> None:
        version = ipaddress.ip_address(address).version
        self.family = socket.AF_INET if version == 4 else socket.AF_INET6
        self.sock = socket.socket(self.family, socket.SOCK_DGRAM)
        try:
            self.sock.setblocking(False)
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, RECEIVE_BUFFER_BYTES)
            self.sock.bind((address, port))
        except OSError:
            self.sock.close()
            raise
        self.address = address
        self.fd = self.sock.fileno()
        self.send_errors = 0
        self.connections: dict[Any, Any] = {}
        """Validated source address → connection."""

    @property
    def port(self) -> int:
        """The bound port."""
        return int(self.sock.getsockname()[1])

    def send(self, data: bytes, address: Any) -> bool:
        """Send one datagram; False when the kernel takes none now (counted, not raised)."""
        try:
            self.sock.sendto(data, address)
        except OSError:
            self.send_errors += 1
            return False
        return True


class BatchIntake(Protocol):
    """Reads many datagrams at once (``intake.KernelIntake``)."""

    def drain(
        self,
        udp: UdpSocket,
        now_s: float,
        on_other: DatagramHandler,
        is_enough: Callable[[], bool],
    ) -> tuple[int, bool]:
        """How many were read, and whether some of them still wait to be handed on."""


class UdpPort:
    """All sockets of the node, read on the running loop."""

    def __init__(
        self,
        on_datagram: DatagramHandler,
        on_drained: Callable[[], None] | None = None,
        is_enough: Callable[[], bool] = bool,
        intake: BatchIntake | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.sockets: list[UdpSocket] = []
        self.received = 0
        self._on_datagram = on_datagram
        self._on_drained = on_drained
        self._is_enough = is_enough
        self._drain = self._drain_singly if intake is None else self._drain_batch
        self._intake = intake
        self._pace = pace
        self._buffer = memoryview(bytearray(DATAGRAM_MAX_BYTES))
        self._loop: asyncio.AbstractEventLoop | None = None
        self._interval_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def open(self, addresses: Sequence[str], port: int) -> int:
        """Bind every address to the same port and start reading; the port is the result.

        With port 0 the first address picks it. OSError when a bind fails.
        """
        self._loop = asyncio.get_running_loop()
        try:
            for address in addresses:
                udp = UdpSocket(address, port)
                port = udp.port
                self.sockets.append(udp)
                self._loop.add_reader(udp.fd, self._awake, udp)
        except OSError:
            self.close()
            raise
        return port

    def read_every(self, interval_s: float) -> None:
        """From now on look at the sockets at intervals instead of at every arrival.

        For a receiver that is in no hurry: a wake-up costs as much as several packets.
        """
        self.stop_reading()
        self._interval_s = interval_s
        self._read_all()

    def _read_all(self) -> None:
        for udp in self.sockets:
            self._drain(udp)
        if self._loop is not None and self.sockets:
            self._timer = self._loop.call_later(self._interval_s, self._read_all)

    def stop_reading(self) -> list[socket.socket]:
        """Leave the reading to whoever takes the sockets; closing stays here."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for udp in self.sockets:
            if self._loop is not None:
                self._loop.remove_reader(udp.fd)
        return [udp.sock for udp in self.sockets]

    def close(self) -> None:
        """Stop reading and close every socket."""
        self.stop_reading()
        for udp in self.sockets:
            udp.sock.close()
            udp.connections.clear()
        self.sockets.clear()

    def _awake(self, udp: UdpSocket) -> None:
        """The system says that there is something to read."""
        found = self._drain(udp)
        loop, pace = self._loop, self._pace
        if pace is not None and loop is not None and pace.note(found, loop.time()):
            for other in self.sockets:
                loop.remove_reader(other.fd)
            self._timer = loop.call_at(next_look_s(loop.time()), self._look)

    def _look(self) -> None:
        """It is time to see whether there is something to read."""
        loop, pace = self._loop, self._pace
        assert loop is not None, "opened on a loop"
        assert pace is not None, "it chose this"
        self._timer = None
        found = 0
        try:
            for udp in list(self.sockets):
                found += self._drain(udp)
        finally:  # whatever happened: nobody else wakes this node
            if not self.sockets:
                pass
            elif pace.note(found, loop.time()):
                for udp in self.sockets:
                    loop.add_reader(udp.fd, self._awake, udp)
            else:
                self._timer = loop.call_at(next_look_s(loop.time()), self._look)

    def _drain_singly(self, udp: UdpSocket) -> int:
        """Read and handle one datagram after the other; how many."""
        receive, buffer, handle = udp.sock.recvfrom_into, self._buffer, self._on_datagram
        is_enough = self._is_enough
        found = 0
        try:
            while found < DRAIN_PACKETS:
                size, source = receive(buffer)
                found += 1
                handle(udp, bytes(buffer[:size]), source)
                if is_enough():
                    break
        except (BlockingIOError, InterruptedError):
            pass
        except OSError as error:
            _complain(udp, error)
        finally:
            self.received += found
            if self._on_drained is not None:
                self._on_drained()
        return found

    def _drain_batch(self, udp: UdpSocket) -> int:
        """Read many datagrams at once and handle them; how many."""
        intake, loop = self._intake, self._loop
        if udp not in self.sockets:  # closed while some waited
            return 0
        assert intake is not None, "chosen because it is there"
        assert loop is not None, "opened on a loop"
        found, has_more = 0, False
        try:
            found, has_more = intake.drain(udp, loop.time(), self._on_datagram, self._is_enough)
        except InterruptedError:
            pass
        except OSError as error:
            _complain(udp, error)
        finally:
            self.received += found
            if self._on_drained is not None:
                self._on_drained()
        if has_more:
            loop.call_soon(self._drain_batch, udp)
        return found


def _complain(udp: UdpSocket, error: OSError) -> None:
    """Log a failure to read, but for an ICMP error of an earlier send: the socket stays good."""
    if error.errno not in {errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH}:
        log.warning("reading %s failed: %s", udp.address, error)


def local_addresses() -> list[str]:
    """List the IPv4 addresses of this machine, loopback last."""
    found = [
        ip.ip for adapter in ifaddr.get_adapters() for ip in adapter.ips if isinstance(ip.ip, str)
    ]
    return sorted(dict.fromkeys(found), key=lambda text: ipaddress.ip_address(text).is_loopback)


def plan_addresses(node_ips: Iterable[str], local: Sequence[str]) -> tuple[list[str], list[str]]:
    """Choose ``(bound, advertised)`` addresses.

    Configured addresses that are local are bound and advertised, nothing else is. When
    none of them is local (1:1 NAT), every local address is bound and the configured ones
    are advertised. Nothing configured: everything local. ValueError on a malformed one.
    """
    wanted = [str(ipaddress.ip_address(text)) for text in node_ips]
    if not wanted:
        return list(local), list(local)
    bound = [text for text in wanted if text in local or ipaddress.ip_address(text).is_loopback]
    if bound:
        return bound, wanted
    return list(local), wanted
