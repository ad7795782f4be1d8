"""Frames encrypted end to end pass the node unread: who has the key decodes them, nobody else."""

from collections.abc import AsyncIterator

import pytest
from livekit import rtc

from media.api.server import MediaServer
from tests.integration.media_node.conftest import Person, token, until

pytestmark = pytest.mark.media
KEY_WORDS = b"words that only friends know"


@pytest.fixture
async def people() -> AsyncIterator[list[Person]]:
    made: list[Person] = []
    yield made
    for person in made:
        await person.leave()


@pytest.mark.parametrize("simulcast", [False, True], ids=["one layer", "simulcast"])
async def test_encrypted_frames_and_data_are_for_those_who_have_the_key(
    people: list[Person], server: MediaServer, url: str, simulcast: bool
) -> None:
    async def join(identity: str, key: bytes | None) -> Person:
        person = Person()
        people.append(person)
        keys = rtc.KeyProviderOptions(shared_key=key)
        options = rtc.RoomOptions(
            single_peer_connection=True,
            encryption=rtc.E2EEOptions(key_provider_options=keys) if key else None,
        )
        await person.room.connect(url, token(identity), options)
        return person

    speaker = await join("speaker", KEY_WORDS)
    friend, stranger = await join("friend", KEY_WORDS), await join("stranger", None)
    guesser = await join("guesser", b"other words")
    published = await speaker.show_picture(simulcast=simulcast)
    await speaker.make_sound()
    assert published.encryption_type == rtc.EncryptionType.GCM
    await until(lambda: friend.frames.get("speaker", 0) > 30, 30, "who has the key sees nothing")
    await until(lambda: friend.loudness.get("speaker", 0) > 100, 30, "nor hears anything")
    await speaker.room.local_participant.publish_data("lời kín")
    await until(lambda: [data.decode() for data, _ in friend.data] == ["lời kín"], 10, "no data")
    (room,) = server.node.rooms.values()
    (picture,) = (track for track in room.tracks.values() if track.codec.is_video)
    for other in ("stranger", "guesser"):
        session = room.session_of(other)
        assert session is not None
        down = session.subscribing.subscriptions[picture.sid].down
        assert down is not None
        assert down.stats.packets_sent > 30, "packets reach everybody"
    assert not stranger.data
    assert not guesser.data
    assert guesser.frames.get("speaker", 0) == 0
