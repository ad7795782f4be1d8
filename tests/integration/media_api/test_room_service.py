"""The Server API as LiveKit's own `livekit-api` package uses it."""

import asyncio
import io
import json
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from livekit import api as lk
from livekit.api import LiveKitAPI
from livekit.protocol.models import DataPacket, DisconnectReason, ParticipantPermission, TrackSource

from media.api.server import MediaServer
from media.client import (
    Client,
    DataReceived,
    Disconnected,
    Event,
    Reconnecting,
    RoomUpdated,
)
from tests.integration.media_api.conftest import token
from tests.integration.media_api.receiver import KEY, SECRET, Receiver

pytestmark = pytest.mark.media

WITHIN_S = 10.0
Join = Callable[..., Awaitable[Client]]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not condition():
            await asyncio.sleep(0.02)


async def event_of(client: Client, kind: type[Event]) -> Event:
    async with asyncio.timeout(WITHIN_S):
        async for event in client.events():
            if isinstance(event, kind):
                return event
    raise AssertionError(f"no {kind.__name__}")


async def refusal(call: Awaitable[object]) -> tuple[str, int]:
    with pytest.raises(lk.TwirpError) as refused:
        await call
    return refused.value.code, refused.value.status


async def test_rooms_are_created_listed_and_deleted(api: LiveKitAPI) -> None:
    request = lk.CreateRoomRequest(
        name="Họp giao ban", empty_timeout=60, max_participants=7, metadata="m"
    )
    room = await api.room.create_room(request)
    assert room.sid.startswith("RM_")
    assert (room.name, room.empty_timeout, room.max_participants) == ("Họp giao ban", 60, 7)
    again = await api.room.create_room(request)
    assert again.sid == room.sid
    await api.room.create_room(lk.CreateRoomRequest(name="other"))
    everything = await api.room.list_rooms(lk.ListRoomsRequest())
    assert {one.name for one in everything.rooms} == {"Họp giao ban", "other"}
    some = await api.room.list_rooms(lk.ListRoomsRequest(names=["other", "absent"]))
    assert [one.name for one in some.rooms] == ["other"]
    await api.room.delete_room(lk.DeleteRoomRequest(room="other"))
    left = await api.room.list_rooms(lk.ListRoomsRequest())
    assert [one.name for one in left.rooms] == ["Họp giao ban"]
    absent = api.room.delete_room(lk.DeleteRoomRequest(room="other"))
    assert await refusal(absent) == ("not_found", 404)


async def test_participants_are_listed_fetched_and_removed(api: LiveKitAPI, join: Join) -> None:
    client = await join("r", "site:1")
    listed = await api.room.list_participants(lk.ListParticipantsRequest(room="r"))
    assert [one.identity for one in listed.participants] == ["site:1"]
    one = await api.room.get_participant(lk.RoomParticipantIdentity(room="r", identity="site:1"))
    assert one.sid == client.sid
    assert one.permission.can_publish
    empty = await api.room.list_participants(lk.ListParticipantsRequest(room="absent"))
    assert list(empty.participants) == []
    absent = lk.RoomParticipantIdentity(room="r", identity="absent")
    assert await refusal(api.room.get_participant(absent)) == ("not_found", 404)
    await api.room.remove_participant(lk.RoomParticipantIdentity(room="r", identity="site:1"))
    ended = await event_of(client, Disconnected)
    assert isinstance(ended, Disconnected)
    assert ended.reason == DisconnectReason.PARTICIPANT_REMOVED


async def test_deleting_a_room_tells_everybody_in_it(api: LiveKitAPI, join: Join) -> None:
    client = await join("r", "a")
    await api.room.delete_room(lk.DeleteRoomRequest(room="r"))
    ended = await event_of(client, Disconnected)
    assert isinstance(ended, Disconnected)
    assert ended.reason == DisconnectReason.ROOM_DELETED


