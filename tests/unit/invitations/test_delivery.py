"""What follows from an attempt to send."""

from datetime import UTC, datetime, timedelta

from conference.invitations.delivery import (
    FIRST_WAIT,
    LONGEST_WAIT,
    Accepted,
    Deferred,
    Refused,
    after_attempt,
    wait_after,
)
from conference.invitations.models import Delivery

AT = datetime(2026, 11, 23, tzinfo=UTC)


def test_waiting_doubles_up_to_half_an_hour() -> None:
    waits = [wait_after(n) for n in range(1, 60)]
    assert waits[0] == FIRST_WAIT
    assert waits == sorted(waits)
    assert waits[1] == 2 * FIRST_WAIT
    assert waits[-1] == LONGEST_WAIT == timedelta(minutes=30)


def test_an_accepted_letter_is_sent() -> None:
    verdict = after_attempt(Accepted(), attempts=3, max_attempts=40, at=AT)
    assert verdict.state is Delivery.SENT
    assert not verdict.error


def test_a_refused_letter_fails_at_once_with_the_servers_words() -> None:
    verdict = after_attempt(Refused("550 no such user"), attempts=1, max_attempts=40, at=AT)
    assert verdict.state is Delivery.FAILED
    assert verdict.error == "550 no such user"


def test_a_deferred_letter_waits_and_fails_only_when_tries_run_out() -> None:
    early = after_attempt(Deferred("451"), attempts=39, max_attempts=40, at=AT)
    assert early.state is Delivery.WAITING
    assert early.next_attempt_at == AT + LONGEST_WAIT
    last = after_attempt(Deferred("451"), attempts=40, max_attempts=40, at=AT)
    assert last.state is Delivery.FAILED
