"""What synthetic publishers of the load tool send.

Packets look like the real thing to a forwarder (Opus at 50 packets a second; VP8 at 25 frames a
second with keyframes on request); no decoder could show them. Each frame carries the time it was
sent at, so that a client that decrypts can tell the delay.
"""

import asyncio
import time
from dataclasses import dataclass
from struct import Struct
from typing import Final

from livekit.protocol import models

from media.client.client import Client
from media.client.local import LocalTrack
from media.core.vp8 import Vp8Descriptor

AUDIO_INTERVAL_S: Final = 0.02
OPUS_TICKS: Final = 960
OPUS_BYTES: Final = 80
"""32 kb/s at 50 packets a second."""
VIDEO_EVERY: Final = 2
"""Video frames come at every second audio packet: 25 a second."""
VP8_TICKS: Final = 3600
WIDTH: Final = 640
HEIGHT: Final = 360
KEYFRAME_FACTOR: Final = 4
"""How much larger a keyframe is."""
FRAMES_PER_S: Final = 1 / (AUDIO_INTERVAL_S * VIDEO_EVERY)

_STAMP: Final = Struct("!4sQ")
_MAGIC: Final = b"SENT"


@dataclass(frozen=True, slots=True)
class Voice:
    """What one publisher sends."""

    audio: bool = True
    video_bps: int = 0
    """0: no video."""

    @property
    def tracks(self) -> int:
        """How many tracks that makes."""
        return int(self.audio) + int(self.video_bps > 0)


class Publisher:
    """One synthetic publisher."""

    def __init__(self, client: Client, voice: Voice, phase: float = 0.0) -> None:
        self._client = client
        self._voice = voice
        self._phase_s = phase * AUDIO_INTERVAL_S * VIDEO_EVERY
        self._audio: LocalTrack | None = None
        self._video: LocalTrack | None = None
        self._wants_keyframe = True
        self._number = 0
        self.sent = 0

    async def start(self) -> None:
        """Publish the tracks."""
        if self._voice.audio:
            self._audio = await self._client.publish_audio()
        if self._voice.video_bps:
            self._video = await self._client.publish_video(width=WIDTH, height=HEIGHT)
            self._video.on_keyframe_request = self._keyframe_wanted

    async def run(self) -> None:
        """Send at the pace of real media until cancelled."""
        loop = asyncio.get_running_loop()
        due_s = loop.time() + self._phase_s
        while True:
            await asyncio.sleep(max(0.0, due_s - loop.time()))
            self._send_tick()
            due_s += AUDIO_INTERVAL_S

    def _send_tick(self) -> None:
        number = self._number
        self._number += 1
        if self._audio is not None:
            frame = b"\xf8" + stamp() + bytes(OPUS_BYTES - 1 - _STAMP.size)
            self.sent += self._audio.send(frame, number * OPUS_TICKS)
        if self._video is not None and number % VIDEO_EVERY == 0:
            is_key, self._wants_keyframe = self._wants_keyframe, False
            size = int(self._voice.video_bps / FRAMES_PER_S / 8)
            frame = vp8_frame(size * (KEYFRAME_FACTOR if is_key else 1), is_key=is_key)
            self.sent += self._video.send(frame, number // VIDEO_EVERY * VP8_TICKS)

    def _keyframe_wanted(self) -> None:
        self._wants_keyframe = True


def vp8_frame(size: int, *, is_key: bool) -> bytes:
    """Bytes a forwarder takes for a VP8 frame (RFC 6386 §9.1), with the time of sending."""
    head = b"\x31\x01\x00"
    if is_key:
        head = (
            b"\x30\x01\x00\x9d\x01\x2a" + WIDTH.to_bytes(2, "little") + HEIGHT.to_bytes(2, "little")
        )
    return head + stamp() + bytes(max(0, size - len(head) - _STAMP.size))


def stamp() -> bytes:
    """The present time, to be found by ``delay_s``."""
    return _STAMP.pack(_MAGIC, time.time_ns())


def delay_s(payload: bytes, kind: int, arrived_ns: int) -> float | None:
    """Seconds since a payload of this tool was sent; None for the later packets of a frame."""
    at = 1
    if kind == models.TrackType.VIDEO:
        descriptor = Vp8Descriptor.parse(payload)
        if not descriptor.starts_partition:
            return None
        at = descriptor.size + (10 if descriptor.starts_keyframe else 3)
    if len(payload) < at + _STAMP.size:
        return None
    magic, sent_ns = _STAMP.unpack_from(payload, at)
    return (arrived_ns - sent_ns) / 1e9 if magic == _MAGIC else None
