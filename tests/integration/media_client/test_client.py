"""Two clients in one room of a real server: media, mute, data, presence, coming back."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import TypeVar

import pytest
from livekit.protocol import models, rtc

from benchmarks.peers import Server
from media.client import (
    Client,
    ConnectError,
    DataReceived,
    Disconnected,
    Event,
    Frame,
    LocalTrack,
    MediaPacket,
    ParticipantJoined,
    ParticipantLeft,
    Reconnected,
    Reconnecting,
    RemoteTrack,
    TrackMuted,
    TrackSubscribed,
    TrackUnsubscribed,
    depayloader_for,
)
from media.client.load import room_token
from media.client.load_media import vp8_frame
from media.client.peer import PeerLink
from media.client.signal import SignalLink
from tests.integration.media_client.conftest import Join, plan_for

pytestmark = pytest.mark.media

E = TypeVar("E", bound=Event)
WITHIN_S = 10.0


class Watcher:
    """Reads a client's events and lets tests wait for one."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.seen: list[Event] = []
        self.packets: dict[str, list[MediaPacket]] = {}
        self._changed = asyncio.Condition()

    async def run(self) -> None:
        async for event in self.client.events():
            if isinstance(event, TrackSubscribed):
                event.track.on_packet = self.packets.setdefault(event.track.sid, []).append
            async with self._changed:
                self.seen.append(event)
                self._changed.notify_all()

    async def event(self, kind: type[E], test: Callable[[E], bool] = lambda _: True) -> E:
        """The first event of this kind that passes, already seen or to come."""

        def find() -> E | None:
            return next((e for e in self.seen if isinstance(e, kind) and test(e)), None)

        async with asyncio.timeout(WITHIN_S), self._changed:
            await self._changed.wait_for(lambda: find() is not None)
        found = find()
        assert found is not None
        return found

    async def track(self, kind: str) -> RemoteTrack:
        return (await self.event(TrackSubscribed, lambda e: e.track.kind == kind)).track


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not condition():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def watching(client: Client) -> AsyncIterator[Watcher]:
    watcher = Watcher(client)
    task = asyncio.create_task(watcher.run())
    try:
        yield watcher
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def sending(track: LocalTrack) -> AsyncIterator[list[bytes]]:
    """Media at its natural pace; video starts with a keyframe whenever one is wanted."""
    sent: list[bytes] = []
    wants = [True]
    track.on_keyframe_request = lambda: wants.append(True)

    async def pace() -> None:
        number = 0
        while True:
            if track.kind == "audio":
                frame = b"\xf8" + number.to_bytes(4, "big") * 10
                step = 960
            else:
                frame = vp8_frame(2500 + number % 700, is_key=bool(wants))
                wants.clear()
                step = 1800
            track.send(frame, number * step)
            sent.append(frame)
            number += 1
            await asyncio.sleep(0.02)

    task = asyncio.create_task(pace())
    try:
        yield sent
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_frames_arrive_as_they_were_sent(join: Join) -> None:
    speaker, listener = await join("speaker"), await join("listener")
    async with watching(listener) as watcher:
        audio = await speaker.publish_audio()
        video = await speaker.publish_video(width=640, height=360)
        async with sending(audio) as sent_audio, sending(video) as sent_video:
            heard, seen = await watcher.track("audio"), await watcher.track("video")
            assert (heard.mime, heard.clock_rate) == ("audio/opus", 48_000)
            assert (seen.mime, seen.source) == ("video/vp8", models.TrackSource.CAMERA)
            assert heard.identity == "speaker"
            await until(lambda: len(watcher.packets[heard.sid]) > 60)
            await until(lambda: len(watcher.packets[seen.sid]) > 100)
        for track, sent in ((heard, sent_audio), (seen, sent_video)):
            frames = frames_of(track, watcher.packets[track.sid])
            assert frames[0].is_keyframe
            assert not any(frame.follows_gap for frame in frames)
            data = [frame.data for frame in frames]
            start = sent.index(data[0])
            assert data == sent[start : start + len(data)]
            assert track.stats.lost == 0


