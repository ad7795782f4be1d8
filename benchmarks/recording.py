"""What recording costs: the worker's processor time, and the speed of composing.

* ``compose_x_real_time``: composing 60 s of one 720p speaker, two 360p sites and two sounds to
  1280×720 (times faster than playing);
* ``write_percent_of_core``: processor time of cutting and writing one 720p camera (1.5 Mb/s) and
  two sounds to disk, without the network's part, as a share of one core.

Medians with ranges over several windows; the machine should be idle otherwise.

    python -m benchmarks.recording
"""

import json
import os
import resource
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any, Final

import av

from recordings import composing
from recordings.capture.port import EncodedFrame, Track
from recordings.capture.session import CaptureSession
from recordings.compose.timeline import Conduct, Floor
from recordings.store.folder import FolderStore

SECONDS: Final = 60
RUNS: Final = 3
_KEY: Final = "meeting-1-recording-1"


def _make(path: Path, *args: str) -> Path:
    command = [composing.ffmpeg_program(), "-v", "error", "-y", *args, str(path)]
    subprocess.run(command, check=True)
    return path


def _camera(folder: Path, size: str, bitrate: str) -> Path:
    source = f"testsrc2=size={size}:rate=30:duration={SECONDS}"
    return _make(
        folder / f"{size}.mkv", "-f", "lavfi", "-i", source, "-c:v", "libvpx", "-b:v", bitrate,
        "-deadline", "realtime", "-cpu-used", "8", "-g", "900",
    )  # fmt: skip


def _sound(folder: Path, hertz: int) -> Path:
    source = f"sine={hertz}:sample_rate=48000:duration={SECONDS}"
    return _make(folder / f"{hertz}.mkv", "-f", "lavfi", "-i", source, "-c:a", "libopus")


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


def _capture(store: FolderStore, media: dict[Track, Path]) -> float:
    """Write the media as fast as it goes; processor seconds it took."""
    timed = [item for track, path in media.items() for item in _frames(track, path)]
    timed.sort(key=lambda item: item[0])
    clock = _Instant()
    begun_s = clock.now_s
    before = resource.getrusage(resource.RUSAGE_SELF)
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
    after = resource.getrusage(resource.RUSAGE_SELF)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _spread(values: list[float], digits: int = 2) -> dict[str, float]:
    return {
        "median": round(median(values), digits),
        "min": round(min(values), digits),
        "max": round(max(values), digits),
    }


def _compose(store: FolderStore) -> float:
    """Times faster than real time."""
    begun_s = json.loads((store.sessions(_KEY)[0] / "journal.ndjson").read_text().split("\n")[0])
    floors = [
        Floor(f"site:{n % 3}", "Điểm cầu", begun_s["at"] + n * 10, begun_s["at"] + n * 10 + 10)
        for n in range(SECONDS // 10)
    ]
    started = time.perf_counter()
    composing.compose(
        store, _KEY, Conduct("Đo", floors),
        height=720, program=composing.ffmpeg_program(), on_progress=lambda _share: None,
    )  # fmt: skip
    return SECONDS / (time.perf_counter() - started)


def run() -> dict[str, Any]:
    """All figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small = _camera(folder, "640x360", "500k")
        large = _camera(folder, "1280x720", "1500k")
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
        write_share = [
            100 * _capture(FolderStore(folder / f"write-{n}"), speaker | sounds) / SECONDS
            for n in range(RUNS)
        ]
        store = FolderStore(folder / "compose")
        _capture(store, speaker | others | sounds)
        speed = [_compose(store) for _ in range(RUNS)]
    return {
        "processors": os.cpu_count(),
        "media_seconds": SECONDS,
        "write_percent_of_core": _spread(write_share),
        "compose_x_real_time": _spread(speed),
    }


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
