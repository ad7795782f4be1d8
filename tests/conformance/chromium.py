"""``livekit-client`` in Chromium: pages that hold nothing but the library and what tests ask of it.

The library is taken from the room app's packages. The browser runs on a loop of its own, so that
clients of the Python SDK can be in the same meeting on the loop of the test.
"""

import functools
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.conformance.background import Background
from tests.support.browser import FLAGS, executable

LIBRARY = Path(__file__).parents[2] / "web/room/node_modules/livekit-client/dist"
SCRIPT = "livekit-client.umd.js"
WORKER = "livekit-client.e2ee.worker.js"
PAGE = """<!doctype html><meta charset="utf-8"><title>conformance</title>
<script src="livekit-client.umd.js"></script><script src="probe.js"></script>
<video autoplay muted></video>"""
PROBE = (Path(__file__).parent / "probe.js").read_text(encoding="utf-8")


class Tab:
    """One person's page. ``call`` runs a function of ``probe.js``."""

    def __init__(self, background: Background, context: BrowserContext, page: Page) -> None:
        self._background = background
        self._context = context
        self._page = page

    async def call(self, name: str, *arguments: Any) -> Any:
        """The result of ``probe.name(...arguments)``."""
        script = "([name, given]) => probe[name](...given)"
        return await self._background.wait(self._page.evaluate(script, [name, list(arguments)]))

    async def go_offline(self, offline: bool) -> None:
        """Cut the page's HTTP and WebSocket traffic."""
        await self._background.wait(self._context.set_offline(offline))

    async def close(self) -> None:
        await self._background.wait(self._context.close())


class Tabs:
    """A Chromium process that opens tabs."""

    def __init__(self, background: Background, browser: Browser, address: str) -> None:
        self._background = background
        self._browser = browser
        self._address = address

    async def open(self) -> Tab:
        """A page of its own, camera and microphone allowed."""
        return await self._background.wait(self._open())

    async def _open(self) -> Tab:
        context = await self._browser.new_context()
        await context.grant_permissions(["camera", "microphone"])
        page = await context.new_page()
        await page.goto(self._address)
        return Tab(self._background, context, page)


@contextmanager
def tabs() -> Iterator[Tabs]:
    """Chromium for the length of the block."""
    background = Background("chromium")
    playwright = background.do(async_playwright().start())
    browser = background.do(
        playwright.chromium.launch(executable_path=executable(), args=list(FLAGS))
    )
    try:
        with served() as address:
            yield Tabs(background, browser, address)
    finally:
        background.do(browser.close())
        background.do(playwright.stop())
        background.close()


def is_installed() -> bool:
    """Whether the library is there."""
    return (LIBRARY / SCRIPT).exists()


@contextmanager
def served() -> Iterator[str]:
    """The page with the library, over HTTP on loopback."""
    files = {
        "/": ("text/html", PAGE.encode()),
        "/probe.js": ("text/javascript", PROBE.encode()),
        f"/{SCRIPT}": ("text/javascript", (LIBRARY / SCRIPT).read_bytes()),
        f"/{WORKER}": ("text/javascript", (LIBRARY / WORKER).read_bytes()),
    }

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, body = files.get(self.path, ("text/plain", b""))
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
