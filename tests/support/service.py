"""A whole service as an operator starts it: ``diemcau serve`` on free ports, in its own folder."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psutil

from config.settings import Settings, load

T = TypeVar("T")
READY_WITHIN_S = 90.0


def free_ports(count: int) -> list[int]:
    """Ports that were free, for TCP and UDP, a moment ago; all different."""
    probes = []
    found: list[int] = []
    try:
        while len(found) < count:
            tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            probes += [tcp, udp]
            tcp.bind(("127.0.0.1", 0))
            port = tcp.getsockname()[1]
            try:
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
            found.append(port)
    finally:
        for probe in probes:
            probe.close()
    return found


def wait_until(find: Callable[[], T], what: str, within_s: float = 15.0) -> T:
    """The first true value of ``find``; AssertionError when there is none in time."""
    deadline_s = time.monotonic() + within_s
    while True:
        value = find()
        if value:
            return value
        assert time.monotonic() < deadline_s, f"not within {within_s:g} s: {what}"
        time.sleep(0.05)


@dataclass
class Service:
    """One running service. ``settings`` are those its processes use."""

    data_dir: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.web_port, self.media_port, self.udp_port, self.tcp_port = free_ports(4)
        self.url = f"http://127.0.0.1:{self.web_port}"
        self.media_api_url = f"http://127.0.0.1:{self.media_port}"
        self.log_path = self.data_dir.with_name(self.data_dir.name + ".log")
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def settings(self) -> Settings:
        """Settings as the service reads them."""
        options: dict[str, dict[str, Any]] = {
            "web": {"port": self.web_port},
            "media": {
                "port": self.media_port,
                "udp_port": self.udp_port,
                "tcp_port": self.tcp_port,
            },
        }
        return load(self.data_dir, environment=self.environment or {"": ""}, options=options)

    def command(self) -> list[str]:
        """The command line."""
        return [
            sys.executable, "-m", "web.cli", "serve", "--data", str(self.data_dir),
            "--port", str(self.web_port), "--media-port", str(self.media_port),
            "--udp-port", str(self.udp_port), "--tcp-port", str(self.tcp_port), *self.arguments,
        ]  # fmt: skip

    def start(self) -> "Service":
        """Start it and wait until it says that it is ready."""
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **self.environment},
            )
        wait_until(self._is_ready, f"ready, see {self.log_path}", READY_WITHIN_S)
        return self

    def _is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log()[-3000:]
        return "Ctrl-C ends the service" in self.log()

    def log(self) -> str:
        """All that the processes have written."""
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def child(self, module: str) -> psutil.Process:
        """The process that runs ``python -m module``."""
        assert self.process is not None
        for child in psutil.Process(self.process.pid).children():
            if module in child.cmdline():
                return child
        raise LookupError(f"no process {module}")

    def family(self) -> list[psutil.Process]:
        """The command's process and all its descendants."""
        assert self.process is not None
        top = psutil.Process(self.process.pid)
        return [top, *top.children(recursive=True)]

    def stop(self, number: int = signal.SIGTERM, within_s: float = 15.0) -> float:
        """End it by a signal; seconds until the command had ended."""
        assert self.process is not None
        begun_s = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(within_s)
        return time.monotonic() - begun_s

    def is_healthy(self) -> bool:
        """Whether the pages answer."""
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False
