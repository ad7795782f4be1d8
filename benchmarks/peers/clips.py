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
from livekit.protocol import models
from PIL import Image, ImageDraw, ImageFilter

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
    path = folder / f"{width}x{height}-{rate}.mkv"
    encode(
        path, "-f", "lavfi", "-i", source, "-c:v", "libvpx", "-b:v", bitrate, "-minrate", bitrate,
        "-maxrate", bitrate, "-deadline", "realtime", "-cpu-used", "8", "-g", "9999",
    )  # fmt: skip
    return Clip(frames_in(path), 90_000 // rate, 1 / rate, width, height)


def person(folder: Path, width: int, height: int, seconds: int) -> list[str]:
    """Input of ffmpeg: somebody sways before a wall, with a camera's grain."""
    wall, somebody = folder / f"wall-{width}.png", folder / f"somebody-{width}.png"
    _draw_wall(width, height).save(wall)
    _draw_somebody(width // 2, height * 3 // 4).save(somebody)
    move = "x=W/4+W/80*sin(t*1.3):y=H/4+H/90*sin(t*2.1)"
    graph = f"[0][1]overlay={move},noise=alls=2:allf=t,format=yuv420p"
    still = ["-framerate", "30", "-loop", "1", "-t", str(seconds), "-i"]
    return [*still, str(wall), *still, str(somebody), "-filter_complex", graph]


def _draw_wall(width: int, height: int) -> Image.Image:
    image = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    image = Image.blend(image, Image.new("RGB", image.size, "#b09a80"), 0.8)
    pen = ImageDraw.Draw(image)
    for shelf in range(4):
        top = height * (1 + 2 * shelf) // 10
        pen.rectangle((width // 20, top, width // 4, top + height // 60), fill="#5d4630")
        for book in range(9):
            left = width // 20 + book * width // 48
            box = (left, top - height // 9, left + width // 60, top)
            pen.rectangle(
                box, fill=("#7a2f2f", "#2f4d7a", "#d8cfa8", "#3d5f3a")[(book + shelf) % 4]
            )
    return image.filter(ImageFilter.GaussianBlur(width / 800))


def _draw_somebody(width: int, height: int) -> Image.Image:
    image = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    pen.ellipse((0, height * 6 // 10, width, height * 2), fill="#27314a")
    pen.ellipse((width * 7 // 20, height // 12, width * 13 // 20, height * 2 // 3), fill="#c68e6b")
    pen.pieslice((width // 3, 0, width * 2 // 3, height // 2), 180, 360, fill="#1d1a18")
    for eye in (9, 11):
        at = width * eye // 20
        pen.ellipse((at - 9, height * 3 // 8, at + 9, height * 3 // 8 + 10), fill="#241a14")
    pen.line((width * 9 // 20, height // 2, width * 11 // 20, height // 2), fill="#8c4a40", width=6)
    return image.filter(ImageFilter.GaussianBlur(width / 500))


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


async def publish(client: Client, clip: Clip, *, is_screen: bool = False) -> "asyncio.Task[None]":
    """Publish a clip as camera, shared screen or microphone and play it."""
    if clip.width:
        source = models.TrackSource.SCREEN_SHARE if is_screen else models.TrackSource.CAMERA
        track = await client.publish_video(width=clip.width, height=clip.height, source=source)
    else:
        track = await client.publish_audio()
    return asyncio.create_task(play(track, clip))
