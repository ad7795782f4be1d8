"""A first text of the minutes (biên bản) from what the log knows: agenda, speeches, attendance.

Decision 45/2018/QĐ-TTg asks for the chair and those present, the course of the meeting, the
speakers' opinions and the chair's conclusions. The log knows who spoke when, not what was said:
those places are left open with ``…`` for the secretary. Times are written as documents do:
``8 giờ 05 phút``.

Pure: plain values in, text out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from conference.documents.paper import clock

OPEN: Final = "…"
"""Stands where only a person knows what to write."""


@dataclass(frozen=True, slots=True)
class Speech:
    """Somebody had the floor."""

    speaker: str
    at: datetime
    seconds: int


@dataclass(frozen=True, slots=True)
class Point:
    """An agenda item; ``at`` is None for one that was never called."""

    title: str
    presenter: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Course:
    """What the log says of one meeting."""

    chair: str
    """Title and name: ``đồng chí Nguyễn Văn Ước, Phó Chủ tịch UBND tỉnh``."""
    opened_at: datetime | None
    points: tuple[Point, ...]
    speeches: tuple[Speech, ...]
    invited: int
    came: int
    delegates: int
    recorded_by: str = ""
    """Who decided on recording; empty when nothing was recorded."""


def draft(course: Course) -> str:
    """Paragraphs separated by blank lines, ready to be edited."""
    paragraphs = [_opening(course), _attendance(course)]
    if course.recorded_by:
        paragraphs.append(
            f"Cuộc họp được ghi âm, ghi hình theo quyết định của {course.recorded_by}."
        )
    called = sorted((point for point in course.points if point.at is not None), key=_at)
    spoken = sorted(course.speeches, key=lambda speech: speech.at)
    if not called:
        paragraphs += _uncalled(course.points)
        paragraphs += [_speech(speech) for speech in spoken]
        return "\n\n".join(paragraphs)
    before = [speech for speech in spoken if speech.at < _at(called[0])]
    paragraphs += [_speech(speech) for speech in before]
    for number, point in enumerate(called, 1):
        following = _at(called[number]) if number < len(called) else None
        paragraphs.append(_point(number, point))
        paragraphs += [
            _speech(speech)
            for speech in spoken
            if speech.at >= _at(point) and (following is None or speech.at < following)
        ]
    return "\n\n".join(paragraphs)


def _at(point: Point) -> datetime:
    assert point.at is not None  # only points that were called are asked
    return point.at


def _opening(course: Course) -> str:
    when = f"Lúc {clock(course.opened_at)}, " if course.opened_at else ""
    text = f"{when}{course.chair} chủ trì và khai mạc cuộc họp."
    return text[0].upper() + text[1:]


def _attendance(course: Course) -> str:
    people = f", {course.delegates} đại biểu tại các điểm cầu" if course.delegates else ""
    return f"Có {course.came}/{course.invited} điểm cầu tham dự{people}."


def _uncalled(points: Sequence[Point]) -> list[str]:
    return [_point(number, point) for number, point in enumerate(points, 1)]


def _point(number: int, point: Point) -> str:
    when = f" ({clock(point.at)})" if point.at else ""
    presenter = f" {point.presenter} trình bày." if point.presenter else ""
    return f"{number}. {point.title}{when}.{presenter} {OPEN}"


def _speech(speech: Speech) -> str:
    minutes = max(1, round(speech.seconds / 60))
    return f"- {speech.speaker} phát biểu lúc {clock(speech.at)} ({minutes} phút): {OPEN}"
