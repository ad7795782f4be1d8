"""Everything the server tells its clients: one test a row of the protocol's table."""

import asyncio
import base64
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from livekit import rtc
from livekit.api import (
    LiveKitAPI,
    MuteRoomTrackRequest,
    RoomParticipantIdentity,
    UpdateParticipantRequest,
    UpdateRoomMetadataRequest,
)
from livekit.protocol import models
from livekit.protocol import rtc as wire

from tests.conformance.chromium import Tab
from tests.conformance.conftest import Join, until
from tests.conformance.servers import Server
from tests.conformance.tap import Tap

pytestmark = pytest.mark.media
Own = Callable[[str], str]
OpenTab = Callable[..., Awaitable[Tab]]


@pytest.mark.parametrize("is_single", [True, False], ids=["v1", "v0"])
async def test_join_is_first_and_says_all_a_client_needs(
    join: Join, own: Own, tap: Tap, room: str, is_single: bool
) -> None:
    other, viewer = await join("other"), await join("viewer")
    await other.make_sound()
    await until(lambda: viewer.heard("track_subscribed"))  # the track is there for all
    await join("guest", is_single=is_single, claims={"name": "Khách", "metadata": "m"})
    (link,) = tap.of(own("guest"))
    assert link.responses[0].WhichOneof("message") == "join"
    answer = link.responses[0].join
    assert answer.room.sid.startswith("RM_")
    assert answer.room.name == room
    assert answer.participant.sid.startswith("PA_")
    assert (answer.participant.name, answer.participant.metadata) == ("Khách", "m")
    assert answer.participant.permission.can_publish
    seen = next(one for one in answer.other_participants if one.identity == own("other"))
    assert [track.source for track in seen.tracks] == [models.TrackSource.MICROPHONE]
    assert answer.subscriber_primary != is_single
    assert answer.ping_interval > 0
    assert answer.ping_timeout > answer.ping_interval
    assert answer.server_info.edition == models.ServerInfo.Edition.Standard
    assert answer.server_info.version
    assert answer.sif_trailer
    assert {"audio/opus", "video/vp8"} <= {one.mime.lower() for one in
                                           answer.enabled_publish_codecs}  # fmt: skip


async def test_reconnect_is_first_after_a_lost_socket(join: Join, own: Own, tap: Tap) -> None:
    guest = await join("guest")
    await guest.make_sound()
    me = own("guest")
    before = tap.responses(me, "join")[0].participant.sid
    tap.cut(me)
    await until(lambda: len(tap.of(me)) > 1 and tap.of(me)[-1].responses, "no resume")
    again = tap.of(me)[-1]
    kinds = [message.WhichOneof("message") for message in again.responses[:3]]
    assert kinds[0] == "reconnect"
    await until(lambda: tap.requests(me, "sync_state"), "the client does not sync")
    await until(lambda: guest.room.isconnected() and tap.responses(me, "update"))
    told = next(m.update for m in again.responses if m.WhichOneof("message") == "update")
    assert before in [one.sid for one in told.participants]


async def test_trickle_or_candidates_in_the_description_reach_the_client(
    join: Join, own: Own, tap: Tap
) -> None:
    await join("guest", is_single=False)
    offers, trickled = tap.responses(own("guest"), "offer"), tap.responses(own("guest"), "trickle")
    assert trickled or any("a=candidate:" in offer.sdp for offer in offers)


async def test_update_names_a_track_before_the_description_that_carries_it(
    join: Join, own: Own, tap: Tap
) -> None:
    speaker = await join("speaker")
    viewer = await join("viewer", is_single=False)
    publication = await speaker.make_sound()
    await until(lambda: viewer.heard("track_subscribed"))
    (link,) = tap.of(own("viewer"))
    first: dict[str, int] = {}
    for number, message in enumerate(link.responses):
        kind = message.WhichOneof("message")
        sids = []
        if kind == "update":
            sids = [t.sid for p in message.update.participants for t in p.tracks]
        elif kind == "offer":
            sids = list(message.offer.mid_to_track_id.values())
        if publication.sid in sids:
            first.setdefault(str(kind), number)
    assert first["update"] < first["offer"]


async def test_update_versions_of_a_participant_only_grow(join: Join, own: Own, tap: Tap) -> None:
    viewer = await join("viewer")
    speaker = await join("speaker", can_update_own_metadata=True)
    for text in ("a", "b", "c"):
        await speaker.me.set_metadata(text)
    await until(lambda: viewer.room.remote_participants[own("speaker")].metadata == "c")
    versions = [
        one.version
        for update in tap.responses(own("viewer"), "update")
        for one in update.participants
        if one.identity == own("speaker")
    ]
    assert versions == sorted(versions)
    assert len(set(versions)) >= 3