async def test_a_track_is_muted_and_stays_muted_until_its_owner_unmutes(
    api: LiveKitAPI, join: Join
) -> None:
    client = await join("r", "a")
    track = await client.publish_audio()
    muted = await api.room.mute_published_track(
        lk.MuteRoomTrackRequest(room="r", identity="a", track_sid=track.sid, muted=True)
    )
    assert muted.track.muted
    await until(lambda: track.is_muted)
    unmute = api.room.mute_published_track(
        lk.MuteRoomTrackRequest(room="r", identity="a", track_sid=track.sid, muted=False)
    )
    assert await refusal(unmute) == ("failed_precondition", 412)
    absent = api.room.mute_published_track(
        lk.MuteRoomTrackRequest(room="r", identity="a", track_sid="TR_absent", muted=True)
    )
    assert await refusal(absent) == ("not_found", 404)


async def test_a_participant_is_renamed_and_its_permission_changed(
    api: LiveKitAPI, join: Join
) -> None:
    client = await join("r", "a")
    updated = await api.room.update_participant(
        lk.UpdateParticipantRequest(
            room="r",
            identity="a",
            name="Điểm cầu A",
            metadata="m",
            attributes={"unit": "x"},
            permission=ParticipantPermission(
                can_subscribe=True,
                can_publish=True,
                can_publish_sources=[TrackSource.MICROPHONE],
                can_publish_data=True,
            ),
        )
    )
    assert (updated.name, updated.metadata) == ("Điểm cầu A", "m")
    assert dict(updated.attributes) == {"unit": "x"}
    assert list(updated.permission.can_publish_sources) == [TrackSource.MICROPHONE]
    await until(lambda: client.info.name == "Điểm cầu A")


async def test_subscriptions_are_changed_from_outside(api: LiveKitAPI, join: Join) -> None:
    speaker, listener = await join("r", "speaker"), await join("r", "listener")
    track = await speaker.publish_audio()
    await until(lambda: track.sid in listener.tracks)
    for subscribe in (False, True):
        await api.room.update_subscriptions(
            lk.UpdateSubscriptionsRequest(
                room="r", identity="listener", track_sids=[track.sid], subscribe=subscribe
            )
        )
        await until(lambda wanted=subscribe: (track.sid in listener.tracks) == wanted)


async def test_data_is_sent_to_some_or_all(api: LiveKitAPI, join: Join) -> None:
    first, second = await join("r", "first"), await join("r", "second")
    kind = DataPacket.Kind.RELIABLE
    await api.room.send_data(
        lk.SendDataRequest(
            room="r", data=b"one", kind=kind, topic="t", destination_identities=["second"]
        )
    )
    await api.room.send_data(lk.SendDataRequest(room="r", data=b"all", kind=kind))
    got = await event_of(second, DataReceived)
    assert isinstance(got, DataReceived)
    assert (got.packet.user.payload, got.packet.user.topic) == (b"one", "t")
    other = await event_of(first, DataReceived)
    assert isinstance(other, DataReceived)
    assert other.packet.user.payload == b"all"
    assert not other.packet.participant_identity


async def test_room_metadata_reaches_everybody(api: LiveKitAPI, join: Join) -> None:
    client = await join("r", "a")
    room = await api.room.update_room_metadata(
        lk.UpdateRoomMetadataRequest(room="r", metadata="agenda 2")
    )
    assert room.metadata == "agenda 2"
    updated = await event_of(client, RoomUpdated)
    assert isinstance(updated, RoomUpdated)
    await until(lambda: client.room.metadata == "agenda 2")


