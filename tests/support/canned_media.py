"""Encoded media made by ffmpeg, and a room that plays it to the recorder in real time.

The pictures are bright test patterns with a keyframe a second, the sounds are tones, so that a
composed file can be checked for picture and sound by measuring.
"""

import asyncio
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
from av.bitstream import BitStreamFilterContext

from recordings.capture.port import EncodedFrame, Sink, Track


@dataclass(frozen=True)
class Canned:
    """A track and the file it plays from."""

    track: Track
    path: Path


def make_media(folder: Path, seconds: int = 12) -> list[Canned]:
    """Three tracks of two sites: VP8 camera and Opus of the first, H.264 camera of the second."""
    vp8, opus, h264 = folder / "vp8.mkv", folder / "opus.mkv", folder / "h264.mkv"
    pattern = ["-f", "lavfi", "-i", f"testsrc2=size=640x360:rate=25:duration={seconds}"]
    tone = ["-f", "lavfi", "-i", f"sine=440:sample_rate=48000:duration={seconds}"]
    fast = ["-deadline", "realtime", "-cpu-used", "8", "-b:v", "500k", "-g", "25"]
    make(vp8, *pattern, "-c:v", "libvpx", *fast)
    make(opus, *tone, "-c:a", "libopus", "-ac", "2")
    x264 = ["-c:v", "libx264", "-profile:v", "baseline", "-preset", "ultrafast", "-g", "25"]
    make(h264, *pattern, *x264)
    return canned_in(folder)


def canned_in(folder: Path) -> list[Canned]:
    """The tracks of a folder that `make_media` filled."""
    first, second = ("site:1", "Điểm cầu Đăk Pxi"), ("site:2", "Điểm cầu Ngọc Réo")
    return [
        Canned(Track("TR_v1", *first, "camera", "vp8", 90_000), folder / "vp8.mkv"),
        Canned(Track("TR_a1", *first, "microphone", "opus", 48_000), folder / "opus.mkv"),
        Canned(Track("TR_v2", *second, "camera", "h264", 90_000), folder / "h264.mkv"),
    ]


def make(path: Path, *args: str) -> None:
    """Run ffmpeg; the file exists afterwards."""
    if not path.exists():
        command = ["ffmpeg", "-hide_banner", "-v", "error", "-y", *args, str(path)]
        subprocess.run(command, check=True, timeout=120)


def frames_of(canned: Canned) -> list[tuple[float, EncodedFrame]]:
    """Time from the start and frame, in order; H.264 in Annex B form."""
    found = []
    with av.open(str(canned.path)) as file:
        stream = file.streams[0]
        packets: Iterator[av.Packet] = file.demux(stream)
        if canned.track.codec == "h264":
            packets = _annex_b(packets, stream)
        for packet in packets:
            if packet.pts is None or not packet.size:
                continue
            at_s = float(packet.pts * packet.time_base)
            ticks = 1_000 + round(at_s * canned.track.clock_rate)
            is_key = packet.is_keyframe or canned.track.codec == "opus"
            found.append((at_s, EncodedFrame(bytes(packet), ticks, is_key)))
    return found


def _annex_b(packets, stream):
    convert = BitStreamFilterContext("h264_mp4toannexb", stream)
    for packet in packets:
        if packet.size:
            yield from convert.filter(packet)


class CannedRoom:
    """A `Room` that plays canned tracks for ever, or until told to break."""

    def __init__(self, canned: list[Canned], *, breaks_after_s: float = float("inf")) -> None:
        self._canned = canned
        self._breaks_after_s = breaks_after_s
        self.keyframes_asked: list[str] = []

    def request_keyframe(self, sid: str) -> None:
        self.keyframes_asked.append(sid)

    async def run(self, sink: Sink) -> None:
        timed = sorted(
            (
                (at_s, canned.track, frame)
                for canned in self._canned
                for at_s, frame in frames_of(canned)
            ),
            key=lambda item: item[0],
        )
        length_s = timed[-1][0] + 0.04
        for canned in self._canned:
            sink.track_opened(canned.track)
        begun = time.monotonic()
        turn = 0
        while True:
            for at_s, track, frame in timed:
                due_s = at_s + turn * length_s
                delay_s = begun + due_s - time.monotonic()
                if delay_s > 0.002:
                    await asyncio.sleep(delay_s)
                if due_s > self._breaks_after_s:
                    raise OSError("the line is cut")
                ticks = frame.ticks + round(turn * length_s * track.clock_rate)
                sink.frame(track.sid, EncodedFrame(frame.data, ticks, frame.is_keyframe))
            turn += 1
