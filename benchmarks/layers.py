"""How soon a viewer sees the simulcast layer it asked for, and whether the picture froze.

Two Chromiums through the running node: 1280×720 in three layers, the viewer asks for 320×180 and
back again. Counted in the viewer's page from the request to the first picture of the new size.

    python -m benchmarks layers
"""

import asyncio
import statistics
from typing import Any, Final

from tests.conformance import chromium
from tests.conformance.conftest import token
from tests.conformance.layers import HIGH, LOW, Switch, watch_switches
from tests.conformance.page import replace_part
from tests.conformance.servers import own_node

ROUNDS: Final = 10


def run(rounds: int = ROUNDS) -> dict[str, Any]:
    """Switch down and up again and again, on both signalling paths."""
    found: dict[str, list[Switch]] = {}
    with own_node() as server, chromium.tabs() as tabs:
        for path in ("v1", "v0"):
            found[path] = asyncio.run(_switches(tabs, server.url, path, rounds))
    result: dict[str, Any] = {"benchmark": "layers", "unit": "milliseconds", "freezes": 0}
    lines = ["| | to 320×180 | to 1280×720 | freezes |", "|---|---:|---:|---:|"]
    for path, switches in found.items():
        down = _spread([one.after_s for one in switches if one.width == 320])
        up = _spread([one.after_s for one in switches if one.width == 1280])
        freezes = sum(one.freezes for one in switches)
        result |= {f"{path} down": down, f"{path} up": up}
        result["freezes"] += freezes
        cells = (f"{c['median']:.0f} ms ({c['min']:.0f}–{c['max']:.0f})" for c in (down, up))
        lines.append(f"| {path}, {rounds} each | {' | '.join(cells)} | {freezes} |")
    replace_part("layers", lines)
    return result


async def _switches(tabs: chromium.Tabs, url: str, path: str, rounds: int) -> list[Switch]:
    speaker, viewer = await tabs.open(), await tabs.open()
    options = {"singlePeerConnection": path == "v1", "dynacast": False}
    for tab, identity in ((speaker, "speaker"), (viewer, "viewer")):
        await tab.call("join", url, token(identity, f"layers {path}"), options)
    await speaker.call("camera", 1280, 720)
    switches = await watch_switches(viewer, "speaker", [LOW, HIGH] * rounds)
    await speaker.close()
    await viewer.close()
    return switches


def _spread(values_s: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values_s) * 1000),
        "min": round(min(values_s) * 1000),
        "max": round(max(values_s) * 1000),
    }
