"""Does memory grow? A day's comings and goings in minutes.

Rounds of joins: in each, clients join a room, publish and watch, and leave again; rooms are new
in every round. Resident memory of the node is read after each round, once everybody has left;
the growth from the first third of the rounds to the last third is what counts. Needs minutes, so
only when named.

    python -m benchmarks.churn
"""

import asyncio
import json
import statistics
from pathlib import Path
from typing import Any, Final

from benchmarks.peers import KEY, SECRET, Server, own_node
from benchmarks.peers.figures import spread
from media.client.load import Load, LoadPlan

IS_LONG: Final = True
ROUNDS: Final = 30
WARM_UP: Final = 5
PUBLISHERS: Final = 3
SUBSCRIBERS: Final = 12


def resident_mib(pid: int) -> float:
    """Resident memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise LookupError("no VmRSS")


async def _round(server: Server, number: int) -> None:
    plan = LoadPlan(
        url=server.url, api_key=KEY, secret=SECRET, publishers=PUBLISHERS,
        subscribers=SUBSCRIBERS, room_prefix=f"churn-{number}", probes=0,
    )  # fmt: skip
    async with Load(plan) as load:
        load.start()
        await load.measure(0.5)


def run() -> dict[str, Any]:
    """Resident memory in MiB after rounds, and how much it grew."""
    with own_node() as server:
        for number in range(WARM_UP):
            asyncio.run(_round(server, number))
        sizes = []
        for number in range(WARM_UP, WARM_UP + ROUNDS):
            asyncio.run(_round(server, number))
            sizes.append(resident_mib(server.pid))
    third = len(sizes) // 3
    first, last = statistics.median(sizes[:third]), statistics.median(sizes[-third:])
    return {
        "unit": "MiB resident",
        "joins": (WARM_UP + ROUNDS) * (PUBLISHERS + SUBSCRIBERS),
        "first_third": spread(sizes[:third], 1),
        "last_third": spread(sizes[-third:], 1),
        "growth_percent": round(100 * (last / first - 1), 2),
    }


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
