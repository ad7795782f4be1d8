"""A site behind a poor line with real programs: running servers, Chromium as the receiver.

The speaker is ``media.client`` on a good line: VP8 in three layers with three temporal layers each,
and Opus, from files that ffmpeg made, so no encoder competes for the machine. The site is Chromium
with ``livekit-client``, behind the lines of ``tests.support.poor_lines``, both directions alike. If
``livekit-server`` is on PATH, the same lines are given to it at the same time, with a speaker, a
site and a line of its own; so whatever else the machine does meets all alike. The table goes to
docs/poor-lines.md.

    python -m benchmarks real_lines
"""

import asyncio
import dataclasses
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

from livekit.api import AccessToken, VideoGrants
from playwright.async_api import Browser, Page, async_playwright

from benchmarks.peers import KEY, SECRET, Server, sfus
from benchmarks.peers.clips import play, voice
from benchmarks.peers.figures import spread
from benchmarks.peers.layered import layer, play_layers
from benchmarks.peers.poor_line import RECORD, WATCH, Noticed, judge
from media.client import Client
from tests.support import sdk_page
from tests.support.browser import FLAGS, executable
from tests.support.line import Line
from tests.support.poor_lines import CASES, Case
from tests.support.udp_proxy import UdpProxy

IS_LONG: Final = True
PAGE: Final = Path(__file__).parents[1] / "docs" / "poor-lines.md"
BEGIN: Final = "<!-- begin: python -m benchmarks real_lines -->"
END: Final = "<!-- end: python -m benchmarks real_lines -->"
NEVER_S: Final = 999.0
SIZES: Final = ((320, 180, 90), (640, 360, 440), (1280, 720, 1400))
"""Layers, and their kbit/s before headers."""
REPEATS: Final = 1
STEADY_S: Final = 35.0
PHASE_S: Final = 15.0
"""Each part of a line that changes."""
LAST_PHASE_S: Final = 20.0


def run(repeats: int = REPEATS, cases: Sequence[Case] = CASES) -> dict[str, Any]:
    """Give every line to every server, ``repeats`` times."""
    found: dict[str, dict[str, list[Noticed]]] = {}
    with sfus() as servers, ExitStack() as stack, tempfile.TemporaryDirectory() as name:
        clips = Clips(Path(name))
        page = stack.enter_context(sdk_page.served(Path(name)))
        for number in range(repeats):
            for case in cases:
                noticed = asyncio.run(_hold(servers, clips, page, shortened(case), number))
                for server, one in zip(servers, noticed, strict=True):
                    found.setdefault(case.name, {}).setdefault(server.name, []).append(one)
                    print(case.name, server.name, one, flush=True)
    write_page(found)
    return {
        "unit": "per cent of sound in time, seconds",
        "table_in": PAGE.name,
        "repeats": repeats,
        **{
            case: {name: figures(several) for name, several in of.items()}
            for case, of in found.items()
        },
    }


def figures(several: Sequence[Noticed]) -> dict[str, Any]:
    """Medians and ranges of one line with one server."""
    return {
        "sound in time": spread(100 * one.sound_in_time for one in several),
        "longest freeze": spread(one.longest_freeze_s for one in several),
        "best layer after": spread(
            NEVER_S if one.shown_after_s is None else one.shown_after_s for one in several
        ),
        "changes of layer": spread(one.changes for one in several),
        "pictures a second": spread(one.frames_per_s for one in several),
    }


def write_page(found: Mapping[str, Mapping[str, Sequence[Noticed]]]) -> None:
    """Put the table between the marks of `PAGE`: the worst of all runs."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    rows = [
        "| Line | server | sound in time | longest freeze | shown after | changes | pictures/s |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for case, servers in found.items():
        rows += [_row(case, name, several) for name, several in servers.items()]
    body = "\n".join(rows)
    PAGE.write_text(f"{before}{BEGIN}\n\n{body}\n\n{END}{after}", encoding="utf-8")


def _row(case: str, server: str, several: Sequence[Noticed]) -> str:
    sound = 100 * min(one.sound_in_time for one in several)
    freeze_s = max(one.longest_freeze_s for one in several)
    waits = [one.shown_after_s for one in several]
    after = "never" if None in waits else f"{max(wait for wait in waits if wait is not None):.1f} s"
    changes = max(one.changes for one in several)
    fps = min(one.frames_per_s for one in several)
    cells = (
        case, server, f"{sound:.1f} %", f"{freeze_s:.1f} s", after, str(changes), f"{fps:.0f}",
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def shortened(case: Case) -> Case:
    """The same line for as long as people have patience."""
    if not case.changes:
        return dataclasses.replace(case, duration_s=STEADY_S)
    changes = [(PHASE_S * (1 + at), settings) for at, (_, settings) in enumerate(case.changes)]
    end_s = changes[-1][0] + LAST_PHASE_S
    return dataclasses.replace(case, changes=changes, duration_s=end_s)


class Clips:
    """What the speaker sends."""

    def __init__(self, folder: Path) -> None:
        self.layers = [layer(folder, *size) for size in SIZES]
        self.sound = voice(folder, 440)


async def _hold(
    servers: Sequence[Server], clips: Clips, page_url: str, case: Case, seed: int
) -> list[Noticed]:
    """One meeting on each server, all at the same time."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable(), args=list(FLAGS))
        try:
            meetings = [
                asyncio.create_task(
                    _meet(server, clips, await _opened(browser, page_url), case, seed)
                )
                for server in servers
            ]
            return list(await asyncio.gather(*meetings))
        finally:
            await browser.close()


async def _opened(browser: Browser, url: str) -> Page:
    page = await browser.new_page()
    await page.goto(url)
    return page


async def _meet(server: Server, clips: Clips, page: Page, case: Case, seed: int) -> Noticed:
    room = f"line-{secrets.token_hex(4)}"
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(_speaking(server, room, clips))
        proxy = UdpProxy(1 + seed, lambda number: Line(number, **case.line))
        await proxy.start()
        stack.callback(proxy.close)
        proxy.connect(server.udp_port)
        joined_s = time.monotonic()
        changed_s = began_s = await page.evaluate("performance.now() / 1000")
        where = [server.url, _token("site", room), server.udp_port, proxy.port]
        await page.evaluate(WATCH, where)
        for at_s, settings in case.changes:
            await asyncio.sleep(max(0.0, joined_s + at_s - time.monotonic()))
            for line in proxy.lines:
                for name, value in settings.items():
                    setattr(line, name, value)
            changed_s = await page.evaluate("performance.now() / 1000")
        await asyncio.sleep(max(0.0, joined_s + case.duration_s - time.monotonic()))
        record = await page.evaluate(RECORD)
        return judge(record, case, began_s=began_s, changed_s=changed_s, end_s=record["now"])


@asynccontextmanager
async def _speaking(server: Server, room: str, clips: Clips) -> AsyncIterator[None]:
    client = await Client.connect(server.url, _token("speaker", room))
    tasks: list[asyncio.Task[None]] = []
    try:
        sound = await client.publish_audio()
        picture = await client.publish_simulcast(
            [(clip.width, clip.height) for clip in clips.layers]
        )
        tasks = [
            asyncio.create_task(play(sound, clips.sound)),
            asyncio.create_task(play_layers(picture, clips.layers)),
        ]
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await client.leave()


def _token(identity: str, room: str) -> str:
    token = AccessToken(KEY, SECRET).with_identity(identity)
    return token.with_grants(VideoGrants(room=room, room_join=True)).to_jwt()
