"""Every event a server reports: one test a row of the protocol's table.

One short meeting gives rise to all events of rooms, participants and tracks; each notice has been
verified by LiveKit's own receiver before it is seen here.
"""

from collections.abc import Callable

import pytest
from livekit.api import CreateRoomRequest, DeleteRoomRequest, LiveKitAPI
from livekit.protocol.webhook import WebhookEvent

from tests.conformance.conftest import Hooks, Join, until

pytestmark = pytest.mark.media
Own = Callable[[str], str]
ORDER = [
    "room_started", "participant_joined", "track_published", "track_unpublished",
    "participant_left", "room_finished",
]  # fmt: skip


async def test_every_event_of_a_meeting_is_told_once_and_in_order(
    join: Join, own: Own, api: LiveKitAPI, hooks: Hooks, room: str
) -> None:
    made = await api.room.create_room(CreateRoomRequest(name=room))
    guest = await join("guest")
    sid = guest.me.sid
    publication = await guest.make_sound()
    track_sid = publication.sid

    def told(name: str) -> list[WebhookEvent]:
        return [event for event in hooks.of(room) if event.event == name]

    await until(lambda: told("track_published"))
    await guest.me.unpublish_track(track_sid)
    await until(lambda: told("track_unpublished"))
    await guest.room.disconnect()
    await until(lambda: told("participant_left"))
    await api.room.delete_room(DeleteRoomRequest(room=room))
    await until(lambda: told("room_finished"))
    events = hooks.of(room)
    assert [event.event for event in events] == ORDER
    assert {event.room.sid for event in events} == {made.sid}
    assert len({event.id for event in events}) == len(ORDER)
    assert all(event.id.startswith("EV_") and event.created_at for event in events)
    for event in events[1:5]:
        assert (event.participant.identity, event.participant.sid) == (own("guest"), sid)
    assert {event.track.sid for event in events[2:4]} == {track_sid}


async def test_a_hidden_participant_is_reported_too(
    join: Join, own: Own, hooks: Hooks, room: str
) -> None:
    await join("ghost", hidden=True)
    joined = await until(
        lambda: [event for event in hooks.of(room) if event.event == "participant_joined"]
    )
    assert joined[0].participant.identity == own("ghost")
