"""Every call of RoomService with ``livekit-api``: one test a row of the protocol's table."""

from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from livekit import api as lk
from livekit import rtc
from livekit.api import AccessToken as Token
from livekit.api import LiveKitAPI
from livekit.protocol import models

from tests.conformance.conftest import Join, until
from tests.conformance.servers import Server
from tests.conformance.tap import Tap
from tests.integration.media_api.receiver import KEY, SECRET

pytestmark = pytest.mark.media
Own = Callable[[str], str]


async def code_of(call: Awaitable[object]) -> tuple[str, int]:
    with pytest.raises(lk.TwirpError) as refusal:
        await call
    return str(refusal.value.code), int(refusal.value.status)


async def test_create_room_is_idempotent_and_updates_what_is_set(
    api: LiveKitAPI, room: str, server: Server
) -> None:
    first = await api.room.create_room(lk.CreateRoomRequest(name=room, empty_timeout=60))
    again = await api.room.create_room(lk.CreateRoomRequest(name=room, max_participants=5))
    assert first.sid.startswith("RM_")
    assert again.sid == first.sid
    assert again.empty_timeout == 60
    if server.name == "node":  # LiveKit's answer is the room as it was
        assert again.max_participants == 5


async def test_list_rooms_filters_by_name(api: LiveKitAPI, room: str) -> None:
    await api.room.create_room(lk.CreateRoomRequest(name=room, metadata="m"))
    (listed,) = (await api.room.list_rooms(lk.ListRoomsRequest(names=[room, "absent"]))).rooms
    assert (listed.name, listed.metadata) == (room, "m")
    everything = await api.room.list_rooms(lk.ListRoomsRequest())
    assert room in [one.name for one in everything.rooms]


async def test_delete_room_sends_everybody_away(api: LiveKitAPI, join: Join, room: str) -> None:
    guest = await join("guest")
    await api.room.delete_room(lk.DeleteRoomRequest(room=room))
    ((reason,),) = await until(lambda: guest.heard("disconnected"))
    assert reason == rtc.DisconnectReason.ROOM_DELETED
    listed = await api.room.list_rooms(lk.ListRoomsRequest(names=[room]))
    assert not listed.rooms


async def test_list_participants_tells_who_is_there_with_what(
    api: LiveKitAPI, join: Join, own: Own, room: str
) -> None:
    guest = await join("guest")
    publication = await guest.make_sound()
    listing = lk.ListParticipantsRequest(room=room)

    async def listed() -> list[models.ParticipantInfo]:
        found = (await api.room.list_participants(listing)).participants
        return [one for one in found if one.tracks]

    (one,) = await until(listed)
    assert (one.identity, one.sid) == (own("guest"), guest.me.sid)
    assert [track.sid for track in one.tracks] == [publication.sid]
    assert one.state == models.ParticipantInfo.State.ACTIVE
    absent = await api.room.list_participants(lk.ListParticipantsRequest(room="absent"))
    assert not absent.participants


async def test_get_participant_finds_one_or_says_not_found(
    api: LiveKitAPI, join: Join, own: Own, room: str
) -> None:
    guest = await join("guest")
    query = lk.RoomParticipantIdentity(room=room, identity=own("guest"))
    assert (await api.room.get_participant(query)).sid == guest.me.sid
    absent = lk.RoomParticipantIdentity(room=room, identity="absent")
    assert await code_of(api.room.get_participant(absent)) == ("not_found", 404)


async def test_remove_participant_sends_one_away(
    api: LiveKitAPI, join: Join, own: Own, room: str
) -> None:
    guest, other = await join("guest"), await join("other")
    await api.room.remove_participant(lk.RoomParticipantIdentity(room=room, identity=own("guest")))
    ((reason,),) = await until(lambda: guest.heard("disconnected"))
    assert reason == rtc.DisconnectReason.PARTICIPANT_REMOVED
    await until(lambda: not other.sees(own("guest")))


async def test_mute_published_track_mutes_and_does_not_unmute(
    api: LiveKitAPI, join: Join, own: Own, room: str, server: Server
) -> None:
    guest, other = await join("guest"), await join("other")
    publication = await guest.make_sound()
    await until(lambda: other.heard("track_subscribed"))
    request = lk.MuteRoomTrackRequest(
        room=room, identity=own("guest"), track_sid=publication.sid, muted=True
    )
    assert (await api.room.mute_published_track(request)).track.muted
    await until(lambda: other.heard("track_muted"))
    request.muted = False
    assert (await code_of(api.room.mute_published_track(request)))[0] == "failed_precondition"
    if server.name != "node":
        return  # LiveKit's answer for a track that is not there is empty
    request.track_sid = "TR_absent"
    request.muted = True
    assert (await code_of(api.room.mute_published_track(request)))[0] == "not_found"


