"""More microphones open than are forwarded: official clients hear the one that holds the place."""

import pytest

from media.api.server import MediaServer
from media.settings import RoomSettings, RtcSettings, Settings
from tests.integration.media_node.conftest import KEY, SECRET, Person, token, until

pytestmark = pytest.mark.media


async def test_of_two_open_microphones_one_is_forwarded_until_it_is_muted() -> None:
    server = MediaServer(
        Settings(
            keys={KEY: SECRET},
            host="127.0.0.1",
            port=0,
            rtc=RtcSettings(udp_port=0, node_ip=("127.0.0.1",)),
            room=RoomSettings(loudest=1),
        )
    )
    await server.start()
    people = {name: Person() for name in ("first", "second", "listener")}
    try:
        for name, person in people.items():
            await person.join(f"ws://127.0.0.1:{server.port}", token(name))
        listener = people["listener"]
        spoken = await people["first"].make_sound()
        await until(lambda: listener.loudness.get("first", 0) > 10, 20, "nothing is heard")
        await people["second"].make_sound()
        await until(lambda: "second" in listener.loudness, 20, "the second is not subscribed to")
        (room,) = server.node.rooms.values()
        microphones = {track.publisher.identity: track for track in room.tracks.values()}

        def forwarded() -> set[str]:
            return {name for name, track in microphones.items() if not track.up.is_withheld}

        await until(lambda: len(microphones) == 2 and len(forwarded()) == 1, 10, "both are heard")
        (heard,) = forwarded()
        assert heard == "first", "who speaks already keeps the place"
        await until(lambda: listener.loudness["second"] < 1, 10, "the other is heard as well")
        spoken.track.mute()
        await until(lambda: listener.loudness["second"] > 10, 20, "the place stays empty")
    finally:
        for person in people.values():
            await person.leave()
        await server.close()
