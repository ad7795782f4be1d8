"""Captions and chapters of a recording as WebVTT, the format that players read.

Captions come from outside (typed, or made by a speech recogniser), so they are parsed and written
anew: cues in order of time, within the recording, as plain text. Source: WebVTT, W3C Candidate
Recommendation of 4 April 2019. Pure.
"""

import io
from collections.abc import Iterable
from typing import Any, Final

import webvtt
from webvtt.errors import MalformedCaptionError, MalformedFileError

from conference.errors import InvalidError

MAX_BYTES: Final = 4 << 20
"""Subtitles of a day of talk are below one MiB."""
WRONG: Final = "Tệp phụ đề không đúng định dạng WebVTT hoặc SRT."


def read_captions(content: bytes) -> str:
    """Captions in WebVTT or SubRip as clean WebVTT. Raises InvalidError."""
    if len(content) > MAX_BYTES:
        raise InvalidError({"captions": f"Tệp quá lớn; tối đa {MAX_BYTES >> 20} MB."})
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidError({"captions": "Tệp phụ đề phải dùng bảng mã UTF-8."}) from None
    kind = "vtt" if text.lstrip().startswith("WEBVTT") else "srt"
    try:
        cues = webvtt.from_buffer(io.StringIO(text), format=kind).captions
    except (MalformedFileError, MalformedCaptionError, ValueError, IndexError):
        raise InvalidError({"captions": WRONG}) from None
    found = sorted((_seconds(cue.start), _seconds(cue.end), _plain(cue.text)) for cue in cues)
    kept = [cue for cue in found if cue[1] > cue[0] and cue[2]]
    if not kept:
        raise InvalidError({"captions": WRONG})
    return _document(kept)


def chapters(marks: Iterable[dict[str, Any]], duration_s: float) -> str:
    """Chapters of a recording (its ``chapters`` column) as a WebVTT chapter track."""
    ordered = sorted((float(mark["at_s"]), _plain(str(mark["title"]))) for mark in marks)
    ends = [at_s for at_s, _ in ordered[1:]] + [duration_s] * bool(ordered)
    cues = [
        (at_s, ends_s, title)
        for (at_s, title), ends_s in zip(ordered, ends, strict=True)
        if ends_s > at_s
    ]
    return _document(cues)


def _plain(text: str) -> str:
    # an arrow would read as the next cue's times, an empty line as the end of this one
    lines = (" ".join(line.split()) for line in text.replace("-->", "→").splitlines())
    return "\n".join(line for line in lines if line)


def _document(cues: Iterable[tuple[float, float, str]]) -> str:
    blocks = [f"{_time(a)} --> {_time(b)}\n{_escaped(text)}" for a, b, text in cues]
    return "\n\n".join(["WEBVTT", *blocks]) + "\n"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _seconds(time: str) -> float:
    hours, minutes, seconds = time.split(":")  # the parser writes all three
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def _time(seconds: float) -> str:
    thousandths = round(seconds * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"
