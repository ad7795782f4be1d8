"""Recordings ordered by LiveKit's own API client, carried out by our recorder, read by ffprobe."""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from livekit import api as lk
from livekit.api import LiveKitAPI
from livekit.protocol import egress as proto
from livekit.protocol import models

from media.api.server import MediaServer
from media.settings import RtcSettings, Settings, WebhookSettings
from recordings.capture.clock import forward_clock
from recordings.egress.orders import NoDoorError, Orders
from recordings.egress.stay import ordered_room_maker
from recordings.egress.worker import EgressWorker
from recordings.store.folder import FolderStore
from tests.integration.media_api.receiver import KEY, SECRET, Receiver, serving
from tests.integration.media_node.conftest import Person, token

pytestmark = pytest.mark.media

WITHIN_S = 60.0
AUDIO = models.TrackType.AUDIO


@pytest.fixture
async def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def server(receiver: Receiver) -> AsyncIterator[MediaServer]:
    async with serving(receiver) as hook:
        node = MediaServer(
            Settings(
                keys={KEY: SECRET},
                host="127.0.0.1",
                port=0,
                rtc=RtcSettings(udp_port=0, node_ip=("127.0.0.1",)),
                webhook=WebhookSettings(urls=(hook,)),
            )
        )
        await node.start()
        try:
            yield node
        finally:
            await node.close()


@pytest.fixture
async def api(server: MediaServer) -> AsyncIterator[LiveKitAPI]:
    async with LiveKitAPI(f"http://127.0.0.1:{server.port}", KEY, SECRET) as client:
        yield client


@pytest.fixture
async def recorder(server: MediaServer, tmp_path: Path) -> AsyncIterator[FolderStore]:
    """A recorder at work, in this process; its store."""
    store = FolderStore(tmp_path)
    worker = EgressWorker(
        Orders(f"http://127.0.0.1:{server.port}", KEY, SECRET, worker="recorder-1"),
        store,
        ordered_room_maker(f"ws://127.0.0.1:{server.port}", KEY, SECRET),
        name="recorder-1",
        clock=forward_clock(),
        min_headroom_mib=1,
        video_height=360,
        poll_s=0.1,
    )
    leave = asyncio.Event()
    work = asyncio.create_task(worker.run(leave))
    yield store
    leave.set()
    await asyncio.wait_for(work, 30)


@pytest.fixture
async def speaker(server: MediaServer) -> AsyncIterator[Person]:
    async with AsyncExitStack() as stack:
        person = Person()
        stack.push_async_callback(person.leave)
        await person.join(f"ws://127.0.0.1:{server.port}", token("speaker"))
        await person.show_picture()
        await person.make_sound()
        yield person


async def until(find: Callable[[], Awaitable[Any]], what: str) -> Any:
    deadline_s = time.monotonic() + WITHIN_S
    while not (found := await find()):
        assert time.monotonic() < deadline_s, what
        await asyncio.sleep(0.1)
    return found


async def in_state(api: LiveKitAPI, egress_id: str, status: int) -> proto.EgressInfo:
    async def find() -> proto.EgressInfo | None:
        listed = await api.egress.list_egress(lk.ListEgressRequest(egress_id=egress_id))
        info = listed.items[0]
        assert info.status != proto.EGRESS_FAILED, info.error
        return info if info.status == status else None

    found = await until(find, f"{egress_id} does not become {status}")
    assert isinstance(found, proto.EgressInfo)
    return found


async def recorder_polls(server: MediaServer) -> None:
    book = server.node.recordings.book

    async def has_polled() -> bool:
        return book._polled_s > 0

    await until(has_polled, "no recorder")


def streams(path: str) -> list[str]:
    command = ["ffprobe", "-v", "error", "-show_entries", "stream=codec_name", "-of", "csv=p=0"]
    return subprocess.check_output([*command, path], text=True).split()


async def refusal(call: Awaitable[object]) -> str:
    with pytest.raises(lk.TwirpError) as refused:
        await call
    return str(refused.value.code)


def room_request(path: str = "", **changes: Any) -> lk.RoomCompositeEgressRequest:
    output = lk.EncodedFileOutput(filepath=path)
    return lk.RoomCompositeEgressRequest(room_name="hall", file_outputs=[output], **changes)


