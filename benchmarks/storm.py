"""The joining storm: 134 participants within ten seconds, while others are watching.

One speaker is on; ten subscribers are inside and counted; then 134 join at an even pace. Measured:
the time from beginning to connect until the connection is open, how many were refused, and what
those inside lost meanwhile. Clients share one process with the measurement, so their own
handshakes are part of the time.

    python -m benchmarks.storm
"""

import asyncio
import json
import statistics
from typing import Any, Final

from benchmarks.peers import KEY, SECRET, Server, own_node
from benchmarks.peers.figures import spread
from media.client.load import Load, LoadPlan
from media.client.load_result import LoadResult, share_of

JOINERS: Final = 134
WITHIN_S: Final = 10.0
INSIDE: Final = 10
RUNS: Final = 2


def _plan(server: Server, name: str, **changes: Any) -> LoadPlan:
    return LoadPlan(
        url=server.url,
        api_key=KEY,
        secret=SECRET,
        room_prefix=name,
        server_pid=server.pid,
        video_bps=1_500_000,
        **changes,
    )


async def storm(server: Server, number: int) -> tuple[LoadResult, LoadResult]:
    """What the joiners and what those inside saw."""
    name = f"storm-{number}"
    inside = Load(_plan(server, name, subscribers=INSIDE))
    # Joiners come into the same room, where there is nobody of their own to watch.
    joiners = Load(
        _plan(
            server, name, publishers=0, subscribers=JOINERS, ramp_s=WITHIN_S, probes=0, tag="late"
        )
    )
    async with inside:
        inside.start()
        await asyncio.sleep(1)
        watching = asyncio.create_task(inside.measure(WITHIN_S + 2))
        async with joiners:
            seen = await joiners.measure(0.1)
        return seen, await watching


def run() -> dict[str, Any]:
    """Joins in milliseconds, and what happened to the others."""
    with own_node() as server:
        results = [asyncio.run(storm(server, number)) for number in range(RUNS)]
    joins = [seen.join_s for seen, _ in results]
    return {
        "unit": "milliseconds until the connection is open",
        "joiners": JOINERS,
        "within_s": WITHIN_S,
        "join_median": spread([1000 * statistics.median(one) for one in joins], 0),
        "join_p95": spread([1000 * share_of(one, 0.95) for one in joins], 0),
        "join_longest": spread([1000 * max(one) for one in joins], 0),
        "refused": sum(len(seen.failures) for seen, _ in results),
        "lost_by_those_inside": sum(one.lost for _, one in results),
        "packets_of_those_inside": sum(one.packets for _, one in results),
    }


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
