"""Participant updates become the events an owner expects."""

from livekit.protocol import models

from media.client.events import (
    Event,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantUpdated,
    TrackMuted,
    TrackPublished,
    TrackUnpublished,
)
from media.client.roster import Roster


def person(
    identity: str = "a",
    sid: str = "PA_1",
    version: int = 1,
    tracks: tuple[models.TrackInfo, ...] = (),
    state: models.ParticipantInfo.State = models.ParticipantInfo.State.ACTIVE,
) -> models.ParticipantInfo:
    return models.ParticipantInfo(
        identity=identity, sid=sid, version=version, tracks=tracks, state=state
    )


def kinds(events: list[Event]) -> list[type]:
    return [type(event) for event in events]


CAMERA = models.TrackInfo(sid="TR_1")
MUTED = models.TrackInfo(sid="TR_1", muted=True)


def test_joining_publishing_muting_and_leaving_are_told_in_order() -> None:
    roster = Roster()
    assert kinds(roster.update(person())) == [ParticipantJoined]
    assert kinds(roster.update(person(version=2, tracks=(CAMERA,)))) == [
        ParticipantUpdated,
        TrackPublished,
    ]
    muted = roster.update(person(version=3, tracks=(MUTED,)))
    assert muted[1:] == [TrackMuted("TR_1", "a", is_muted=True)]
    found = roster.find_track("TR_1")
    assert found is not None
    left = person(version=4, state=models.ParticipantInfo.State.DISCONNECTED)
    assert kinds(roster.update(left)) == [TrackUnpublished, ParticipantLeft]
    assert not roster.participants
    assert roster.find_track("TR_1") is None


def test_an_older_update_changes_nothing() -> None:
    roster = Roster()
    roster.update(person(version=5, tracks=(CAMERA,)))
    assert roster.update(person(version=4)) == []
    assert roster.find_track("TR_1") is not None


def test_the_same_update_twice_is_told_once() -> None:
    roster = Roster()
    roster.update(person(tracks=(CAMERA,)))
    assert roster.update(person(tracks=(CAMERA,))) == []


def test_a_new_session_of_an_identity_replaces_the_old_one() -> None:
    roster = Roster()
    roster.update(person(sid="PA_1", version=9, tracks=(CAMERA,)))
    assert kinds(roster.update(person(sid="PA_2"))) == [
        TrackUnpublished,
        ParticipantLeft,
        ParticipantJoined,
    ]
    late = person(sid="PA_1", version=10, state=models.ParticipantInfo.State.DISCONNECTED)
    assert roster.update(late) == []
    assert "a" in roster.participants


def test_a_complete_list_tells_only_the_difference() -> None:
    roster = Roster()
    roster.update(person("a", "PA_1"))
    roster.update(person("b", "PA_2"))
    events = roster.replace([person("b", "PA_2"), person("c", "PA_3")])
    assert kinds(events) == [ParticipantLeft, ParticipantJoined]
