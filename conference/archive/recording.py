"""A recording from the chair's decision to the published file, as acts upon its row.

Wish and fact stay apart: `request_recording` and `request_stop` write the wish (`is_wanted`),
the worker writes the facts under a *lease* (`lease_owner`, `lease_until`). A lease that ran out
may be taken by any worker: the recording then goes on with the next segment. Every change of
state is a compare-and-set on the row, so that of two workers, or a worker and a person, one wins.
A meeting may be recorded several times, but by one recording at a time; an earlier one may still
be composed meanwhile. States, triggers and deadlines: `conference.archive.recording_states`.

Capturing never discards: a failed composing keeps the raw media and may be tried again.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import CursorResult, Select, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from conference.archive.models import Recording, RecordingState
from conference.archive.recording_states import (
    CAPTURE_STATES,
    DEADLINES,
    START_S,
    TRANSITIONS,
    WORK_STATES,
    Trigger,
    after,
    deadline_of,
)
from conference.scheduling.models import CALLED_OFF, HELD, Meeting

LEASE_S: Final = 8.0
"""How long a worker's claim holds without being renewed; a crash costs at most this."""

LIGHT_S: Final = 5.0
"""REC is lit while the newest byte on disk is younger than this."""

MAX_COMPOSE_ATTEMPTS: Final = 3

_S = RecordingState


def public_state(recording: Recording | None, at: datetime) -> str:
    """What every screen of the room shows: off, starting, recording, interrupted, stopping, failed.

    ``recording`` is said only if a byte reached the disk within `LIGHT_S`.
    """
    if recording is None:
        return "off"
    if recording.state in CAPTURE_STATES:
        return _light_while_capturing(recording, at)
    return {_S.STOPPING: "stopping", _S.FAILED_START: "failed"}.get(recording.state, "off")


def _light_while_capturing(recording: Recording, at: datetime) -> str:
    newest = recording.last_byte_at
    if newest is not None and at - newest < timedelta(seconds=LIGHT_S):
        return "recording"
    is_new = recording.started_at is None and recording.state is not _S.INTERRUPTED
    if is_new and at - recording.requested_at < timedelta(seconds=START_S):
        return "starting"
    return "interrupted"


# --- what a person may ask ------------------------------------------------------------------


def capturing(session: Session, meeting_id: int) -> Recording | None:
    """The meeting's recording that is being captured, or None."""
    return session.scalars(
        select(Recording).where(
            Recording.meeting_id == meeting_id, Recording.state.in_(CAPTURE_STATES)
        )
    ).one_or_none()


def latest(session: Session, meeting_id: int) -> Recording | None:
    """The meeting's newest recording in whatever state, or None: the one the REC light is about."""
    return session.scalars(
        select(Recording)
        .where(Recording.meeting_id == meeting_id)
        .order_by(Recording.id.desc())
        .limit(1)
    ).one_or_none()


def request_recording(
    session: Session, meeting: Meeting, decided_by: str, at: datetime
) -> Recording:
    """The chair decides to record. Asked again while it runs, the same recording is returned."""
    running = capturing(session, meeting.id)
    if running is not None:
        return running
    recording = Recording(
        meeting_id=meeting.id,
        is_wanted=True,
        state=_S.REQUESTED,
        state_since=at,
        decided_by=decided_by,
        requested_at=at,
    )
    try:
        with session.begin_nested():
            session.add(recording)
    except IntegrityError:  # somebody else was first; the index keeps one a meeting
        running = capturing(session, meeting.id)
        if running is None:
            raise
        return running
    return recording


def request_stop(session: Session, recording: Recording, at: datetime) -> bool:
    """Ask the worker to end it. False if it had ended or was ending already (no error)."""
    if recording.state not in CAPTURE_STATES:
        return False
    return _move(
        session,
        recording,
        Trigger.STOP,
        at,
        {"is_wanted": False, "stop_requested_at": recording.stop_requested_at or at},
    )


