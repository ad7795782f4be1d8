"""Time marks in the minutes: ``[0:12:40]`` names a moment of the recording.

On the page a mark is a link that plays from there; on paper it is left out. Pure.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

_MARK: Final = re.compile(r"\[(\d{1,2}):([0-5]\d):([0-5]\d)\]")
_ON_PAPER: Final = re.compile(rf" ?{_MARK.pattern}")


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of text, or a mark: then ``at_s`` says where in the recording."""

    text: str
    at_s: int | None = None


def mark(at: datetime, recorded_from: datetime | None) -> str:
    """`` [0:12:40]`` for a moment inside the recording, else nothing."""
    if recorded_from is None or at < recorded_from:
        return ""
    whole = int((at - recorded_from).total_seconds())
    return f" [{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}]"


def segments(text: str) -> Iterator[Segment]:
    """``text`` cut at its marks."""
    end = 0
    for found in _MARK.finditer(text):
        if found.start() > end:
            yield Segment(text[end : found.start()])
        hours, minutes, seconds = (int(group) for group in found.groups())
        yield Segment(found[0][1:-1], hours * 3600 + minutes * 60 + seconds)
        end = found.end()
    if end < len(text):
        yield Segment(text[end:])


def without(text: str) -> str:
    """``text`` as it is printed."""
    return _ON_PAPER.sub("", text)
