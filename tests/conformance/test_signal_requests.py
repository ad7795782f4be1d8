"""Every request a client can make of the server: one test a row of the protocol's table.

Official SDKs make the requests they have a method for; the rest is put on their socket. What is
looked at is the answer on the wire and what the others in the room see.
"""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from livekit import rtc
from livekit.protocol import models
from livekit.protocol import rtc as wire

from tests.conformance.conftest import Join, Server, until
from tests.conformance.tap import Tap

pytestmark = pytest.mark.media
both_paths = pytest.mark.parametrize("is_single", [True, False], ids=["v1", "v0"])
Own = Callable[[str], str]
Reason = wire.RequestResponse.Reason


async def refusal(tap: Tap, identity: str, field: str) -> wire.RequestResponse:
    """The refusal that quotes ``field`` of the request."""

    def find() -> wire.RequestResponse | None:
        found = tap.responses(identity, "request_response")
        return next((one for one in found if one.WhichOneof("request") == field), None)

    return await until(find, f"{field} was not refused")


async def answers_pings(tap: Tap, identity: str) -> None:
    """The session goes on: a ping is still answered."""
    before = len(tap.responses(identity, "pong_resp"))
    tap.ask(identity, wire.SignalRequest(ping_req=wire.Ping(timestamp=1)))
    await until(lambda: len(tap.responses(identity, "pong_resp")) > before, "the session is dead")


@both_paths
async def test_offer_is_answered_under_its_own_id(
    join: Join, own: Own, tap: Tap, is_single: bool
) -> None:
    speaker = await join("speaker", is_single=is_single)
    await speaker.make_sound()
    me = own("speaker")
    await until(lambda: tap.requests(me, "offer"), "nothing was offered")
    offers = {offer.id for offer in tap.requests(me, "offer")}
    await until(lambda: offers <= {answer.id for answer in tap.responses(me, "answer")})
    assert {answer.type for answer in tap.responses(me, "answer")} == {"answer"}
    assert not is_single or not tap.responses(me, "offer")  # v1: the server never offers


async def test_answer_of_the_subscriber_connection_opens_it(join: Join, own: Own, tap: Tap) -> None:
    await join("viewer", is_single=False)
    me = own("viewer")
    offers = [offer.id for offer in tap.responses(me, "offer")]
    assert offers
    assert len(tap.requests(me, "answer")) == len(offers)  # native clients answer with id 0
    assert tap.responses(me, "join")[0].subscriber_primary


async def test_trickle_that_cannot_be_read_harms_nothing(join: Join, own: Own, tap: Tap) -> None:
    await join("viewer", is_single=False)
    me = own("viewer")
    candidate = tap.requests(me, "trickle")[0]
    assert json.loads(candidate.candidateInit)["candidate"]
    broken = wire.TrickleRequest(candidateInit="{", target=wire.SignalTarget.PUBLISHER)
    tap.ask(me, wire.SignalRequest(trickle=broken))
    await answers_pings(tap, me)


async def test_add_track_is_answered_with_what_was_published(
    join: Join, own: Own, tap: Tap
) -> None:
    speaker = await join("speaker")
    publication = await speaker.make_sound()
    me = own("speaker")
    asked = tap.requests(me, "add_track")[0]
    (answer,) = tap.responses(me, "track_published")
    assert answer.cid == asked.cid
    assert answer.track.sid == publication.sid
    assert answer.track.sid.startswith("TR_AM")
    assert answer.track.type == models.TrackType.AUDIO
    assert answer.track.source == models.TrackSource.MICROPHONE
    assert not answer.track.muted


async def test_add_track_without_the_right_is_refused(join: Join, own: Own, tap: Tap) -> None:
    await join("viewer", can_publish=False)
    me = own("viewer")
    request = wire.AddTrackRequest(cid="c", type=models.TrackType.AUDIO, name="x")
    tap.ask(me, wire.SignalRequest(add_track=request))
    refused = await refusal(tap, me, "add_track")
    assert refused.reason == Reason.NOT_ALLOWED
    assert refused.add_track.cid == "c"