async def test_webhooks_tell_a_meeting_from_beginning_to_end(
    api: LiveKitAPI, join: Join, receiver: Receiver
) -> None:
    client = await join("r", "a")
    track = await client.publish_audio()
    await client.unpublish(track)
    await until(lambda: any(e.event == "track_unpublished" for e in receiver.events))
    await client.leave()
    await until(lambda: any(e.event == "participant_left" for e in receiver.events))
    await api.room.delete_room(lk.DeleteRoomRequest(room="r"))
    await until(lambda: any(e.event == "room_finished" for e in receiver.events))
    assert [event.event for event in receiver.events] == [
        "room_started",
        "participant_joined",
        "track_published",
        "track_unpublished",
        "participant_left",
        "room_finished",
    ]
    assert len({event.id for event in receiver.events}) == 6
    assert {event.room.name for event in receiver.events} == {"r"}
    assert receiver.events[1].participant.identity == "a"
    assert receiver.events[2].track.sid == track.sid


CALLS: dict[str, dict[str, object]] = {
    "CreateRoom": {"name": "r"},
    "ListRooms": {},
    "DeleteRoom": {"room": "r"},
    "ListParticipants": {"room": "r"},
    "GetParticipant": {"room": "r", "identity": "a"},
    "RemoveParticipant": {"room": "r", "identity": "a"},
    "MutePublishedTrack": {"room": "r", "identity": "a", "track_sid": "TR_x"},
    "UpdateParticipant": {"room": "r", "identity": "a"},
    "UpdateSubscriptions": {"room": "r", "identity": "a"},
    "SendData": {"room": "r"},
    "UpdateRoomMetadata": {"room": "r"},
    "PerformRpc": {"room": "r", "destination_identity": "a"},
    "MoveParticipant": {"room": "r", "identity": "a", "destination_room": "x"},
}
WRONG_GRANTS: dict[str, dict[str, object]] = {
    "none": {},
    "join only": {"room_join": True, "room": "r"},
    "admin of another room": {"room_admin": True, "room": "other"},
    "admin of no room": {"room_admin": True},
    "record": {"room_record": True},
}


async def post(
    url: str, method: str, bearer: str | None, body: object, **headers: str
) -> tuple[int, dict[str, object]]:
    sent = {"Content-Type": "application/json"} | headers
    if bearer is not None:
        sent["Authorization"] = f"Bearer {bearer}"
    data = io.BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode())
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/twirp/livekit.RoomService/{method}", data=data, headers=sent) as got,
    ):
        return got.status, await got.json()


@pytest.mark.parametrize("grants", WRONG_GRANTS.values(), ids=WRONG_GRANTS.keys())
async def test_every_call_without_its_grant_is_refused(url: str, grants: dict[str, object]) -> None:
    for method, body in CALLS.items():
        status, answer = await post(url, method, token("x", **grants), body)
        assert (status, answer["code"]) == (401, "unauthenticated"), method


async def test_calls_without_a_valid_token_are_refused(url: str) -> None:
    good = token(room_list=True)
    for bearer in (None, "", "x.y.z", good[:-5] + "AAAAA"):
        status, answer = await post(url, "ListRooms", bearer, {})
        assert (status, answer["code"]) == (401, "unauthenticated")
    status, _ = await post(url, "ListRooms", None, {}, Authorization=good)
    assert status == 401


async def test_json_speaks_snake_case_with_defaults(url: str) -> None:
    status, room = await post(
        url, "CreateRoom", token(room_create=True), {"name": "r", "emptyTimeout": 9, "new": 1}
    )
    assert status == 200
    assert room["empty_timeout"] == 9
    assert room["num_participants"] == 0
    assert isinstance(room["creation_time"], str)


@pytest.mark.parametrize(
    ("method", "body", "code"),
    [
        ("CreateRoom", b"{", "malformed"),
        ("CreateRoom", b"[]", "malformed"),
        ("CreateRoom", {"name": 5}, "malformed"),
        ("CreateRoom", {"name": "r", "emptyTimeout": 2**40}, "malformed"),
        ("CreateRoom", {}, "invalid_argument"),
        ("CreateRoom", {"name": "x" * 257}, "invalid_argument"),
        ("CreateRoom", {"name": "r", "metadata": "x" * 600_000}, "invalid_argument"),
        ("NoSuchCall", {}, "bad_route"),
    ],
)
async def test_faulty_requests_get_their_code(
    url: str, method: str, body: object, code: str
) -> None:
    status, answer = await post(url, method, token(room_create=True), body)
    assert answer["code"] == code
    assert 400 <= status < 500


