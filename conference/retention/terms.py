"""How long a file is kept and when it may be destroyed. Pure.

Terms count from the end of the year in which the work ended (Luật Lưu trữ 2024): a file of 2020
with five years is kept through 31/12/2025. The default terms follow the custom of the table of
TT 10/2022/TT-BNV (yearly reviews for ever, other reviews and routine work five to ten years); the
office's own schedule replaces them. A class *suggested* from the kind of meeting decides nothing:
only what a person has set counts.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from conference.retention.models import Stage
from conference.scheduling.models import CALLED_OFF, HELD, MeetingKind, Status

MAX_YEARS: Final = 200


@dataclass(frozen=True, slots=True)
class Term:
    """One class: its code, its office name, and whole years; None: for ever."""

    code: str
    name: str
    years: int | None


DEFAULTS: Final = (
    Term("tong-ket", "Hội nghị tổng kết năm, nhiều năm", None),
    Term("so-ket", "Hội nghị sơ kết 6 tháng, 9 tháng; họp chuyên đề", 10),
    Term("giao-ban", "Giao ban tháng, quý", 5),
    Term("cong-viec", "Họp giải quyết công việc, trao đổi thường xuyên", 10),
    Term("tap-huan", "Tập huấn, triển khai", 5),
)
_SUGGESTED: Final[Mapping[MeetingKind, str]] = {
    MeetingKind.REVIEW: "tong-ket",
    MeetingKind.THEMATIC: "so-ket",
    MeetingKind.BRIEFING: "giao-ban",
    MeetingKind.TRAINING: "tap-huan",
}


def suggested(kind: MeetingKind | None) -> str:
    """Code of the class that such meetings usually have; the clerk decides."""
    return _SUGGESTED.get(kind, "cong-viec") if kind is not None else "cong-viec"


def kept_until(ended_on: date, years: int | None) -> date | None:
    """Last day on which a file must be kept; None: for ever."""
    if years is None:
        return None
    return date(min(ended_on.year + years, date.max.year), 12, 31)


class Bar(enum.Enum):
    """Why a file may not be destroyed."""

    NOT_OVER = "not_over"
    NO_CLASS = "no_class"
    FOR_EVER = "for_ever"
    TERM_RUNS = "term_runs"
    HELD = "held"
    OPEN_TASKS = "open_tasks"


BAR_WORDS: Final[Mapping[Bar, str]] = {
    Bar.NOT_OVER: "Cuộc họp chưa kết thúc",
    Bar.NO_CLASS: "Chưa xác định thời hạn bảo quản",
    Bar.FOR_EVER: "Bảo quản vĩnh viễn",
    Bar.TERM_RUNS: "Chưa hết thời hạn bảo quản",
    Bar.HELD: "Đang tạm giữ",
    Bar.OPEN_TASKS: "Còn nhiệm vụ chưa hoàn thành",
}


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What decides about one file."""

    status: Status
    ended_on: date
    """Day the work ended; of a meeting that was called off, the day it was planned for."""
    term: Term | None
    holds: int
    open_tasks: int


def bars(file: FileFacts, today: date) -> tuple[Bar, ...]:
    """Everything that forbids destroying ``file`` today; empty: a decision may be asked for."""
    found = []
    if file.status not in HELD | CALLED_OFF:
        found.append(Bar.NOT_OVER)
    if file.term is None:
        found.append(Bar.NO_CLASS)
    else:
        last = kept_until(file.ended_on, file.term.years)
        if last is None:
            found.append(Bar.FOR_EVER)
        elif today <= last:
            found.append(Bar.TERM_RUNS)
    if file.holds:
        found.append(Bar.HELD)
    if file.open_tasks:
        found.append(Bar.OPEN_TASKS)
    return tuple(found)


class Step(enum.Enum):
    """What is done to a list of files to be destroyed."""

    DECIDE = "decide"
    EXECUTE = "execute"
    WITHDRAW = "withdraw"


STEPS: Final[Mapping[Stage, Mapping[Step, Stage]]] = {
    Stage.PROPOSED: {Step.DECIDE: Stage.DECIDED, Step.WITHDRAW: Stage.WITHDRAWN},
    Stage.DECIDED: {Step.EXECUTE: Stage.EXECUTED, Step.WITHDRAW: Stage.WITHDRAWN},
    Stage.EXECUTED: {},
    Stage.WITHDRAWN: {},
}
"""The whole state machine: nothing is destroyed without a decision, nothing comes back."""


def after(stage: Stage, step: Step) -> Stage | None:
    """The stage that follows, or None when the table has no such step."""
    return STEPS[stage].get(step)
