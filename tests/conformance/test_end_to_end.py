"""Frames and data encrypted end to end pass the server unread: who has the key understands them.

Chromium encrypts with the worker that comes with ``livekit-client``, the Python SDK with its own
code; both derive their keys from the same words.
"""

from collections.abc import AsyncIterator, Callable

import pytest
from livekit import rtc

from tests.conformance import chromium
from tests.conformance.chromium import Tab
from tests.conformance.conftest import Guest, token, until
from tests.conformance.tap import Tap

pytestmark = pytest.mark.media

WORDS = "bí mật của cuộc họp"
FRAMES = 30
Own = Callable[[str], str]


@pytest.fixture
async def guests() -> AsyncIterator[list[Guest]]:
    made: list[Guest] = []
    yield made
    for guest in made:
        await guest.leave()


@pytest.fixture
async def tab(tabs: chromium.Tabs) -> AsyncIterator[Tab]:
    opened = await tabs.open()
    yield opened
    await opened.close()


async def test_who_has_the_key_sees_the_picture_and_nobody_else_does(
    tap: Tap, tab: Tab, guests: list[Guest], room: str, own: Own
) -> None:
    async def sdk(name: str, words: str | None) -> Guest:
        guest = Guest()
        guests.append(guest)
        keys = rtc.KeyProviderOptions(shared_key=words.encode()) if words else None
        options = rtc.RoomOptions(
            single_peer_connection=True,
            encryption=rtc.E2EEOptions(key_provider_options=keys) if keys else None,
        )
        await guest.room.connect(tap.url, token(own(name), room), options)
        return guest

    friend, stranger, guesser = (
        await sdk("friend", WORDS),
        await sdk("stranger", None),
        await sdk("guesser", "other words"),
    )
    options = {"singlePeerConnection": True, "words": WORDS}
    await tab.call("join", tap.url, token(own("browser"), room), options)
    await tab.call("camera", 640, 360)
    published = await friend.show_picture()

    async def browser_sees() -> bool:
        got = await tab.call("received", own("friend"))
        return bool(got) and got["frames"] >= FRAMES

    await until(lambda: friend.frames.get(own("browser"), 0) >= FRAMES, "Chromium → SDK", 40)
    await until(browser_sees, "SDK → Chromium", 40)
    await tab.call("say", "lời kín")
    await until(lambda: [data.decode() for data, _ in friend.data] == ["lời kín"], "no data", 20)
    assert not stranger.data
    # Packets reach the others as well; who tries a key of its own gets no picture out of them.
    await until(lambda: guesser.tracks_of(own("browser")) and stranger.tracks_of(own("browser")))
    assert guesser.frames.get(own("browser"), 0) == 0
    (seen,) = stranger.tracks_of(own("browser")).values()
    assert seen.encryption_type == rtc.EncryptionType.GCM
    assert published.encryption_type == rtc.EncryptionType.GCM
