"""Decide, frame by frame, what goes into which file of a track and at which presentation time.

A file of pictures begins with a keyframe and keeps one size and one set of parameters; a new one
begins when they change, when the sender's clock jumps, after a reconnection, and at a keyframe
after `VIDEO_FILE_S`. After a loss nothing is written until the next keyframe, so that the last
good picture stands instead of rubbish; how long that was is known.

Pure: time is an argument.
"""

from dataclasses import dataclass
from typing import Final

from media.core.vp9 import keyframe_size
from recordings.capture.port import EncodedFrame, Track

VIDEO_FILE_S: Final = 300.0
"""Bounds how far ffmpeg must seek in a file without an index."""

AUDIO_FILE_S: Final = 1800.0
KEYFRAME_EVERY_S: Final = 30.0
"""Bounds what must be decoded to show a scene that begins in mid-file."""

KEYFRAME_RETRY_S: Final = 1.0
CLOCK_JUMP_S: Final = 2.0
"""RTP time and arrival may differ by this much (loss repair, jitter) before a new file begins."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What to do with one frame."""

    closes: str = ""
    """Reason for closing the present file first."""
    opens: bool = False
    pts_ms: int | None = None
    """Presentation time to write the frame at; None: do not write it."""
    lost_ms: tuple[int, int] | None = None
    """Presentation times between which pictures are missing."""
    wants_keyframe: bool = False


class Cutter:
    """State of one track's files. One owner; not thread-safe."""

    def __init__(self, track: Track) -> None:
        self._is_video = track.is_video
        self._codec = track.codec
        self._rate = track.clock_rate
        self._file_s = VIDEO_FILE_S if track.is_video else AUDIO_FILE_S
        self._is_open = False
        self._is_torn = False
        self._signature: object = None
        self._first_ticks = 0
        self._opened_s = 0.0
        self._newest_ms = 0
        self._keyframe_s = float("-inf")
        self._asked_s = float("-inf")

    def pts_s(self, ticks: int) -> float | None:
        """Presentation time of an RTP time in the present file; None without one."""
        return (ticks - self._first_ticks) / self._rate if self._is_open else None

    def end(self) -> bool:
        """The track stops, or frames are about to be lost; True if a file was open."""
        was_open, self._is_open = self._is_open, False
        return was_open

    def tear(self) -> None:
        """A frame could not be stored: what follows needs a keyframe first."""
        self._is_torn = self._is_video

    def take(self, frame: EncodedFrame, now_s: float) -> Cut:
        """Decide about the next frame, which arrived at ``now_s``."""
        if self._is_video and frame.follows_gap:
            self._is_torn = True
        if self._is_video and not frame.is_keyframe and (self._is_torn or not self._is_open):
            return Cut(wants_keyframe=self._ask(now_s))
        closes = self._reason_to_close(frame, now_s) if self._is_open else ""
        if closes and self._is_video and not frame.is_keyframe:
            self._is_open = False
            return Cut(closes=closes, wants_keyframe=self._ask(now_s))
        opens = bool(closes) or not self._is_open
        if opens:
            self._open(frame, now_s)
        pts_ms = self._pts_ms(frame, is_first=opens)
        lost = (self._newest_ms, pts_ms) if self._is_torn and not opens else None
        self._newest_ms = pts_ms
        self._is_torn = False
        return Cut(closes, opens, pts_ms, lost, self._wants_keyframe(frame, now_s))

    def _open(self, frame: EncodedFrame, now_s: float) -> None:
        self._is_open = True
        self._first_ticks = frame.ticks
        self._opened_s = now_s
        self._newest_ms = 0
        self._signature = signature(self._codec, frame)

    def _pts_ms(self, frame: EncodedFrame, *, is_first: bool) -> int:
        pts_ms = round((frame.ticks - self._first_ticks) * 1000 / self._rate)
        return 0 if is_first else max(pts_ms, self._newest_ms + 1)

    def _reason_to_close(self, frame: EncodedFrame, now_s: float) -> str:
        pts_s = (frame.ticks - self._first_ticks) / self._rate
        if abs(pts_s - (now_s - self._opened_s)) > CLOCK_JUMP_S:
            return "clock"
        if self._is_video and frame.is_keyframe:
            found = signature(self._codec, frame)
            if found is not None and found != self._signature:
                return "format"
        is_old = now_s - self._opened_s >= self._file_s
        return "length" if is_old and (frame.is_keyframe or not self._is_video) else ""

    def _wants_keyframe(self, frame: EncodedFrame, now_s: float) -> bool:
        if not self._is_video:
            return False
        if frame.is_keyframe:
            self._keyframe_s = now_s
            return False
        return now_s - self._keyframe_s >= KEYFRAME_EVERY_S and self._ask(now_s)

    def _ask(self, now_s: float) -> bool:
        if now_s - self._asked_s < KEYFRAME_RETRY_S:
            return False
        self._asked_s = now_s
        return True


def signature(codec: str, frame: EncodedFrame) -> object:
    """What must not change within a file: the size, or H.264's parameter sets. None: unknown."""
    if codec == "vp8":
        return vp8_size(frame.data)
    if codec == "vp9":
        return keyframe_size(frame.data)
    if codec == "h264":
        return h264_parameters(frame.data) or None
    return codec


def vp8_size(data: bytes) -> tuple[int, int] | None:
    """Width and height in a VP8 keyframe's header (RFC 6386 §9.1)."""
    if len(data) < 10 or data[0] & 1 or data[3:6] != b"\x9d\x01\x2a":
        return None
    width = int.from_bytes(data[6:8], "little") & 0x3FFF
    height = int.from_bytes(data[8:10], "little") & 0x3FFF
    return (width, height) if width and height else None


def h264_parameters(data: bytes) -> bytes:
    """The sequence and picture parameter sets at the head of an Annex B keyframe, in order."""
    found = []
    for unit in data.split(b"\x00\x00\x01"):
        kind = unit[0] & 0x1F if unit else 0
        if kind in {7, 8}:
            found.append(unit.rstrip(b"\x00"))
        elif kind in {1, 5}:
            break
    return b"".join(found)
