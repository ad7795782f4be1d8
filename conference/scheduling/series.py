"""Series of meetings: planned at once, then changed or called off one by one or together.

Every occurrence is a meeting of its own, with its room and its file; calendars know all of them by
one UID, each by the slot the rule gave it (RFC 5545 §3.8.4.4). A change for several moves each by
as much as the edited one was moved and gives it the same content; what is live, over or called off
stays as it is. "This and following" parts the series in two, and so does "all" once a meeting was
held: what was held keeps its place in everybody's calendar. Whoever is invited to several is told
once of what one act changed.
"""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from conference.access.policy import Actor
from conference.errors import InvalidError
from conference.scheduling import progress, recurrence, rules, service
from conference.scheduling.announcement import Announcer, Gathered
from conference.scheduling.context import Context
from conference.scheduling.lifecycle import Trigger
from conference.scheduling.local_time import local_day
from conference.scheduling.models import (
    ANNOUNCED,
    HELD,
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
KEPT = HELD | {Status.LIVE}
"""What a calendar goes on showing as it was."""


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
    series = _new(context, rule, first, draft.starts_at)
    series.left_out = sorted(day.isoformat() for day in left_out)
    gathered, together = _gathering(context)
    made = []
    for day in days:
        meeting = _create(together, _moved(draft, day - first), is_inviting=is_inviting)
        meeting.series, meeting.series_day = series, day
        made.append(meeting)
    context.session.flush()
    gathered.tell(context.announcer, context.session, context.at)
    return made


def _new(context: Context, rule: str, first: date, starts_at: datetime | None) -> MeetingSeries:
    series = MeetingSeries(
        rule=rule,
        first_day=first,
        left_out=[],
        created_at=context.at,
        starts_at=starts_at,
        ics_uid=f"{secrets.token_hex(16)}@diemcau" if starts_at else "",
        ics_sequence=0,
    )
    context.session.add(series)
    return series


def _gathering(context: Context) -> tuple[Gathered, Context]:
    """A context that keeps announcements until all of an act is done."""
    gathered = Gathered()
    return gathered, replace(context, announcer=gathered)


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
    gathered, together = _gathering(context)
    meeting = _edit(together, meeting_id, draft, version=version, is_inviting=is_inviting)
    found = occurrences(context, meeting, scope)
    assert start_before is not None
    moved = meeting.starts_at - start_before
    length = meeting.ends_at - meeting.starts_at
    for fellow in found[1:]:
        starts_at = fellow.starts_at + moved
        theirs = replace(draft, starts_at=starts_at, ends_at=starts_at + length)
        _edit(together, fellow.id, theirs, version=fellow.version, is_inviting=is_inviting)
    if len(found) == 1:
        for one in gathered.changes:
            context.announce(one.meeting, one.announcement)
        return found
    parted_from = _part(context, found)
    if moved:
        _move_slots(meeting.series, found, moved)
    gathered.tell(context.announcer, context.session, context.at, parted_from)
    return found


def _move_slots(series: MeetingSeries | None, found: Sequence[Meeting], moved: timedelta) -> None:
    """Give the series the rhythm it now has, and each of ``found`` its place in it.

    Where the moved rule has no place for one of them (the 31st of every month, a day later), slots
    stay, and calendars show each as moved from where the rule had it.
    """
    if series is None or series.starts_at is None:
        return
    starts_at = series.starts_at + moved
    first = series.first_day + (local_day(starts_at) - local_day(series.starts_at))
    rule = recurrence.moved_rule(series.rule, series.first_day, first)
    places = dict(
        zip(
            recurrence.days(series.rule, series.first_day), recurrence.days(rule, first),
            strict=False,
        )
    )  # fmt: skip
    members = [one for one in series.meetings if one.series_day is not None]
    left_out = [date.fromisoformat(one) for one in series.left_out]
    stay = [one for one in members if one not in found and one.status in CHANGEABLE | KEPT]
    if stay or not {one.series_day for one in members} <= places.keys():
        return
    for one in members:
        assert one.series_day is not None
        one.series_day = places[one.series_day]
    series.rule, series.first_day, series.starts_at = rule, first, starts_at
    series.left_out = sorted(places[day].isoformat() for day in left_out if day in places)


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
    return _call_off(context, meeting_id, scope, reason, ground, service.cancel_meeting)


def postpone(
    context: Context, meeting_id: int, scope: Scope, reason: str, ground: CallOffGround
) -> list[Meeting]:
    """Put one meeting off, those after it too, or all of its series that are announced."""
    return _call_off(context, meeting_id, scope, reason, ground, service.postpone_meeting)


class _CallingOff(Protocol):
    """`service.cancel_meeting` or `service.postpone_meeting`."""

    def __call__(
        self, session: Session, meeting_id: int, reason: str, *, ground: CallOffGround,
        actor: Actor, at: datetime, announcer: Announcer, address: str = "",
    ) -> Meeting: ...  # fmt: skip


def _call_off(  # noqa: PLR0917 (what the two acts differ in)
    context: Context, meeting_id: int, scope: Scope, reason: str, ground: CallOffGround,
    act: _CallingOff,
) -> list[Meeting]:  # fmt: skip
    meeting = context.session.get(Meeting, meeting_id)
    found = occurrences(context, meeting, scope) if meeting else []
    if act is service.postpone_meeting:  # a fellow nobody was invited to cannot be put off
        found = [one for one in found if one is meeting or one.status in ANNOUNCED]
    gathered, together = _gathering(context)
    for one in [one.id for one in found] or [meeting_id]:
        act(
            context.session,
            one,
            reason,
            ground=ground,
            actor=context.actor,
            at=context.at,
            announcer=together.announcer,
            address=context.address,
        )
    if len(found) > 1:
        gathered.tell(context.announcer, context.session, context.at)
    else:
        for change in gathered.changes:
            context.announce(change.meeting, change.announcement)
    return found


def invite(context: Context, meeting_id: int) -> list[Meeting]:
    """Invite to all meetings of the series that stand where this one stands, in one letter."""
    gathered, together = _gathering(context)
    found = _alike(context, meeting_id)
    made = [progress.send_invitations(together, one) for one in found]
    gathered.tell(context.announcer, context.session, context.at)
    return made


def step(context: Context, meeting_id: int, trigger: Trigger, note: str) -> list[Meeting]:
    """Take ``trigger`` for all meetings of the series that stand where this one stands."""
    ids = _alike(context, meeting_id)
    return [progress.step(context, one, trigger, note=note) for one in ids]


def _alike(context: Context, meeting_id: int) -> list[int]:
    """The meetings of a series in the same state; a single one without series."""
    meeting = context.session.get(Meeting, meeting_id)
    if meeting is None or meeting.series_id is None:
        return [meeting_id]
    query = select(Meeting.id).where(
        Meeting.series_id == meeting.series_id, Meeting.status == meeting.status
    )
    return list(context.session.scalars(query.order_by(Meeting.series_day)))


def _part(context: Context, found: Sequence[Meeting]) -> MeetingSeries | None:
    """Make ``found`` a series of its own if meetings before it stay; the one they came from.

    The earlier part ends before the first of ``found``.
    """
    series = found[0].series
    days = [one.series_day for one in found if one.series_day is not None]
    if series is None or not days or (day := min(days)) <= series.first_day:
        return None
    earlier = [
        one for one in series.meetings
        if one.series_day is not None and one.series_day < day and one.status in CHANGEABLE | KEPT
    ]  # fmt: skip
    if not earlier:
        return None
    slot = series.slot(next(one for one in found if one.series_day == day))
    following = _new(context, _without_count(series, day), day, slot)
    following.left_out = [one for one in series.left_out if date.fromisoformat(one) >= day]
    series.rule = recurrence.rest_of(series.rule, series.first_day, day)
    series.left_out = [one for one in series.left_out if date.fromisoformat(one) < day]
    series.ics_sequence += 1
    following.ics_sequence = series.ics_sequence  # answers go on counting from there
    for one in found:
        one.series = following
    context.session.flush()
    return series


def _without_count(series: MeetingSeries, day: date) -> str:
    """The rule from ``day`` on: a COUNT is less by those that went before."""
    before = [one for one in recurrence.days(series.rule, series.first_day) if one < day]
    parts = []
    for part in series.rule.split(";"):
        name, _, value = part.partition("=")
        parts.append(f"COUNT={int(value) - len(before)}" if name == "COUNT" else part)
    return ";".join(parts)
