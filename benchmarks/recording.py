"""What recording costs: the worker's processor time in a live room, and the speed of composing.

* ``worker_percent_of_core``: processor time of the whole worker process while it records a stage
  over the network: one camera (720p at 1.5 Mbit/s), a shared screen (720p, 5 pictures a second, 0.3
  Mbit/s) and four microphones (32 kbit/s): receiving, decrypting, cutting, writing, journal and
  database;
* ``compose_x_real_time``: composing 60 s of one 720p speaker, two 360p sites and two sounds to
  1280×720 (times faster than playing). The pictures are *people*: a still room, a head and
  shoulders that sway, the grain of a camera, coded as a browser would
  (`benchmarks.peers.clips.person`);
* ``compose_x_real_time_hard``: the same with test pictures in which everything moves, which no
  meeting shows: the lower bound.

``compose_cpu_s_per_minute``, and ``…_hard``, are the processor seconds behind it, which a busy
machine changes less.

Medians with ranges over several windows; the machine should be idle otherwise.

    python -m benchmarks.recording
"""

import asyncio
import json
import os
import resource
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import av

from benchmarks.peers import KEY, SECRET, Server, own_node
from benchmarks.peers.clips import Clip, camera, encode, person, publish, voice
from benchmarks.peers.figures import cpu_s, spread
from benchmarks.peers.recorder import wait_until_recording, worker
from conference.database import Database
from media.client import Client
from media.client.load import LoadPlan, room_token
from recordings import composing
from recordings.capture.port import EncodedFrame, Track
from recordings.capture.session import CaptureSession
from recordings.compose.timeline import Conduct, Floor
from recordings.store.folder import FolderStore

SECONDS: Final = 60
RUNS: Final = 3
WINDOWS: Final = 4
WINDOW_S: Final = 6.0
_KEY: Final = "meeting-1-recording-1"


def _camera(folder: Path, kind: str, width: int, height: int, bitrate: str) -> Path:
    path = folder / f"{kind}-{width}.mkv"
    source = person(folder, width, height, SECONDS) if kind == "people" else [
        "-f", "lavfi", "-i", f"testsrc2=size={width}x{height}:rate=30:duration={SECONDS}",
    ]  # fmt: skip
    encode(
        path, *source, "-c:v", "libvpx", "-b:v", bitrate,
        "-deadline", "realtime", "-cpu-used", "8", "-g", "900",
    )  # fmt: skip
    return path


def _sound(folder: Path, hertz: int) -> Path:
    source = f"sine={hertz}:sample_rate=48000:duration={SECONDS}"
    path = folder / f"{hertz}.mkv"
    encode(path, "-f", "lavfi", "-i", source, "-c:a", "libopus")
    return path


def _frames(track: Track, path: Path) -> list[tuple[float, str, EncodedFrame]]:
    found = []
    with av.open(str(path)) as file:
        for packet in file.demux(file.streams[0]):
            if packet.pts is None or not packet.size or packet.time_base is None:
                continue
            at_s = float(packet.pts * packet.time_base)
            ticks = round(at_s * track.clock_rate)
            is_key = packet.is_keyframe or not track.is_video
            found.append((at_s, track.sid, EncodedFrame(bytes(packet), ticks, is_key)))
    return found


class _Instant:
    """A clock that the player moves."""

    def __init__(self) -> None:
        self.now_s = time.time()

    def __call__(self) -> float:
        return self.now_s


def _capture(store: FolderStore, media: dict[Track, Path]) -> None:
    """Write the media as fast as it goes."""
    timed = [item for track, path in media.items() for item in _frames(track, path)]
    timed.sort(key=lambda item: item[0])
    clock = _Instant()
    begun_s = clock.now_s
    session = CaptureSession(store.next_session(_KEY), clock, room="r", worker="w")
    for track in media:
        session.track_opened(track)
    synced_s = 0.0
    for at_s, sid, frame in timed:
        clock.now_s = begun_s + at_s
        session.frame(sid, frame)
        if at_s - synced_s > 1:
            synced_s = at_s
            time.sleep(0.005)  # the writer keeps up, as it does in real time
    session.close("stopped", 60)


