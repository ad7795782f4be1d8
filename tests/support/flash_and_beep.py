"""Tracks that flash white and beep each second, and how far apart the two are in a film."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
import numpy as np

from media.client import Client
from media.client.local import LocalTrack
from tests.support.canned_media import make

RATE: Final = 25
PACKETS: Final = 50
FLASH_S: Final = 0.2
WIDTH, HEIGHT = 320, 180
VIDEO_LATE_S: Final = 0.18
"""How much later than the sound a picture leaves: what cameras and encoders take."""


@dataclass(frozen=True)
class Clips:
    """Encoded media of one second; every picture can be decoded by itself."""

    white: bytes
    black: bytes
    sound: tuple[bytes, ...]
    silence: bytes

    def picture(self, number: int) -> bytes:
        """Picture ``number`` from the beginning of some second."""
        return self.white if number % RATE < RATE * FLASH_S else self.black

    def packet(self, number: int) -> bytes:
        """Opus packet ``number`` from the beginning of some second."""
        return self.sound[number % PACKETS]


def make_clips(folder: Path) -> Clips:
    """Encode them with ffmpeg."""
    size = f"{WIDTH}x{HEIGHT}"
    pictures = []
    for colour in ("white", "black"):
        path = folder / f"{colour}.mkv"
        source = f"color=c={colour}:s={size}:r={RATE}:d=0.2"
        make(path, "-f", "lavfi", "-i", source, "-c:v", "libvpx", "-g", "1", "-b:v", "200k")
        pictures.append(_frames(path)[0])
    beep, quiet = folder / "beep.mkv", folder / "quiet.mkv"
    tone = f"aevalsrc='0.6*sin(2*PI*880*t)*lt(mod(t,1),{FLASH_S})':s=48000:d=3"
    opus = ["-c:a", "libopus", "-b:a", "32k", "-frame_duration", "20"]
    make(beep, "-f", "lavfi", "-i", tone, *opus)
    make(quiet, "-f", "lavfi", "-i", "anullsrc=r=48000:d=1", *opus)
    sounds = tuple(_frames(beep)[PACKETS : 2 * PACKETS])
    return Clips(pictures[0], pictures[1], sounds, _frames(quiet)[10])


def _frames(path: Path) -> list[bytes]:
    with av.open(str(path)) as file:
        return [bytes(packet) for packet in file.demux(file.streams[0]) if packet.size]


async def publish(client: Client, clips: Clips) -> tuple["asyncio.Task[None]", ...]:
    """Publish a camera and a microphone of one clock; pictures leave `VIDEO_LATE_S` late."""
    camera = await client.publish_video(width=WIDTH, height=HEIGHT)
    microphone = await client.publish_audio()
    assert camera._send is not None
    # its sender reports say when a picture was taken, not when it was sent
    camera.attach(camera._send, lambda: time.time() - VIDEO_LATE_S)
    loop = asyncio.get_running_loop()
    begun_s = loop.time()

    async def play(track: LocalTrack, of: str, every_s: float, ticks: int, late_s: float) -> None:
        number = 0
        while True:
            data = clips.picture(number) if of == "picture" else clips.packet(number)
            track.send(data, number * ticks)
            number += 1
            await asyncio.sleep(max(0.0, begun_s + late_s + number * every_s - loop.time()))

    return (
        asyncio.create_task(play(camera, "picture", 1 / RATE, 90_000 // RATE, VIDEO_LATE_S)),
        asyncio.create_task(play(microphone, "sound", 0.02, 960, 0.0)),
    )


def flashes(film: Path) -> list[float]:
    """When the picture turned from dark to bright, in seconds."""
    found, was_bright = [], True
    with av.open(str(film)) as file:
        file.streams.video[0].thread_type = "AUTO"
        for frame in file.decode(video=0):
            pixels = frame.to_ndarray(format="gray")[::8, ::8]
            is_bright = float(pixels.mean()) > 90
            if is_bright and not was_bright and frame.time is not None:
                found.append(frame.time)
            was_bright = is_bright
    return found


def beeps(film: Path, *, window_s: float = 0.005) -> list[float]:
    """When silence turned to sound, in seconds."""
    found, was_loud, quiet = [], True, 0
    for at_s, loudness in _loudness(film, window_s):
        is_loud = loudness > 0.05
        if is_loud and not was_loud and quiet * window_s > FLASH_S:
            found.append(at_s)
        quiet = 0 if is_loud else quiet + 1
        was_loud = is_loud
    return found


def _loudness(film: Path, window_s: float) -> Iterator[tuple[float, float]]:
    with av.open(str(film)) as file:
        for frame in file.decode(audio=0):
            if frame.time is None:
                continue
            samples = np.abs(frame.to_ndarray()[0])
            size = max(1, round(frame.sample_rate * window_s))
            for start in range(0, len(samples), size):
                at_s = frame.time + start / frame.sample_rate
                yield at_s, float(samples[start : start + size].max())


def offsets(film: Path) -> list[float]:
    """Sound minus picture of every flash that has a beep within half a second, in seconds."""
    heard = np.array(beeps(film))
    if not len(heard):
        return []
    nearest = [float(heard[np.abs(heard - at_s).argmin()]) - at_s for at_s in flashes(film)]
    return [offset for offset in nearest if abs(offset) < 0.5]


def p80(values: list[float]) -> float:
    """The offset that four of five do not exceed, in seconds."""
    return float(np.percentile(np.abs(values), 80))
