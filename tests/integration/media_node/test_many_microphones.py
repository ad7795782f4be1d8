"""Seven open microphones in a real room: listeners get the loudest four, a recorder gets all."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from livekit.api import AccessToken, VideoGrants

from media.api.server import MediaServer
from media.client import Client, MediaPacket, TrackSubscribed
from media.client.local import EXTENSIONS
from media.core.extensions import AUDIO_LEVEL
from tests.integration.media_node.conftest import KEY, SECRET, token, until

pytestmark = pytest.mark.media
LOUD, QUIET = 20, 45
"""Levels in -dBov; both count as speech."""


class Microphone:
    """One participant who sends numbered sound of a level."""

    def __init__(self, url: str, identity: str, level: int) -> None:
        self._url = url
        self.identity = identity
        self.level = level
        self.number = 0
        self._client: Client | None = None
        self._task: asyncio.Task[None] | None = None

    async def join(self, **attributes: str) -> None:
        grants = VideoGrants(room="hall", room_join=True)
        issued = AccessToken(KEY, SECRET).with_identity(self.identity).with_grants(grants)
        access = issued.with_attributes(attributes).to_jwt()
        self._client = await Client.connect(self._url, access, auto_subscribe=False)
        self._task = asyncio.create_task(self._speak(self._client))

    async def _speak(self, client: Client) -> None:
        track = await client.publish_audio()
        due_s = asyncio.get_running_loop().time()
        while True:
            self.number += 1
            level = {EXTENSIONS["audio"][AUDIO_LEVEL]: bytes((0x80 | self.level,))}
            track.send(self.number.to_bytes(4, "big") * 10, self.number * 960, level)
            due_s += 0.02
            await asyncio.sleep(max(0.0, due_s - asyncio.get_running_loop().time()))

    async def leave(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._client is not None:
            await self._client.leave()


class Listener:
    """Counts what it hears of whom; knows of numbers left out though no packet was lost."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.heard: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()
        self._last: dict[str, int] = {}
        self._task = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        async for event in self._client.events():
            if isinstance(event, TrackSubscribed):
                who = event.participant.identity
                self._last.pop(who, None)
                event.track.on_packet = lambda packet, who=who: self._note(who, packet)

    def _note(self, who: str, packet: MediaPacket) -> None:
        number = int.from_bytes(packet.payload[:4], "big")
        expected = self._last.get(who, number - 1) + 1 + packet.lost_before
        self.left_out[who] += max(0, number - expected)
        self._last[who] = number
        self.heard[who] += 1

    async def leave(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._client.leave()


@pytest.fixture
async def microphones(url: str) -> AsyncIterator[dict[str, Microphone]]:
    """Four loud ones, and three quiet ones of which the last has the floor."""
    levels = {f"m{index}": LOUD if index < 4 else QUIET for index in range(7)}
    people = {name: Microphone(url, name, level) for name, level in levels.items()}
    try:
        for name, one in people.items():
            await one.join(**({"diemcau.floor": "1"} if name == "m6" else {}))
        yield people
    finally:
        for one in people.values():
            await one.leave()


async def test_listeners_hear_four_and_the_floor_and_the_recorder_hears_everybody(
    server: MediaServer, url: str, microphones: dict[str, Microphone]
) -> None:
    listener = Listener(await Client.connect(url, token("listener")))
    grants = {"recorder": True, "hidden": True, "can_publish": False}
    recorder = Listener(await Client.connect(url, token("recorder", **grants)))
    (room,) = server.node.rooms.values()

    def forwarded() -> set[str]:
        tracks = list(room.tracks.values())
        return {track.publisher.identity for track in tracks if not track.up.is_withheld}

    async def chosen(expected: set[str]) -> None:
        def is_so() -> bool:
            return len(room.tracks) == 7 and forwarded() == expected

        await until(is_so, 30, f"others than {expected} are heard")
        heard, recorded = listener.heard.copy(), recorder.heard.copy()

        def all_recorded() -> bool:
            return all(recorder.heard[name] >= recorded[name] + 60 for name in microphones)

        await until(all_recorded, 30, "the recorder misses a microphone")
        assert forwarded() == expected, "the choice swings"
        more = listener.heard - heard
        # What was on its way when the choice was made may still arrive.
        assert {name for name, count in more.items() if count > 10} == expected

    try:
        await until(lambda: len(recorder.heard) == 7, 30, "the recorder does not hear everybody")
        await chosen({"m0", "m1", "m2", "m3", "m6"})
        microphones["m0"].level, microphones["m5"].level = QUIET, LOUD
        await chosen({"m5", "m1", "m2", "m3", "m6"})
        assert not any(recorder.left_out[name] for name in microphones), recorder.left_out

        # Who has the floor is heard at once after joining anew, quiet as it is.
        await microphones["m6"].leave()
        await until(lambda: len(room.tracks) == 6, 30, "it does not leave")
        await microphones["m6"].join(**{"diemcau.floor": "1"})
        await chosen({"m5", "m1", "m2", "m3", "m6"})
    finally:
        await listener.leave()
        await recorder.leave()
