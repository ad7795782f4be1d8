"""Rooms and participants for tests."""

from livekit.protocol import models

from media.core.ids import Identity, ParticipantSid, RoomName, RoomSid
from media.core.room import ACTIVE, Participant, Room


def make_room(**changes: object) -> Room:
    return Room(RoomSid("RM_1"), RoomName("hall"), created_at_ms=0, created_s=0.0, **changes)  # type: ignore[arg-type]


def make_participant(identity: str, **permission: bool) -> Participant:
    allowed = {"can_publish": True, "can_subscribe": True, "can_publish_data": True}
    return Participant(
        sid=ParticipantSid(f"PA_{identity}"),
        identity=Identity(identity),
        permission=models.ParticipantPermission(**(allowed | permission)),
        state=ACTIVE,
    )


def fill(room: Room, *participants: Participant) -> None:
    for participant in participants:
        room.join(participant)
