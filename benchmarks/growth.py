"""Does the cost grow in a straight line? With subscribers of one room, and with rooms.

Processor time of the whole node for a camera of 0.5 Mbit/s and a microphone in each room, against
10 to 500 subscribers of one room and against 1 to 50 rooms of four. Drawn into
``benchmarks/results/growth.svg``. Needs minutes, so only when named.

    python -m benchmarks.growth
"""

import asyncio
import json
from pathlib import Path
from typing import Any, Final

from benchmarks.peers import KEY, SECRET, Server, own_node
from benchmarks.peers.plot import Line, draw
from media.client.load import Load, LoadPlan

IS_LONG: Final = True
SUBSCRIBERS: Final = (10, 50, 134, 250, 500)
ROOMS: Final = (1, 5, 10, 25, 50)
WATCHERS: Final = 4
WINDOW_S: Final = 3.0
WINDOWS: Final = 3
PLOT: Final = Path(__file__).parent / "results" / "growth.svg"


async def _shares(server: Server, name: str, **size: int) -> list[tuple[float, float]]:
    """Percent of a core and packets a second, of each window."""
    plan = LoadPlan(
        url=server.url, api_key=KEY, secret=SECRET, room_prefix=name, server_pid=server.pid,
        probes=0, **size,  # type: ignore[arg-type]
    )  # fmt: skip
    async with Load(plan) as load:
        load.start()
        await asyncio.sleep(1)
        found = []
        for _ in range(WINDOWS):
            one = await load.measure(WINDOW_S)
            found.append((100 * (one.server_share or 0.0), one.packets / one.duration_s))
        return found


def _summary(found: list[tuple[float, float]]) -> dict[str, float]:
    shares = sorted(share for share, _ in found)
    rate = sum(packets for _, packets in found) / len(found)
    return {
        "median": round(shares[len(shares) // 2], 1),
        "min": round(shares[0], 1),
        "max": round(shares[-1], 1),
        "packets_per_s": round(rate),
    }


def run() -> dict[str, Any]:
    """Percent of one core by size."""
    by_subscribers: dict[str, dict[str, float]] = {}
    by_rooms: dict[str, dict[str, float]] = {}
    for count in SUBSCRIBERS:
        with own_node() as server:
            found = asyncio.run(_shares(server, f"grow-{count}", subscribers=count))
        by_subscribers[str(count)] = _summary(found)
    for count in ROOMS:
        with own_node() as server:
            found = asyncio.run(_shares(server, f"many-{count}", rooms=count, subscribers=WATCHERS))
        by_rooms[str(count)] = _summary(found)
    lines = [
        Line(
            "Subscribers of one room", [(float(n), v["median"]) for n, v in by_subscribers.items()]
        ),
        Line("Rooms of four", [(float(n), v["median"]) for n, v in by_rooms.items()]),
    ]
    PLOT.parent.mkdir(exist_ok=True)
    PLOT.write_text(draw(lines, "% of a core"), encoding="utf-8")
    return {
        "unit": "percent of one core, whole node",
        "subscribers": by_subscribers,
        "rooms": by_rooms,
    }


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
