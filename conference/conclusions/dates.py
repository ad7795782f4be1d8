"""When a notice is due, and how a task stands against its date.

QĐ 45/2018/QĐ-TTg: the notice of conclusions is issued within five working days after the meeting.
The day of the meeting does not count. Pure.
"""

import enum
from collections.abc import Collection
from datetime import date, timedelta
from typing import Final

from conference.conclusions.models import TaskState
from conference.scheduling.rules import is_working_day

NOTICE_WITHIN: Final = 5
"""Working days."""


class Standing(enum.Enum):
    """How a task is shown; the value is its word in addresses."""

    OPEN = "chua-thuc-hien"
    DOING = "dang-thuc-hien"
    REPORTED = "cho-xac-nhan"
    DONE = "hoan-thanh"
    SOON = "sap-den-han"
    OVERDUE = "qua-han"


def notice_due(meeting_day: date, holidays: Collection[date] = ()) -> date:
    """Last day on which the notice of a meeting held on ``meeting_day`` is in time."""
    day, missing = meeting_day, NOTICE_WITHIN
    while missing:
        day += timedelta(days=1)
        missing -= is_working_day(day, holidays)
    return day


def working_days_left(today: date, due: date, holidays: Collection[date] = ()) -> int:
    """Working days from tomorrow to ``due``; negative by as many as it is late."""
    step = 1 if due >= today else -1
    first, last = (today, due) if step > 0 else (due, today)
    between = (first + timedelta(days=one) for one in range(1, (last - first).days + 1))
    return step * sum(is_working_day(day, holidays) for day in between)


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
