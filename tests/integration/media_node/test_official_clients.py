"""The official Python SDK and Chromium's room app in one meeting, let in by this service.

Both ask the service for their token, as everybody does: the SDK with the join link of a site and
the service's API, Chromium with the room's page. What counts is what each of them decodes.
"""

import asyncio
import re
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from livekit import rtc
from playwright.async_api import Page, async_playwright
from sqlalchemy import select

from conference.access.accounts import actor_of
from conference.access.models import Account
from conference.database import Database
from conference.directory.models import Person as Official
from conference.directory.models import Site
from conference.scheduling import service as scheduling
from conference.scheduling.announcement import SilentAnnouncer
from conference.scheduling.models import Meeting, RoomPreset, Scope, Status
from conference.scheduling.rules import Classification, MeetingDraft
from media.api.server import MediaServer
from tests.integration.media_node.conftest import HEIGHT, WIDTH, Person, settings, token, until
from tests.support.browser import FLAGS, executable
from tests.support.service import Service

both_paths = pytest.mark.parametrize("is_single", [True, False], ids=["v1", "v0"])

KEEP_CONNECTIONS = """
window.connections = [];
const Native = window.RTCPeerConnection;
window.RTCPeerConnection = class extends Native {
  constructor(...given) { super(...given); window.connections.push(this); }
};
"""
RECEIVED = """async () => {
  const sum = {framesDecoded: 0, totalAudioEnergy: 0, width: 0, height: 0};
  for (const connection of window.connections) {
    for (const one of (await connection.getStats()).values()) {
      if (one.type !== 'inbound-rtp') continue;
      sum.framesDecoded += one.framesDecoded ?? 0;
      sum.totalAudioEnergy += one.totalAudioEnergy ?? 0;
      sum.width = Math.max(sum.width, one.frameWidth ?? 0);
      sum.height = Math.max(sum.height, one.frameHeight ?? 0);
    }
  }
  return sum;
}"""


@dataclass(frozen=True)
class Held:
    """A discussion that is live: every site may show itself and speak."""

    id: int
    join_codes: tuple[str, ...]
    identities: tuple[str, ...]


@pytest.fixture
def held(service: Service) -> Iterator[Held]:
    database = Database(service.settings.database_url)
    now = datetime.now(UTC).replace(microsecond=0)
    with database.transaction() as session:
        secretary = session.scalars(select(Account).where(Account.username == "thuky")).one()
        names = ("Nguyễn Văn An", "Hoàng Thị Hạnh")
        people = [session.scalars(select(Official).filter_by(full_name=n)).one() for n in names]
        draft = MeetingDraft(
            classification=Classification.NONE, scope=Scope.INTRA,
            title="Họp thử thiết bị các điểm cầu", starts_at=now + timedelta(minutes=5),
            ends_at=now + timedelta(hours=2), chair_id=people[0].id, secretary_id=people[1].id,
            room_preset=RoomPreset.DISCUSSION,
            site_ids=tuple(session.scalars(select(Site.id).order_by(Site.id).limit(2))),
        )  # fmt: skip
        meeting = scheduling.create_meeting(
            session, draft, actor=actor_of(secretary), at=now,
            announcer=SilentAnnouncer(), is_inviting=True,
        )  # fmt: skip
        meeting.status, meeting.opened_at = Status.LIVE, now
        sites = meeting.sites
        made = Held(
            meeting.id,
            tuple(site.join_code for site in sites),
            tuple(f"site:{site.id}" for site in sites),
        )
    yield made
    with database.transaction() as session:
        over = session.get_one(Meeting, made.id)
        over.status, over.ended_at = Status.ENDED, datetime.now(UTC)
    database.dispose()


def ask_for_token(service: Service, held: Held, number: int) -> dict[str, Any]:
    """The service's answer to a site that has opened its join link."""
    with requests.Session() as browser:
        page = browser.get(f"{service.url}/vao/{held.join_codes[number]}", timeout=10)
        csrf = re.search(r'name="csrf-token" content="([^"]+)"', page.text)
        assert csrf is not None
        answer = browser.post(
            f"{service.url}/api/v1/meetings/{held.id}/token",
            json={},
            headers={"X-CSRFToken": csrf[1]},
            timeout=10,
        )
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


