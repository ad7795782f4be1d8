"""A meeting's life: the whole state machine is the table `STEPS`.

Each row says from which states an act leads where, who may do it (a verb of
`conference.access.policy`) and what it demands. The diagram and the table of docs/scheduling.md
are made from it, and a test compares them.

What a reader should know before the table: editing what was approved asks for approval again. A
postponed meeting is off until a new time is set, which invites again. What has begun can only end;
what has ended or is cancelled stays so, its hồ sơ remains. A draft may be opened for a meeting
called at once, without invitations. A central meeting needs no minutes or conclusions of its own
to be archived: they come from the centre. Pure.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from conference.access.policy import Verb
from conference.errors import ConflictError
from conference.scheduling.models import ANNOUNCED, PLANNED, Status
from conference.sentences import say


class Trigger(enum.Enum):
    """What somebody asks of a meeting."""

    EDIT = "edit"
    SUBMIT = "submit"
    RETURN = "return"
    APPROVE = "approve"
    INVITE = "invite"
    CHECK = "check"
    DECLARE_READY = "declare_ready"
    RESCHEDULE = "reschedule"
    POSTPONE = "postpone"
    CANCEL = "cancel"
    OPEN = "open"
    END = "end"
    SIGN_MINUTES = "sign_minutes"
    ISSUE_CONCLUSION = "issue_conclusion"
    ARCHIVE = "archive"


class Demand(enum.Enum):
    """What an act needs beyond the right to do it; the value is the documentation's words."""

    SITES = "at least one site"
    REASON = "a reason"
    COMMENT = "a comment"
    NEW_TIME = "a new time"
    NO_APPROVAL_RULE = "the office does not require approval, or the meeting is central"
    CENTRAL = "the meeting is central"


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the table."""

    trigger: Trigger
    before: frozenset[Status]
    then: Status | None
    """None: the meeting stays where it is."""
    verb: Verb
    demands: tuple[Demand, ...] = ()


_S = Status

STEPS: Final = (
    Step(Trigger.EDIT, frozenset({_S.DRAFT, _S.REQUESTED}), None, Verb.MEETING_EDIT),
    Step(Trigger.EDIT, frozenset({_S.APPROVED}), _S.REQUESTED, Verb.MEETING_EDIT),
    Step(Trigger.EDIT, ANNOUNCED | {_S.POSTPONED, _S.LIVE}, None, Verb.MEETING_EDIT),
    Step(Trigger.SUBMIT, frozenset({_S.DRAFT}), _S.REQUESTED, Verb.MEETING_EDIT),
    Step(
        Trigger.RETURN, frozenset({_S.REQUESTED, _S.APPROVED}), _S.DRAFT, Verb.MEETING_APPROVE,
        (Demand.COMMENT,),
    ),
    Step(Trigger.APPROVE, frozenset({_S.REQUESTED}), _S.APPROVED, Verb.MEETING_APPROVE),
    Step(
        Trigger.INVITE, frozenset({_S.APPROVED}), _S.INVITED, Verb.MEETING_EDIT, (Demand.SITES,)
    ),
    Step(
        Trigger.INVITE, frozenset({_S.DRAFT, _S.REQUESTED}), _S.INVITED, Verb.MEETING_EDIT,
        (Demand.SITES, Demand.NO_APPROVAL_RULE),
    ),
    Step(Trigger.CHECK, frozenset({_S.INVITED}), _S.CHECKING, Verb.ROOM_JOIN),
    Step(
        Trigger.DECLARE_READY, frozenset({_S.INVITED, _S.CHECKING}), _S.READY, Verb.LINE_CHECK
    ),
    Step(
        Trigger.RESCHEDULE, frozenset({_S.POSTPONED}), _S.INVITED, Verb.MEETING_EDIT,
        (Demand.NEW_TIME,),
    ),
    Step(Trigger.POSTPONE, ANNOUNCED, _S.POSTPONED, Verb.MEETING_CANCEL, (Demand.REASON,)),
    Step(
        Trigger.CANCEL, PLANNED | ANNOUNCED | {_S.POSTPONED}, _S.CANCELLED, Verb.MEETING_CANCEL,
        (Demand.REASON,),
    ),
    Step(Trigger.OPEN, PLANNED | ANNOUNCED, _S.LIVE, Verb.ROOM_CONDUCT),
    Step(Trigger.END, frozenset({_S.LIVE}), _S.ENDED, Verb.ROOM_CONDUCT),
    Step(Trigger.SIGN_MINUTES, frozenset({_S.ENDED}), _S.MINUTES_SIGNED, Verb.MINUTES_EDIT),
    Step(
        Trigger.ISSUE_CONCLUSION, frozenset({_S.ENDED, _S.MINUTES_SIGNED}), _S.CONCLUSION_ISSUED,
        Verb.MINUTES_EDIT,
    ),
    Step(Trigger.ARCHIVE, frozenset({_S.CONCLUSION_ISSUED}), _S.ARCHIVED, Verb.MINUTES_EDIT),
    Step(
        Trigger.ARCHIVE, frozenset({_S.ENDED, _S.MINUTES_SIGNED}), _S.ARCHIVED, Verb.MINUTES_EDIT,
        (Demand.CENTRAL,),
    ),
)  # fmt: skip

_TABLE: Final[Mapping[tuple[Status, Trigger], Step]] = {
    (before, step.trigger): step for step in STEPS for before in step.before
}

TRANSITIONS: Final[Mapping[Status, Mapping[Trigger, Status]]] = {
    status: {
        trigger: step.then or status
        for (before, trigger), step in _TABLE.items()
        if before is status
    }
    for status in Status
}
"""The same table by state."""

STATUS_WORDS: Final[Mapping[Status, str]] = {
    Status.DRAFT: "Nháp",
    Status.REQUESTED: "Chờ duyệt",
    Status.APPROVED: "Đã duyệt",
    Status.INVITED: "Đã mời",
    Status.CHECKING: "Đang kiểm tra",
    Status.READY: "Sẵn sàng",
    Status.LIVE: "Đang họp",
    Status.ENDED: "Đã họp",
    Status.MINUTES_SIGNED: "Đã ký biên bản",
    Status.CONCLUSION_ISSUED: "Đã có kết luận",
    Status.ARCHIVED: "Đã lưu trữ",
    Status.POSTPONED: "Hoãn",
    Status.CANCELLED: "Hủy",
}
"""The office's word for each status, as pages and mails say it."""

