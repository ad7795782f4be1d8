"""What one packet to one of 134 subscribers costs, beside the limit and beside others.

One camera of 1.5 Mbit/s and three microphones in a room of 134; processor time of the *whole*
server process, user and system, divided by the packets subscribers received, DTLS-SRTP clients and
all housekeeping included. Measured in turn, window by window, in one run:

* ``limit``: the same packets to the same number of sockets, no crypto, one ``sendmmsg`` for each
  batch, no segmentation; a process that does nothing else;
* ``node``: this project's node; ``node_python``: the same without the kernel;
* ``janus`` and ``livekit-server`` where they are installed: Janus' streaming plugin gets the
  packets in the clear, so it has no decryption to do. Debian's libsrtp does its sums with NSS; the
  folder of one that uses OpenSSL can be named in ``BENCH_LIBSRTP``, and Janus is measured with it
  once more (``janus_openssl``).

    python -m benchmarks.fanout [subscribers]
"""

import asyncio
import json
import os
import shutil
import sys
from contextlib import AsyncExitStack
from typing import Any, Final, Protocol

from benchmarks.peers import KEY, SECRET, Server, livekit_server, own_node
from benchmarks.peers.figures import spread
from benchmarks.peers.janus import find_janus, janus
from benchmarks.peers.limit import limit
from media.client.load import Load, LoadPlan
from media.client.load_media import Voice
from media.client.load_result import LoadResult
from media.transport.fanout import VARIABLE

SUBSCRIBERS: Final = 134
VIDEO_BPS: Final = 1_500_000
VOICES: Final = 3
LIBSRTP_VARIABLE: Final = "BENCH_LIBSRTP"
WINDOWS: Final = 5
WINDOW_S: Final = 3.0
REST_S: Final = 0.5


class Measured(Protocol):
    """A server under load."""

    def start(self) -> None:
        """Let packets flow."""

    async def stop(self) -> None:
        """Let them rest."""

    async def measure(self, duration_s: float) -> LoadResult:
        """Count for so long."""


async def _room(stack: AsyncExitStack, server: Server, subscribers: int) -> Load:
    plan = LoadPlan(
        url=server.url,
        api_key=KEY,
        secret=SECRET,
        publishers=0,
        extra=(Voice(audio=False, video_bps=VIDEO_BPS), *[Voice()] * VOICES),
        subscribers=subscribers,
        room_prefix="fanout",
        server_pid=server.pid,
    )
    return await stack.enter_async_context(Load(plan))


async def _all(stack: AsyncExitStack, subscribers: int) -> dict[str, Measured]:
    """Everything that can be measured here, connected and at rest."""
    found: dict[str, Measured] = {
        "limit": stack.enter_context(limit(subscribers, VIDEO_BPS, VOICES)),
        "node": await _room(stack, stack.enter_context(own_node()), subscribers),
    }
    python = own_node("node_python", {VARIABLE: "python"})
    found["node_python"] = await _room(stack, stack.enter_context(python), subscribers)
    program = find_janus()
    folders = {"janus": None, "janus_openssl": os.environ.get(LIBSRTP_VARIABLE)}
    for name, folder in folders.items():
        if program is not None and (folder or name == "janus"):
            other = stack.enter_context(janus(program, VOICES, folder))
            await stack.enter_async_context(other)
            await other.join(subscribers, VIDEO_BPS)
            found[name] = other
    program = shutil.which("livekit-server")
    if program is not None:
        server = stack.enter_context(livekit_server(program))
        found["livekit-server"] = await _room(stack, server, subscribers)
    return found


async def measure(subscribers: int, windows: int) -> dict[str, list[LoadResult]]:
    """Results by name, windows in turn."""
    results: dict[str, list[LoadResult]] = {}
    async with AsyncExitStack() as stack:
        everybody = await _all(stack, subscribers)
        for _ in range(windows):
            for name, one in everybody.items():
                one.start()
                await asyncio.sleep(REST_S)
                results.setdefault(name, []).append(await one.measure(WINDOW_S))
                await one.stop()
    return results


def run(subscribers: int = SUBSCRIBERS, windows: int = WINDOWS) -> dict[str, Any]:
    """CPU-µs per packet of each, and what else each run showed."""
    results = asyncio.run(measure(subscribers, windows))
    return {
        "unit": "CPU microseconds for each packet a subscriber got",
        "ratio_to": ["limit", "janus", "janus_openssl", "livekit-server"],
        "subscribers": subscribers,
        "windows": windows,
        **{name: spread(costs) for name, found in results.items() if (costs := _costs(found))},
        "packets": {name: sum(one.packets for one in found) for name, found in results.items()},
        "lost": {name: sum(one.lost for one in found) for name, found in results.items()},
        "core_percent": {
            name: round(max(100 * (one.server_share or 0.0) for one in found), 1)
            for name, found in results.items()
        },
    }


def _costs(results: list[LoadResult]) -> list[float]:
    """Of the windows in which packets flowed: most of what was sent reached everybody."""
    return [
        one.server_us_per_packet
        for one in results
        if one.server_us_per_packet is not None
        and one.packets > one.packets_sent * one.subscribers / 2
    ]


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1])) if len(sys.argv) > 1 else run(), indent=2))