def request_composing(session: Session, recording: Recording, at: datetime) -> bool:
    """Try a failed composing again from the raw media. False if it is not in that state."""
    if recording.state is not _S.FAILED_COMPOSE:
        return False
    return _move(session, recording, Trigger.TRY_AGAIN, at, {"attempts": 0, "error": ""})


# --- what a worker does, under its lease ----------------------------------------------------


def claim_capture(session: Session, owner: str, at: datetime) -> Recording | None:
    """Take one recording that should be captured (or brought to an end) and that nobody holds."""
    for recording in session.scalars(_unheld(WORK_STATES, at)):
        if _take(session, recording, Trigger.CLAIM, owner, at=at):
            return recording
    return None


def claim_composing(session: Session, owner: str, at: datetime) -> Recording | None:
    """Take one recording that waits to be composed, or whose composing worker fell silent."""
    for recording in session.scalars(_unheld((_S.CAPTURED, _S.COMPOSING), at)):
        if recording.attempts >= MAX_COMPOSE_ATTEMPTS:
            _move(session, recording, Trigger.GIVE_UP, at, {"lease_owner": ""})
            continue
        changes = {"attempts": recording.attempts + 1, "progress": 0.0}
        if _take(session, recording, Trigger.COMPOSE, owner, at=at, changes=changes):
            return recording
    return None


def renew(session: Session, recording: Recording, owner: str, at: datetime) -> bool:
    """Hold on to a claim. False: it is another worker's by now, so stop touching its files."""
    return _write(
        session,
        recording,
        {"lease_until": at + timedelta(seconds=LEASE_S)},
        Recording.lease_owner == owner,
    )


def release(session: Session, recording: Recording, owner: str) -> bool:
    """Give a claim up so that any worker can take it at once."""
    return _write(
        session,
        recording,
        {"lease_owner": "", "lease_until": None},
        Recording.lease_owner == owner,
    )


def release_all(session: Session, owners: Sequence[str]) -> int:
    """Give up the claims of workers known to be dead; how many there were."""
    if not owners:
        return 0
    statement = (
        update(Recording)
        .where(Recording.lease_owner.in_(owners))
        .values(lease_owner="", lease_until=None)
    )
    return cast("CursorResult[Any]", session.execute(statement)).rowcount


def report_bytes(
    session: Session,
    recording: Recording,
    owner: str,
    *,
    bytes_written: int,
    last_byte_at: datetime | None,
    at: datetime,
) -> bool:
    """Heartbeat of the capturing worker: facts, lease and the state that follows from them.

    ``bytes_written`` counts over all segments. False: the claim was lost.
    """
    facts: dict[str, Any] = {
        "lease_until": at + timedelta(seconds=LEASE_S),
        "bytes_written": bytes_written,
        "last_byte_at": last_byte_at,
    }
    if recording.started_at is None and bytes_written > 0:
        facts["started_at"] = last_byte_at or at
    is_held = Recording.lease_owner == owner
    if not _write(session, recording, facts, is_held):
        return False
    is_growing = last_byte_at is not None and at - last_byte_at < timedelta(seconds=LIGHT_S)
    trigger = Trigger.BYTES if is_growing else Trigger.SILENCE
    moves = TRANSITIONS[recording.state]
    is_starting = recording.state is _S.STARTING and not is_growing
    if trigger in moves and not is_starting:
        reason = "" if is_growing else "Không còn nhận được tiếng hoặc hình nào."
        _move(session, recording, trigger, at, {"error": reason}, is_held)
    return True


def finish(
    session: Session,
    recording: Recording,
    owner: str,
    trigger: Trigger,
    *,
    at: datetime,
    facts: Mapping[str, Any] | None = None,
) -> bool:
    """Fire ``trigger`` with ``facts`` (columns) and give the claim up. False: it was lost."""
    changes = {**(facts or {}), "lease_owner": "", "lease_until": None}
    return _move(session, recording, trigger, at, changes, Recording.lease_owner == owner)