async def test_mute_is_seen_by_everybody(join: Join, own: Own, tap: Tap) -> None:
    speaker, viewer = await join("speaker"), await join("viewer")
    publication = await speaker.make_sound()
    await until(lambda: viewer.tracks_of(own("speaker")))
    assert publication.track is not None
    publication.track.mute()
    await until(lambda: viewer.heard("track_muted"), "the mute is not seen")
    publication.track.unmute()
    await until(lambda: viewer.heard("track_unmuted"), "the unmute is not seen")
    assert [one.muted for one in tap.requests(own("speaker"), "mute")] == [True, False]


async def test_mute_of_an_unknown_track_is_refused(join: Join, own: Own, tap: Tap) -> None:
    await join("speaker")
    me = own("speaker")
    request = wire.MuteTrackRequest(sid="TR_unknown", muted=True)
    tap.ask(me, wire.SignalRequest(mute=request))
    assert (await refusal(tap, me, "mute")).reason == Reason.NOT_FOUND


@both_paths
async def test_subscription_can_be_given_up_and_taken_again(
    join: Join, own: Own, is_single: bool
) -> None:
    speaker, viewer = await join("speaker"), await join("viewer", is_single=is_single)
    await speaker.make_sound()
    await until(lambda: viewer.heard("track_subscribed"))
    (publication,) = viewer.tracks_of(own("speaker")).values()
    publication.set_subscribed(False)
    await until(lambda: viewer.heard("track_unsubscribed"), "the track does not end")
    publication.set_subscribed(True)
    await until(lambda: len(viewer.heard("track_subscribed")) == 2, "the track does not return")


async def test_without_auto_subscribe_nothing_comes_until_it_is_asked_for(
    join: Join, own: Own
) -> None:
    speaker, viewer = await join("speaker"), await join("viewer", auto_subscribe=False)
    await speaker.make_sound()
    (publication,) = await until(lambda: list(viewer.tracks_of(own("speaker")).values()))
    assert not viewer.heard("track_subscribed")
    publication.set_subscribed(True)
    await until(lambda: viewer.heard("track_subscribed"), "the track does not come")


async def test_track_setting_chooses_the_layer(join: Join, own: Own, tap: Tap) -> None:
    speaker, viewer = await join("speaker"), await join("viewer")
    await speaker.show_picture(simulcast=True, size=(1280, 720))
    them = own("speaker")
    await until(lambda: viewer.frames.get(them, 0) > 3, "no picture", 40)
    (publication,) = viewer.tracks_of(them).values()
    publication.set_video_quality(rtc.VideoQuality.VIDEO_QUALITY_LOW)
    await until(lambda: viewer.sizes[them] == (320, 180), "the small layer does not come")
    publication.set_video_quality(rtc.VideoQuality.VIDEO_QUALITY_MEDIUM)
    await until(lambda: viewer.sizes[them] == (640, 360), "the larger layer does not come")
    assert tap.requests(own("viewer"), "track_setting")


async def test_leave_tells_the_others_at_once_and_why(join: Join, own: Own, tap: Tap) -> None:
    leaver, other = await join("leaver"), await join("other")
    await until(lambda: other.sees(own("leaver")))
    await leaver.room.disconnect()
    await until(lambda: other.heard("participant_disconnected"), "the leaving is not seen", 5)
    assert tap.requests(own("leaver"), "leave")
    gone = [
        one
        for update in tap.responses(own("other"), "update")
        for one in update.participants
        if one.state == models.ParticipantInfo.State.DISCONNECTED
    ]
    assert [one.disconnect_reason for one in gone] == [models.DisconnectReason.CLIENT_INITIATED]


async def test_update_layers_is_ignored(join: Join, own: Own, tap: Tap) -> None:
    await join("speaker")
    me = own("speaker")
    tap.ask(me, wire.SignalRequest(update_layers=wire.UpdateVideoLayers(track_sid="TR_x")))
    await answers_pings(tap, me)