REFUSED: Final = "Cuộc họp ở trạng thái “%(status)s” nên không làm được việc này."


def allows(status: Status, trigger: Trigger) -> bool:
    """Whether a meeting in ``status`` can be asked for ``trigger``."""
    return (status, trigger) in _TABLE


def step_of(status: Status, trigger: Trigger) -> Step:
    """The row for ``trigger`` in ``status``. Raises ConflictError if the table has none."""
    try:
        return _TABLE[status, trigger]
    except KeyError:
        words = say(STATUS_WORDS[status])
        raise ConflictError(say(REFUSED, status=words), code="wrong_status") from None


def after(status: Status, trigger: Trigger) -> Status:
    """Status that follows. Raises ConflictError if the table has no entry."""
    return step_of(status, trigger).then or status


def demands(status: Status, trigger: Trigger) -> tuple[Demand, ...]:
    """What ``trigger`` needs in ``status``; empty if the table has no entry."""
    step = _TABLE.get((status, trigger))
    return step.demands if step else ()


def to_mermaid() -> str:
    """The changes of state as a Mermaid diagram; docs/scheduling.md embeds it, a test compares."""
    lines = [
        f"    {before.value} --> {step.then.value}: {step.trigger.value}"
        for step in STEPS
        for before in Status
        if before in step.before and step.then is not None
    ]
    return "\n".join(["stateDiagram-v2", *lines])


def to_table() -> str:
    """The rows as a Markdown table; docs/scheduling.md embeds it, a test compares."""
    lines = ["| From | Act | To | Who | Demands |", "|---|---|---|---|---|"]
    for step in STEPS:
        before = ", ".join(f"`{status.value}`" for status in Status if status in step.before)
        then = f"`{step.then.value}`" if step.then else "unchanged"
        needed = "; ".join(demand.value for demand in step.demands) or "–"
        lines.append(
            f"| {before} | `{step.trigger.value}` | {then} | `{step.verb.value}` | {needed} |"
        )
    return "\n".join(lines)
