"""What taking a packet in costs the whole running node, with nobody to send it to.

Publishers of a camera of 1.5 Mbit/s and a microphone each, together more than 2,000 packets a
second; processor time of the process, housekeeping and feedback included, for each packet sent to
it: reading, decrypting, finding its track, order, loss and jitter, keyframe and level, cache.

    python -m benchmarks.ingress
"""

import asyncio
import json
from typing import Any, Final

from benchmarks.peers import KEY, SECRET, Server, sfus
from benchmarks.peers.figures import spread
from media.client.load import Load, LoadPlan
from media.client.load_result import LoadResult

PUBLISHERS: Final = 12
WINDOWS: Final = 4
WINDOW_S: Final = 4.0


async def _measure(servers: list[Server]) -> dict[str, list[LoadResult]]:
    results: dict[str, list[LoadResult]] = {}
    for server in servers:
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
        async with Load(plan) as load:
            load.start()
            await asyncio.sleep(1)
            results[server.name] = [await load.measure(WINDOW_S) for _ in range(WINDOWS)]
    return results


def run() -> dict[str, Any]:
    """CPU-µs per packet received."""
    with sfus() as servers:
        results = asyncio.run(_measure(servers))
    return {
        "unit": "CPU microseconds of the whole server process for each packet it was sent",
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
