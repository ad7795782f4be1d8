"""Every grant and claim of an access token: one test a row of the protocol's table."""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import timedelta

import jwt
import pytest
from livekit import rtc
from livekit.api import AccessToken as Token
from livekit.api import (
    CreateRoomRequest,
    DeleteRoomRequest,
    ListEgressRequest,
    ListParticipantsRequest,
    ListRoomsRequest,
    LiveKitAPI,
    RoomConfiguration,
    TwirpError,
    UpdateParticipantRequest,
    VideoGrants,
)
from livekit.protocol import models
from livekit.rtc.participant import PublishTrackError

from tests.conformance.conftest import Guest, Join, token, until
from tests.conformance.servers import Server
from tests.conformance.tap import Tap
from tests.integration.media_api.receiver import KEY, SECRET

pytestmark = pytest.mark.media
Own = Callable[[str], str]


def api_with(server: Server, **grants: object) -> LiveKitAPI:
    """The Server API with a token that has these grants and no others."""
    issued = Token(KEY, SECRET).with_grants(VideoGrants(**grants)).to_jwt()  # type: ignore[arg-type]
    return LiveKitAPI(server.http, token=issued)


async def refused(api: LiveKitAPI, name: str, request: object) -> str:
    """The code with which a call of RoomService is refused; empty when it is not."""
    try:
        await getattr(api.room, name)(request)
    except TwirpError as error:
        return str(error.code)
    return ""


async def test_room_join_is_needed_to_join(join: Join) -> None:
    with pytest.raises(rtc.ConnectError):
        await join("guest", room_join=False)


async def test_room_names_the_only_room(join: Join, tap: Tap, room: str, own: Own) -> None:
    guest = await join("guest")
    assert guest.room.name == room
    claims = {"iss": KEY, "sub": "nobody", "exp": 2**32, "video": {"roomJoin": True}}
    with pytest.raises(rtc.ConnectError):
        await rtc.Room().connect(tap.url, jwt.encode(claims, SECRET))


@pytest.mark.parametrize(
    ("grant", "call", "request_"),
    [
        ("room_create", "create_room", CreateRoomRequest(name="granted")),
        ("room_list", "list_rooms", ListRoomsRequest()),
        ("room_create", "delete_room", DeleteRoomRequest(room="granted")),
    ],
    ids=["roomCreate creates", "roomList lists", "roomCreate deletes"],
)
async def test_a_grant_opens_its_call_and_no_other(
    server: Server, grant: str, call: str, request_: object
) -> None:
    async with api_with(server, **{grant: True}) as able, api_with(server) as unable:
        assert await refused(able, call, request_) == ""
        assert await refused(unable, call, request_) == "unauthenticated"
        listing = ListParticipantsRequest(room="granted")
        assert await refused(able, "list_participants", listing) == "unauthenticated"


async def test_room_admin_opens_its_room_and_no_other(
    server: Server, join: Join, room: str
) -> None:
    await join("guest")
    async with api_with(server, room_admin=True, room=room) as admin:
        assert await refused(admin, "list_participants", ListParticipantsRequest(room=room)) == ""
        other = ListParticipantsRequest(room="another")
        assert await refused(admin, "list_participants", other) == "unauthenticated"


async def test_room_record_opens_the_recorder(server: Server) -> None:
    async with api_with(server) as unable:
        with pytest.raises(TwirpError) as refusal:
            await unable.egress.list_egress(ListEgressRequest())
    # A server without a recorder says so instead.
    assert refusal.value.code in {"unauthenticated", "bad_route", "unimplemented", "internal"}


async def test_can_publish_false_lets_nobody_publish(join: Join) -> None:
    guest = await join("guest", can_publish=False)
    assert not guest.me.permissions.can_publish
    track = rtc.LocalAudioTrack.create_audio_track("x", rtc.AudioSource(48000, 1))
    with pytest.raises(PublishTrackError):
        await guest.me.publish_track(track)


async def test_can_publish_unset_means_yes(join: Join) -> None:
    guest = await join("guest", can_publish=None)
    assert guest.me.permissions.can_publish
    assert (await guest.make_sound()).sid.startswith("TR_")


async def test_can_publish_sources_narrows_to_the_list(join: Join) -> None:
    guest = await join("guest", can_publish_sources=["microphone"])
    assert (await guest.make_sound()).sid
    with pytest.raises(PublishTrackError):
        await guest.show_picture()


@pytest.mark.parametrize("is_single", [True, False], ids=["v1", "v0"])
async def test_can_subscribe_false_gives_nothing(
    join: Join, own: Own, tap: Tap, is_single: bool
) -> None:
    speaker = await join("speaker")
    deaf = await join("deaf", can_subscribe=False, is_single=is_single)
    witness = await join("witness")
    await speaker.make_sound()
    await until(lambda: witness.heard("track_subscribed"))
    await until(lambda: deaf.tracks_of(own("speaker")))
    assert not deaf.heard("track_subscribed")
    assert not tap.responses(own("deaf"), "join")[0].subscriber_primary


