"""Who is told what: speakers, subscriptions that cannot be, data tracks, allowances."""

from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol import models, rtc

from media.core.data_tracks import (
    MAX_BLOB_BYTES,
    MAX_BLOBS,
    Blobs,
    DataTracks,
    Reason,
    ReceiveHandles,
    handle_of,
    with_handle,
)
from media.core.ids import TrackSid
from media.core.rate import TokenBucket, weight
from media.core.speakers import SpeakerChange, SpeakerNews
from media.core.wishes import MAX_CHOICES, NOT_FOUND_AFTER_S, not_found, note_choice
from tests.unit.media_node.people import fill, make_participant, make_room

A, B, C = (TrackSid(f"TR_{letter}") for letter in "abc")


def speaking(key: str, level: float = 0.5) -> SpeakerChange:
    return SpeakerChange(key, level, is_active=level > 0)


def test_a_listener_hears_of_those_it_can_hear() -> None:
    news = SpeakerNews()
    assert news.select([speaking("a"), speaking("b")], {"b", "me"}) == [speaking("b")]
    assert news.select([speaking("a", 0.0)], {"b"}) == [], "it never heard that a spoke"
    assert news.select([speaking("b", 0.0)], {"b"}) == [SpeakerChange("b", 0.0, is_active=False)]


def test_a_speaker_that_is_not_received_any_more_is_silent() -> None:
    news = SpeakerNews()
    news.select([speaking("a")], {"a"})
    assert news.select([speaking("b")], {"me"}) == [SpeakerChange("a", 0.0, is_active=False)]
    assert news.select([speaking("b")], {"me"}) == []


def test_a_track_that_never_comes_is_said_to_be_missing_once() -> None:
    person = make_participant("a")
    note_choice(person, A, is_wanted=True, published=set(), now_s=0.0)
    note_choice(person, B, is_wanted=True, published={B}, now_s=0.0)
    note_choice(person, C, is_wanted=False, published=set(), now_s=0.0)
    assert not_found(person, {B}, NOT_FOUND_AFTER_S - 1) == []
    assert not_found(person, {B}, NOT_FOUND_AFTER_S) == [A]
    assert not_found(person, {B}, NOT_FOUND_AFTER_S) == []
    assert person.choices == {B: True, C: False}


def test_a_track_that_comes_in_time_is_not_missing() -> None:
    person = make_participant("a")
    note_choice(person, A, is_wanted=True, published=set(), now_s=0.0)
    assert not_found(person, {A}, 5.0) == []
    assert not_found(person, set(), 100.0) == []
    assert person.choices == {A: True}


def test_wishes_for_invented_tracks_are_bounded() -> None:
    person = make_participant("a")
    for number in range(MAX_CHOICES + 100):
        sid = TrackSid(f"TR_{number}")
        note_choice(person, sid, is_wanted=True, published=set(), now_s=0.0)
    assert len(person.choices) == len(person.sought) == MAX_CHOICES


def test_a_publisher_names_whom_it_denies() -> None:
    room, a, b, c = make_room(), *(make_participant(name) for name in "abc")
    fill(room, a, b, c)
    a.tracks[A] = models.TrackInfo(sid=A)
    assert room.denied_to(b) == {}
    permission = rtc.TrackPermission(participant_identity="b", all_tracks=True)
    a.audience = rtc.SubscriptionPermission(track_permissions=[permission])
    assert room.denied_to(b) == {}
    assert room.denied_to(c) == {A: a}
    a.permission.hidden = True
    assert room.denied_to(c) == {}, "a hidden participant is not spoken of"


def test_nobody_receives_what_a_hidden_participant_publishes() -> None:
    room, ghost, person = make_room(), make_participant("g", hidden=True), make_participant("a")
    fill(room, ghost, person)
    ghost.tracks[A] = models.TrackInfo(sid=A)
    assert list(room.subscriptions_for(person)) == []


def publishing(handle: int, name: str) -> rtc.PublishDataTrackRequest:
    return rtc.PublishDataTrackRequest(pub_handle=handle, name=name)


