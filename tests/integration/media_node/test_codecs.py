"""Codecs and data tracks the official SDK sends are what its peer decodes."""

import asyncio

import pytest
from livekit import rtc
from livekit.rtc.participant import PublishDataTrackError

from media.api.server import MediaServer
from media.core.codecs import AV1, H264, OPUS, VP9
from tests.integration.media_node.conftest import Joiner, Person, until

pytestmark = pytest.mark.media


@pytest.mark.parametrize("is_single", [True, False], ids=["v1", "v0"])
@pytest.mark.parametrize(
    ("codec", "mime"),
    [
        (rtc.VideoCodec.VP9, VP9),
        (rtc.VideoCodec.AV1, AV1),
        (rtc.VideoCodec.H264, H264),
    ],
    ids=["VP9", "AV1", "H.264"],
)
async def test_a_picture_in_any_codec_is_decoded(
    join: Joiner, server: MediaServer, codec: rtc.VideoCodec, mime: str, is_single: bool
) -> None:
    speaker = await join("speaker", is_single=is_single)
    viewer = await join("viewer", is_single=is_single)
    await speaker.show_picture(codec=codec)
    await until(lambda: viewer.frames.get("speaker", 0) > 10, 30, "no picture")
    (room,) = server.node.rooms.values()
    (track,) = room.tracks.values()
    assert track.codec.mime_type == mime
    late = await join("late", is_single=is_single)
    await until(lambda: late.frames.get("speaker", 0) > 5, 30, "no picture for a latecomer")


async def test_redundant_audio_arrives_as_plain_opus(join: Joiner, server: MediaServer) -> None:
    speaker, listener = await join("speaker"), await join("listener")
    await speaker.make_sound()
    await until(lambda: listener.loudness.get("speaker", 0) > 100, 20, "no sound")
    (room,) = server.node.rooms.values()
    (track,) = room.tracks.values()
    assert track.codec.mime_type == OPUS
    assert track.codec.red_payload_type is not None
    assert not track.info.disable_red


async def listen(person: Person, into: list[bytes]) -> None:
    arrived: asyncio.Future[rtc.RemoteDataTrack] = asyncio.get_running_loop().create_future()
    person.room.on("data_track_published", arrived.set_result)
    track = await asyncio.wait_for(arrived, 10)
    async for frame in track.subscribe():
        into += [bytes(frame.payload)]


@pytest.mark.parametrize("is_single", [True, False], ids=["v1", "v0"])
async def test_a_data_track_reaches_who_subscribes(join: Joiner, is_single: bool) -> None:
    sender = await join("sender", is_single=is_single)
    receiver = await join("receiver", is_single=is_single)
    got: list[bytes] = []
    listening = asyncio.create_task(listen(receiver, got))
    track = await sender.room.local_participant.publish_data_track(name="telemetry")
    number = 0

    def push() -> int:
        nonlocal number
        number += 1
        track.try_push(rtc.DataTrackFrame(payload=number.to_bytes(4, "big") * 1000))
        return len(got)

    await until(lambda: push() >= 5, 20, "no frames of the data track")
    assert all(payload == payload[:4] * 1000 for payload in got)
    with pytest.raises(PublishDataTrackError):
        await sender.room.local_participant.publish_data_track(name="telemetry")
    await track.unpublish()
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
