"""The whole way with nothing canned: media node, official SDK, recorder process, ffmpeg."""

import asyncio
import math
import os
import signal
import socket
import subprocess
import sys
import time
from array import array
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from livekit import rtc

from conference.access.tokens import Grants, room_token
from conference.archive import recording as recordings
from conference.archive.models import Recording, RecordingState
from conference.database import Database
from conference.scheduling.models import Meeting, Status
from recordings.store import manifest
from recordings.store.folder import FolderStore
from tests.support.playing import loudness_db, mean_brightness
from tests.support.recorded_meeting import hold_meeting

pytestmark = pytest.mark.media

KEY, SECRET = "devkey", "a development secret of 32 bytes or more"
WIDTH, HEIGHT = 640, 360


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], object], within_s: float, what: str) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


@pytest.fixture
def node_port(tmp_path: Path) -> Iterator[int]:
    port, udp = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_DGRAM)
    log = (tmp_path / "node.log").open("wb")
    command = [
        sys.executable, "-m", "media", "--dev", "--key", f"{KEY}:{SECRET}",
        "--host", "127.0.0.1", "--port", str(port), "--udp-port", str(udp),
    ]  # fmt: skip
    with log:
        process = subprocess.Popen(command, stderr=log, stdout=log)

    def answers() -> bool:
        assert process.poll() is None, (tmp_path / "node.log").read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    wait_until(answers, 20, "the node does not listen")
    yield port
    process.terminate()
    process.wait(10)


@pytest.fixture
def worker(tmp_path: Path, node_port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """A real worker on the test's database; the node's development key is its key too."""
    (tmp_path / "secrets").mkdir(mode=0o700)
    (tmp_path / "secrets" / "media").write_text(SECRET)
    environment = os.environ | {
        "DIEMCAU_MEDIA_API_URL": f"http://127.0.0.1:{node_port}",
        "DIEMCAU_MEDIA_API_KEY": KEY,
        "DIEMCAU_DATABASE_URL": f"sqlite:///{tmp_path / 'test.sqlite3'}",
        "DIEMCAU_RECORDINGS_MIN_HEADROOM_MIB": "1",
    }
    log = (tmp_path / "worker.log").open("wb")
    command = [sys.executable, "-m", "recordings", "--data", str(tmp_path)]
    with log:
        process = subprocess.Popen(command, stderr=log, env=environment)
    yield process
    process.send_signal(signal.SIGKILL)
    process.wait(10)


def token(room: str, identity: str) -> str:
    return room_token(
        api_key=KEY, secret=SECRET, room=room, identity=identity, name="Điểm cầu Đăk Pxi",
        grants=Grants(), at=datetime.now(UTC), life=timedelta(minutes=10),
    )  # fmt: skip


async def publish(room: rtc.Room) -> None:
    """A bright moving picture and a tone, until cancelled."""
    video = rtc.VideoSource(WIDTH, HEIGHT)
    audio = rtc.AudioSource(48_000, 1)
    camera = rtc.LocalVideoTrack.create_video_track("camera", video)
    microphone = rtc.LocalAudioTrack.create_audio_track("microphone", audio)
    await room.local_participant.publish_track(
        camera, rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_CAMERA, simulcast=False)
    )
    await room.local_participant.publish_track(
        microphone, rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
    )

    async def show() -> None:
        number = 0
        while True:
            band = bytearray(b"\xc0" * (WIDTH * HEIGHT * 3 // 2))
            at = number * 8 % (HEIGHT - 40) * WIDTH
            band[at : at + 40 * WIDTH] = b"\x60" * (40 * WIDTH)
            frame = rtc.VideoFrame(WIDTH, HEIGHT, rtc.VideoBufferType.I420, band)
            video.capture_frame(frame)
            number += 1
            await asyncio.sleep(1 / 15)

    async def sound() -> None:
        number = 0
        while True:
            samples = array(
                "h",
                (
                    int(8000 * math.sin(2 * math.pi * 440 * (number * 480 + n) / 48_000))
                    for n in range(480)
                ),
            )
            await audio.capture_frame(rtc.AudioFrame(samples.tobytes(), 48_000, 1, 480))
            number += 1

    async with asyncio.TaskGroup() as group:
        group.create_task(show())
        group.create_task(sound())


async def test_a_meeting_is_recorded_by_a_hidden_participant_and_composed(
    database: Database, node_port: int, worker: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    with database.transaction() as session:
        meeting = hold_meeting(session)
        meeting_id, room_name = meeting.id, meeting.room_name
    room = rtc.Room()
    seen: list[str] = []
    room.on("participant_connected", lambda participant: seen.append(participant.identity))
    await room.connect(f"ws://127.0.0.1:{node_port}", token(room_name, "site:1"))
    publishing = asyncio.create_task(publish(room))

    def row() -> Recording:
        with database.reading() as session:
            found = recordings.latest(session, meeting_id)
            assert found is not None
            return found

    def light() -> str:
        return recordings.public_state(row(), datetime.now(UTC))

    async def until(condition: Callable[[], bool], within_s: float) -> None:
        deadline = time.monotonic() + within_s
        while not condition():
            log = (tmp_path / "worker.log").read_text()[-2000:]
            assert time.monotonic() < deadline, (row().state, row().error, log)
            assert not publishing.done(), publishing.exception()
            await asyncio.sleep(0.1)

    with database.transaction() as session:
        meeting = session.get_one(Meeting, meeting_id)
        recordings.request_recording(session, meeting, "Nguyễn Văn Ước", datetime.now(UTC))
    asked = time.monotonic()
    await until(lambda: light() == "recording", 20)
    assert time.monotonic() - asked < 10
    recorded = time.monotonic()
    await until(lambda: time.monotonic() - recorded > 6, 10)
    with database.transaction() as session:
        meeting = session.get_one(Meeting, meeting_id)
        meeting.status = Status.ENDED
    await until(lambda: row().state is RecordingState.PUBLISHED, 60)
    publishing.cancel()
    await asyncio.wait([publishing])
    await room.disconnect()

    found = row()
    assert seen == []
    assert not room.remote_participants
    store = FolderStore(tmp_path / "recordings")
    path = store.composed(found.folder)
    assert found.duration_s is not None
    assert 6 <= found.duration_s <= 20
    assert found.gaps == []
    assert mean_brightness(path, at_s=found.duration_s / 2) > 80
    assert loudness_db(path, 2, found.duration_s - 1) > -35
    assert manifest.check(store, found.folder, found.manifest_sha256) == []
