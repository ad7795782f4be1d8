"""Series of meetings: planned at once, then changed or called off one by one or together.

Every occurrence is a meeting of its own, with its letters, its room and its file. A change for
several moves each by as much as the edited one was moved and gives it the same content; what is
live, over or called off stays as it is. "This and following" parts the series in two.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy import select

from conference.errors import InvalidError
from conference.scheduling import progress, recurrence, rules, service
from conference.scheduling.context import Context
from conference.scheduling.lifecycle import Trigger
from conference.scheduling.local_time import local_day
from conference.scheduling.models import (
    ANNOUNCED,
    PLANNED,
    CallOffGround,
    Meeting,
    MeetingSeries,
    Status,
)
from conference.scheduling.planning import office_of
from conference.scheduling.recurrence import Repetition, Rhythm, Scope
from conference.scheduling.rules import MeetingDraft

CHANGEABLE = PLANNED | ANNOUNCED | {Status.POSTPONED}


def create_series(
    context: Context, draft: MeetingDraft, repetition: Repetition, *, is_inviting: bool
) -> list[Meeting]:
    """Store every meeting of the series, the first as typed; a single one without repetition.

    Raises InvalidError for faults of the draft or of the repetition.
    """
    if repetition.rhythm is Rhythm.NONE or rules.is_secret(draft) or draft.starts_at is None:
        return [_create(context, draft, is_inviting=is_inviting)]
    first = local_day(draft.starts_at)
    found = recurrence.faults(repetition, first)
    if found:
        raise InvalidError(found)
    rule = recurrence.rule_of(repetition, first)
    left_out = set(repetition.left_out)
    if repetition.skips_days_off:
        wanted = recurrence.days(rule, first)
        calendar = office_of(context.session, *wanted).calendar
        left_out |= recurrence.days_off(wanted, calendar)
    days = recurrence.days(rule, first, left_out)
    if not days:
        raise InvalidError({"repeat_until": "Không còn ngày họp nào trong chuỗi."})
    series = MeetingSeries(
        rule=rule,
        first_day=first,
        left_out=sorted(day.isoformat() for day in left_out),
        created_at=context.at,
    )
    context.session.add(series)
    made = []
    for day in days:
        meeting = _create(context, _moved(draft, day - first), is_inviting=is_inviting)
        meeting.series, meeting.series_day = series, day
        made.append(meeting)
    context.session.flush()
    return made


def _create(context: Context, draft: MeetingDraft, *, is_inviting: bool) -> Meeting:
    return service.create_meeting(
        context.session,
        draft,
        actor=context.actor,
        at=context.at,
        announcer=context.announcer,
        is_inviting=is_inviting,
        address=context.address,
    )


def _moved(draft: MeetingDraft, by: timedelta) -> MeetingDraft:
    assert draft.starts_at is not None
    if draft.ends_at is None:
        return replace(draft, starts_at=draft.starts_at + by)
    return replace(draft, starts_at=draft.starts_at + by, ends_at=draft.ends_at + by)


def occurrences(context: Context, meeting: Meeting, scope: Scope) -> list[Meeting]:
    """Meetings that a change of ``meeting`` for ``scope`` is for, itself first."""
    if meeting.series_id is None or scope is Scope.THIS:
        return [meeting]
    query = select(Meeting).where(
        Meeting.series_id == meeting.series_id,
        Meeting.id != meeting.id,
        Meeting.status.in_(CHANGEABLE),
    )
    if scope is Scope.FOLLOWING:
        query = query.where(Meeting.series_day > meeting.series_day)
    return [meeting, *context.session.scalars(query.order_by(Meeting.series_day))]


def edit(
    context: Context, meeting_id: int, draft: MeetingDraft, scope: Scope, *, version: int,
    is_inviting: bool = False,
) -> list[Meeting]:  # fmt: skip
    """Change one meeting as typed, and its fellows for ``scope`` likewise; all or none.

    Raises what `service.edit_meeting` raises. Fellows that a rule keeps from changing are named.
    """
    before = context.session.get(Meeting, meeting_id)
    start_before = before.starts_at if before else None
    meeting = _edit(context, meeting_id, draft, version=version, is_inviting=is_inviting)
    found = occurrences(context, meeting, scope)
    if scope is Scope.FOLLOWING and len(found) > 1:
        _part(context, meeting, found)
    assert start_before is not None
    moved = meeting.starts_at - start_before
    length = meeting.ends_at - meeting.starts_at
    for fellow in found[1:]:
        starts_at = fellow.starts_at + moved
        theirs = replace(draft, starts_at=starts_at, ends_at=starts_at + length)
        _edit(context, fellow.id, theirs, version=fellow.version, is_inviting=is_inviting)
    return found


def _edit(
    context: Context, meeting_id: int, draft: MeetingDraft, *, version: int, is_inviting: bool
) -> Meeting:
    return service.edit_meeting(
        context.session,
        meeting_id,
        draft,
        version=version,
        actor=context.actor,
        at=context.at,
        announcer=context.announcer,
        is_inviting=is_inviting,
        address=context.address,
    )


def call_off(
    context: Context, meeting_id: int, scope: Scope, reason: str, ground: CallOffGround
) -> list[Meeting]:
    """Cancel one meeting, those after it too, or all of its series that are still to come."""
    meeting = context.session.get(Meeting, meeting_id)
    found = occurrences(context, meeting, scope) if meeting else []
    ids = [one.id for one in found] or [meeting_id]
    for one in ids:
        service.cancel_meeting(
            context.session,
            one,
            reason,
            ground=ground,
            actor=context.actor,
            at=context.at,
            announcer=context.announcer,
            address=context.address,
        )
    return found


def step(context: Context, meeting_id: int, trigger: Trigger, note: str) -> list[Meeting]:
    """Take ``trigger`` for all meetings of the series that stand where this one stands."""
    meeting = context.session.get(Meeting, meeting_id)
    if meeting is None or meeting.series_id is None:
        return [progress.step(context, meeting_id, trigger, note=note)]
    query = select(Meeting.id).where(
        Meeting.series_id == meeting.series_id, Meeting.status == meeting.status
    )
    ids = context.session.scalars(query.order_by(Meeting.series_day)).all()
    return [progress.step(context, one, trigger, note=note) for one in ids]


def _part(context: Context, meeting: Meeting, found: Sequence[Meeting]) -> None:
    """From ``meeting`` on the series is one of its own; the earlier part ends before it."""
    series = meeting.series
    day = meeting.series_day
    if series is None or day is None or day <= series.first_day:
        return
    following = MeetingSeries(
        rule=_without_count(series, day),
        first_day=day,
        left_out=[one for one in series.left_out if date.fromisoformat(one) >= day],
        created_at=context.at,
    )
    context.session.add(following)
    series.rule = recurrence.rest_of(series.rule, series.first_day, day)
    series.left_out = [one for one in series.left_out if date.fromisoformat(one) < day]
    for one in found:
        one.series = following
    context.session.flush()


def _without_count(series: MeetingSeries, day: date) -> str:
    """The rule from ``day`` on: a COUNT is less by those that went before."""
    before = [one for one in recurrence.days(series.rule, series.first_day) if one < day]
    parts = []
    for part in series.rule.split(";"):
        name, _, value = part.partition("=")
        parts.append(f"COUNT={int(value) - len(before)}" if name == "COUNT" else part)
    return ";".join(parts)
