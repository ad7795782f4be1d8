"""Each request a client may send, and the answer LiveKit's protocol has for it."""

import pytest
from livekit.api import LiveKitAPI
from livekit.protocol import models, rtc
from livekit.protocol import room as api

from media.api.server import MediaServer
from media.core import wishes
from tests.integration.media_node.conftest import KEY, SECRET, token
from tests.support.raw_signalling import raw_client

pytestmark = pytest.mark.media

Reason = rtc.RequestResponse.Reason


@pytest.mark.parametrize("is_json", [False, True], ids=["protobuf", "JSON"])
async def test_every_refusal_names_the_request_and_the_reason(url: str, is_json: bool) -> None:
    async with raw_client(url, token("a"), is_json=is_json) as client:
        await client.send(trickle=rtc.TrickleRequest(candidateInit="{"))
        answer = await client.next("request_response")
        assert answer.reason == Reason.UNCLASSIFIED_ERROR
        assert answer.trickle.candidateInit == "{"
        await client.send(mute=rtc.MuteTrackRequest(sid="TR_none", muted=True))
        answer = await client.next("request_response")
        assert (answer.reason, answer.mute.sid) == (Reason.NOT_FOUND, "TR_none")
        update = rtc.UpdateParticipantMetadata(name="x", request_id=7)
        await client.send(update_metadata=update)
        answer = await client.next("request_response")
        assert (answer.reason, answer.request_id) == (Reason.NOT_ALLOWED, 7)
        await client.send(update_audio_track=rtc.UpdateLocalAudioTrack(track_sid="TR_none"))
        answer = await client.next("request_response")
        assert answer.reason == Reason.NOT_FOUND
        assert answer.HasField("update_audio_track")
        await client.send(update_video_track=rtc.UpdateLocalVideoTrack(track_sid="TR_none"))
        assert (await client.next("request_response")).HasField("update_video_track")
        await client.send(simulate=rtc.SimulateScenario(switch_candidate_protocol="TLS"))
        assert (await client.next("request_response")).reason == Reason.UNSUPPORTED_TYPE
        blob = rtc.GetDataBlobRequest(request_id=9, participant_identity="nobody")
        await client.send(get_data_blob_request=blob)
        answer = await client.next("request_response")
        assert (answer.reason, answer.request_id) == (Reason.NOT_FOUND, 9)
        unpublish = rtc.UnpublishDataTrackRequest(pub_handle=3)
        await client.send(unpublish_data_track_request=unpublish)
        answer = await client.next("request_response")
        assert (answer.reason, answer.unpublish_data_track.pub_handle) == (Reason.INVALID_HANDLE, 3)


async def test_pings_of_both_kinds_are_answered_in_milliseconds(url: str) -> None:
    async with raw_client(url, token("a")) as client:
        join = await client.next("join")
        assert (join.ping_interval, join.ping_timeout) == (5, 15)
        await client.send(ping=5)
        assert await client.next("pong") >= join.room.creation_time_ms
        await client.send(ping_req=rtc.Ping(timestamp=77, rtt=1))
        pong = await client.next("pong_resp")
        assert pong.last_ping_timestamp == 77
        assert pong.timestamp >= join.room.creation_time_ms


async def test_metadata_name_and_attributes_change_and_are_in_the_next_token(
    url: str, server: MediaServer
) -> None:
    access = token("a", can_update_own_metadata=True)
    async with raw_client(url, access) as client:
        await client.next("refresh_token")
        update = rtc.UpdateParticipantMetadata(
            name="Điểm cầu A", metadata="m", attributes={"x": "1", "gone": ""}, request_id=3
        )
        await client.send(update_metadata=update)
        told = (await client.next("update")).participants[0]
        assert (told.name, told.metadata, dict(told.attributes)) == ("Điểm cầu A", "m", {"x": "1"})
        refreshed = server.node.authenticate(await client.next("refresh_token"))
        assert (refreshed.name, refreshed.metadata) == ("Điểm cầu A", "m")
        assert dict(refreshed.attributes) == {"x": "1"}
        answer = await client.next("request_response")
        assert (answer.reason, answer.request_id) == (Reason.OK, 3)
        long = rtc.UpdateParticipantMetadata(attributes={"x": "y" * 70_000})
        await client.send(update_metadata=long)
        assert (await client.next("request_response")).reason == Reason.LIMIT_EXCEEDED


async def test_a_track_is_announced_queued_behind_its_namesake_and_limited(url: str) -> None:
    async with raw_client(url, token("a", can_publish_sources=["camera"])) as client:
        camera = rtc.AddTrackRequest(cid="c", type="VIDEO", source="CAMERA", name="n")
        await client.send(add_track=camera)
        published = await client.next("track_published")
        assert published.cid == "c"
        assert published.track.sid.startswith("TR_VC")
        for expected in [Reason.QUEUED] * 3 + [Reason.LIMIT_EXCEEDED]:
            await client.send(add_track=camera)
            answer = await client.next("request_response")
            assert (answer.reason, answer.add_track.cid) == (expected, "c")
        microphone = rtc.AddTrackRequest(cid="m", type="AUDIO", source="MICROPHONE")
        await client.send(add_track=microphone)
        assert (await client.next("request_response")).reason == Reason.NOT_ALLOWED
        backup = rtc.AddTrackRequest(cid="b", type="VIDEO", source="CAMERA", sid="TR_none")
        await client.send(add_track=backup)
        assert (await client.next("request_response")).reason == Reason.NOT_FOUND