def test_a_data_track_is_refused_with_its_reason() -> None:
    tracks = DataTracks()
    assert tracks.refuse(publishing(7, "telemetry")) is None
    info = tracks.publish(publishing(7, "telemetry"), bytes)
    assert info.sid.startswith("DTR_")
    assert tracks.refuse(publishing(7, "other")) == Reason.DUPLICATE_HANDLE
    assert tracks.refuse(publishing(8, "telemetry")) == Reason.DUPLICATE_NAME
    assert tracks.refuse(publishing(8, "")) == Reason.INVALID_NAME
    assert tracks.refuse(publishing(8, "x" * 257)) == Reason.INVALID_NAME
    assert tracks.refuse(publishing(0, "x")) == Reason.INVALID_HANDLE
    assert tracks.refuse(publishing(65536, "x")) == Reason.INVALID_HANDLE
    for handle in range(100, 163):
        tracks.publish(publishing(handle, str(handle)), bytes)
    assert tracks.refuse(publishing(9, "one more")) == Reason.LIMIT_EXCEEDED


@given(st.binary(min_size=12, max_size=60), st.integers(0, 65535))
def test_only_the_handle_of_a_data_track_packet_is_rewritten(packet: bytes, handle: int) -> None:
    sent = with_handle(packet, handle)
    assert handle_of(sent) == handle
    assert sent[:2] + packet[2:4] + sent[4:] == packet


def test_handles_are_not_given_twice_while_in_use() -> None:
    handles = ReceiveHandles()
    first = handles.assign("PA_a", "a", "DTR_1")
    second = handles.assign("PA_a", "a", "DTR_2")
    handles.release(first)
    third = handles.assign("PA_b", "b", "DTR_3")
    assert len({first, second, third}) == 3
    told = handles.to_message().sub_handles
    assert {handle: told[handle].track_sid for handle in told} == {second: "DTR_2", third: "DTR_3"}


def test_blobs_are_few_and_small() -> None:
    blobs = Blobs()
    key = models.DataBlobKey(generic="schema")
    assert blobs.store(models.DataBlob(key=key, contents=b"v1")) is None
    assert blobs.store(models.DataBlob(key=key, contents=b"v2")) is None
    found = blobs.get(key)
    assert found is not None
    assert found.contents == b"v2"
    assert blobs.get(models.DataBlobKey(generic="other")) is None
    assert blobs.store(models.DataBlob()) == Reason.INVALID_REQUEST
    large = models.DataBlob(key=key, contents=bytes(MAX_BLOB_BYTES))
    assert blobs.store(large) == Reason.LIMIT_EXCEEDED
    for number in range(MAX_BLOBS - 1):
        blobs.store(models.DataBlob(key=models.DataBlobKey(generic=str(number))))
    one_more = models.DataBlob(key=models.DataBlobKey(generic="one more"))
    assert blobs.store(one_more) == Reason.LIMIT_EXCEEDED


@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0.1, 30)), max_size=60))
def test_nobody_gets_more_than_burst_and_rate_allow(spending: list[tuple[float, float]]) -> None:
    bucket, now_s, taken = TokenBucket(rate_per_s=5.0, burst=20.0), 0.0, 0.0
    for pause_s, tokens in spending:
        now_s += pause_s
        taken += tokens if bucket.take(now_s, tokens) else 0.0
    largest = max((tokens for _, tokens in spending), default=0.0)
    assert taken <= 20.0 + 5.0 * now_s + max(0.0, largest - 20.0) + 1e-6


def test_a_spender_on_credit_waits_until_it_is_out_of_debt() -> None:
    bucket = TokenBucket(rate_per_s=10.0, burst=5.0)
    assert bucket.spend(0.0, 5) == 0.0
    assert bucket.spend(0.0, 20) == 2.0
    assert bucket.spend(2.0, 1) == 0.1


def test_long_messages_cost_more() -> None:
    assert weight(0, 1000) == 1
    assert weight(10_000, 1000) == 11
