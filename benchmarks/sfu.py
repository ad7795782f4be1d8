"""What a forwarded packet costs the whole running node, with real clients.

CPU time of the server process, user and system, housekeeping included, divided by the packets its
subscribers received: one publisher (Opus, and VP8 of 1.5 Mbit/s) to 1, 10 and 40 subscribers.
Clients are ``media.client`` in this process. If ``livekit-server`` is on PATH it is measured in
turn with the node, window by window, with the same load.

    python -m benchmarks.sfu [subscribers …]
"""

import asyncio
import json
import sys
from collections.abc import Sequence
from typing import Any, Final

from benchmarks.peers import KEY, SECRET, sfus
from benchmarks.peers.figures import spread
from media.client.load import LoadPlan, LoadResult, run_load

SUBSCRIBERS: Final = (1, 10, 40)
WINDOWS: Final = 3
WINDOW_S: Final = 4.0
VIDEO_BPS: Final = 1_500_000


def run(
    subscribers: Sequence[int] = SUBSCRIBERS, windows: int = WINDOWS, window_s: float = WINDOW_S
) -> dict[str, Any]:
    """Measure the node, and LiveKit's server if there is one, in turn."""
    with sfus() as servers:
        results: dict[tuple[str, int], list[LoadResult]] = {}
        for window in range(windows):
            for count in subscribers:
                for server in servers:
                    plan = LoadPlan(
                        url=server.url,
                        api_key=KEY,
                        secret=SECRET,
                        publishers=1,
                        subscribers=count,
                        duration_s=window_s,
                        video_bps=VIDEO_BPS,
                        room_prefix=f"bench-{window}-{count}",
                        server_pid=server.pid,
                    )
                    found = asyncio.run(run_load(plan))
                    results.setdefault((server.name, count), []).append(found)
    return {
        "unit": "CPU microseconds of the whole server process for each packet a subscriber got",
        "windows": windows,
        **{f"{name}_to_{count}": _cost(found) for (name, count), found in results.items()},
        "tracks": {f"{name}_to_{count}": _tracks(f) for (name, count), f in results.items()},
    }


def _cost(results: list[LoadResult]) -> dict[str, float]:
    return spread([result.server_us_per_packet or 0.0 for result in results], 1)


def _tracks(results: list[LoadResult]) -> str:
    received = sum(result.tracks_received for result in results)
    return f"{received} of {sum(result.tracks_expected for result in results)}"


def main() -> None:
    """Print the result as JSON."""
    counts = [int(text) for text in sys.argv[1:]] or SUBSCRIBERS
    print(json.dumps(run(counts), indent=2))


if __name__ == "__main__":
    main()
