"""Which mail is sent when: what follows from an attempt, and who may make it.

Rows are claimed under a lease, so several web processes may run the same worker: a process that
dies while sending lets its lease run out and another takes over (a letter may then arrive twice,
never not at all; its calendar part has the same UID and SEQUENCE and changes nothing). The
letters of one site leave in the order they were written.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session, aliased

from conference.invitations.models import Channel, Delivery, OutboxMessage
from conference.scheduling.models import ANNOUNCED, InvitedSite, Meeting

FIRST_WAIT: Final = timedelta(seconds=20)
LONGEST_WAIT: Final = timedelta(minutes=30)
LEASE: Final = timedelta(minutes=2)
"""Longer than a batch takes: a connection that breaks ends its batch (`SmtpMailer`)."""
BATCH: Final = 20
MAX_ERROR: Final = 500


@dataclass(frozen=True, slots=True)
class Accepted:
    """The server took the letter."""


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not now: the server is away, busy, or says so with a 4xx reply."""

    error: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Never: a 5xx reply to this letter."""

    error: str


Outcome = Accepted | Deferred | Refused


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a row stands after an attempt."""

    state: Delivery
    next_attempt_at: datetime
    error: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """What is needed to send one letter."""

    id: int
    recipient: str
    content: str
    channel: Channel = Channel.MAIL


def wait_after(attempts: int) -> timedelta:
    """How long to wait after ``attempts`` failures (≥ 1): doubling, at most half an hour."""
    doublings = min(attempts - 1, 16)  # enough to reach the limit
    return min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)


def after_attempt(outcome: Outcome, *, attempts: int, max_attempts: int, at: datetime) -> Verdict:
    """What becomes of a letter whose ``attempts``-th attempt (from 1) ended with ``outcome``."""
    match outcome:
        case Accepted():
            return Verdict(Delivery.SENT, at, "")
        case Refused(error):
            return Verdict(Delivery.FAILED, at, error[:MAX_ERROR])
        case Deferred(error):
            is_last = attempts >= max_attempts
            state = Delivery.FAILED if is_last else Delivery.WAITING
            return Verdict(state, at + wait_after(attempts), error[:MAX_ERROR])


def _is_due(at: datetime, channels: Collection[Channel]) -> ColumnElement[bool]:
    earlier = aliased(OutboxMessage)
    waits_behind = (
        select(earlier.id)
        .where(
            earlier.invited_site_id == OutboxMessage.invited_site_id,
            earlier.channel == OutboxMessage.channel,
            earlier.id < OutboxMessage.id,
            earlier.state == Delivery.WAITING,
        )
        .exists()
    )
    return and_(
        OutboxMessage.state == Delivery.WAITING,
        OutboxMessage.channel.in_(channels),
        OutboxMessage.next_attempt_at <= at,
        or_(OutboxMessage.lease_until.is_(None), OutboxMessage.lease_until <= at),
        ~waits_behind,
    )


def has_due(
    session: Session, at: datetime, channels: Collection[Channel] = (Channel.MAIL,)
) -> bool:
    """Whether there is anything to send; only reads."""
    return (
        session.scalar(select(OutboxMessage.id).where(_is_due(at, channels)).limit(1)) is not None
    )


def claim(
    session: Session, *, owner: str, at: datetime, channels: Collection[Channel] = (Channel.MAIL,)
) -> list[Claimed]:
    """Take a batch of due messages on ``channels`` for ``owner`` until the lease ends.

    What is no longer true by then is dropped, however long the mail server was away.
    """
    _drop_stale(session, at)
    query = (
        select(OutboxMessage)
        .where(_is_due(at, channels))
        .order_by(OutboxMessage.next_attempt_at, OutboxMessage.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    rows: Sequence[OutboxMessage] = session.scalars(query).all()
    for row in rows:
        row.lease_owner = owner
        row.lease_until = at + LEASE
    return [Claimed(row.id, row.recipient, row.content, row.channel) for row in rows]


def _drop_stale(session: Session, at: datetime) -> None:
    """Drop waiting messages whose time is over, or whose meeting is not as they say."""
    is_so = (
        select(Meeting.id)
        .join(InvitedSite, InvitedSite.meeting_id == Meeting.id)
        .where(
            InvitedSite.id == OutboxMessage.invited_site_id,
            InvitedSite.withdrawn_at.is_(None),
            Meeting.starts_at == OutboxMessage.about_start,
            Meeting.status.in_(ANNOUNCED),
        )
        .exists()
    )
    session.execute(
        update(OutboxMessage)
        .where(
            OutboxMessage.state == Delivery.WAITING,
            or_(
                OutboxMessage.expires_at <= at,
                and_(OutboxMessage.about_start.is_not(None), ~is_so),
            ),
        )
        .values(state=Delivery.DROPPED, lease_owner="", lease_until=None, last_error="")
        .execution_options(synchronize_session=False)
    )


def release(session: Session, *, owner: str) -> None:
    """Give back what ``owner`` claimed and did not try."""
    session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.lease_owner == owner, OutboxMessage.state == Delivery.WAITING)
        .values(lease_owner="", lease_until=None)
    )


def settle(
    session: Session,
    message_id: int,
    outcome: Outcome,
    *,
    owner: str,
    at: datetime,
    max_attempts: int,
) -> bool:
    """Write down how an attempt ended. False if ``owner`` lost the lease and another decides."""
    row = session.get(OutboxMessage, message_id, with_for_update=True)
    if row is None or row.lease_owner != owner or row.state is not Delivery.WAITING:
        return False
    row.attempts += 1
    verdict = after_attempt(outcome, attempts=row.attempts, max_attempts=max_attempts, at=at)
    row.state = verdict.state
    row.next_attempt_at = verdict.next_attempt_at
    row.last_error = verdict.error
    row.sent_at = at if verdict.state is Delivery.SENT else None
    row.lease_owner = ""
    row.lease_until = None
    return True