async def test_a_subscriber_gets_the_layer_of_a_simulcast_it_asks_for(join: Join) -> None:
    speaker, listener = await join("speaker"), await join("listener")
    async with AsyncExitStack() as stack:
        watcher = await stack.enter_async_context(watching(listener))
        video = await speaker.publish_simulcast([(320, 180), (640, 360), (1280, 720)])
        assert [layer.rid for layer in video.layers] == ["q", "h", "f"]
        sent = [await stack.enter_async_context(sending(layer)) for layer in video.layers]
        seen = await watcher.track("video")
        received = watcher.packets[seen.sid]
        qualities = (models.VideoQuality.LOW, models.VideoQuality.HIGH, models.VideoQuality.MEDIUM)
        for quality in qualities:
            await listener.set_track_settings(seen.sid, quality=quality)

            def is_shown(index: int = int(quality)) -> bool:
                frames = frames_of(seen, received[-60:])
                return len(frames) > 3 and all(one.data in sent[index] for one in frames[-3:])

            await until(is_shown)
        assert seen.stats.lost == 0


def frames_of(track: RemoteTrack, packets: list[MediaPacket]) -> list[Frame]:
    depayloader = depayloader_for(track.mime)
    return [frame for packet in packets if (frame := depayloader.push(packet)) is not None]


