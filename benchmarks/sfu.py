"""The running node with real clients: joining, and what a forwarded packet costs in all.

Join time runs from the beginning of a subscriber's connect, token in hand, to the first media
packet on its first track. Cost is the CPU time of the whole server process, user and system,
divided by the packets its subscribers received: one publisher (Opus and VP8) to ``subscribers``.
Clients are ``media.client`` in this process. If ``livekit-server`` is on PATH it is measured in
turn with the node, window by window, with the same load.

    python -m benchmarks.sfu [subscribers]
"""

import asyncio
import json
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from media.client.load import LoadPlan, LoadResult, run_load

SUBSCRIBERS: Final = 20
WINDOWS: Final = 3
WINDOW_S: Final = 4.0
VIDEO_BPS: Final = 1_000_000
KEY, SECRET = "devkey", "secret"
START_S: Final = 15.0

LIVEKIT_CONFIG: Final = """\
port: {http}
bind_addresses: ["127.0.0.1"]
rtc: {{udp_port: {udp}, tcp_port: {tcp}, node_ip: 127.0.0.1, use_external_ip: false}}
keys: {{{key}: {secret}}}
logging: {{level: error}}
"""


@dataclass(frozen=True)
class Server:
    """A running server to measure."""

    name: str
    url: str
    pid: int


def run(
    subscribers: int = SUBSCRIBERS, windows: int = WINDOWS, window_s: float = WINDOW_S
) -> dict[str, Any]:
    """Measure the node, and LiveKit's server if there is one, in turn."""
    with ExitStack() as stack:
        servers = [stack.enter_context(own_node())]
        livekit = shutil.which("livekit-server")
        if livekit is not None:
            servers.append(stack.enter_context(livekit_server(livekit)))
        results: dict[str, list[LoadResult]] = {server.name: [] for server in servers}
        for window in range(windows):
            for server in servers:
                plan = LoadPlan(
                    url=server.url,
                    api_key=KEY,
                    secret=SECRET,
                    publishers=1,
                    subscribers=subscribers,
                    duration_s=window_s,
                    video_bps=VIDEO_BPS,
                    room_prefix=f"bench-{window}",
                    server_pid=server.pid,
                )
                results[server.name].append(asyncio.run(run_load(plan)))
    return {
        "benchmark": "sfu",
        "unit": "milliseconds; CPU microseconds for each packet a subscriber received",
        "subscribers": subscribers,
        "windows": windows,
        "cpu_us_per_packet": {name: _cost(found) for name, found in results.items()},
        "join_ms": {name: _join(found) for name, found in results.items()},
        "tracks": {name: _tracks(found) for name, found in results.items()},
    }


def _cost(results: list[LoadResult]) -> dict[str, float]:
    return _spread([result.server_us_per_packet or 0.0 for result in results])


def _join(results: list[LoadResult]) -> dict[str, float]:
    return _spread([value * 1000 for result in results for value in result.first_packet_s])


def _tracks(results: list[LoadResult]) -> str:
    received = sum(result.tracks_received for result in results)
    return f"{received} of {sum(result.tracks_expected for result in results)}"


def _spread(values: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), 1),
        "min": round(min(values), 1),
        "max": round(max(values), 1),
    }


@contextmanager
def own_node() -> Iterator[Server]:
    """This project's node on free ports."""
    command = [sys.executable, "-m", "media", "--dev", "--port", "0", "--udp-port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            ready = process.stdout.readline()
            assert "ready" in ready, f"the node did not start: {ready!r}"
            url = next(word for word in ready.split() if word.startswith("http"))
            yield Server("node", url.replace("http", "ws", 1), process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(10)


@contextmanager
def livekit_server(program: str) -> Iterator[Server]:
    """LiveKit's server on free ports."""
    http, tcp = _free_port(socket.SOCK_STREAM), _free_port(socket.SOCK_STREAM)
    udp = _free_port(socket.SOCK_DGRAM)
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
                asyncio.run(_listening(http))
                yield Server("livekit-server", f"ws://127.0.0.1:{http}", process.pid)
            finally:
                process.kill()
                process.wait(10)


async def _listening(port: int) -> None:
    async with asyncio.timeout(START_S):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.1)
                continue
            writer.close()
            return


def _free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    """Print the result as JSON."""
    result = run(int(sys.argv[1])) if len(sys.argv) > 1 else run()
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
