"""A media node in this process, and official LiveKit clients of it."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import numpy as np
import pytest
from livekit import rtc
from livekit.api import AccessToken, VideoGrants

from media.api.server import MediaServer
from media.settings import RtcSettings, Settings

KEY = "devkey"
SECRET = "a-secret-that-is-long-enough-for-hs256"
WIDTH, HEIGHT = 640, 360


def token(identity: str, room: str = "hall", **grants: Any) -> str:
    issued = AccessToken(KEY, SECRET).with_identity(identity)
    return issued.with_grants(VideoGrants(room=room, room_join=True, **grants)).to_jwt()


async def until(condition: Callable[[], Any], within_s: float, what: str) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.02)


def settings(udp_port: int = 0) -> Settings:
    return Settings(
        keys={KEY: SECRET},
        host="127.0.0.1",
        port=0,
        rtc=RtcSettings(udp_port=udp_port, node_ip=("127.0.0.1",)),
    )


@pytest.fixture
async def server() -> AsyncIterator[MediaServer]:
    running = MediaServer(settings())
    await running.start()
    try:
        yield running
    finally:
        await running.close()


@pytest.fixture
def url(server: MediaServer) -> str:
    return f"ws://127.0.0.1:{server.port}"


class Person:
    """An official SDK client that keeps count of what reaches it."""

    def __init__(self) -> None:
        self.room = rtc.Room()
        self.frames: dict[str, int] = {}
        self.sizes: dict[str, tuple[int, int]] = {}
        self.loudness: dict[str, float] = {}
        self.data: list[tuple[bytes, str | None]] = []
        self.speakers: set[str] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self.room.on("track_subscribed", self._subscribed)
        self.room.on("data_received", self._received)
        self.room.on("active_speakers_changed", self._spoke)

    async def join(self, url: str, access_token: str, *, is_single: bool = True) -> None:
        await self.room.connect(
            url, access_token, rtc.RoomOptions(single_peer_connection=is_single)
        )

    def _received(self, packet: rtc.DataPacket) -> None:
        sender = packet.participant.identity if packet.participant else None
        self.data.append((packet.data, sender))

    def _spoke(self, speakers: list[rtc.Participant]) -> None:
        self.speakers.update(speaker.identity for speaker in speakers)

    def _subscribed(
        self, track: rtc.Track, _publication: Any, participant: rtc.RemoteParticipant
    ) -> None:
        is_video = track.kind == rtc.TrackKind.KIND_VIDEO
        consume = self._watch if is_video else self._listen
        self._tasks.append(asyncio.create_task(consume(track, participant.identity)))

    async def _watch(self, track: rtc.Track, identity: str) -> None:
        async for event in rtc.VideoStream(track):
            self.frames[identity] = self.frames.get(identity, 0) + 1
            self.sizes[identity] = (event.frame.width, event.frame.height)

    async def _listen(self, track: rtc.Track, identity: str) -> None:
        async for event in rtc.AudioStream(track):
            samples = np.frombuffer(event.frame.data, dtype=np.int16)
            self.loudness[identity] = float(np.abs(samples).mean())

    async def show_picture(
        self,
        *,
        simulcast: bool = False,
        size: tuple[int, int] = (WIDTH, HEIGHT),
        codec: rtc.VideoCodec = rtc.VideoCodec.VP8,
    ) -> rtc.LocalTrackPublication:
        width, height = size
        source = rtc.VideoSource(width, height)
        track = rtc.LocalVideoTrack.create_video_track("camera", source)
        options = rtc.TrackPublishOptions(
            source=rtc.TrackSource.SOURCE_CAMERA,
            simulcast=simulcast,
            video_codec=codec,
        )
        publication = await self.room.local_participant.publish_track(track, options)

        async def feed() -> None:
            picture = np.zeros((height, width, 4), np.uint8)
            number = 0
            while True:
                number += 1
                picture[:, : width // 2] = number % 255
                frame = rtc.VideoFrame(width, height, rtc.VideoBufferType.RGBA, picture.tobytes())
                source.capture_frame(frame)
                await asyncio.sleep(1 / 25)

        self._tasks.append(asyncio.create_task(feed()))
        return publication

    async def make_sound(self) -> rtc.LocalTrackPublication:
        source = rtc.AudioSource(48000, 1)
        track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        publication = await self.room.local_participant.publish_track(track, options)

        async def feed() -> None:
            at = np.arange(480)
            while True:
                samples = (8000 * np.sin(2 * np.pi * 440 * at / 48000)).astype(np.int16)
                at = at + 480
                await source.capture_frame(rtc.AudioFrame(samples.tobytes(), 48000, 1, 480))

        self._tasks.append(asyncio.create_task(feed()))
        return publication

    async def leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.room.disconnect()


Joiner = Callable[..., Awaitable[Person]]


@pytest.fixture
async def join(url: str) -> AsyncIterator[Joiner]:
    people: list[Person] = []

    async def enter(
        identity: str, room: str = "hall", *, is_single: bool = True, **grants: Any
    ) -> Person:
        person = Person()
        people.append(person)
        await person.join(url, token(identity, room, **grants), is_single=is_single)
        return person

    yield enter
    for person in people:
        await person.leave()
