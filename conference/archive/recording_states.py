"""The life of a recording as one table: from which state, by what, to which, and until when.

The whole machine is `TRANSITIONS`; `DEADLINES` says how long each state may last and which
trigger fires when it lasts longer, so that no recording can stick and none locks a meeting.
What carries the table out is `conference.archive.recording`. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from conference.archive.models import RecordingState

START_S: Final = 15.0
"""Without a byte for this long after the decision, the room is told that nothing is recorded."""


class Trigger(Enum):
    """What happens to a recording."""

    CLAIM = "claim"
    BYTES = "bytes"
    SILENCE = "silence"
    STOP = "stop"
    REFUSE = "refuse"
    DRAINED = "drained"
    NOTHING_CAPTURED = "nothing_captured"
    COMPOSE = "compose"
    COMPOSED = "composed"
    TRY_AGAIN = "try_again"
    GIVE_UP = "give_up"


class IllegalTransitionError(Exception):
    """The trigger has no place in the recording's state."""


_S = RecordingState

TRANSITIONS: Mapping[RecordingState, Mapping[Trigger, RecordingState]] = {
    _S.REQUESTED: {
        Trigger.CLAIM: _S.STARTING,
        Trigger.REFUSE: _S.FAILED_START,
        Trigger.STOP: _S.STOPPING,
    },
    _S.STARTING: {
        Trigger.CLAIM: _S.STARTING,
        Trigger.BYTES: _S.ACTIVE,
        Trigger.SILENCE: _S.INTERRUPTED,
        Trigger.REFUSE: _S.FAILED_START,
        Trigger.STOP: _S.STOPPING,
    },
    _S.ACTIVE: {
        Trigger.CLAIM: _S.INTERRUPTED,
        Trigger.SILENCE: _S.INTERRUPTED,
        Trigger.STOP: _S.STOPPING,
    },
    _S.INTERRUPTED: {
        Trigger.CLAIM: _S.INTERRUPTED,
        Trigger.BYTES: _S.ACTIVE,
        Trigger.STOP: _S.STOPPING,
    },
    _S.STOPPING: {
        Trigger.CLAIM: _S.STOPPING,
        Trigger.DRAINED: _S.CAPTURED,
        Trigger.NOTHING_CAPTURED: _S.FAILED_START,
    },
    _S.CAPTURED: {
        Trigger.COMPOSE: _S.COMPOSING,
        Trigger.GIVE_UP: _S.FAILED_COMPOSE,
    },
    _S.COMPOSING: {
        Trigger.COMPOSE: _S.COMPOSING,
        Trigger.COMPOSED: _S.PUBLISHED,
        Trigger.TRY_AGAIN: _S.CAPTURED,
        Trigger.GIVE_UP: _S.FAILED_COMPOSE,
    },
    _S.FAILED_COMPOSE: {Trigger.TRY_AGAIN: _S.CAPTURED},
    _S.PUBLISHED: {},
    _S.FAILED_START: {},
}

CAPTURE_STATES: Final = (_S.REQUESTED, _S.STARTING, _S.ACTIVE, _S.INTERRUPTED)
"""States in which media is (or should be) written; at most one such recording a meeting."""

WORK_STATES: Final = (*CAPTURE_STATES, _S.STOPPING)
"""States in which a worker holds the room's capture under a lease."""

FINAL_STATES: Final = (_S.PUBLISHED, _S.FAILED_START, _S.FAILED_COMPOSE)


@dataclass(frozen=True, slots=True)
class Deadline:
    """How long a state may last, and what fires when it lasts longer."""

    seconds: float
    trigger: Trigger
    reason: str
    per_recorded_second: float = 0.0
    """Added for each second of the recording's own length."""


_DAY_S = 86_400.0

DEADLINES: Mapping[RecordingState, Deadline] = {
    _S.REQUESTED: Deadline(120, Trigger.REFUSE, "Không có máy ghi nào nhận yêu cầu ghi hình."),
    _S.STARTING: Deadline(START_S, Trigger.SILENCE, "Chưa nhận được tiếng hoặc hình nào để ghi."),
    _S.ACTIVE: Deadline(_DAY_S, Trigger.STOP, "Bản ghi đã dài một ngày."),
    _S.INTERRUPTED: Deadline(_DAY_S / 4, Trigger.STOP, "Gián đoạn quá sáu giờ."),
    _S.STOPPING: Deadline(60, Trigger.DRAINED, "Máy ghi không khép lại được bản ghi đúng hạn."),
    _S.CAPTURED: Deadline(30 * _DAY_S, Trigger.GIVE_UP, "Không có máy nào ghép bản ghi."),
    _S.COMPOSING: Deadline(600, Trigger.TRY_AGAIN, "Ghép bản ghi quá lâu.", 2.0),
}


def after(state: RecordingState, trigger: Trigger) -> RecordingState:
    """State that follows. Raises IllegalTransitionError if the table has no entry."""
    try:
        return TRANSITIONS[state][trigger]
    except KeyError:
        raise IllegalTransitionError(
            f"a recording that is {state.value} cannot {trigger.value}"
        ) from None


def to_mermaid() -> str:
    """The table as a Mermaid diagram; docs/recording.md embeds it, a test compares."""
    lines = [
        f"    {a.value} --> {b.value}: {trigger.value}"
        for a, row in TRANSITIONS.items()
        for trigger, b in row.items()
    ]
    return "\n".join(["stateDiagram-v2", "    [*] --> requested", *lines])


def deadline_of(state: RecordingState, since: datetime, recorded_s: float) -> datetime | None:
    """Instant at which ``state`` is overdue; None for a final state."""
    deadline = DEADLINES.get(state)
    if deadline is None:
        return None
    return since + timedelta(
        seconds=deadline.seconds + deadline.per_recorded_second * max(0.0, recorded_s)
    )