def fail_composing(
    session: Session, recording: Recording, owner: str, reason: str, at: datetime
) -> bool:
    """A try at composing failed: try again later, or give up after `MAX_COMPOSE_ATTEMPTS`."""
    is_last = recording.attempts >= MAX_COMPOSE_ATTEMPTS
    trigger = Trigger.GIVE_UP if is_last else Trigger.TRY_AGAIN
    return finish(session, recording, owner, trigger, at=at, facts={"error": reason})


def report_progress(
    session: Session, recording: Recording, owner: str, progress: float, at: datetime
) -> bool:
    """Heartbeat of the composing worker, ``progress`` 0…1. False: the claim was lost."""
    return _write(
        session,
        recording,
        {"progress": progress, "lease_until": at + timedelta(seconds=LEASE_S)},
        Recording.lease_owner == owner,
    )


# --- what the reconciler does ---------------------------------------------------------------


def reconcile(session: Session, at: datetime) -> int:
    """Stop what nobody needs any more and end what outlived its deadline; how many moved."""
    return _stop_ended(session, at) + _end_overdue(session, at)


def _stop_ended(session: Session, at: datetime) -> int:
    over = HELD | CALLED_OFF
    rows = session.scalars(
        select(Recording)
        .join(Meeting, Meeting.id == Recording.meeting_id)
        .where(Recording.state.in_(CAPTURE_STATES), Meeting.status.in_(over))
    ).all()
    return sum(request_stop(session, recording, at) for recording in rows)


def _end_overdue(session: Session, at: datetime) -> int:
    rows = session.scalars(select(Recording).where(Recording.state.in_(tuple(DEADLINES)))).all()
    return sum(_end_if_overdue(session, recording, at) for recording in rows)


def _end_if_overdue(session: Session, recording: Recording, at: datetime) -> bool:
    overdue_at = deadline_of(recording.state, recording.state_since, recording.duration_s or 0.0)
    if overdue_at is None or at < overdue_at:
        return False
    deadline = DEADLINES[recording.state]
    trigger = deadline.trigger
    changes: dict[str, Any] = {"error": deadline.reason}
    if trigger is Trigger.DRAINED and recording.bytes_written == 0:
        trigger = Trigger.NOTHING_CAPTURED
    if trigger is Trigger.TRY_AGAIN and recording.attempts >= MAX_COMPOSE_ATTEMPTS:
        trigger = Trigger.GIVE_UP
    if trigger is Trigger.STOP:
        changes |= {"is_wanted": False, "stop_requested_at": at}
    if recording.state in (_S.STOPPING, _S.COMPOSING):
        changes |= {"lease_owner": "", "lease_until": None}
    return _move(session, recording, trigger, at, changes)


# --- compare and set ------------------------------------------------------------------------


def _unheld(states: tuple[RecordingState, ...], at: datetime) -> Select[Recording]:
    return (
        select(Recording)
        .where(
            Recording.state.in_(states),
            (Recording.lease_until.is_(None)) | (Recording.lease_until < at),
        )
        .order_by(Recording.id)
    )


def _take(
    session: Session,
    recording: Recording,
    trigger: Trigger,
    owner: str,
    *,
    at: datetime,
    changes: Mapping[str, Any] | None = None,
) -> bool:
    changes = {
        **(changes or {}),
        "lease_owner": owner,
        "lease_until": at + timedelta(seconds=LEASE_S),
    }
    is_free = (Recording.lease_until.is_(None)) | (Recording.lease_until < at)
    return _move(session, recording, trigger, at, changes, is_free)


def _move(
    session: Session,
    recording: Recording,
    trigger: Trigger,
    at: datetime,
    changes: Mapping[str, Any],
    *conditions: Any,
) -> bool:
    before = recording.state
    now = after(before, trigger)
    values: dict[str, Any] = {**changes, "state": now}
    if now is not before:
        values["state_since"] = at
    return _write(session, recording, values, Recording.state == before, *conditions)


def _write(
    session: Session, recording: Recording, values: Mapping[str, Any], *conditions: Any
) -> bool:
    statement = (
        update(Recording)
        .where(Recording.id == recording.id, *conditions)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    has_won = cast("CursorResult[Any]", session.execute(statement)).rowcount == 1
    session.refresh(recording)
    return has_won
