"""Real encoded media to publish, made by ffmpeg, played in a loop.

A clip begins with a keyframe; when a subscriber asks for one the clip starts again there, which
is what an encoder would give it.
"""

import asyncio
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av

from media.client import Client
from media.client.local import LocalTrack
from recordings.composing import ffmpeg_program

SECONDS: Final = 4
AUDIO_TICKS: Final = 960


@dataclass(frozen=True)
class Clip:
    """Frames of one track and the time each of them lasts."""

    frames: tuple[bytes, ...]
    ticks: int
    """Clock ticks from one frame to the next."""
    interval_s: float
    width: int = 0
    height: int = 0


def camera(folder: Path, width: int, height: int, bitrate: str, rate: int = 25) -> Clip:
    """A moving test picture in VP8."""
    source = f"testsrc2=size={width}x{height}:rate={rate}:duration={SECONDS}"
    path = folder / f"{width}x{height}.mkv"
    encode(
        path, "-f", "lavfi", "-i", source, "-c:v", "libvpx", "-b:v", bitrate, "-minrate", bitrate,
        "-maxrate", bitrate, "-deadline", "realtime", "-cpu-used", "8", "-g", "9999",
    )  # fmt: skip
    return Clip(frames_in(path), 90_000 // rate, 1 / rate, width, height)


def voice(folder: Path, hertz: int) -> Clip:
    """A tone in Opus, 32 kbit/s."""
    path = folder / f"{hertz}.mkv"
    source = f"sine={hertz}:sample_rate=48000:duration={SECONDS}"
    encode(path, "-f", "lavfi", "-i", source, "-c:a", "libopus", "-b:a", "32k")
    return Clip(frames_in(path), AUDIO_TICKS, 0.02)


def encode(path: Path, *arguments: str) -> None:
    """Run ffmpeg; CalledProcessError when it fails."""
    subprocess.run([ffmpeg_program(), "-v", "error", "-y", *arguments, str(path)], check=True)


def frames_in(path: Path) -> tuple[bytes, ...]:
    """The encoded frames of a file with one track."""
    with av.open(str(path)) as file:
        return tuple(bytes(packet) for packet in file.demux(file.streams[0]) if packet.size)


async def play(track: LocalTrack, clip: Clip) -> None:
    """Send the clip at its own pace, again and again, until cancelled."""
    loop = asyncio.get_running_loop()
    restart = asyncio.Event()
    track.on_keyframe_request = restart.set
    due_s, number, position = loop.time(), 0, 0
    while True:
        if restart.is_set() or position == len(clip.frames):
            restart.clear()
            position = 0
        track.send(clip.frames[position], number * clip.ticks)
        number += 1
        position += 1
        due_s += clip.interval_s
        await asyncio.sleep(max(0.0, due_s - loop.time()))


async def publish(client: Client, clip: Clip) -> "asyncio.Task[None]":
    """Publish a clip as camera or microphone and play it."""
    if clip.width:
        track = await client.publish_video(width=clip.width, height=clip.height)
    else:
        track = await client.publish_audio()
    return asyncio.create_task(play(track, clip))
