"""How a task stands against its date. Pure.

When a notice of conclusions is due is `conference.scheduling.advice.notice_due`.
"""

import enum
from datetime import date, timedelta

from conference.conclusions.models import TaskState


class Standing(enum.Enum):
    """How a task is shown; the value is its word in addresses."""

    OPEN = "chua-thuc-hien"
    DOING = "dang-thuc-hien"
    REPORTED = "cho-xac-nhan"
    DONE = "hoan-thanh"
    SOON = "sap-den-han"
    OVERDUE = "qua-han"


def standing(state: TaskState, due_on: date, today: date, remind_days: int) -> Standing:
    """How a task stands today. What is done or reported is no longer late."""
    if state is TaskState.DONE:
        return Standing.DONE
    if state is TaskState.REPORTED:
        return Standing.REPORTED
    if today > due_on:
        return Standing.OVERDUE
    if today >= due_on - timedelta(days=remind_days):
        return Standing.SOON
    return Standing.DOING if state is TaskState.DOING else Standing.OPEN
