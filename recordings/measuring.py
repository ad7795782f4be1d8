"""What media files really contain, read with PyAV from their packets; nothing is decoded.

A file whose writer was killed has no index and no length in its header, so every packet is
walked: that is input only, some hundred times faster than real time.
"""

import io
from dataclasses import dataclass
from pathlib import Path

import av
from av.error import FFmpegError

from recordings.compose.pieces import Measure


class UnplayableError(Exception):
    """A composed file is not what it should be; the text says what is wrong."""


def measure(path: Path) -> Measure | None:
    """Length and keyframes of a captured file; None if there is no whole frame in it."""
    ends_s = 0.0
    keyframes: list[float] = []
    try:
        with av.open(path, format="matroska", options={"protocol_whitelist": "file"}) as file:
            stream = file.streams[0]
            newest_s, before_s = 0.0, 0.0
            for packet in file.demux(stream):
                if packet.pts is None or packet.size == 0 or packet.time_base is None:
                    continue
                at_s = float(packet.pts * packet.time_base)
                before_s, newest_s = newest_s, max(newest_s, at_s)
                length_s = float((packet.duration or 0) * packet.time_base)
                ends_s = max(ends_s, at_s + (length_s or newest_s - before_s))
                if packet.is_keyframe and stream.type == "video":
                    keyframes.append(at_s)
            if stream.type == "video" and not keyframes:
                return None
    except (FFmpegError, IndexError, io.UnsupportedOperation):
        if ends_s <= 0:
            return None  # torn before its first cluster; otherwise what was read is there
    return Measure(ends_s, tuple(keyframes) or (0.0,)) if ends_s > 0 else None


@dataclass(frozen=True, slots=True)
class Composed:
    """What a composed file turned out to be."""

    duration_s: float
    chapters: int


def verify(path: Path, duration_s: float, *, tolerance_s: float = 1.0) -> Composed:
    """Open a composed file, compare its length, decode at its start, middle and end.

    Raises UnplayableError.
    """
    try:
        with av.open(path, format="mp4", options={"protocol_whitelist": "file"}) as file:
            if not file.streams.video or not file.streams.audio:
                raise UnplayableError("picture or sound is missing")
            found_s = float(file.duration or 0) / av.time_base
            if abs(found_s - duration_s) > tolerance_s:
                raise UnplayableError(f"lasts {found_s:.2f} s instead of {duration_s:.2f} s")
            for share in (0.0, 0.5, 0.9):
                file.seek(int(found_s * share * av.time_base))
                if next(file.decode(video=0), None) is None:
                    raise UnplayableError(f"no picture at {share:.0%}")
                file.seek(int(found_s * share * av.time_base))
                if next(file.decode(audio=0), None) is None:
                    raise UnplayableError(f"no sound at {share:.0%}")
            return Composed(found_s, len(file.chapters()))
    except (FFmpegError, StopIteration) as error:
        raise UnplayableError(str(error)) from error
