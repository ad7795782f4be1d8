"""A subscriber of the load tool that tells how long packets took through the server.

It decrypts some of its packets for the time they were sent at; when they arrived the system says,
so that a busy load tool does not count as a slow server.
"""

import asyncio
import socket
import struct
from typing import Final

from livekit.protocol import models

from media.client.client import Client
from media.client.load_media import OPUS_BYTES, delay_s
from media.core.errors import RemoteProtocolError
from media.core.rtp import RtpHeader

DELAY_EVERY: Final = 8
"""A probe looks into every so many datagrams: often enough, and cheap."""
SO_TIMESTAMPNS: Final = 35
"""The system's time of arrival with each datagram (Linux)."""

_TIMESPEC: Final = struct.Struct("@qq")


class Probe:
    """A subscriber that decrypts some of its packets for the time they were sent at."""

    def __init__(self, client: Client) -> None:
        link = client.receiving_link
        assert link is not None, "it is connected"
        self._link = link
        self._sockets: list[socket.socket] = []
        self.delays_s: list[float] | None = None
        """Where measured delays go; None while nobody wants to know."""
        self.packets = 0

    def begin(self) -> None:
        """Take the sockets over and let the system note when packets arrive."""
        self._sockets = self._link.stop_reading()
        loop = asyncio.get_running_loop()
        for sock in self._sockets:
            sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            loop.add_reader(sock, self._read, sock)

    def end(self) -> None:
        """Stop before the client leaves."""
        for sock in self._sockets:
            if sock.fileno() >= 0:
                asyncio.get_running_loop().remove_reader(sock)

    def _read(self, sock: socket.socket) -> None:
        try:
            while True:
                data, ancillary, _, _ = sock.recvmsg(2048, 64)
                self._take(data, ancillary)
        except OSError:
            return

    def _take(self, data: bytes, ancillary: list[tuple[int, int, bytes]]) -> None:
        is_media = len(data) >= 12 and 128 <= data[0] <= 191 and not 192 <= data[1] <= 223
        if not is_media:
            self._link.feed(data)
            return
        self.packets += 1
        if self.delays_s is None or data[3] % DELAY_EVERY:
            return
        plain = self._link.unprotect(data)
        stamps = [value for _, kind, value in ancillary if kind == SO_TIMESTAMPNS]
        if plain is None or not stamps:
            return
        seconds, nanoseconds = _TIMESPEC.unpack(stamps[0])
        try:
            header = RtpHeader.parse(plain)
            payload = plain[header.payload_start : header.payload_end]
            kind = models.TrackType.VIDEO if len(payload) != OPUS_BYTES else models.TrackType.AUDIO
            found = delay_s(payload, kind, seconds * 1_000_000_000 + nanoseconds)
        except RemoteProtocolError:
            return
        if found is not None:
            self.delays_s.append(found)
