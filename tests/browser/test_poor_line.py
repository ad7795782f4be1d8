"""A site that saves bandwidth, in the room app with a real media node and lines of our making.

What it costs, that speech flows over 64 kbit/s, and that a picture the line does not carry is
said to be paused instead of standing still.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from werkzeug.serving import make_server

from conference.access.passwords import hash_password
from conference.database import Database
from conference.models import Base
from conference.scheduling.models import RoomPreset, Status
from config.settings import load
from tests.network.conftest import until
from tests.support.browser import log_in, new_context, screenshot
from tests.support.live_meeting import LiveMeeting, hold
from tests.support.node_thread import KEY, SECRET, NodeThread
from web.app import create_app

pytestmark = pytest.mark.browser

PASSWORD = "mat-khau-duong-truyen"
AXE = Path(__file__).parents[2] / "web/room/node_modules/axe-core/axe.min.js"
PAUSED = "Tạm dừng hình vì đường truyền yếu"

KEEP_CONNECTIONS = """
  window.connections = [];
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...options) { super(...options); connections.push(this); }
  };
"""
TRAFFIC = """async () => {
  const sum = { sent: 0, received: 0, samples: 0, concealed: 0, energy: 0, frames: 0, at: 0 };
  for (const connection of connections) {
    if (connection.connectionState === 'closed') continue;
    for (const entry of (await connection.getStats()).values()) {
      if (entry.type === 'transport') {
        sum.sent += entry.bytesSent;
        sum.received += entry.bytesReceived;
      }
      if (entry.type === 'inbound-rtp' && entry.kind === 'audio') {
        sum.samples += entry.totalSamplesReceived ?? 0;
        sum.concealed += (entry.concealedSamples ?? 0) - (entry.silentConcealedSamples ?? 0);
        sum.energy += entry.totalAudioEnergy ?? 0;
      }
      if (entry.type === 'inbound-rtp' && entry.kind === 'video')
        sum.frames += entry.framesDecoded ?? 0;
    }
  }
  return { ...sum, at: performance.now() / 1000 };
}"""


@pytest.fixture
def node() -> Iterator[NodeThread]:
    running = NodeThread()
    yield running
    running.close()


@pytest.fixture
def meeting(tmp_path: Path, node: NodeThread) -> Iterator[tuple[str, LiveMeeting]]:
    """Address of a service whose media engine is the node, and the meeting it holds."""
    (tmp_path / "secrets").mkdir(mode=0o700)
    (tmp_path / "secrets" / "media").write_text(SECRET)
    media = {"url": node.url, "api_url": node.url.replace("ws", "http", 1), "api_key": KEY}
    settings = load(tmp_path, environment={"": ""}, options={"media": media})
    database = Database(settings.database_url)
    Base.metadata.create_all(database.engine)
    with database.transaction() as session:
        live = hold(
            session,
            sites=2,
            preset=RoomPreset.DISCUSSION,
            status=Status.INVITED,
            starts_at=datetime.now(UTC),
        )
        live.chair.password_hash = hash_password(PASSWORD)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, create_app(settings, database=database), threaded=True)
    thread = threading.Thread(target=server.serve_forever, name="service")
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", live
    server.shutdown()
    thread.join()
    server.server_close()
    database.dispose()


@pytest.fixture
def contexts(chromium: Browser) -> Iterator[None]:
    known = set(chromium.contexts)
    yield
    for context in set(chromium.contexts) - known:
        context.close()


def paths_of(node: NodeThread, before: set[Any]) -> list[Any]:
    return [path for client, path in node.proxy.paths.items() if client not in before]


def set_rate(node: NodeThread, before: set[Any], rate_bps: float | None) -> None:
    def change() -> None:
        for path in paths_of(node, before):
            for line in path.lines:
                line.rate_bps, line.queue_s = rate_bps, 0.6

    node.call(change)


def entered(context: BrowserContext, address: str, *, is_saving: bool) -> Page:
    context.add_init_script(KEEP_CONNECTIONS)
    page = context.new_page()
    page.goto(address)
    if is_saving:
        page.get_by_label("Tiết kiệm băng thông").check()
    page.get_by_role("button", name="Vào họp").click()
    return page


def over(page: Page, duration_s: float) -> dict[str, float]:
    """What the page's connections carried and played in that time, per second."""
    first = page.evaluate(TRAFFIC)
    until(
        lambda: page.evaluate(TRAFFIC)["at"] - first["at"],
        lambda elapsed_s: elapsed_s >= duration_s,
        60,
        "time stands still",
    )
    last = page.evaluate(TRAFFIC)
    elapsed_s = last["at"] - first["at"]
    return {name: (last[name] - first[name]) / elapsed_s for name in first}