async def test_a_track_that_never_comes_is_reported_missing(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wishes, "NOT_FOUND_AFTER_S", 0.1)
    async with raw_client(url, token("a")) as client:
        wish = rtc.UpdateSubscription(track_sids=["TR_none"], subscribe=True)
        await client.send(subscription=wish)
        answer = await client.next("subscription_response")
        assert answer.track_sid == "TR_none"
        assert answer.err == models.SubscriptionError.SE_TRACK_NOTFOUND


async def test_blobs_are_kept_for_others(url: str) -> None:
    key = models.DataBlobKey(generic="schema")
    blob = models.DataBlob(key=key, contents=b"{}")
    async with raw_client(url, token("a")) as author, raw_client(url, token("b")) as reader:
        await author.send(store_data_blob_request=rtc.StoreDataBlobRequest(request_id=4, blob=blob))
        assert (await author.next("store_data_blob_response")).request_id == 4
        request = rtc.GetDataBlobRequest(request_id=5, participant_identity="a", key=key)
        await reader.send(get_data_blob_request=request)
        found = await reader.next("get_data_blob_response")
        assert (found.request_id, found.blob.contents) == (5, b"{}")


async def test_a_hidden_participant_leaves_no_trace_and_vanishes_when_it_becomes_one(
    url: str, server: MediaServer
) -> None:
    async with raw_client(url, token("viewer")) as viewer:
        await viewer.next("refresh_token")
        async with raw_client(url, token("ghost", hidden=True)) as ghost:
            join = await ghost.next("join")
            assert join.room.num_participants == 1
            assert [other.identity for other in join.other_participants] == ["viewer"]
            publish = rtc.PublishDataTrackRequest(pub_handle=1, name="secret")
            await ghost.send(publish_data_track_request=publish)
            await ghost.next("publish_data_track_response")
            await ghost.send(simulate=rtc.SimulateScenario(speaker_update=1))
            await ghost.next("speakers_changed")
        async with (
            raw_client(url, token("person")) as person,
            LiveKitAPI(url.replace("ws", "http", 1), KEY, SECRET) as admin,
        ):
            sid = (await person.next("join")).participant.sid
            hidden = api.UpdateParticipantRequest(
                room="hall",
                identity="person",
                permission=models.ParticipantPermission(hidden=True, can_subscribe=True),
            )
            await admin.room.update_participant(hidden)
            told = (await viewer.next("update")).participants[0]
            assert (told.sid, told.state) == (sid, models.ParticipantInfo.State.DISCONNECTED)
        assert "ghost" not in str(viewer.frames)


async def test_the_number_of_participants_is_told_to_all(url: str) -> None:
    async with raw_client(url, token("a")) as first:
        assert (await first.next("join")).room.num_participants == 1
        async with raw_client(url, token("b")) as second:
            await second.next("join")
            for client in (first, second):  # an update of before may come first
                while (await client.next("room_update")).room.num_participants != 2:
                    pass


@pytest.mark.parametrize("scenario", ["node_failure", "migration"])
async def test_a_simulated_failure_ends_the_session_without_a_word(url: str, scenario: str) -> None:
    async with raw_client(url, token("a")) as client:
        await client.next("refresh_token")
        before = len(client.frames)
        await client.send(simulate=rtc.SimulateScenario(**{scenario: True}))
        while await client.receive() is not None:
            pass
        assert "leave" not in client.kinds[before:]
    async with raw_client(url, token("a"), reconnect="1") as client:
        leave = await client.next("leave")
        assert leave.action == rtc.LeaveRequest.Action.RECONNECT


async def test_a_resume_can_be_made_to_fail_before_or_after_its_messages(url: str) -> None:
    scenarios = {
        "disconnect_signal_on_resume_no_messages": [],
        "disconnect_signal_on_resume": ["reconnect", "update", "room_update"],
    }
    for number, (scenario, expected) in enumerate(scenarios.items()):
        access = token(f"a{number}")
        async with raw_client(url, access) as client:
            await client.next("refresh_token")
            await client.send(simulate=rtc.SimulateScenario(**{scenario: True}))
            await client.send(ping=1)
            await client.next("pong")
        async with raw_client(url, access, reconnect="1") as client:
            while await client.receive() is not None:
                pass
            assert client.kinds[:3] == expected


async def test_a_simulated_speaker_falls_silent_by_itself(url: str) -> None:
    async with raw_client(url, token("a")) as client:
        await client.send(simulate=rtc.SimulateScenario(speaker_update=1))
        assert (await client.next("speakers_changed")).speakers[0].active
        over = (await client.next("speakers_changed")).speakers[0]
        assert (over.active, over.level) == (False, 0.0)


async def test_a_flood_of_requests_closes_the_socket_and_nothing_else(
    url: str, server: MediaServer
) -> None:
    async with raw_client(url, token("quiet")) as quiet, raw_client(url, token("rude")) as rude:
        await quiet.next("refresh_token")
        for number in range(5000):
            try:
                await rude.send(ping=number)
            except ConnectionError:
                break
        answered = 0
        while (response := await rude.receive()) is not None:
            answered += response.HasField("pong")
        assert answered < 1000
        await quiet.send(ping=1)
        await quiet.next("pong")