def _compose(store: FolderStore) -> tuple[float, float]:
    """Times faster than real time; processor seconds for a minute of film."""
    begun_s = json.loads((store.sessions(_KEY)[0] / "journal.ndjson").read_text().split("\n")[0])
    floors = [
        Floor(f"site:{n % 3}", "Điểm cầu", begun_s["at"] + n * 10, begun_s["at"] + n * 10 + 10)
        for n in range(SECONDS // 10)
    ]
    started, spent_s = time.perf_counter(), _ffmpegs_cpu_s()
    composing.compose(
        store, _KEY, Conduct("Đo", floors),
        height=720, program=composing.ffmpeg_program(), on_progress=lambda _share: None,
    )  # fmt: skip
    cpu_per_minute = (_ffmpegs_cpu_s() - spent_s) * 60 / SECONDS
    return SECONDS / (time.perf_counter() - started), cpu_per_minute


def _ffmpegs_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@dataclass(frozen=True)
class Clips:
    """What the stage sends."""

    speaker: Clip
    share: Clip
    voices: list[Clip]


async def _record_live(
    server: Server, pid: int, room: str, database: Database, clips: Clips
) -> list[float]:
    """Shares of a core, in percent, that the worker took in each window."""
    async with AsyncExitStack() as stack:
        for number, voice_clip in enumerate(clips.voices):
            plan = LoadPlan(url=server.url, api_key=KEY, secret=SECRET)
            token = room_token(plan, room, f"site:{number}", publishes=True)
            client = await stack.enter_async_context(await Client.connect(server.url, token))
            stack.callback((await publish(client, voice_clip)).cancel)
            if number == 0:
                stack.callback((await publish(client, clips.speaker)).cancel)
                stack.callback((await publish(client, clips.share, is_screen=True)).cancel)
        await asyncio.to_thread(wait_until_recording, database)
        await asyncio.sleep(3)
        shares = []
        for _ in range(WINDOWS):
            before_s, begun_s = cpu_s(pid), time.perf_counter()
            await asyncio.sleep(WINDOW_S)
            spent_s = cpu_s(pid) - before_s
            shares.append(100 * spent_s / (time.perf_counter() - begun_s))
        return shares


def _worker_shares() -> list[float]:
    with tempfile.TemporaryDirectory() as name, own_node() as server:
        folder = Path(name)
        clips = Clips(
            camera(folder, 1280, 720, "1500k"),
            camera(folder, 1280, 720, "300k", rate=5),
            [voice(folder, 300 + 100 * number) for number in range(4)],
        )
        (folder / "data").mkdir()
        with worker(server, folder / "data") as (pid, room, database):
            return asyncio.run(_record_live(server, pid, room, database, clips))


def _compose_speeds(kind: str) -> list[tuple[float, float]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small = _camera(folder, kind, 640, 360, "500k")
        large = _camera(folder, kind, 1280, 720, "1500k")
        sounds = {
            Track(f"TR_a{n}", f"site:{n}", f"Điểm cầu {n}", "microphone", "opus", 48_000): _sound(
                folder, 300 + 100 * n
            )
            for n in range(2)
        }
        speaker = {Track("TR_v0", "site:0", "Điểm cầu 0", "camera", "vp8", 90_000): large}
        others = {
            Track(f"TR_v{n}", f"site:{n}", f"Điểm cầu {n}", "camera", "vp8", 90_000): small
            for n in (1, 2)
        }
        store = FolderStore(folder / "compose")
        _capture(store, speaker | others | sounds)
        return [_compose(store) for _ in range(RUNS)]


def run() -> dict[str, Any]:
    """All figures."""
    people, hard = _compose_speeds("people"), _compose_speeds("hard")
    return {
        "processors": os.cpu_count(),
        "media_seconds": SECONDS,
        "worker_percent_of_core": spread(_worker_shares(), 1),
        "compose_x_real_time": spread([speed for speed, _ in people], 1),
        "compose_x_real_time_hard": spread([speed for speed, _ in hard], 1),
        "compose_cpu_s_per_minute": spread([cpu for _, cpu in people], 1),
        "compose_cpu_s_per_minute_hard": spread([cpu for _, cpu in hard], 1),
    }


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
