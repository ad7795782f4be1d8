"""The official Python SDK (libwebrtc) against the node, on both signalling paths."""

import asyncio

import pytest
from livekit import rtc
from livekit.protocol import room as api

from media.api.server import MediaServer
from tests.integration.media_node.conftest import HEIGHT, WIDTH, Joiner, until

pytestmark = pytest.mark.media
both_paths = pytest.mark.parametrize("is_single", [True, False], ids=["v1", "v0"])


@both_paths
async def test_picture_and_sound_arrive_decoded(join: Joiner, is_single: bool) -> None:
    speaker = await join("speaker", is_single=is_single)
    viewer = await join("viewer", is_single=is_single)
    await speaker.show_picture()
    await speaker.make_sound()
    await until(lambda: viewer.frames.get("speaker", 0) > 50, 15, "decoded frames do not grow")
    assert viewer.sizes["speaker"] == (WIDTH, HEIGHT)
    await until(lambda: viewer.loudness.get("speaker", 0) > 2000, 10, "no sound arrives")
    await until(lambda: "speaker" in viewer.speakers, 10, "the speaker is not named")


@both_paths
async def test_late_joiner_sees_what_is_already_published(join: Joiner, is_single: bool) -> None:
    speaker = await join("speaker", is_single=is_single)
    await speaker.show_picture()
    await asyncio.sleep(1)
    viewer = await join("viewer", is_single=is_single)
    await until(lambda: viewer.frames.get("speaker", 0) > 25, 15, "no picture for a late joiner")


async def test_clients_of_both_paths_meet_in_one_room(join: Joiner) -> None:
    old, new = await join("old", is_single=False), await join("new", is_single=True)
    await old.show_picture()
    await new.show_picture()
    await until(lambda: old.frames.get("new", 0) > 25, 15, "v0 does not see v1")
    await until(lambda: new.frames.get("old", 0) > 25, 15, "v1 does not see v0")


async def test_the_largest_simulcast_layer_is_forwarded(join: Joiner) -> None:
    speaker, viewer = await join("speaker"), await join("viewer")
    await speaker.show_picture(simulcast=True, size=(1280, 720))
    await until(
        lambda: viewer.sizes.get("speaker") == (1280, 720), 30, "the largest layer never arrives"
    )


@both_paths
async def test_data_goes_to_whom_it_is_addressed(join: Joiner, is_single: bool) -> None:
    first = await join("first", is_single=is_single)
    second = await join("second", is_single=is_single)
    third = await join("third", is_single=is_single)
    await first.room.local_participant.publish_data(b"for all")
    await second.room.local_participant.publish_data(b"for one", destination_identities=["third"])
    await third.room.local_participant.publish_data(b"lossy", reliable=False)
    await until(lambda: (b"for all", "first") in second.data, 10, "a message is missing")
    await until(lambda: (b"for one", "second") in third.data, 10, "a message is missing")
    await until(lambda: (b"lossy", "third") in first.data, 10, "a message is missing")
    assert all(data != b"for one" for data, _ in first.data)


async def test_reliable_messages_keep_their_order(join: Joiner) -> None:
    sender, receiver = await join("sender"), await join("receiver")
    messages = [bytes([number]) * 5000 for number in range(60)]
    for message in messages:
        await sender.room.local_participant.publish_data(message)
    await until(lambda: len(receiver.data) == len(messages), 20, "messages are missing")
    assert [data for data, _ in receiver.data] == messages


async def test_text_streams_and_rpc_pass_through(join: Joiner) -> None:
    asker, answerer = await join("asker"), await join("answerer")
    received: list[str] = []

    def take(reader: rtc.TextStreamReader, _identity: str) -> None:
        async def read() -> None:
            received.append(await reader.read_all())

        asyncio.get_running_loop().create_task(read())

    answerer.room.register_text_stream_handler("notes", take)

    @answerer.room.local_participant.register_rpc_method("greet")
    async def greet(call: rtc.RpcInvocationData) -> str:
        return f"chào {call.payload}"

    await asker.room.local_participant.send_text("biên bản " * 4000, topic="notes")
    answer = await asker.room.local_participant.perform_rpc(
        destination_identity="answerer", method="greet", payload="chị"
    )
    assert answer == "chào chị"
    await until(lambda: received == ["biên bản " * 4000], 10, "the text did not arrive")


async def test_mute_and_leave_are_seen_by_others(join: Joiner) -> None:
    speaker, viewer = await join("speaker"), await join("viewer")
    publication = await speaker.show_picture()
    await until(lambda: viewer.frames.get("speaker", 0) > 5, 15, "no picture")
    muted: list[str] = []
    left: list[str] = []
    viewer.room.on("track_muted", lambda participant, _: muted.append(participant.identity))
    viewer.room.on(
        "participant_disconnected", lambda participant: left.append(participant.identity)
    )
    assert publication.track is not None
    publication.track.mute()
    await until(lambda: muted == ["speaker"], 5, "the mute is not seen")
    await speaker.room.disconnect()
    await until(lambda: left == ["speaker"], 5, "the leaving is not seen")


async def test_hidden_participant_is_seen_by_nobody(join: Joiner, server: MediaServer) -> None:
    viewer = await join("viewer")
    recorder = await join("recorder", hidden=True, recorder=True, can_publish=False)
    await viewer.show_picture()
    await until(lambda: recorder.frames.get("viewer", 0) > 5, 15, "the recorder sees nothing")
    assert viewer.room.remote_participants == {}
    rooms = await server.node.list_rooms(api.ListRoomsRequest())
    assert rooms.rooms[0].num_participants == 1
    assert rooms.rooms[0].active_recording


async def test_revoking_the_right_to_publish_ends_the_tracks(
    join: Joiner, server: MediaServer
) -> None:
    speaker, viewer = await join("speaker"), await join("viewer")
    await speaker.show_picture()
    await until(lambda: viewer.frames.get("speaker", 0) > 5, 15, "no picture")
    request = api.UpdateParticipantRequest(room="hall", identity="speaker")
    request.permission.can_subscribe = True
    await server.node.update_participant(request)
    publications = viewer.room.remote_participants["speaker"].track_publications
    await until(lambda: not publications, 5, "the track is still published")


async def test_the_same_identity_replaces_its_former_session(
    join: Joiner, server: MediaServer
) -> None:
    reasons: list[int] = []
    first, viewer = await join("twin"), await join("viewer")
    first.room.on("disconnected", reasons.append)
    second = await join("twin")
    await until(lambda: reasons, 10, "the first session was not ended")
    await second.show_picture()
    await until(lambda: viewer.frames.get("twin", 0) > 5, 15, "no picture of the second session")
    assert reasons[0] == rtc.DisconnectReason.DUPLICATE_IDENTITY
    assert server.node.figures()["participants"] == 2