async def test_update_participant_changes_name_metadata_attributes_and_rights(
    api: LiveKitAPI, join: Join, own: Own, room: str
) -> None:
    guest, other = await join("guest"), await join("other")
    changed = await api.room.update_participant(
        lk.UpdateParticipantRequest(
            room=room, identity=own("guest"), name="Điểm cầu A", metadata="m",
            attributes={"unit": "x"},
            permission=models.ParticipantPermission(
                can_subscribe=True, can_publish=True, can_publish_data=False
            ),
        )
    )  # fmt: skip
    assert (changed.name, changed.metadata, dict(changed.attributes)) == (
        "Điểm cầu A", "m", {"unit": "x"},
    )  # fmt: skip
    await until(lambda: other.room.remote_participants[own("guest")].name == "Điểm cầu A")
    await until(lambda: not guest.me.permissions.can_publish_data)


async def test_update_subscriptions_gives_and_takes(
    api: LiveKitAPI, join: Join, own: Own, tap: Tap, room: str
) -> None:
    speaker, viewer = await join("speaker"), await join("viewer", is_single=False)
    publication = await speaker.make_sound()
    await until(lambda: viewer.heard("track_subscribed"))

    def is_sent() -> bool:
        offer = tap.responses(own("viewer"), "offer")[-1]
        return publication.sid in offer.mid_to_track_id.values()

    request = lk.UpdateSubscriptionsRequest(
        room=room, identity=own("viewer"), track_sids=[publication.sid], subscribe=False
    )
    await api.room.update_subscriptions(request)
    await until(lambda: not is_sent(), "the track is not taken")
    request.subscribe = True
    await api.room.update_subscriptions(request)
    await until(is_sent, "the track is not given")


async def test_send_data_reaches_whom_it_is_for_without_a_sender(
    api: LiveKitAPI, join: Join, own: Own, room: str
) -> None:
    first, second = await join("first"), await join("second")
    for data, to in ((b"one", [own("second")]), (b"all", [])):
        await api.room.send_data(
            lk.SendDataRequest(
                room=room, data=data, kind=models.DataPacket.Kind.RELIABLE,
                destination_identities=to,
            )
        )  # fmt: skip
    await until(lambda: second.data == [(b"one", None), (b"all", None)])
    await until(lambda: first.data == [(b"all", None)])


async def test_update_room_metadata_reaches_everybody(
    api: LiveKitAPI, join: Join, room: str
) -> None:
    guest = await join("guest")
    changed = await api.room.update_room_metadata(
        lk.UpdateRoomMetadataRequest(room=room, metadata="chương trình")
    )
    assert changed.metadata == "chương trình"
    await until(lambda: guest.room.metadata == "chương trình")


async def test_perform_rpc_asks_a_participant(
    join: Join, own: Own, room: str, server: Server
) -> None:
    if server.name != "node":
        pytest.skip("LiveKit's open-source server answers this call with an error of its own")
    guest = await join("guest")

    @guest.me.register_rpc_method("greet")
    async def greet(call: rtc.RpcInvocationData) -> str:
        return f"chào {call.payload}"

    admin = Token(KEY, SECRET).with_grants(lk.VideoGrants(room_admin=True, room=room)).to_jwt()
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {admin}"}) as session,
        session.post(  # livekit-api has no method for it
            f"{server.http}/twirp/livekit.RoomService/PerformRpc",
            json={"room": room, "destination_identity": own("guest"), "method": "greet",
                  "payload": "chị", "response_timeout_ms": 8000},
        ) as answer,
    ):  # fmt: skip
        assert (await answer.json())["payload"] == "chào chị"


@pytest.mark.parametrize("name", ["move_participant", "forward_participant"])
async def test_what_only_the_cloud_offers_is_refused(
    api: LiveKitAPI, join: Join, own: Own, room: str, name: str
) -> None:
    await join("guest")
    kind = lk.MoveParticipantRequest if name.startswith("move") else lk.ForwardParticipantRequest
    request = kind(room=room, identity=own("guest"), destination_room="another")
    assert (await code_of(getattr(api.room, name)(request)))[1] >= 400
