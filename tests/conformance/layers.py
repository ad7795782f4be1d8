"""How a viewer in Chromium sees the layer change that it asked for."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.conformance.chromium import Tab

LOW, HIGH = 0, 2
WIDTHS: Final = {LOW: 320, HIGH: 1280}
WITHIN_S: Final = 40.0
OpenTab = Callable[..., Awaitable[Tab]]


@dataclass(frozen=True)
class Switch:
    """One change of layer."""

    width: int
    after_s: float
    """From the request to the first picture of the new size."""
    freezes: int
    """Freezes the browser counted meanwhile."""


async def watch_switches(
    viewer: Tab, identity: str, qualities: Sequence[int], *, rest_s: float = 0.0
) -> list[Switch]:
    """Ask for one quality after the other and wait until each is shown.

    ``rest_s``: how long each is looked at before the next is asked for. Below 0.3 s libwebrtc's
    encoders ignore what asks them for a keyframe, and the figure is theirs.
    """
    await _shown(viewer, identity, WIDTHS[HIGH])
    switches = []
    for quality in qualities:
        await asyncio.sleep(rest_s)
        width = WIDTHS[quality]
        before = await viewer.call("received", identity)
        asked_ms = await viewer.call("quality", identity, quality)
        shown_ms = await _shown(viewer, identity, width)
        after = await viewer.call("received", identity)
        switches.append(
            Switch(width, (shown_ms - asked_ms) / 1000, after["freezes"] - before["freezes"])
        )
    return switches


async def _shown(viewer: Tab, identity: str, width: int) -> float:
    """When pictures of this width began to be shown, by the page's clock in milliseconds."""
    deadline_s = time.monotonic() + WITHIN_S
    while True:
        seen: dict[str, Any] = await viewer.call("frames", identity)
        if seen["sizes"] and seen["sizes"][-1]["width"] == width:
            return float(seen["sizes"][-1]["at"])
        assert time.monotonic() < deadline_s, f"no picture {width} wide: {seen['sizes'][-3:]}"
        await asyncio.sleep(0.05)