def is_whole(share: float) -> Callable[[dict[str, float]], bool]:
    """Whether sound was played throughout, with less than that share of it made up."""
    return lambda heard: heard["samples"] > 40_000 and heard["concealed"] < share * heard["samples"]


def test_a_site_that_saves_stays_below_1_mbit_and_hears_over_64_kbit(
    meeting: tuple[str, LiveMeeting], node: NodeThread, chromium: Browser, contexts: None
) -> None:
    url, live = meeting
    chair_context = new_context(chromium, url)
    page = chair_context.new_page()
    log_in(page, live.chair.username, PASSWORD)
    page.close()
    chair = entered(chair_context, f"{url}/phong/{live.meeting.id}", is_saving=False)
    chair.get_by_role("button", name="Mở phòng").click()
    chair.get_by_role("button", name="Micro").first.click()
    until(lambda: len(node.proxy.paths), bool, 30, "the chair is not connected")
    until(lambda: chair.evaluate(TRAFFIC)["sent"], lambda sent: sent > 200_000, 40, "no media")

    before = set(node.proxy.paths)
    address = f"{url}/vao/{live.sites[0].join_code}"
    site = entered(new_context(chromium, url), address, is_saving=True)
    tile = site.get_by_test_id("tile").and_(site.locator("[data-identity^='person:']"))
    until(lambda: site.evaluate(TRAFFIC)["frames"], lambda count: count > 30, 40, "no picture")
    site.get_by_role("button", name="Micro").first.click()
    until(lambda: chair.evaluate(TRAFFIC)["energy"], lambda energy: energy > 0, 30, "no sound")
    normal = over(site, 10)
    total_bps = 8 * (normal["sent"] + normal["received"])
    print(f"saving: {total_bps / 1000:.0f} kbit/s in both directions")
    assert total_bps < 1_000_000
    assert normal["frames"] > 5
    assert normal["energy"] > 0
    expect(tile.get_by_text(PAUSED)).to_have_count(0)

    set_rate(node, before, 64_000)
    expect(tile.get_by_text(PAUSED)).to_be_visible(timeout=40_000)
    for size, name in (((1366, 768), "desktop"), ((390, 844), "phone")):
        site.set_viewport_size({"width": size[0], "height": size[1]})
        screenshot(site, f"room-held-back-{name}")
    site.evaluate(AXE.read_text(encoding="utf-8"))
    assert site.evaluate("async () => (await axe.run()).violations.map((one) => one.id)") == []
    site.set_viewport_size({"width": 1366, "height": 768})
    until(lambda: over(site, 3)["frames"], lambda rate: rate == 0, 20, "pictures go on")
    # Both ends need a while to find out how narrow the line is.
    narrow = until(lambda: over(site, 12), is_whole(0.05), 60, "sound comes in pieces")
    spoken = until(lambda: over(chair, 6), is_whole(0.1), 60, "sound leaves in pieces")
    print(f"64 kbit/s: {narrow}, from there {spoken}")
    assert narrow["energy"] > 0.2 * normal["energy"]
    assert spoken["energy"] > 0

    set_rate(node, before, None)
    expect(tile.get_by_text(PAUSED)).to_have_count(0, timeout=40_000)
    until(lambda: over(site, 2)["frames"], lambda rate: rate > 5, 30, "no picture again")
