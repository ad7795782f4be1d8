"""Chromium with ``livekit-client`` and the official Python SDK in one room of the media node.

The page is nothing but the library, taken from the room app's packages.
"""

import asyncio
import functools
import http.server
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from livekit import rtc
from livekit.api import AccessToken, VideoGrants
from playwright.sync_api import Browser, Page

from tests.integration.media_node.conftest import Person
from tests.support.service import free_ports

pytestmark = pytest.mark.browser

LIBRARY = Path(__file__).parents[2] / "web/room/node_modules/livekit-client/dist"
PAGE = '<!doctype html><script src="livekit-client.umd.js"></script><video autoplay muted></video>'

JOIN = """async ([url, token, single, camera]) => {
  const { Room } = LivekitClient;
  window.room = new Room({ singlePeerConnection: single, dynacast: true });
  room.on('trackSubscribed', (track) => {
    if (track.kind === 'video') track.attach(document.querySelector('video'));
  });
  await room.connect(url, token);
  if (camera) {
    await room.localParticipant.setCameraEnabled(true, {
      resolution: { width: 1280, height: 720, frameRate: 30 },
    });
  }
}"""
RECEIVED = """async () => {
  for (const person of room.remoteParticipants.values())
    for (const publication of person.videoTrackPublications.values()) {
      const report = await publication.track?.getRTCStatsReport();
      for (const entry of report?.values() ?? [])
        if (entry.type === 'inbound-rtp')
          return { frames: entry.framesDecoded ?? 0, width: entry.frameWidth ?? 0 };
    }
  return { frames: 0, width: 0 };
}"""


def token(identity: str, room: str) -> str:
    grants = VideoGrants(room=room, room_join=True)
    secret = "a-development-secret-of-32-bytes-or-more"
    return AccessToken("devkey", secret).with_identity(identity).with_grants(grants).to_jwt()


def until(read: Any, accept: Any, within_s: float, what: str) -> Any:
    deadline = time.monotonic() + within_s
    while not accept(value := read()):
        assert time.monotonic() < deadline, f"{what}: {value}"
        time.sleep(0.2)
    return value


@pytest.fixture
def room(request: pytest.FixtureRequest) -> str:
    """A room for each test, so that none meets the leftovers of another."""
    return str(request.node.name)


@pytest.fixture(scope="module")
def node() -> Iterator[str]:
    port, udp = free_ports(2)
    command = [
        sys.executable, "-m", "media", "--dev", "--port", str(port), "--udp-port", str(udp),
        "--key", "devkey:a-development-secret-of-32-bytes-or-more",
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "ready" in process.stdout.readline()
        yield f"ws://127.0.0.1:{port}"
        process.terminate()


@pytest.fixture(scope="module")
def page_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    library = LIBRARY / "livekit-client.umd.js"
    if not library.exists():
        pytest.skip("the room app's packages are not installed")
    folder = tmp_path_factory.mktemp("page")
    (folder / "index.html").write_text(PAGE)
    (folder / library.name).write_bytes(library.read_bytes())

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    handler = functools.partial(Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def open_page(chromium: Browser, page_url: str) -> Iterator[Any]:
    contexts = []

    def opened() -> Page:
        context = chromium.new_context()
        context.grant_permissions(["camera", "microphone"])
        contexts.append(context)
        page = context.new_page()
        page.goto(page_url)
        return page

    yield opened
    for context in contexts:
        context.close()


class SdkThread:
    """An official Python client on a loop of its own, beside the synchronous browser driver."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.person: Person = self.run(self._create())

    async def _create(self) -> Person:
        return Person()

    def run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def close(self) -> None:
        self.run(self.person.leave())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture
def sdk() -> Iterator[SdkThread]:
    client = SdkThread()
    yield client
    client.close()


@pytest.mark.parametrize("single", [True, False], ids=["v1", "v0"])
def test_browser_and_sdk_decode_each_other(
    node: str, room: str, open_page: Any, sdk: SdkThread, single: bool
) -> None:
    page = open_page()
    page.evaluate(JOIN, [node, token("browser", room), single, True])
    sdk.run(sdk.person.join(node, token("sdk", room), is_single=single))
    sdk.run(sdk.person.show_picture())
    first = until(lambda: page.evaluate(RECEIVED), lambda got: got["frames"] > 25, 20, "no picture")
    assert first["width"] == 640
    until(
        lambda: page.evaluate(RECEIVED),
        lambda got: got["frames"] > first["frames"] + 25,
        10,
        "decoded frames do not grow",
    )
    until(
        lambda: sdk.person.frames.get("browser", 0),
        lambda count: count > 25,
        20,
        "SDK sees nothing",
    )
    assert sdk.person.room.connection_state == rtc.ConnectionState.CONN_CONNECTED