async def test_a_body_beyond_the_limit_is_refused(url: str) -> None:
    status, answer = await post(url, "CreateRoom", token(room_create=True), b"x" * (11 << 20))
    assert (status, answer["code"]) == (429, "resource_exhausted")


async def test_other_services_and_content_types_are_bad_routes(url: str) -> None:
    status, answer = await post(
        url, "ListRooms", token(room_list=True), {}, **{"Content-Type": "text/plain"}
    )
    assert (status, answer["code"]) == (404, "bad_route")
    async with aiohttp.ClientSession() as session:
        for path in ("/twirp/livekit.Analytics/Record", "/twirp/", "/twirp/livekit.RoomService"):
            async with session.post(url + path) as got:
                assert (got.status, (await got.json())["code"]) == (404, "bad_route")


async def test_health_validation_and_metrics_answer_with_cors(
    server: MediaServer, url: str, join: Join
) -> None:
    await join("r", "a")
    good = token("x", room="r", room_join=True)
    expected = {
        "/": 200,
        "/metrics": 200,
        f"/rtc/validate?access_token={good}": 200,
        f"//rtc//validate?access_token={good}": 200,
        "/rtc/validate?access_token=bad": 401,
        "/rtc/validate": 401,
        f"/rtc/validate?access_token={token('x')}": 401,
        "/settings/regions": 404,
    }
    async with aiohttp.ClientSession(headers={"Origin": "https://hop.example"}) as session:
        for path, status in expected.items():
            async with session.get(aiohttp.client.URL(url + path, encoded=True)) as got:
                assert got.status == status, path
                assert got.headers["Access-Control-Allow-Origin"] == "https://hop.example"
                if path == "/metrics":
                    text = await got.text()
        asking = {
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization",
        }
        async with session.options(url + "/twirp/livekit.RoomService/X", headers=asking) as got:
            assert got.status == 204
            assert "POST" in got.headers["Access-Control-Allow-Methods"]
            assert got.headers["Access-Control-Allow-Headers"] == "authorization"
    assert "media_rooms 1.0" in text
    assert "media_participants 1.0" in text
    assert "media_loop_lag_seconds_bucket" in text
    assert "media_webhooks_delivered_total" in text


async def test_a_second_node_on_the_same_port_says_which_port(server: MediaServer) -> None:
    from media.api.server import PortTakenError  # noqa: PLC0415
    from media.settings import RtcSettings, Settings  # noqa: PLC0415

    settings = Settings(
        keys={KEY: SECRET},
        host="127.0.0.1",
        port=server.port,
        rtc=RtcSettings(udp_port=0, node_ip=("127.0.0.1",)),
    )
    second = MediaServer(settings)
    with pytest.raises(PortTakenError, match=f"TCP port {server.port}"):
        await second.start()


async def test_closing_tells_clients_and_takes_less_than_five_seconds(
    server: MediaServer, join: Join
) -> None:
    client = await join("r", "a")
    async with asyncio.timeout(5):
        await server.close()
    told = await event_of(client, Reconnecting)
    assert told == Reconnecting("SERVER_SHUTDOWN")


async def test_services_that_are_not_here_say_so(api: LiveKitAPI) -> None:
    calls = [
        api.ingress.list_ingress(lk.ListIngressRequest()),
        api.agent_dispatch.list_dispatch("r"),
        api.sip.list_dispatch_rule(lk.ListSIPDispatchRuleRequest()),
    ]
    for call in calls:
        assert await refusal(call) == ("unimplemented", 501)


async def test_an_unknown_preset_is_an_invalid_argument(api: LiveKitAPI) -> None:
    request = lk.CreateRoomRequest(name="r", room_preset="absent")
    assert await refusal(api.room.create_room(request)) == ("invalid_argument", 400)
