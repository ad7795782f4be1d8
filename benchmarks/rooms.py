"""A whole province in one room: what the node takes, and how late packets are.

* ``speaker``: a camera of 1.5 Mbit/s and three microphones to 134 subscribers;
* ``gallery``: a camera of 1.5 Mbit/s and 25 tiles of 150 kbit/s to 134 subscribers, over 110,000
  packets a second. Where the load tool and the node together have not enough processor, what
  arrives is less than what was sent; then CPU-µs per packet still says what the node needs:
  ``gallery_core_percent_at_full_rate`` is that figure times the packets of the full rate.

Delay is measured from the publisher's socket to the arrival, as the system notes it, at a
subscriber that decrypts; loop lag is the node's own (``/metrics``).

    python -m benchmarks.rooms [speaker | gallery …]
"""

import asyncio
import json
import sys
import urllib.request
from typing import Any, Final

from benchmarks.peers import KEY, SECRET, Server, own_node
from benchmarks.peers.figures import spread
from media.client.load import Load, LoadPlan
from media.client.load_media import Voice
from media.client.load_result import LoadResult, share_of

SUBSCRIBERS: Final = 134
WINDOWS: Final = 4
WINDOW_S: Final = 4.0
LAYOUTS: Final[dict[str, tuple[Voice, ...]]] = {
    "speaker": (Voice(audio=False, video_bps=1_500_000), Voice(), Voice(), Voice()),
    "gallery": (Voice(video_bps=1_500_000), *[Voice(audio=False, video_bps=150_000)] * 25),
}
_LAG: Final = "media_loop_lag_seconds_bucket"


async def measure(server: Server, layout: str, subscribers: int) -> tuple[list[LoadResult], float]:
    """Windows of one layout, and the 99th percentile of the node's loop lag meanwhile, in ms."""
    plan = LoadPlan(
        url=server.url,
        api_key=KEY,
        secret=SECRET,
        publishers=0,
        extra=LAYOUTS[layout],
        subscribers=subscribers,
        room_prefix=layout,
        server_pid=server.pid,
        joins_quietly=True,
    )
    async with Load(plan) as load:
        load.start()
        await asyncio.sleep(2)
        before = await asyncio.to_thread(loop_lags, server)
        results = [await load.measure(WINDOW_S) for _ in range(WINDOWS)]
        after = await asyncio.to_thread(loop_lags, server)
        return results, lag_p99_ms(before, after)


def loop_lags(server: Server) -> dict[float, float]:
    """How often the node's loop was late by so much or less, since it started."""
    url = server.url.replace("ws", "http", 1) + "/metrics"
    with urllib.request.urlopen(url, timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    found = {}
    for line in lines:
        if line.startswith(_LAG):
            bound = line.partition('le="')[2].partition('"')[0]
            found[float(bound)] = float(line.rpartition(" ")[2])
    return found


def lag_p99_ms(before: dict[float, float], after: dict[float, float]) -> float:
    """Upper bound of the bucket that holds the 99th percentile between two readings."""
    total = after[float("inf")] - before.get(float("inf"), 0.0)
    for bound in sorted(after):
        if after[bound] - before.get(bound, 0.0) >= 0.99 * total:
            return bound * 1000
    return float("inf")


def _figures(results: list[LoadResult], name: str) -> dict[str, Any]:
    full_rate = results[0].packets_sent * results[0].subscribers / results[0].duration_s
    costs = [one.server_us_per_packet or 0.0 for one in results]
    delays = [1000 * share_of(one.delay_s, 0.99) for one in results if one.delay_s]
    return {
        f"{name}_us_per_packet": spread(costs),
        f"{name}_core_percent": spread([100 * (one.server_share or 0.0) for one in results], 1),
        f"{name}_core_percent_at_full_rate": spread([full_rate * us / 1e4 for us in costs], 1),
        f"{name}_packets_per_s": spread([one.packets / one.duration_s for one in results], 0),
        f"{name}_lost_percent": spread([100 * one.lost_share for one in results], 4),
        f"{name}_delay_p99_ms": spread(delays or [0.0], 1),
        f"{name}_client_core_percent": spread(
            [100 * one.client_cpu_s / one.duration_s for one in results], 1
        ),
    }


def run(layouts: tuple[str, ...] = ("speaker",), subscribers: int = SUBSCRIBERS) -> dict[str, Any]:
    """Figures of each layout."""
    found: dict[str, Any] = {
        "unit": "as each line says",
        "subscribers": subscribers,
        "windows": WINDOWS,
    }
    for layout in layouts:
        with own_node() as server:
            results, lag_ms = asyncio.run(measure(server, layout, subscribers))
        found |= _figures(results, layout)
        found[f"{layout}_loop_lag_p99_at_most_ms"] = lag_ms
        found[f"{layout}_joined"] = subscribers - len(results[0].failures)
    return found


if __name__ == "__main__":
    print(json.dumps(run(tuple(sys.argv[1:]) or ("speaker",)), indent=2))
