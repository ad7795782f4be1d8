"""How soon a viewer sees the simulcast layer it asked for, and whether the picture froze.

Two Chromiums through the running node: 1280×720 in three layers, the viewer asks for 320×180 and
back again. Counted in the viewer's page from the request to the first picture of the new size.
Then, with dynacast: how soon the publisher's upper layers stop when only the smallest is watched,
and, when a client of the Python SDK comes and watches the largest, how soon it has it.

    python -m benchmarks layers
"""

import asyncio
import statistics
import time
from typing import Any, Final

from tests.conformance import chromium
from tests.conformance.conftest import token, until
from tests.conformance.layers import HIGH, LOW, Switch, watch_switches
from tests.conformance.page import replace_part
from tests.conformance.servers import own_node
from tests.integration.media_node.conftest import Person

ROUNDS: Final = 10
REST_S: Final = 1.0
"""How long each layer is looked at before the other is asked for."""


def run(rounds: int = ROUNDS) -> dict[str, Any]:
    """Switch down and up again and again, on both signalling paths."""
    found: dict[str, list[Switch]] = {}
    economy: dict[str, tuple[float, float]] = {}
    with own_node() as server, chromium.tabs() as tabs:
        for path in ("v1", "v0"):
            found[path] = asyncio.run(_switches(tabs, server.url, path, rounds))
            economy[path] = asyncio.run(_economy(tabs, server.url, path))
    result: dict[str, Any] = {"benchmark": "layers", "unit": "milliseconds", "freezes": 0}
    lines = [
        "| | to 320×180 | to 1280×720 | freezes | upper layers stop after | and are there again |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for path, switches in found.items():
        down = _spread([one.after_s for one in switches if one.width == 320])
        up = _spread([one.after_s for one in switches if one.width == 1280])
        freezes = sum(one.freezes for one in switches)
        result |= {f"{path} down": down, f"{path} up": up}
        result["freezes"] += freezes
        cells = (f"{c['median']:.0f} ms ({c['min']:.0f}–{c['max']:.0f})" for c in (down, up))
        stopped_s, resumed_s = economy[path]
        result |= {f"{path} stop s": stopped_s, f"{path} resume s": resumed_s}
        lines.append(
            f"| {path}, {rounds} each | {' | '.join(cells)} | {freezes} "
            f"| {stopped_s:.1f} s | {resumed_s:.1f} s |"
        )
    replace_part("layers", lines)
    return result


async def _switches(tabs: chromium.Tabs, url: str, path: str, rounds: int) -> list[Switch]:
    speaker, viewer = await tabs.open(), await tabs.open()
    options = {"singlePeerConnection": path == "v1", "dynacast": False}
    for tab, identity in ((speaker, "speaker"), (viewer, "viewer")):
        await tab.call("join", url, token(identity, f"layers {path}"), options)
    await speaker.call("camera", 1280, 720)
    switches = await watch_switches(viewer, "speaker", [LOW, HIGH] * rounds, rest_s=REST_S)
    await speaker.close()
    await viewer.close()
    return switches


async def _economy(tabs: chromium.Tabs, url: str, path: str) -> tuple[float, float]:
    """Seconds until layers nobody watches stop, and until one has come back with its viewer."""
    room, is_single = f"economy {path}", path == "v1"
    speaker, viewer, sdk = await tabs.open(), await tabs.open(), Person()
    options = {"singlePeerConnection": is_single}
    for tab, identity in ((speaker, "speaker"), (viewer, "viewer")):
        await tab.call("join", url, token(identity, room), options)
    await speaker.call("camera", 1280, 720)
    await watch_switches(viewer, "speaker", [LOW, HIGH])

    async def active() -> set[str]:
        return {rid for rid, one in (await speaker.call("sending")).items() if one["active"]}

    async def only_the_lowest() -> bool:
        return await active() == {"q"}

    asked_s = time.monotonic()
    await viewer.call("quality", "speaker", LOW)
    await until(only_the_lowest, "layers nobody watches are still sent", 40)
    stopped_s = time.monotonic() - asked_s
    asked_s = time.monotonic()
    await sdk.join(url, token("sdk", room), is_single=is_single)
    await until(lambda: sdk.sizes.get("speaker", (0, 0))[0] == 1280, "it does not come back", 40)
    resumed_s = time.monotonic() - asked_s
    await sdk.leave()
    await speaker.close()
    await viewer.close()
    return round(stopped_s, 1), round(resumed_s, 1)


def _spread(values_s: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values_s) * 1000),
        "min": round(min(values_s) * 1000),
        "max": round(max(values_s) * 1000),
    }
