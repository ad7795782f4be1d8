"""What no server can beat without segmentation: the same packets, no crypto, one ``sendmmsg``.

The sender is a process of its own, told on its standard input when to send; it does nothing else.

    python -m benchmarks.peers.limit BPS MICROPHONES PORT …
"""

import asyncio
import ctypes
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final

from media.client.drain import DATAGRAM_MAX_BYTES, INTERVAL_S
from media.client.load_media import AUDIO_INTERVAL_S, OPUS_BYTES, VIDEO_EVERY
from media.client.load_result import LoadResult, own_cpu_s, process_cpu_s
from media.client.packetize import Packetizer
from media.core.rtp import HEADER_BYTES

TAG_BYTES: Final = 16
EXTENSION_BYTES: Final = 8


class _Vector(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("size", ctypes.c_size_t))


class _Header(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_void_p), ("name_size", ctypes.c_uint32),
        ("vectors", ctypes.POINTER(_Vector)), ("vector_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p), ("control_size", ctypes.c_size_t),
        ("flags", ctypes.c_int), ("sent", ctypes.c_uint32), ("padding", ctypes.c_uint32),
    )  # fmt: skip


class Burst:
    """Packets of given sizes to every port, ready to be sent in one call (1,024 at most)."""

    def __init__(self, sizes: Sequence[int], ports: Sequence[int]) -> None:
        pairs = [(port, size) for port in ports for size in sizes]
        self.count = len(pairs)
        self._data = ctypes.create_string_buffer(2048)
        self._vectors = (_Vector * self.count)()
        self._headers = (_Header * self.count)()
        self._names = []
        for index, (port, size) in enumerate(pairs):
            name = socket.AF_INET.to_bytes(2, sys.byteorder) + port.to_bytes(2, "big")
            self._names.append(
                ctypes.create_string_buffer(name + socket.inet_aton("127.0.0.1") + bytes(8), 16)
            )
            self._vectors[index] = _Vector(ctypes.addressof(self._data), size)
            header = self._headers[index]
            header.name, header.name_size = ctypes.addressof(self._names[-1]), 16
            header.vectors, header.vector_count = ctypes.pointer(self._vectors[index]), 1

    def send(self, lib: ctypes.CDLL, fd: int) -> None:
        """One system call for each 1,024 packets."""
        for first in range(0, self.count, 1024):
            at = ctypes.byref(self._headers, first * ctypes.sizeof(_Header))
            lib.sendmmsg(fd, at, min(1024, self.count - first), 0)


def send_until_told(ports: Sequence[int], video_bps: int, voices: int) -> None:
    """Send while the last line read says ``go``; end with the input."""
    lib = ctypes.CDLL(None)
    overhead = HEADER_BYTES + EXTENSION_BYTES + TAG_BYTES
    size = int(video_bps * AUDIO_INTERVAL_S * VIDEO_EVERY / 8)
    video = [len(one) + overhead for one in Packetizer("video/vp8").payloads(bytes(size))]
    picture, sound = Burst(video, ports), Burst([OPUS_BYTES + overhead], ports)
    goes, number, due_s = False, 0, time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        while True:
            wait_s = max(0.0, due_s - time.monotonic())
            if select.select([sys.stdin], [], [], wait_s if goes else None)[0]:
                line = os.read(0, 64)
                if not line:
                    return
                goes, due_s = line.strip().endswith(b"go"), time.monotonic()
                continue
            due_s += AUDIO_INTERVAL_S
            for _ in range(voices):
                sound.send(lib, sock.fileno())
            if number % VIDEO_EVERY == 0:
                picture.send(lib, sock.fileno())
            number += 1


class Limit:
    """The sender and its receivers; measured like ``media.client.load.Load``."""

    def __init__(self, process: "subprocess.Popen[bytes]", sockets: list[socket.socket]) -> None:
        self._process = process
        self._sockets = sockets
        self._drain: asyncio.Task[None] | None = None
        self._packets = 0

    def start(self) -> None:
        """Let it send."""
        if self._drain is None:
            self._drain = asyncio.create_task(self._empty())
        self._tell(b"go\n")

    async def stop(self) -> None:
        """Let it rest."""
        self._tell(b"stop\n")

    async def measure(self, duration_s: float) -> LoadResult:
        """Count what flows for so long."""
        result, pid = LoadResult(subscribers=len(self._sockets)), self._process.pid
        loop = asyncio.get_running_loop()
        packets, server_s = self._packets, process_cpu_s(pid)
        client_s, started_s = own_cpu_s(), loop.time()
        await asyncio.sleep(duration_s)
        result.duration_s = loop.time() - started_s
        result.client_cpu_s = own_cpu_s() - client_s
        now_s = process_cpu_s(pid)
        assert server_s is not None
        assert now_s is not None
        result.server_cpu_s = now_s - server_s
        result.packets = self._packets - packets
        return result

    def _tell(self, line: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line)
        self._process.stdin.flush()

    async def _empty(self) -> None:
        buffer = bytearray(DATAGRAM_MAX_BYTES)
        while True:
            for sock in self._sockets:
                try:
                    while True:
                        sock.recv_into(buffer)
                        self._packets += 1
                except BlockingIOError:
                    continue
            await asyncio.sleep(INTERVAL_S)


@contextmanager
def limit(receivers: int, video_bps: int, voices: int = 1) -> Iterator[Limit]:
    """A sender to so many receivers: a camera of that rate and so many microphones."""
    with ExitStack() as stack:
        sockets = []
        for _ in range(receivers):
            sock = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            sock.bind(("127.0.0.1", 0))
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2 << 20)
            sockets.append(sock)
        ports = [str(sock.getsockname()[1]) for sock in sockets]
        command = [sys.executable, "-m", "benchmarks.peers.limit"]
        command += [str(video_bps), str(voices), *ports]
        process = stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE))
        try:
            yield Limit(process, sockets)
        finally:
            process.terminate()
            process.wait(10)


if __name__ == "__main__":
    send_until_told([int(text) for text in sys.argv[3:]], int(sys.argv[1]), int(sys.argv[2]))