async def test_a_room_is_recorded_into_a_playable_file(
    api: LiveKitAPI,
    server: MediaServer,
    recorder: FolderStore,
    speaker: Person,
    receiver: Receiver,
) -> None:
    await recorder_polls(server)
    started = await api.egress.start_room_composite_egress(
        room_request("biên bản/{room_name}-{room_id}")
    )
    assert started.egress_id.startswith("EG_")
    assert started.status == proto.EGRESS_STARTING
    await in_state(api, started.egress_id, proto.EGRESS_ACTIVE)
    room = (await api.room.list_rooms(lk.ListRoomsRequest())).rooms[0]
    assert room.active_recording
    assert room.num_participants == 1, "the recorder is hidden"
    await asyncio.sleep(2)  # something to record
    stopped = await api.egress.stop_egress(lk.StopEgressRequest(egress_id=started.egress_id))
    assert stopped.status == proto.EGRESS_ENDING
    done = await in_state(api, started.egress_id, proto.EGRESS_COMPLETE)
    (file,) = done.file_results
    assert file.location == str(recorder.root / "egress" / file.filename)
    assert file.filename == f"biên bản/hall-{room.sid}.mp4"
    assert file.size > 1000
    assert file.duration > 1e9
    assert {"h264", "aac"} <= set(streams(file.location)), "picture and sound"
    again = api.egress.stop_egress(lk.StopEgressRequest(egress_id=started.egress_id))
    assert await refusal(again) == "failed_precondition"
    active = await api.egress.list_egress(lk.ListEgressRequest(room_name="hall", active=True))
    assert not active.items
    told = [e.event for e in receiver.events if e.event.startswith("egress")]
    assert told == ["egress_started", "egress_updated", "egress_updated", "egress_ended"]
    kept = [folder.name for folder in recorder.root.iterdir()]
    assert kept == ["egress"], "captured media outlives its file"


async def test_a_track_is_written_as_it_was_sent(
    api: LiveKitAPI, server: MediaServer, recorder: FolderStore, speaker: Person
) -> None:
    async def find() -> str:
        everybody = await api.room.list_participants(lk.ListParticipantsRequest(room="hall"))
        found = [t.sid for p in everybody.participants for t in p.tracks if t.type == AUDIO]
        return found[0] if found else ""

    sid = await until(find, "no track")
    await recorder_polls(server)
    started = await api.egress.start_track_egress(
        lk.TrackEgressRequest(
            room_name="hall",
            track_id=sid,
            file=lk.DirectFileOutput(filepath="../../{track_id}.ogg"),
        )
    )
    await in_state(api, started.egress_id, proto.EGRESS_ACTIVE)
    await asyncio.sleep(1)
    await api.egress.stop_egress(lk.StopEgressRequest(egress_id=started.egress_id))
    done = await in_state(api, started.egress_id, proto.EGRESS_COMPLETE)
    (file,) = done.file_results
    assert file.location == str(recorder.root / "egress" / f"{sid}.ogg")
    assert streams(file.location) == ["opus"]


async def test_without_a_recorder_nothing_is_promised(api: LiveKitAPI, speaker: Person) -> None:
    start = api.egress.start_room_composite_egress(room_request())
    assert await refusal(start) == "unavailable"


async def test_what_cannot_be_recorded_is_refused_by_name(api: LiveKitAPI, speaker: Person) -> None:
    egress = api.egress
    web = egress.start_web_egress(lk.WebEgressRequest(url="http://127.0.0.1/"))
    assert await refusal(web) == "unimplemented"
    stream = room_request(stream_outputs=[lk.StreamOutput(urls=["rtmp://x"])])
    assert await refusal(egress.start_room_composite_egress(stream)) == "unimplemented"
    none = lk.RoomCompositeEgressRequest(room_name="hall")
    assert await refusal(egress.start_room_composite_egress(none)) == "invalid_argument"
    absent = lk.TrackEgressRequest(
        room_name="hall", track_id="TR_none", file=lk.DirectFileOutput(filepath="x")
    )
    assert await refusal(egress.start_track_egress(absent)) == "not_found"
    elsewhere = lk.RoomCompositeEgressRequest(
        room_name="absent", file_outputs=[lk.EncodedFileOutput(filepath="x")]
    )
    assert await refusal(egress.start_room_composite_egress(elsewhere)) == "not_found"
    unknown = egress.stop_egress(lk.StopEgressRequest(egress_id="EG_none"))
    assert await refusal(unknown) == "not_found"


async def test_a_server_without_our_door_has_no_orders(receiver: Receiver) -> None:
    async with serving(receiver) as url:
        orders = Orders(url.removesuffix("/hook"), KEY, SECRET, worker="r")
        with pytest.raises(NoDoorError):
            await asyncio.to_thread(orders.claim)