async def test_track_unpublished_tells_its_owner_when_the_right_is_revoked(
    join: Join, own: Own, tap: Tap, api: LiveKitAPI, room: str
) -> None:
    speaker = await join("speaker")
    publication = await speaker.make_sound()
    await api.room.update_participant(
        UpdateParticipantRequest(
            room=room,
            identity=own("speaker"),
            permission=models.ParticipantPermission(can_subscribe=True),
        )
    )
    gone = await until(lambda: tap.responses(own("speaker"), "track_unpublished"))
    assert gone[0].track_sid == publication.sid


async def test_track_subscribed_tells_the_owner_of_the_first_receiver(
    join: Join, own: Own, tap: Tap
) -> None:
    speaker = await join("speaker")
    publication = await speaker.make_sound()
    await join("viewer")
    await join("second")
    told = await until(lambda: tap.responses(own("speaker"), "track_subscribed"))
    assert [one.track_sid for one in told] == [publication.sid]


async def test_mute_by_an_administrator_reaches_the_owner(
    join: Join, own: Own, tap: Tap, api: LiveKitAPI, room: str
) -> None:
    speaker = await join("speaker")
    publication = await speaker.make_sound()
    await api.room.mute_published_track(
        MuteRoomTrackRequest(
            room=room, identity=own("speaker"), track_sid=publication.sid, muted=True
        )
    )
    (told,) = await until(lambda: tap.responses(own("speaker"), "mute"))
    assert (told.sid, told.muted) == (publication.sid, True)
    assert publication.track is not None
    await until(lambda: publication.track and publication.track.muted)


async def test_speakers_changed_tells_who_speaks_and_who_has_stopped(
    join: Join, own: Own, tap: Tap
) -> None:
    speaker, viewer = await join("speaker"), await join("viewer")
    publication = await speaker.make_sound()
    me = speaker.me.sid

    def levels() -> list[models.SpeakerInfo]:
        changes = tap.responses(own("viewer"), "speakers_changed")
        return [one for change in changes for one in change.speakers if one.sid == me]

    spoken = await until(levels, "nobody is said to speak")
    assert spoken[0].active
    assert 0 < spoken[0].level <= 1
    assert spoken[0].level * 8 == int(spoken[0].level * 8)
    assert publication.track is not None
    publication.track.mute()
    await until(lambda: not levels()[-1].active, "the speaker is not said to have stopped")
    assert viewer.speakers


async def test_room_update_carries_metadata_to_everybody(
    join: Join, own: Own, tap: Tap, api: LiveKitAPI, room: str
) -> None:
    guest = await join("guest")
    await api.room.update_room_metadata(UpdateRoomMetadataRequest(room=room, metadata="chương 2"))
    await until(lambda: guest.room.metadata == "chương 2")
    assert tap.responses(own("guest"), "room_update")


async def test_room_update_tells_of_a_recording(join: Join, own: Own, tap: Tap) -> None:
    guest = await join("guest")
    recorder = await join("recorder", hidden=True, recorder=True, can_publish=False)
    await until(lambda: guest.room.is_recording, "the recording is not told")
    assert not guest.sees(own("recorder"))
    await recorder.room.disconnect()
    await until(lambda: not guest.room.is_recording, "the end of the recording is not told")


async def test_connection_quality_of_a_good_line_is_good(join: Join, own: Own, tap: Tap) -> None:
    speaker, _ = await join("speaker"), await join("viewer")
    await speaker.make_sound()
    update = await until(lambda: tap.responses(own("viewer"), "connection_quality"))
    qualities = {info.quality for info in update[-1].updates}
    assert models.ConnectionQuality.LOST not in qualities


async def test_subscribed_quality_update_follows_what_is_watched(
    join: Join, own: Own, tap: Tap, open_tab: OpenTab
) -> None:
    speaker = await open_tab("speaker")
    viewer = await join("viewer")
    await speaker.call("camera", 1280, 720)
    (publication,) = await until(lambda: list(viewer.tracks_of(own("speaker")).values()))
    publication.set_video_quality(rtc.VideoQuality.VIDEO_QUALITY_LOW)

    def enabled() -> dict[int, bool]:
        updates = tap.responses(own("speaker"), "subscribed_quality_update")
        if not updates or not updates[-1].subscribed_codecs:
            return {}
        codec = updates[-1].subscribed_codecs[0]
        assert codec.codec in {"vp8", "h264"}
        return {one.quality: one.enabled for one in codec.qualities}

    await until(lambda: enabled() == {0: True, 1: False, 2: False}, "layers are not let go", 30)
    publication.set_video_quality(rtc.VideoQuality.VIDEO_QUALITY_HIGH)
    await until(lambda: enabled() == {0: True, 1: True, 2: True}, "layers are not asked for")


