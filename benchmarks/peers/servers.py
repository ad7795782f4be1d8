"""Start servers that speak LiveKit's protocol, each on free ports of the loopback."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

KEY, SECRET = "devkey", "secret"
START_S: Final = 15.0

LIVEKIT_CONFIG: Final = """\
port: {http}
bind_addresses: ["127.0.0.1"]
rtc:
  udp_port: {udp}
  tcp_port: {tcp}
  node_ip: 127.0.0.1
  use_external_ip: false
  use_ice_lite: true
  enable_loopback_candidate: true
keys: {{{key}: {secret}}}
logging: {{level: error}}
"""


@dataclass(frozen=True)
class Server:
    """A running server to measure."""

    name: str
    url: str
    pid: int
    udp_port: int = 0
    """Where media goes; 0: not known."""


@contextmanager
def own_node(name: str = "node", environment: Mapping[str, str] | None = None) -> Iterator[Server]:
    """This project's node; ``environment`` is added to that of this process."""
    udp = free_port(socket.SOCK_DGRAM)
    command = [sys.executable, "-m", "media", "--dev", "--port", "0", "--udp-port", str(udp)]
    surroundings = {**os.environ, **(environment or {})}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=surroundings) as process:
        try:
            assert process.stdout is not None
            ready = process.stdout.readline()
            assert "ready" in ready, f"the node did not start: {ready!r}"
            url = next(word for word in ready.split() if word.startswith("http"))
            yield Server(name, url.replace("http", "ws", 1), process.pid, udp)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(10)


@contextmanager
def livekit_server(program: str) -> Iterator[Server]:
    """LiveKit's server."""
    http, tcp = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_STREAM)
    udp = free_port(socket.SOCK_DGRAM)
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "livekit.yaml"
        config.write_text(
            LIVEKIT_CONFIG.format(http=http, udp=udp, tcp=tcp, key=KEY, secret=SECRET)
        )
        with subprocess.Popen(
            [program, "--config", str(config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                wait_for_port(http)
                yield Server("livekit-server", f"ws://127.0.0.1:{http}", process.pid, udp)
            finally:
                process.kill()
                process.wait(10)


@contextmanager
def sfus() -> Iterator[list[Server]]:
    """This project's node, and LiveKit's server when ``livekit-server`` is on PATH."""
    with ExitStack() as stack:
        servers = [stack.enter_context(own_node())]
        program = shutil.which("livekit-server")
        if program is not None:
            servers.append(stack.enter_context(livekit_server(program)))
        yield servers


def wait_for_port(port: int) -> None:
    """Until something listens there; TimeoutError when nothing does in time."""
    deadline_s = time.monotonic() + START_S
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"nothing listens on port {port}")
        time.sleep(0.1)


def free_port(kind: socket.SocketKind) -> int:
    """A port that was free a moment ago."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