async def test_a_lossy_line_is_repaired_by_retransmission(
    join: Join, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(7)
    receive = PeerLink._receive_srtp

    def lossy(peer: PeerLink, data: bytes) -> None:
        if chance.random() > 0.05:
            receive(peer, data)

    monkeypatch.setattr(PeerLink, "_receive_srtp", lossy)
    speaker, listener = await join("speaker"), await join("listener")
    async with watching(listener) as watcher:
        video = await speaker.publish_video(width=640, height=360)
        async with sending(video):
            seen = await watcher.track("video")
            await until(lambda: len(watcher.packets[seen.sid]) > 600)
    assert seen.stats.recovered > 10
    assert seen.stats.lost <= 6  # one in a hundred


async def test_a_requested_keyframe_comes(join: Join) -> None:
    speaker, listener = await join("speaker"), await join("listener")
    async with watching(listener) as watcher:
        video = await speaker.publish_video(width=640, height=360)
        async with sending(video):
            seen = await watcher.track("video")
            await until(lambda: len(watcher.packets[seen.sid]) > 60)
            before = len(watcher.packets[seen.sid])
            seen.request_keyframe()
            await until(
                lambda: any(
                    frame.is_keyframe
                    for frame in frames_of(seen, watcher.packets[seen.sid][before - 10 :])
                )
            )


async def test_sender_reports_give_the_wall_time_of_a_packet(join: Join) -> None:
    speaker, listener = await join("speaker"), await join("listener")
    async with watching(listener) as watcher:
        audio = await speaker.publish_audio()
        async with sending(audio):
            heard = await watcher.track("audio")
            await until(lambda: heard.wall_time_s(0) is not None)
            await until(lambda: bool(watcher.packets[heard.sid]))
            packet = watcher.packets[heard.sid][-1]
            sent_s = heard.wall_time_s(packet.timestamp)
    loop_s = asyncio.get_running_loop().time()
    assert sent_s is not None
    # Both clocks are this machine's; what differs is the way of the packet.
    age_s = loop_s - packet.arrived_s
    assert abs(asyncio_wall(loop_s) - age_s - sent_s) < 1.0


def asyncio_wall(loop_s: float) -> float:
    import time  # noqa: PLC0415

    return time.time() - asyncio.get_running_loop().time() + loop_s


async def test_mute_unpublish_and_leaving_are_told(join: Join) -> None:
    speaker, listener = await join("speaker"), await join("listener")
    async with watching(listener) as watcher:
        await watcher.event(ParticipantJoined)
        audio = await speaker.publish_audio()
        heard = await watcher.track("audio")
        assert not heard.is_muted
        await speaker.set_muted(audio, True)
        await watcher.event(TrackMuted, lambda e: e.is_muted)
        await until(lambda: heard.is_muted)
        await speaker.set_muted(audio, False)
        await watcher.event(TrackMuted, lambda e: not e.is_muted)
        await speaker.unpublish(audio)
        gone = await watcher.event(TrackUnsubscribed)
        assert gone.track is heard
        await speaker.leave()
        left = await watcher.event(ParticipantLeft)
        assert left.participant.identity == "speaker"
        assert "speaker" not in listener.participants


@pytest.mark.parametrize("reliable", [True, False])
async def test_data_reaches_whom_it_is_for(join: Join, reliable: bool) -> None:
    sender, wanted, other = await join("sender"), await join("wanted"), await join("other")
    async with watching(wanted) as watcher, watching(other) as bystander:
        assert await sender.send_data(b"to one", to=["wanted"], reliable=reliable)
        assert await sender.send_data(b"to all", topic="t", reliable=reliable)
        one = await watcher.event(DataReceived, lambda e: e.packet.user.payload == b"to one")
        assert one.packet.participant_identity == "sender"
        assert one.is_reliable == reliable
        everyone = await bystander.event(DataReceived)
        assert everyone.packet.user.payload == b"to all"
        assert everyone.packet.user.topic == "t"


async def test_without_auto_subscribe_only_what_is_asked_for_arrives(join: Join) -> None:
    speaker, listener = await join("speaker"), await join("listener", auto_subscribe=False)
    async with watching(listener) as watcher:
        audio = await speaker.publish_audio()
        video = await speaker.publish_video(width=640, height=360)
        async with sending(audio), sending(video):
            await until(lambda: len(listener.participants["speaker"].tracks) == 2)
            assert not listener.tracks
            await listener.set_subscribed([video.sid], True)
            seen = await watcher.track("video")
            await until(lambda: len(watcher.packets[seen.sid]) > 20)
            assert list(listener.tracks) == [video.sid]


async def test_a_lost_signalling_socket_costs_an_instant_and_no_track(join: Join) -> None:
    speaker, listener = await join("speaker"), await join("listener")
    async with watching(listener) as watcher, watching(speaker) as other:
        audio = await speaker.publish_audio()
        async with sending(audio):
            heard = await watcher.track("audio")
            await until(lambda: len(watcher.packets[heard.sid]) > 20)
            session = listener.sid
            for client in (listener, speaker):
                assert client._stay.signal is not None
                client._stay.signal.abort()
            for one in (watcher, other):
                await one.event(Reconnecting)
                back = await one.event(Reconnected)
                assert back.is_resumed
            before = len(watcher.packets[heard.sid])
            await until(lambda: len(watcher.packets[heard.sid]) > before + 50)
            assert listener.sid == session
            assert not any(isinstance(event, TrackUnsubscribed) for event in watcher.seen)
            assert heard.stats.lost <= 5  # a tenth of a second, while the path was found anew


async def test_media_that_overtakes_signalling_costs_no_second(
    server: Server, join: Join, monkeypatch: pytest.MonkeyPatch
) -> None:
    if server.name != "node":
        pytest.skip("what LiveKit's server does here is its own affair")
    send = SignalLink.send
    late: list[asyncio.Task[None]] = []

    async def slow(link: SignalLink, request: rtc.SignalRequest) -> None:
        async def send_later() -> None:
            await asyncio.sleep(0.3)
            await send(link, request)

        if request.HasField("answer"):
            late.append(asyncio.create_task(send_later()))
        else:
            await send(link, request)

    monkeypatch.setattr(SignalLink, "send", slow)
    loop = asyncio.get_running_loop()
    started_s = loop.time()
    await join("listener", single_connection=False)
    assert late
    assert 0.3 < loop.time() - started_s < 0.9


async def test_a_removed_participant_hears_why(server: Server, join: Join) -> None:
    first = await join("twin")
    async with watching(first) as watcher:
        second = await join("twin")
        ended = await watcher.event(Disconnected)
        assert ended.reason == models.DisconnectReason.DUPLICATE_IDENTITY
        assert second.sid != first.sid


async def test_a_refused_token_is_an_error_with_its_status(server: Server) -> None:
    token = room_token(plan_for(server), "r", "x", publishes=True)
    with pytest.raises(ConnectError) as refused:
        await Client.connect(server.url, token[:-4] + "AAAA")
    assert refused.value.status == 401
    assert refused.value.is_final


async def test_an_absent_server_is_an_error_at_once(unused_tcp_port: int) -> None:
    with pytest.raises(ConnectError) as refused:
        await Client.connect(f"ws://127.0.0.1:{unused_tcp_port}", "token")
    assert not refused.value.is_final