async def test_subscription_permission_update_tells_who_is_let_in(
    join: Join, own: Own, tap: Tap
) -> None:
    speaker, _ = await join("speaker"), await join("viewer")
    publication = await speaker.make_sound()
    speaker.me.set_track_subscription_permissions(
        allow_all_participants=False, participant_permissions=[]
    )
    told = await until(
        lambda: [
            one
            for one in tap.responses(own("viewer"), "subscription_permission_update")
            if not one.allowed
        ]
    )
    assert told[0].track_sid == publication.sid
    assert told[0].participant_sid == speaker.me.sid


async def test_refresh_token_comes_at_once_and_with_the_same_grants(
    join: Join, own: Own, tap: Tap, room: str
) -> None:
    await join("guest", can_publish_data=False)
    (first, *_) = await until(lambda: tap.responses(own("guest"), "refresh_token"))
    body = first.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    assert claims["sub"] == own("guest")
    assert (claims["video"]["room"], claims["video"]["roomJoin"]) == (room, True)
    assert claims["video"]["canPublishData"] is False
    assert claims["exp"] > time.time() + 5 * 60


async def test_media_sections_requirement_asks_for_what_is_missing(
    join: Join, own: Own, tap: Tap
) -> None:
    viewer = await join("viewer")
    speakers = [await join(f"speaker{number}") for number in range(5)]
    await asyncio.gather(*(speaker.make_sound() for speaker in speakers))
    await until(lambda: len(viewer.heard("track_subscribed")) == 5, "tracks are missing")
    required = tap.responses(own("viewer"), "media_sections_requirement")
    assert sum(one.num_audios for one in required) >= 2  # a client brings three of its own
    assert len({a for answer in tap.responses(own("viewer"), "answer")
                for a in answer.mid_to_track_id.values()}) == 5  # fmt: skip


async def test_request_response_says_that_a_change_was_made(join: Join, own: Own, tap: Tap) -> None:
    guest = await join("guest", can_update_own_metadata=True)
    await guest.me.set_metadata("x")
    (done,) = [r for r in tap.responses(own("guest"), "request_response") if r.request_id]
    (asked,) = tap.requests(own("guest"), "update_metadata")
    assert done.request_id == asked.request_id
    assert done.reason == wire.RequestResponse.Reason.OK


async def test_subscription_response_names_a_track_that_is_not_there(
    join: Join, own: Own, tap: Tap, server: Server
) -> None:
    if server.name != "node":
        pytest.skip("LiveKit's server keeps looking for the track and answers after minutes")
    await join("guest")
    wish = wire.UpdateSubscription(track_sids=["TR_unknown"], subscribe=True)
    tap.ask(own("guest"), wire.SignalRequest(subscription=wish))
    (told,) = await until(
        lambda: tap.responses(own("guest"), "subscription_response"), "not told", 40
    )
    assert told.track_sid == "TR_unknown"
    assert told.err == models.SubscriptionError.SE_TRACK_NOTFOUND


async def test_leave_says_why_somebody_was_removed(
    join: Join, own: Own, tap: Tap, api: LiveKitAPI, room: str
) -> None:
    guest = await join("guest")
    await api.room.remove_participant(RoomParticipantIdentity(room=room, identity=own("guest")))
    await until(lambda: guest.heard("disconnected"))
    (leave,) = tap.responses(own("guest"), "leave")
    assert leave.action == wire.LeaveRequest.Action.DISCONNECT
    assert leave.reason == models.DisconnectReason.PARTICIPANT_REMOVED


async def test_leave_of_a_replaced_session_says_so(join: Join, own: Own, tap: Tap) -> None:
    first = await join("twin")
    await join("twin")
    await until(lambda: first.heard("disconnected"))
    leaves = tap.responses(own("twin"), "leave")
    assert [leave.reason for leave in leaves] == [models.DisconnectReason.DUPLICATE_IDENTITY]


async def test_a_data_track_is_announced_delivered_and_withdrawn(
    join: Join, own: Own, tap: Tap
) -> None:
    publisher, reader = await join("publisher"), await join("reader")
    track = await publisher.me.publish_data_track(name="cảm biến")
    (remote,) = (await until(lambda: reader.heard("data_track_published")))[0]
    assert tap.responses(own("publisher"), "publish_data_track_response")
    stream = remote.subscribe()

    async def push() -> None:
        while True:
            track.try_push(rtc.DataTrackFrame(payload=b"21.5", user_timestamp=5))
            await asyncio.sleep(0.05)

    pushing = asyncio.create_task(push())
    frame = await asyncio.wait_for(anext(aiter(stream)), 20)
    pushing.cancel()
    assert bytes(frame.payload) == b"21.5"
    assert tap.responses(own("reader"), "data_track_subscriber_handles")
    await track.unpublish()
    await until(lambda: reader.heard("data_track_unpublished"))
    assert tap.responses(own("publisher"), "unpublish_data_track_response")
