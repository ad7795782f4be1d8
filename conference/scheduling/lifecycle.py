"""A meeting's life: the whole state machine is the table below.

A postponed meeting is off until a new time is set, which invites again. What has begun can only
end; what has ended or is cancelled stays so, its hồ sơ remains. Opening a draft is for a meeting
called at once, without invitations. Pure.
"""

import enum
from collections.abc import Mapping

from conference.errors import ConflictError
from conference.scheduling.models import Status


class Trigger(enum.Enum):
    """What somebody asks of a meeting."""

    INVITE = "invite"
    EDIT = "edit"
    RESCHEDULE = "reschedule"
    POSTPONE = "postpone"
    CANCEL = "cancel"
    OPEN = "open"
    END = "end"


TRANSITIONS: Mapping[Status, Mapping[Trigger, Status]] = {
    Status.DRAFT: {
        Trigger.EDIT: Status.DRAFT,
        Trigger.INVITE: Status.INVITED,
        Trigger.OPEN: Status.LIVE,
        Trigger.CANCEL: Status.CANCELLED,
    },
    Status.INVITED: {
        Trigger.EDIT: Status.INVITED,
        Trigger.POSTPONE: Status.POSTPONED,
        Trigger.OPEN: Status.LIVE,
        Trigger.CANCEL: Status.CANCELLED,
    },
    Status.POSTPONED: {
        Trigger.EDIT: Status.POSTPONED,
        Trigger.RESCHEDULE: Status.INVITED,
        Trigger.CANCEL: Status.CANCELLED,
    },
    Status.LIVE: {Trigger.EDIT: Status.LIVE, Trigger.END: Status.ENDED},
    Status.ENDED: {},
    Status.CANCELLED: {},
}

STATUS_WORDS: Mapping[Status, str] = {
    Status.DRAFT: "Nháp",
    Status.INVITED: "Đã mời",
    Status.LIVE: "Đang họp",
    Status.ENDED: "Đã họp",
    Status.POSTPONED: "Hoãn",
    Status.CANCELLED: "Hủy",
}
"""The office's word for each status, as pages and mails say it."""


def allows(status: Status, trigger: Trigger) -> bool:
    """Whether a meeting in ``status`` can be asked for ``trigger``."""
    return trigger in TRANSITIONS[status]


def after(status: Status, trigger: Trigger) -> Status:
    """Status that follows. Raises ConflictError if the table has no entry."""
    try:
        return TRANSITIONS[status][trigger]
    except KeyError:
        raise ConflictError(
            f"Cuộc họp ở trạng thái “{STATUS_WORDS[status]}” nên không làm được việc này.",
            code="wrong_status",
        ) from None


def to_mermaid() -> str:
    """The table as a Mermaid diagram; the documentation embeds it and a test compares."""
    lines = [
        f"    {before.value} --> {then.value}: {trigger.value}"
        for before, row in TRANSITIONS.items()
        for trigger, then in row.items()
    ]
    return "\n".join(["stateDiagram-v2", *lines])
