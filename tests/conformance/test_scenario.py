"""The same scripted meeting on this node and on LiveKit's server: the same log but for sids."""

import pytest

from tests.conformance.scenario import play
from tests.conformance.servers import livekit_program, livekit_server, own_node
from tests.conformance.tap import tapped

pytestmark = pytest.mark.media

MUST_HEAR = (
    "bob: ann ACTIVE [('TR1', 'MICROPHONE', True)]",
    "ann: bob DISCONNECTED PARTICIPANT_REMOVED",
    "eve: leave ROOM_DELETED action 0",
)


async def test_the_scripted_meeting_is_told_as_it_was() -> None:
    with own_node() as server, tapped(server.url) as tap:
        log = await play(server, tap)
    assert all(any(line.startswith(must) for line in log) for must in MUST_HEAR), log
    assert not any("eve" in line for line in log if line.startswith(("ann: ", "bob: ")))


async def test_the_scripted_meeting_is_the_same_on_livekits_server() -> None:
    program = livekit_program()
    if program is None:
        pytest.skip("livekit-server is not on the PATH, so there is nothing to compare with")
    with own_node() as server, tapped(server.url) as tap:
        ours = await play(server, tap)
    with livekit_server(program) as server, tapped(server.url) as tap:
        theirs = await play(server, tap)
    assert ours == theirs
