"""Receive for many clients at once and count, without decrypting.

A client of the load tool has to cost less than what it measures. Once it is connected, its
sockets are no longer read when something arrives but emptied every few milliseconds, all in one
go. Of a media packet only the header is looked at, which SRTP leaves in the clear: sequence
numbers say what was lost. Everything else (checks, DTLS, RTCP) goes to the client as before, and
each second the client reports what was counted, as a browser would.

One event loop owns it.
"""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from struct import Struct
from typing import Final, Protocol

from media.core import rtcp

INTERVAL_S: Final = 0.02
REPORT_S: Final = 1.0
BUFFER_BYTES: Final = 2 * 1024 * 1024
"""Asked of the system for each socket: at least 90 packets fit."""
DATAGRAM_MAX_BYTES: Final = 2048

_HEADER: Final = Struct("!BBHII")


@dataclass(slots=True)
class Count:
    """What arrived of one stream."""

    first: int
    """Extended sequence number of the first packet."""
    highest: int
    packets: int = 0
    octets: int = 0
    """With headers and tags."""
    reported: tuple[int, int] = (0, 0)
    """Expected and received at the last report."""

    @property
    def expected(self) -> int:
        """Packets from the first to the highest number."""
        return self.highest - self.first + 1

    @property
    def lost(self) -> int:
        """Packets missing so far; a repair under another SSRC does not count."""
        return max(0, self.expected - self.packets)

    def block(self, ssrc: int) -> rtcp.ReportBlock:
        """Report block since the one before."""
        expected = self.expected - self.reported[0]
        missing = expected - (self.packets - self.reported[1])
        self.reported = (self.expected, self.packets)
        share = min(255, 256 * missing // expected) if missing > 0 and expected > 0 else 0
        return rtcp.ReportBlock(ssrc, share, self.lost, self.highest & 0xFFFFFFFF, 0, 0, 0)


class Drained(Protocol):
    """A connection whose sockets can be read by somebody else (``peer.PeerLink``)."""

    def stop_reading(self) -> list[socket.socket]:
        """Hand the sockets over."""

    def feed(self, data: bytes) -> None:
        """Take a datagram that is not media."""

    def send_rtcp(self, packets: list[rtcp.RtcpPacket]) -> None:
        """Send a compound packet."""


@dataclass(slots=True)
class Drain:
    """One connection that is counted."""

    link: Drained
    local_ssrc: int
    on_first: Callable[[int], object]
    """Told each SSRC once, with its first packet."""
    sockets: list[socket.socket] = field(default_factory=list)
    streams: dict[int, Count] = field(default_factory=dict)
    report_s: float = 0.0

    def begin(self) -> None:
        """Take the sockets over."""
        self.sockets = self.link.stop_reading()
        for sock in self.sockets:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)

    def empty(self, buffer: bytearray) -> None:
        """Read all that has arrived."""
        streams, unpack = self.streams, _HEADER.unpack_from
        for sock in self.sockets:
            receive = sock.recv_into
            try:
                while True:
                    size = receive(buffer)
                    if size < 12 or not 128 <= buffer[0] <= 191 or 192 <= buffer[1] <= 223:
                        self.link.feed(bytes(buffer[:size]))
                        continue
                    _, _, seq, _, ssrc = unpack(buffer)
                    count = streams.get(ssrc)
                    if count is None:
                        count = streams[ssrc] = Count(65536 + seq, 65536 + seq)
                        self.on_first(ssrc)
                    ahead = seq - count.highest & 0xFFFF
                    if ahead < 0x8000:
                        count.highest += ahead
                    count.packets += 1
                    count.octets += size
            except (BlockingIOError, InterruptedError):
                continue
            except OSError:  # closed, or an ICMP error: the connection notices by itself
                continue

    def report(self, now_s: float) -> None:
        """Send the report that is due."""
        if now_s < self.report_s or not self.streams:
            return
        self.report_s = now_s + REPORT_S
        blocks = tuple(count.block(ssrc) for ssrc, count in list(self.streams.items())[:31])
        self.link.send_rtcp([rtcp.ReceiverReport(self.local_ssrc, blocks)])


class Drains:
    """All connections that are counted, emptied in turn."""

    def __init__(self) -> None:
        self._drains: list[Drain] = []

    def add(self, drain: Drain) -> None:
        """Count a connection from now on."""
        drain.begin()
        # Reports of many clients are spread over the second, as they are in life.
        drain.report_s = (
            asyncio.get_running_loop().time() + REPORT_S * (len(self._drains) % 50) / 50
        )
        self._drains.append(drain)

    async def run(self) -> None:
        """Empty the sockets until cancelled."""
        loop = asyncio.get_running_loop()
        buffer = bytearray(DATAGRAM_MAX_BYTES)
        while True:
            begun_s = loop.time()
            for drain in self._drains:
                drain.empty(buffer)
                drain.report(begun_s)
            await asyncio.sleep(max(0.001, INTERVAL_S - (loop.time() - begun_s)))
