"""Servers the conformance tests talk to: this project's node, and LiveKit's when installed.

Both get the same keys, the same room settings, one webhook address and free ports on loopback.
"""

import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.integration.media_api.receiver import KEY, SECRET

DEV_PAIR: Final = ("devkey", "secret")
"""What ``--dev`` means, for this node and for LiveKit's server."""
START_S: Final = 30.0

LIVEKIT_CONFIG: Final = """\
port: {http}
bind_addresses: ["127.0.0.1"]
rtc: {{udp_port: {udp}, tcp_port: {tcp}, node_ip: 127.0.0.1, use_external_ip: false}}
keys: {{{key}: "{secret}"}}
logging: {{level: {level}}}
room: {{auto_create: true, enable_remote_unmute: false, departure_timeout: 2}}
{extra}
"""


@dataclass(frozen=True)
class Server:
    """A running server."""

    name: str
    url: str
    """``ws://…``"""
    pid: int
    udp_port: int = 0
    key: str = KEY
    secret: str = SECRET

    @property
    def http(self) -> str:
        """The address of the Server API."""
        return self.url.replace("ws", "http", 1)


def livekit_program() -> str | None:
    """LiveKit's server, if it is on the PATH."""
    return shutil.which("livekit-server")


@contextmanager
def own_node(
    *, webhook: str = "", key: str = KEY, secret: str = SECRET, port: int = 0, node_ip: str = ""
) -> Iterator[Server]:
    """This project's node, as a process of its own."""
    command = [
        sys.executable, "-m", "media", "--dev", "--port", str(port), "--udp-port", "0",
    ]  # fmt: skip
    if (key, secret) != DEV_PAIR:
        command += ["--key", f"{key}:{secret}"]
    if webhook:
        command += ["--webhook-url", webhook]
    if node_ip:
        command += ["--node-ip", node_ip]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            ready = process.stdout.readline()
            assert "ready" in ready, f"the node did not start: {ready!r}"
            url = next(word for word in ready.split() if word.startswith("http"))
            found = re.search(r"UDP (\d+)", ready)
            assert found is not None, ready
            url = url.replace("http", "ws", 1)
            yield Server("node", url, process.pid, int(found[1]), key, secret)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def livekit_server(
    program: str, *, webhook: str = "", key: str = KEY, secret: str = SECRET
) -> Iterator[Server]:
    """LiveKit's server."""
    http, tcp = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_STREAM)
    udp = free_port(socket.SOCK_DGRAM)
    extra = f'webhook: {{api_key: {key}, urls: ["{webhook}"]}}\n' if webhook else ""
    with tempfile.TemporaryDirectory() as folder:
        config, log = Path(folder) / "livekit.yaml", Path(folder) / "livekit.log"
        config.write_text(
            LIVEKIT_CONFIG.format(
                http=http, udp=udp, tcp=tcp,
                key=key, secret=secret, level="error", extra=extra + "enable_data_tracks: true",
            )
        )  # fmt: skip
        with (
            log.open("wb") as output,
            subprocess.Popen(
                [program, "--config", str(config)], stdout=output, stderr=output
            ) as process,
        ):
            try:
                _await_listening(http, process, log)
                url = f"ws://127.0.0.1:{http}"
                yield Server("livekit-server", url, process.pid, udp, key, secret)
            finally:
                process.kill()
                process.wait(10)


def _await_listening(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline_s = time.monotonic() + START_S
    while True:
        assert process.poll() is None, log.read_text(errors="replace")[-2000:]
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline_s, "livekit-server does not start"
            time.sleep(0.1)
        else:
            return


def free_port(kind: socket.SocketKind) -> int:
    """A port nobody uses at this moment."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
