"""media.core.room: who is in, who sees whom, who receives what."""

import pytest
from livekit.protocol import models, rtc

from media.core.ids import TrackSid
from media.core.refusals import RoomFullError
from tests.unit.media_node.people import fill, make_participant, make_room

CAMERA = models.TrackSource.CAMERA
MICROPHONE = models.TrackSource.MICROPHONE


def publish(participant: object, sid: str) -> None:
    participant.tracks[TrackSid(sid)] = models.TrackInfo(sid=sid)  # type: ignore[attr-defined]


def received(room: object, subscriber: object) -> list[str]:
    return [info.sid for _, info in room.subscriptions_for(subscriber)]  # type: ignore[attr-defined]


def test_the_newer_session_of_an_identity_takes_the_place_of_the_older() -> None:
    room, first, second = make_room(), make_participant("a"), make_participant("a")
    assert room.join(first) is None
    assert room.join(second) is first
    assert list(room.participants.values()) == [second]
    assert not room.leave(first, 1.0)


def test_a_full_room_admits_only_who_is_in_already() -> None:
    room = make_room(max_participants=1)
    fill(room, make_participant("a"))
    with pytest.raises(RoomFullError):
        room.join(make_participant("b"))
    room.join(make_participant("a"))


def test_a_recorder_process_needs_no_seat() -> None:
    room = make_room(max_participants=1)
    recorder = make_participant("egress")
    recorder.kind = models.ParticipantInfo.Kind.EGRESS
    fill(room, recorder, make_participant("a"))
    assert len(room.participants) == 2


def test_a_room_nobody_joined_closes_after_the_empty_timeout() -> None:
    assert make_room(empty_timeout_s=300).closes_at_s() == 300


def test_a_room_everybody_left_closes_after_the_departure_timeout() -> None:
    room, person = make_room(departure_timeout_s=20), make_participant("a")
    fill(room, person)
    assert room.closes_at_s() is None
    room.leave(person, 100.0)
    assert room.closes_at_s() == 120.0


def test_a_recorder_alone_does_not_keep_a_room_open() -> None:
    room, recorder, person = make_room(), make_participant("egress"), make_participant("a")
    recorder.kind = models.ParticipantInfo.Kind.EGRESS
    fill(room, recorder, person)
    room.leave(person, 100.0)
    assert room.closes_at_s() == 120.0


def test_a_hidden_participant_is_told_to_nobody_and_counted_nowhere() -> None:
    room = make_room()
    hidden, person = make_participant("h", hidden=True), make_participant("a")
    fill(room, hidden, person)
    assert room.others_for(person) == []
    assert room.viewers_of(hidden) == []
    assert room.others_for(hidden) == [person]
    assert room.to_info().num_participants == 1


def test_explicit_choices_outrank_automatic_subscription() -> None:
    room, a, b = make_room(), make_participant("a"), make_participant("b")
    fill(room, a, b)
    publish(a, "TR_1")
    publish(a, "TR_2")
    b.choices[TrackSid("TR_1")] = False
    assert received(room, b) == ["TR_2"]
    b.auto_subscribe = False
    b.choices[TrackSid("TR_1")] = True
    assert received(room, b) == ["TR_1"]


def test_nobody_receives_without_the_right_to_subscribe() -> None:
    room, a, b = make_room(), make_participant("a"), make_participant("b", can_subscribe=False)
    fill(room, a, b)
    publish(a, "TR_1")
    assert received(room, b) == []


def test_a_publisher_may_name_its_audience_but_not_shut_out_the_recorder() -> None:
    room = make_room()
    a, b, c = make_participant("a"), make_participant("b"), make_participant("c")
    recorder = make_participant("r", recorder=True, hidden=True)
    fill(room, a, b, c, recorder)
    publish(a, "TR_1")
    publish(a, "TR_2")
    permission = rtc.TrackPermission(participant_identity="b", track_sids=["TR_1"])
    a.audience = rtc.SubscriptionPermission(track_permissions=[permission])
    assert received(room, b) == ["TR_1"]
    assert received(room, c) == []
    assert received(room, recorder) == ["TR_1", "TR_2"]


def test_a_list_of_sources_narrows_the_right_to_publish() -> None:
    person = make_participant("a")
    assert person.may_publish(CAMERA)
    person.permission.can_publish_sources.append(MICROPHONE)
    assert person.may_publish(MICROPHONE)
    assert not person.may_publish(CAMERA)
    person.permission.can_publish = False
    assert not person.may_publish(MICROPHONE)


def test_a_track_is_found_with_its_publisher() -> None:
    room, a = make_room(), make_participant("a")
    fill(room, a)
    publish(a, "TR_1")
    found = room.find_track("TR_1")
    assert found is not None
    assert found[0] is a
    assert room.find_track("TR_2") is None
