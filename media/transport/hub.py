"""The transport of a node: its sockets, and which packet belongs to which connection.

Demultiplexing follows RFC 7983: STUN 0-3, DTLS 20-63, SRTP and SRTCP 128-191; everything
else is dropped before anything is allocated. A packet from an address no authentic check
came from is dropped, STUN excepted.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Coroutine, Sequence
from typing import Any, Final

from media.core.traffic import Traffic
from media.transport import ice
from media.transport.connection import Connection, ConnectionHandler
from media.transport.dtls import new_certificate, sha256_fingerprint
from media.transport.egress import MAX_LOAD, Egress
from media.transport.intake import KernelIntake, open_intake
from media.transport.intake.port import Intake
from media.transport.pace import Pace
from media.transport.tcp import Path, TcpPort
from media.transport.udp import UdpPort, local_addresses, plan_addresses

log = logging.getLogger(__name__)

HOST_PRIORITY: Final = 126 << 24 | 255
"""Type preference of a host candidate, component 1 (RFC 8445 §5.1.2.1)."""
TCP_PRIORITY: Final = 90 << 24 | 4 << 21 | 255
"""Below UDP; direction preference of a passive candidate (RFC 6544 §4.2)."""


class TransportHub:
    """Sockets, connections and counters of one node, all on one event loop."""

    def __init__(self, node_ips: Sequence[str] = (), udp_port: int = 7882) -> None:
        self._node_ips = tuple(node_ips)
        self._wanted_port = udp_port
        self.egress = Egress()
        self.intake: Intake = open_intake()
        self._udp = UdpPort(
            self._on_datagram,
            self._on_drained,
            lambda: self.egress.load >= MAX_LOAD,
            self.intake if isinstance(self.intake, KernelIntake) else None,
            Pace(),
        )
        self._tcp = TcpPort(self._on_datagram, self._on_drained)
        self._by_ufrag: dict[str, Connection] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._bound: list[str] = []
        self._advertised: list[str] = []
        self.connections: set[Connection] = set()
        self.certificate = new_certificate()
        self.fingerprint = sha256_fingerprint(self.certificate)
        self.traffic = Traffic()
        """What all connections together took and asked for."""
        self.drops: Counter[str] = Counter()
        """Why packets were dropped, and how many."""
        self.port = 0
        self.tcp_port = 0
        """0: no media over TCP."""

    def start(self) -> None:
        """Bind the sockets. OSError when the port is taken, ValueError on a bad address."""
        self._loop = asyncio.get_running_loop()
        self._bound, self._advertised = plan_addresses(self._node_ips, local_addresses())
        self.port = self._udp.open(self._bound, self._wanted_port)
        log.info("media on udp port %d of %s", self.port, ", ".join(self._bound))

    async def listen(self, tcp_port: int) -> None:
        """Take media over TCP too, on the addresses bound. OSError when the port is taken."""
        await self._tcp.open(self._bound, tcp_port)
        self.tcp_port = tcp_port
        log.info("media on tcp port %d", tcp_port)

    async def close(self) -> None:
        """Close every connection and the sockets."""
        for connection in list(self.connections):
            await connection.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._udp.close()
        self._tcp.close()

    def now_s(self) -> float:
        """Monotonic time of the loop."""
        assert self._loop is not None, "start comes first"
        return self._loop.time()

    @property
    def received(self) -> int:
        """Packets received so far, by UDP and TCP."""
        return self._udp.received + self._tcp.received

    def figures(self) -> dict[str, float]:
        """What came in, for the metrics."""
        return {
            **self.traffic.figures(),
            "datagrams_received_total": self.received,
            "packets_rejected_total": sum(self.drops.values()) + self.intake.rejected,
            "packets_flooded_total": self.traffic.flooded + self.intake.flooded,
            "intake_kernel": float(self.intake.name == "kernel"),
        }

    @property
    def tcp_connections(self) -> int:
        """TCP connections for media that are open."""
        return self._tcp.count

    @property
    def open_tasks(self) -> int:
        """Handshakes and the like in progress."""
        return len(self._tasks)

    def candidates(self) -> list[str]:
        """Values of ``a=candidate`` for every description (RFC 8839 §5.1, RFC 6544 §4.5)."""
        numbered = list(enumerate(self._advertised, start=1))
        found = [
            f"{index} 1 udp {HOST_PRIORITY - (index << 8)} {address} {self.port} typ host"
            for index, address in numbered
        ]
        if self.tcp_port:
            found += [
                f"{len(numbered) + index} 1 tcp {TCP_PRIORITY - (index << 8)} {address}"
                f" {self.tcp_port} typ host tcptype passive"
                for index, address in numbered
            ]
        return found

    def connect(self, handler: ConnectionHandler) -> Connection:
        """Make a connection that waits for its client."""
        connection = Connection(self, handler)
        self.connections.add(connection)
        self.register(connection.local.ufrag, connection)
        return connection

    def register(self, ufrag: str, connection: Connection) -> None:
        """Let checks for ``ufrag`` reach ``connection``."""
        self._by_ufrag[ufrag] = connection

    def unregister(self, ufrag: str) -> None:
        """Forget a ufrag."""
        self._by_ufrag.pop(ufrag, None)

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Run a task of a connection; its failure is logged and ends nothing else."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)
        return task

    def _task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("task %s failed", task.get_name(), exc_info=error)

    def _on_drained(self) -> None:
        self.egress.flush()

    def _on_datagram(self, udp: Path, data: bytes, source: Any) -> None:
        try:
            self._demultiplex(udp, data, source)
        except Exception:
            # The last line of defence: one packet must not stop the others of this drain.
            self.drops["internal"] += 1
            log.exception("a packet of %d bytes from %s was dropped", len(data), source)

    def _demultiplex(self, udp: Path, data: bytes, source: Any) -> None:
        first = data[0] if data else 255
        if 128 <= first <= 191:
            connection = udp.connections.get(source)
            if connection is None:
                self.drops["unknown source"] += 1
            else:
                connection.receive_srtp(data, self.now_s())
        elif 20 <= first <= 63:
            connection = udp.connections.get(source)
            if connection is None:
                self.drops["unknown source"] += 1
            else:
                connection.receive_dtls(data)
        elif first <= 3:
            self._receive_check(udp, data, source)
        else:
            self.drops["not WebRTC"] += 1

    def _receive_check(self, udp: Path, data: bytes, source: Any) -> None:
        check = ice.read_check(data)
        if check is None:
            self.drops["malformed STUN"] += 1
            return
        connection = self._by_ufrag.get(check.ufrag)
        password = connection.password_of(check.ufrag) if connection else None
        if connection is None or password is None or not check.is_authentic(password):
            self.drops["unauthentic STUN"] += 1
            return
        udp.send(ice.answer(check, source, password), source)
        connection.path_validated(udp, source, check.ufrag, nominates=check.nominates)