class Background:
    """An event loop in a thread of its own: the test's thread may belong to Playwright."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="official clients")
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Do ``work`` on the loop, raising what it raises."""
        asyncio.run_coroutine_threadsafe(work, self._loop).result(150)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture
def background() -> Iterator[Background]:
    made = Background()
    yield made
    made.close()


@asynccontextmanager
async def room_page(url: str, join_code: str) -> AsyncIterator[Page]:
    """The room app of a site that entered with camera and microphone on."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable(), args=list(FLAGS))
        context = await browser.new_context(base_url=url, locale="vi-VN")
        await context.grant_permissions(["camera", "microphone"], origin=url)
        await context.add_init_script(KEEP_CONNECTIONS)
        page = await context.new_page()
        await page.goto(f"/vao/{join_code}")
        await page.get_by_label("Bật micro khi vào họp").check()
        await page.get_by_role("button", name="Vào họp").click()
        try:
            yield page
        finally:
            await browser.close()


async def until_received(
    page: Page, is_enough: Callable[[dict[str, float]], bool], what: str
) -> dict[str, float]:
    """What the page has received, once that is enough; AssertionError after 20 s."""
    deadline = time.monotonic() + 20
    while True:
        received: dict[str, float] = await page.evaluate(RECEIVED)
        if is_enough(received):
            return received
        assert time.monotonic() < deadline, f"{what}: {received}"
        await asyncio.sleep(0.1)


async def meet(page: Page, answer: dict[str, Any], in_page: str, *, is_single: bool) -> None:
    """Join beside the page and see, from both sides, that picture and sound arrive and go on."""
    person = Person()
    try:
        await person.join(answer["media_url"], answer["token"], is_single=is_single)
        await person.show_picture()
        await person.make_sound()
        await until(lambda: person.frames.get(in_page, 0) > 25, 30, "no picture of Chromium")
        await until(lambda: person.loudness.get(in_page, 0) > 10, 20, "no sound of Chromium")
        before = await until_received(
            page,
            lambda now: (
                now["framesDecoded"] > 25
                and now["totalAudioEnergy"] > 0.01
                and (now["width"], now["height"]) == (WIDTH, HEIGHT)
            ),
            "Chromium does not decode the SDK",
        )
        seen = person.frames[in_page]
        await until_received(
            page,
            lambda now: (
                now["framesDecoded"] > before["framesDecoded"] + 25
                and now["totalAudioEnergy"] > before["totalAudioEnergy"]
            ),
            "what Chromium decodes does not grow",
        )
        await until(lambda: person.frames[in_page] > seen + 25, 20, "the SDK's picture stands")
    finally:
        await person.leave()


@pytest.mark.media
@pytest.mark.browser
@both_paths
def test_the_sdk_and_the_room_app_decode_each_other(
    service: Service, held: Held, background: Background, is_single: bool
) -> None:
    answer = ask_for_token(service, held, 1)
    assert answer["identity"] == held.identities[1]

    async def hold() -> None:
        async with room_page(service.url, held.join_codes[0]) as page:
            await meet(page, answer, held.identities[0], is_single=is_single)

    background.run(hold())


async def stay_fifty_times(*, is_single: bool) -> None:
    """Join a node and leave it again, then see that it has forgotten everything."""
    server = MediaServer(settings())
    await server.start()
    try:
        url, options = f"ws://127.0.0.1:{server.port}", rtc.RoomOptions()
        options.single_peer_connection = is_single
        for number in range(50):
            room = rtc.Room()
            await room.connect(url, token(f"visitor-{number}"), options)
            (live,) = server.node.rooms.values()
            live.room.departure_timeout_s = 1
            assert next(reversed(live.sessions.values())).is_single == is_single
            await room.disconnect()
        kept = ("rooms", "participants", "connections", "tracks", "subscriptions",
                "transport_tasks")  # fmt: skip

        def is_empty() -> bool:
            now = server.node.figures()
            return not any(now[name] for name in kept)

        await until(is_empty, 20, "the node keeps something of those who left")
        assert server.node.figures()["joins_total"] == 50
    finally:
        await server.close()


@pytest.mark.media
@both_paths
def test_fifty_stays_of_the_sdk_leave_nothing_behind(
    background: Background, is_single: bool
) -> None:
    background.run(stay_fifty_times(is_single=is_single))