async def test_can_publish_data_false_drops_data(join: Join, own: Own) -> None:
    quiet, loud = await join("quiet", can_publish_data=False), await join("loud")
    listener = await join("listener")
    with_right = loud.me.publish_data(b"heard")
    with contextlib.suppress(Exception):  # an SDK may look at its own permission first
        await quiet.me.publish_data(b"never")
    await with_right
    await until(lambda: (b"heard", own("loud")) in listener.data)
    assert all(data != b"never" for data, _ in listener.data)


async def test_can_publish_data_follows_can_publish_when_unset(join: Join) -> None:
    guest = await join("guest", can_publish=False, can_publish_data=None)
    assert not guest.me.permissions.can_publish_data


async def test_can_update_own_metadata_false_is_the_default(join: Join) -> None:
    guest, able = await join("guest"), await join("able", can_update_own_metadata=True)
    assert not guest.me.permissions.can_update_metadata
    assert able.me.permissions.can_update_metadata


async def test_hidden_is_seen_by_nobody_and_its_data_has_no_sender(
    join: Join, own: Own, api: LiveKitAPI, room: str
) -> None:
    guest = await join("guest")
    ghost = await join("ghost", hidden=True)
    await ghost.me.publish_data(b"from nowhere")
    await until(lambda: [data for data, _ in guest.data] == [b"from nowhere"])
    assert guest.data == [(b"from nowhere", None)]
    assert not guest.sees(own("ghost"))
    assert ghost.sees(own("guest"))
    rooms = await api.room.list_rooms(ListRoomsRequest(names=[room]))
    assert rooms.rooms[0].num_participants <= 1


async def test_recorder_receives_what_is_kept_from_others(join: Join, own: Own) -> None:
    speaker = await join("speaker")
    speaker.me.set_track_subscription_permissions(
        allow_all_participants=False, participant_permissions=[]
    )
    await speaker.make_sound()
    recorder = await join("recorder", recorder=True, hidden=True, can_publish=False)
    await until(lambda: recorder.heard("track_subscribed"), "the recorder is shut out")
    assert speaker.room.is_recording


async def test_name_metadata_and_attributes_of_the_token_are_seen(join: Join, own: Own) -> None:
    viewer = await join("viewer")
    claims = {"name": "Sở Y tế", "metadata": "m", "attributes": {"unit": "syt"}}
    await join("guest", claims=claims)
    other = await until(lambda: viewer.room.remote_participants.get(own("guest")))
    assert (other.name, other.metadata, dict(other.attributes)) == ("Sở Y tế", "m", {"unit": "syt"})


async def test_kind_of_the_token_is_seen(join: Join, own: Own) -> None:
    viewer = await join("viewer")
    await join("worker", claims={"kind": "egress"})
    other = await until(lambda: viewer.room.remote_participants.get(own("worker")))
    assert other.kind == rtc.ParticipantKind.PARTICIPANT_KIND_EGRESS


async def test_room_config_of_the_token_makes_the_room(
    join: Join, api: LiveKitAPI, room: str
) -> None:
    config = RoomConfiguration(max_participants=2, empty_timeout=77, metadata="từ thẻ")
    guest = await join("guest", claims={"room_config": config})
    (made,) = (await api.room.list_rooms(ListRoomsRequest(names=[room]))).rooms
    assert (made.max_participants, made.empty_timeout) == (2, 77)
    assert guest.room.metadata == made.metadata
    await join("second")
    with pytest.raises(rtc.ConnectError):
        await join("third")


@pytest.mark.parametrize("fault", ["expired", "other key", "other secret", "no token"])
async def test_a_token_that_is_not_valid_lets_nobody_in(tap: Tap, room: str, fault: str) -> None:
    guest = Guest()
    access = token("guest", room)
    if fault == "no token":
        access = "nonsense.e30.x"
    elif fault == "other key":
        access = _signed("stranger", SECRET, room)
    elif fault == "other secret":
        access = _signed(KEY, SECRET[::-1], room)
    elif fault == "expired":
        access = _signed(KEY, SECRET, room, life_s=-3600)
    with pytest.raises(rtc.ConnectError):
        await guest.room.connect(tap.url, access)


def _signed(key: str, secret: str, room: str, life_s: float = 60) -> str:
    issued = Token(key, secret).with_identity("guest").with_ttl(timedelta(seconds=life_s))
    return issued.with_grants(VideoGrants(room_join=True, room=room)).to_jwt()


async def test_permissions_change_while_somebody_is_in_the_room(
    join: Join, own: Own, api: LiveKitAPI, room: str
) -> None:
    guest = await join("guest", can_publish=False)
    await api.room.update_participant(
        UpdateParticipantRequest(
            room=room,
            identity=own("guest"),
            permission=models.ParticipantPermission(can_subscribe=True, can_publish=True),
        )
    )
    await until(lambda: guest.me.permissions.can_publish, "the change is not told")
    assert (await asyncio.wait_for(guest.make_sound(), 10)).sid
