"""Flash and beep through server, recorder and composer: sound and picture stay together."""

import asyncio
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks.peers import KEY, SECRET, Server, own_node
from benchmarks.peers.recorder import wait_until_recording, worker
from benchmarks.peers.servers import livekit_server
from conference.archive import recording as recordings
from conference.archive.models import Recording, RecordingState
from conference.database import Database
from media.client import Client
from media.client.load import LoadPlan, room_token
from recordings.store.folder import FolderStore
from tests.support.flash_and_beep import beeps, flashes, make_clips, offsets, p80, publish

pytestmark = pytest.mark.media

SECONDS = 8


@contextmanager
def served(name: str) -> Iterator[Server]:
    if name == "node":
        with own_node() as server:
            yield server
        return
    program = shutil.which("livekit-server")
    if program is None:
        pytest.skip("livekit-server is not on the PATH")
    with livekit_server(program) as server:
        yield server


async def meet(server: Server, room: str, folder: Path, database: Database) -> None:
    token = room_token(
        LoadPlan(url=server.url, api_key=KEY, secret=SECRET), room, "site:1", publishes=True
    )
    clips = await asyncio.to_thread(make_clips, folder)
    async with await Client.connect(server.url, token) as client:
        tasks = await publish(client, clips)
        await asyncio.to_thread(wait_until_recording, database)
        await asyncio.sleep(SECONDS)
        await asyncio.to_thread(stop, database)
        for task in tasks:
            assert not task.done()
            task.cancel()


def stop(database: Database) -> None:
    with database.transaction() as session:
        row = recordings.latest(session, 1)
        assert row is not None
        recordings.request_stop(session, row, datetime.now(UTC))


def published(database: Database) -> Recording:
    deadline_s = time.monotonic() + 120
    while True:
        with database.reading() as session:
            row = recordings.latest(session, 1)
            assert row is not None
            if row.state is RecordingState.PUBLISHED:
                return row
        assert time.monotonic() < deadline_s, (row.state, row.error)
        time.sleep(0.3)


@pytest.mark.parametrize("name", ["node", "livekit-server"])
def test_a_late_picture_and_its_sound_are_together_in_the_film(tmp_path: Path, name: str) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with served(name) as server, worker(server, data) as (_pid, room, database):
        asyncio.run(meet(server, room, tmp_path, database))
        row = published(database)
    film = FolderStore(data / "recordings").composed(row.folder)
    assert len(flashes(film)) >= SECONDS - 2
    assert len(beeps(film)) >= SECONDS - 2
    measured = offsets(film)
    assert len(measured) >= SECONDS - 2
    assert p80(measured) <= 0.1, measured
