"""A first text of the minutes (biên bản) from what the log knows.

Agenda, roll call, speeches and votes, each with its moment in the recording.

Decision 45/2018/QĐ-TTg asks for the chair and those present, the course of the meeting, the
speakers' opinions and the chair's conclusions. The log knows who spoke when, not what was said:
those places are left open with ``…`` for the secretary. Times are written as documents do:
``8 giờ 05 phút``.

Pure: plain values in, text out.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from conference.documents.paper import clock
from conference.minutes.marks import mark

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
class Poll:
    """A question that was voted on."""

    question: str
    at: datetime
    """When the vote was closed."""
    is_secret: bool
    in_favour: int
    against: int
    abstaining: int


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
    polls: tuple[Poll, ...] = ()
    absent: tuple[str, ...] = ()
    """Units that did not come, with the reason where one is known."""
    substitutes: tuple[str, ...] = ()
    """Delegates who stood in for somebody."""
    papers: tuple[str, ...] = ()
    recorded_from: datetime | None = None
    """First moment of the recording; times then get marks that lead into it."""


def draft(course: Course) -> str:
    """Paragraphs separated by blank lines, ready to be edited."""
    paragraphs = [_opening(course), _attendance(course), *_roll(course)]
    if course.papers:
        paragraphs.append(f"Tài liệu phục vụ cuộc họp: {'; '.join(course.papers)}.")
    if course.recorded_by:
        paragraphs.append(
            f"Cuộc họp được ghi âm, ghi hình theo quyết định của {course.recorded_by}."
        )
    called = sorted((point for point in course.points if point.at is not None), key=_at)
    happened = sorted(
        [
            *((speech.at, _speech(speech, course)) for speech in course.speeches),
            *((poll.at, _poll(poll, course)) for poll in course.polls),
        ]
    )
    if not called:
        paragraphs += _uncalled(course)
        paragraphs += [text for _, text in happened]
        return "\n\n".join(paragraphs)
    paragraphs += [text for at, text in happened if at < _at(called[0])]
    for number, point in enumerate(called, 1):
        following = _at(called[number]) if number < len(called) else None
        paragraphs.append(_point(number, point, course))
        paragraphs += [
            text
            for at, text in happened
            if at >= _at(point) and (following is None or at < following)
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


def _roll(course: Course) -> list[str]:
    lines = []
    if course.absent:
        lines.append(f"Điểm danh: vắng {len(course.absent)} đơn vị: {'; '.join(course.absent)}.")
    if course.substitutes:
        lines.append(f"Đại biểu dự thay: {'; '.join(course.substitutes)}.")
    return lines


def _uncalled(course: Course) -> list[str]:
    return [_point(number, point, course) for number, point in enumerate(course.points, 1)]


def _point(number: int, point: Point, course: Course) -> str:
    when = f" ({clock(point.at)}){mark(point.at, course.recorded_from)}" if point.at else ""
    presenter = f" {point.presenter} trình bày." if point.presenter else ""
    return f"{number}. {point.title}{when}.{presenter} {OPEN}"


def _speech(speech: Speech, course: Course) -> str:
    minutes = max(1, round(speech.seconds / 60))
    moment = mark(speech.at, course.recorded_from)
    return f"- {speech.speaker} phát biểu lúc {clock(speech.at)} ({minutes} phút){moment}: {OPEN}"


def _poll(poll: Poll, course: Course) -> str:
    how = "bỏ phiếu kín" if poll.is_secret else "biểu quyết"
    moment = mark(poll.at, course.recorded_from)
    return (
        f"- Cuộc họp {how} về “{poll.question}” lúc {clock(poll.at)}{moment}: tán thành "
        f"{poll.in_favour}, không tán thành {poll.against}, không có ý kiến {poll.abstaining}."
    )