async def test_subscription_permission_shuts_out_and_lets_in(
    join: Join, own: Own, tap: Tap
) -> None:
    speaker, viewer = await join("speaker"), await join("viewer", is_single=False)
    publication = await speaker.make_sound()
    await until(lambda: viewer.heard("track_subscribed"))
    speaker.me.set_track_subscription_permissions(
        allow_all_participants=False, participant_permissions=[]
    )

    def told() -> list[bool]:
        updates = tap.responses(own("viewer"), "subscription_permission_update")
        return [one.allowed for one in updates if one.track_sid == publication.sid]

    def is_sent() -> bool:
        offer = tap.responses(own("viewer"), "offer")[-1]
        return publication.sid in offer.mid_to_track_id.values()

    await until(lambda: not is_sent(), "who is shut out still receives")
    assert told()[-1:] == [False]
    allowed = rtc.ParticipantTrackPermission(
        participant_identity=own("viewer"), allow_all=True, allowed_track_sids=[]
    )
    speaker.me.set_track_subscription_permissions(
        allow_all_participants=False, participant_permissions=[allowed]
    )
    await until(is_sent, "who is let in gets nothing")
    assert told()[-2:] == [False, True]


async def test_sync_state_with_an_unknown_track_asks_for_a_full_reconnect(
    join: Join, own: Own, tap: Tap
) -> None:
    await join("speaker")
    me = own("speaker")
    unknown = wire.TrackPublishedResponse(cid="c", track=models.TrackInfo(sid="TR_unknown"))
    tap.ask(me, wire.SignalRequest(sync_state=wire.SyncState(publish_tracks=[unknown])))
    leave = await until(lambda: tap.responses(me, "leave"), "the server does not object")
    assert leave[0].action == wire.LeaveRequest.Action.RECONNECT
    await until(lambda: len(tap.responses(me, "join")) == 2, "the client does not join anew")


async def test_simulated_speakers_are_told(join: Join, own: Own, tap: Tap) -> None:
    speaker = await join("speaker")
    await speaker.make_sound()
    me = own("speaker")
    await speaker.room.simulate_scenario(rtc.SimulateScenarioKind.SIMULATE_SPEAKER)
    await until(lambda: tap.responses(me, "speakers_changed"), "nobody is said to speak")


@pytest.mark.parametrize("scenario", ["NODE_FAILURE", "MIGRATION", "FULL_RECONNECT"])
async def test_simulated_failures_are_survived(
    join: Join, own: Own, tap: Tap, scenario: str
) -> None:
    speaker, viewer = await join("speaker"), await join("viewer")
    publication = await speaker.make_sound()
    await until(lambda: viewer.heard("track_subscribed"))
    kind = rtc.SimulateScenarioKind.Value(f"SIMULATE_{scenario}")
    await speaker.room.simulate_scenario(kind)
    await until(lambda: speaker.heard("reconnected"), "the client does not come back", 40)
    await until(
        lambda: list(viewer.tracks_of(own("speaker"))) == [publication.sid],
        "the track is lost or there twice",
        40,
    )
    assert list(viewer.room.remote_participants) == [own("speaker")]


async def test_a_simulated_leave_ends_the_session(join: Join, own: Own, tap: Tap) -> None:
    speaker = await join("speaker")
    simulate = wire.SimulateScenario(server_leave=True)
    tap.ask(own("speaker"), wire.SignalRequest(simulate=simulate))
    await until(lambda: speaker.heard("disconnected"), "the client goes on")


async def test_ping_is_answered_with_the_time_in_milliseconds(
    join: Join, own: Own, tap: Tap
) -> None:
    await join("speaker")
    me = own("speaker")
    tap.ask(me, wire.SignalRequest(ping=12345))
    (pong,) = (await until(lambda: tap.responses(me, "pong")))[-1:]
    assert abs(pong / 1000 - time.time()) < 60


async def test_ping_req_is_answered_with_what_it_carried(join: Join, own: Own, tap: Tap) -> None:
    await join("speaker")
    me = own("speaker")
    tap.ask(me, wire.SignalRequest(ping_req=wire.Ping(timestamp=987, rtt=3)))
    pong = await until(
        lambda: next(
            (p for p in tap.responses(me, "pong_resp") if p.last_ping_timestamp == 987), None
        )
    )
    assert abs(pong.timestamp / 1000 - time.time()) < 60


