"""What taking a packet in costs the whole running node, with nobody to send it to.

Publishers of a camera of 1.5 Mbit/s and a microphone each, together more than 2,000 packets a
second; processor time of the process, housekeeping and feedback included, for each packet sent to
it: reading, decrypting, finding its track, order, loss and jitter, keyframe and level, cache.

    python -m benchmarks.ingress
"""

import asyncio
import json
from contextlib import AsyncExitStack, ExitStack
from typing import Any, Final

from benchmarks.peers import KEY, SECRET, Server, own_node, sfus
from benchmarks.peers.figures import spread
from media.client.load import Load, LoadPlan
from media.client.load_result import LoadResult
from media.transport.fanout import VARIABLE

PUBLISHERS: Final = 12
WINDOWS: Final = 5
WINDOW_S: Final = 3.0
REST_S: Final = 1.0


async def _room(stack: AsyncExitStack, server: Server) -> Load:
    plan = LoadPlan(
        url=server.url,
        api_key=KEY,
        secret=SECRET,
        publishers=PUBLISHERS,
        subscribers=0,
        probes=0,
        video_bps=1_500_000,
        room_prefix="ingress",
        server_pid=server.pid,
    )
    return await stack.enter_async_context(Load(plan))


async def _measure(servers: list[Server]) -> dict[str, list[LoadResult]]:
    """Windows in turn, so that what else the machine does falls on all."""
    results: dict[str, list[LoadResult]] = {}
    async with AsyncExitStack() as stack:
        loads = {server.name: await _room(stack, server) for server in servers}
        for _ in range(WINDOWS):
            for name, load in loads.items():
                load.start()
                await asyncio.sleep(REST_S)
                results.setdefault(name, []).append(await load.measure(WINDOW_S))
                await load.stop()
    return results


def run() -> dict[str, Any]:
    """CPU-µs per packet received."""
    with ExitStack() as stack:
        servers = stack.enter_context(sfus())
        plain = own_node("node_python", {VARIABLE: "python"})
        servers.insert(1, stack.enter_context(plain))
        results = asyncio.run(_measure(servers))
    return {
        "unit": "CPU microseconds of the whole server process for each packet it was sent",
        "ratio_to": ["livekit-server"],
        "publishers": PUBLISHERS,
        "windows": WINDOWS,
        **{
            name: spread([1e6 * (one.server_cpu_s or 0.0) / one.packets_sent for one in found], 1)
            for name, found in results.items()
        },
        "packets_per_s": round(
            sum(one.packets_sent for one in results["node"])
            / sum(one.duration_s for one in results["node"])
        ),
    }


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
