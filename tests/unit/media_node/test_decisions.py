"""Small decisions of the node: liveness, layers, data, publication, quality, addresses."""

import pytest
from livekit.protocol import models, rtc

from media.core import data
from media.core.ids import new_track_sid
from media.core.layers import LOWER_AFTER_S, Dynacast, quality_states, rank, wanted_quality
from media.core.liveness import (
    GOODBYE_GRACE_S,
    JOIN_TIMEOUT_S,
    MEDIA_TIMEOUT_S,
    RESUME_GRACE_S,
    SIGNAL_GRACE_S,
    Evidence,
    Verdict,
    judge,
)
from media.core.publication import MAX_PENDING, Reason, announce, match, refuse_track
from media.core.sdp import MediaSection, Msid
from media.core.simulcast import Quality
from media.transport.udp import plan_addresses
from tests.unit.media_node.people import fill, make_participant, make_room

LAYERS = [
    models.VideoLayer(quality="LOW", width=320, height=180),
    models.VideoLayer(quality="MEDIUM", width=640, height=360),
    models.VideoLayer(quality="HIGH", width=1280, height=720),
]
CAMERA = models.TrackInfo(sid="TR_1", type="VIDEO", layers=LAYERS)


def evidence(**changes: object) -> Evidence:
    known = {
        "is_active": True, "joined_s": 0.0, "heard_s": 100.0,
        "socket_lost_s": None, "media_closed_s": None, "invited_s": None,
    }  # fmt: skip
    return Evidence(**(known | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("known", "after_s", "verdict"),
    [
        (evidence(), MEDIA_TIMEOUT_S, Verdict.CONTINUE),
        (evidence(), MEDIA_TIMEOUT_S + 1, Verdict.INVITE_TO_RESUME),
        (evidence(invited_s=100.0, heard_s=50.0), RESUME_GRACE_S, Verdict.CONTINUE),
        (evidence(invited_s=100.0, heard_s=50.0), RESUME_GRACE_S + 1, Verdict.MEDIA_GONE),
        (evidence(invited_s=100.0, heard_s=101.0), 2.0, Verdict.RECOVERED),
        (evidence(socket_lost_s=100.0, heard_s=150.0), 51.0, Verdict.CONTINUE),
        (evidence(socket_lost_s=100.0), MEDIA_TIMEOUT_S + 1, Verdict.MEDIA_GONE),
        (evidence(socket_lost_s=100.0, heard_s=155.0), SIGNAL_GRACE_S + 1, Verdict.SIGNAL_GONE),
        (evidence(is_active=False, joined_s=100.0), JOIN_TIMEOUT_S + 1, Verdict.JOIN_TOO_SLOW),
        (
            evidence(is_active=False, joined_s=100.0, socket_lost_s=100.0),
            RESUME_GRACE_S + 1,
            Verdict.SIGNAL_GONE,
        ),
        (evidence(media_closed_s=100.0), GOODBYE_GRACE_S, Verdict.CONTINUE),
        (evidence(media_closed_s=100.0), GOODBYE_GRACE_S + 1, Verdict.MEDIA_CLOSED),
    ],
)
def test_a_session_lives_as_long_as_it_should(
    known: Evidence, after_s: float, verdict: Verdict
) -> None:
    assert judge(known, 100.0 + after_s) is verdict


@pytest.mark.parametrize(
    ("width", "height", "quality"),
    [
        (160, 90, Quality.LOW),
        (320, 180, Quality.LOW),
        (350, 200, Quality.LOW),
        (360, 210, Quality.MEDIUM),
        (360, 640, Quality.MEDIUM),
        (1920, 1080, Quality.HIGH),
    ],
)
def test_the_smallest_layer_that_fills_the_picture_is_wanted(
    width: int, height: int, quality: Quality
) -> None:
    settings = rtc.UpdateTrackSettings(width=width, height=height)
    assert wanted_quality(settings, CAMERA, is_adaptive=True) is quality


def test_what_is_wanted_before_and_without_sizes() -> None:
    assert wanted_quality(None, CAMERA, is_adaptive=False) is Quality.HIGH
    assert wanted_quality(None, CAMERA, is_adaptive=True) is Quality.LOW
    paused = rtc.UpdateTrackSettings(disabled=True, width=640, height=360)
    assert wanted_quality(paused, CAMERA, is_adaptive=True) is None
    medium = rtc.UpdateTrackSettings(quality="MEDIUM")
    assert wanted_quality(medium, CAMERA, is_adaptive=True) is Quality.MEDIUM


def test_a_publisher_hears_of_more_at_once_and_of_less_after_a_while() -> None:
    dynacast = Dynacast()
    assert not dynacast.update(Quality.LOW, 0.0)
    assert not dynacast.update(Quality.LOW, LOWER_AFTER_S - 0.1)
    assert dynacast.update(Quality.LOW, LOWER_AFTER_S)
    assert not dynacast.update(Quality.LOW, LOWER_AFTER_S + 1)
    assert dynacast.update(Quality.HIGH, LOWER_AFTER_S + 1)
    assert not dynacast.update(None, 10.0)
    assert not dynacast.update(Quality.HIGH, 12.0), "wanted again in time"
    assert not dynacast.update(None, 16.0)


def test_layers_above_the_wanted_one_are_switched_off() -> None:
    assert [state.enabled for state in quality_states(Quality.MEDIUM)] == [True, True, False]
    assert [state.enabled for state in quality_states(None)] == [False, False, False]


def test_screens_come_first_then_the_viewers_own_order_then_what_is_shown_large() -> None:
    camera = models.TrackInfo(source=models.TrackSource.CAMERA)
    screen = models.TrackInfo(source=models.TrackSource.SCREEN_SHARE)
    in_order = [
        rank(None, screen),
        rank(rtc.UpdateTrackSettings(priority=1, width=160, height=90), camera),
        rank(rtc.UpdateTrackSettings(width=1280, height=720), camera),
        rank(rtc.UpdateTrackSettings(width=320, height=180), camera),
        rank(None, camera),
    ]
    assert in_order == sorted(in_order)
    assert len(set(in_order)) == len(in_order)


def test_the_sender_of_data_is_what_the_node_knows() -> None:
    packet = models.DataPacket(participant_identity="chair", participant_sid="PA_chair")
    packet.user.participant_identity = "chair"
    data.stamp(make_participant("site"), packet)
    assert packet.participant_identity == packet.user.participant_identity == "site"
    data.stamp(make_participant("ghost", hidden=True), packet)
    assert packet.participant_identity == packet.participant_sid == ""


def test_data_reaches_its_destinations_and_never_its_sender() -> None:
    room = make_room()
    a, b, c = make_participant("a"), make_participant("b"), make_participant("c")
    fill(room, a, b, c)
    packet = models.DataPacket(user=models.UserPacket(payload=b"x"))
    assert data.receivers(room, a, packet) == [b, c]
    packet.destination_identities.append("c")
    assert data.receivers(room, a, packet) == [c]
    packet.destination_identities[:] = ["a"]
    assert data.receivers(room, a, packet) == []


def test_data_needs_the_right_and_a_known_kind() -> None:
    user = models.DataPacket(user=models.UserPacket(payload=b"x"))
    assert data.may_send(make_participant("a"), user)
    assert not data.may_send(make_participant("a", can_publish_data=False), user)
    assert not data.may_send(make_participant("a"), models.DataPacket())
    speech = models.DataPacket(transcription=models.Transcription())
    assert not data.may_send(make_participant("a"), speech)


def add(cid: str, **fields: object) -> rtc.AddTrackRequest:
    return rtc.AddTrackRequest(cid=cid, **({"type": "VIDEO", "source": "CAMERA"} | fields))  # type: ignore[arg-type]


def test_a_section_goes_to_the_track_its_msid_names_else_to_the_first_of_its_kind() -> None:
    person = make_participant("a")
    for cid in ("first", "second"):
        announce(person, add(cid), bytes)
    named = match(MediaSection("video", msids=[Msid("-", "second")]), person.pending)
    assert named is not None
    assert named.request.cid == "second"
    renamed = match(MediaSection("video", msids=[Msid("-", "browser's own")]), person.pending)
    assert renamed is not None
    assert renamed.request.cid == "first"
    assert match(MediaSection("audio"), person.pending) is None


def test_tracks_are_refused_with_their_reason() -> None:
    person = make_participant("a")
    assert refuse_track(person, add("c")) is None
    assert refuse_track(person, add("c", type="DATA")) == Reason.UNSUPPORTED_TYPE
    assert refuse_track(person, add("")) == Reason.UNSUPPORTED_TYPE
    assert refuse_track(person, add("c", sid="TR_none")) == Reason.NOT_FOUND
    for number in range(MAX_PENDING):
        announce(person, add(f"c{number}"), bytes)
    assert refuse_track(person, add("c")) == Reason.LIMIT_EXCEEDED
    person.permission.can_publish = False
    assert refuse_track(person, add("c")) == Reason.NOT_ALLOWED


def test_track_sids_tell_kind_and_source() -> None:
    screen_audio = models.TrackSource.SCREEN_SHARE_AUDIO
    assert new_track_sid(bytes, models.TrackType.AUDIO, screen_audio).startswith("TR_As")


def test_addresses_bound_and_advertised() -> None:
    local = ["10.0.0.5", "127.0.0.1"]
    assert plan_addresses([], local) == (local, local)
    assert plan_addresses(["127.0.0.1"], local) == (["127.0.0.1"], ["127.0.0.1"])
    assert plan_addresses(["203.0.113.7"], local) == (local, ["203.0.113.7"])
    with pytest.raises(ValueError, match="nonsense"):
        plan_addresses(["nonsense"], local)