async def test_update_metadata_with_the_right_reaches_everybody(join: Join, own: Own) -> None:
    speaker, viewer = await join("speaker", can_update_own_metadata=True), await join("viewer")
    await until(lambda: viewer.sees(own("speaker")))
    await speaker.me.set_metadata("ghi chú")
    await speaker.me.set_name("Điểm cầu Đăk Tô")
    await speaker.me.set_attributes({"unit": "dakto", "gone": "x"})
    await speaker.me.set_attributes({"gone": ""})
    other = viewer.room.remote_participants[own("speaker")]
    await until(lambda: other.metadata == "ghi chú", "metadata is not seen")
    await until(lambda: other.name == "Điểm cầu Đăk Tô", "the name is not seen")
    await until(lambda: dict(other.attributes) == {"unit": "dakto"}, "attributes are not seen")


async def test_update_metadata_without_the_right_is_refused(join: Join, own: Own, tap: Tap) -> None:
    await join("speaker")
    me = own("speaker")
    update = wire.UpdateParticipantMetadata(metadata="x", request_id=77)
    tap.ask(me, wire.SignalRequest(update_metadata=update))
    refused = await until(
        lambda: next((r for r in tap.responses(me, "request_response") if r.request_id == 77), None)
    )
    assert refused.reason == Reason.NOT_ALLOWED


async def test_update_audio_track_changes_its_features(join: Join, own: Own, tap: Tap) -> None:
    speaker, viewer = await join("speaker"), await join("viewer")
    publication = await speaker.make_sound()
    await until(lambda: viewer.tracks_of(own("speaker")))
    feature = models.AudioTrackFeature.TF_NO_DTX
    update = wire.UpdateLocalAudioTrack(track_sid=publication.sid, features=[feature])
    tap.ask(own("speaker"), wire.SignalRequest(update_audio_track=update))
    await until(
        lambda: feature in _track(tap, own("viewer"), publication.sid).audio_features,
        "the others are not told",
    )


async def test_update_video_track_changes_its_size(join: Join, own: Own, tap: Tap) -> None:
    speaker, viewer = await join("speaker"), await join("viewer")
    publication = await speaker.show_picture()
    await until(lambda: viewer.tracks_of(own("speaker")))
    update = wire.UpdateLocalVideoTrack(track_sid=publication.sid, width=800, height=600)
    tap.ask(own("speaker"), wire.SignalRequest(update_video_track=update))
    await until(
        lambda: _track(tap, own("viewer"), publication.sid).width == 800, "the others are not told"
    )


def _track(tap: Tap, viewer: str, sid: str) -> models.TrackInfo:
    """A track as a viewer was told of it last."""
    told = [
        track
        for update in tap.responses(viewer, "update")
        for one in update.participants
        for track in one.tracks
        if track.sid == sid
    ]
    return told[-1] if told else models.TrackInfo()


OPTIONAL: dict[str, Any] = {
    "publish_data_track_request": wire.PublishDataTrackRequest(pub_handle=1, name="x"),
    "unpublish_data_track_request": wire.UnpublishDataTrackRequest(pub_handle=9),
    "update_data_subscription": wire.UpdateDataSubscription(),
    "store_data_blob_request": wire.StoreDataBlobRequest(),
    "get_data_blob_request": wire.GetDataBlobRequest(),
}


@pytest.mark.parametrize("kind", OPTIONAL)
async def test_an_optional_request_is_served_or_refused_aloud(
    join: Join, own: Own, tap: Tap, server: Server, kind: str
) -> None:
    await join("speaker")
    me = own("speaker")
    tap.ask(me, wire.SignalRequest(**{kind: OPTIONAL[kind]}))
    await answers_pings(tap, me)
    served = kind.removesuffix("_request") + "_response"
    is_silent = kind == "update_data_subscription" or server.name != "node"
    if not is_silent:
        assert tap.responses(me, "request_response") or tap.responses(me, served)
