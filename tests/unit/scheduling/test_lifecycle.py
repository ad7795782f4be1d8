"""The table of a meeting's life."""

import pytest

from conference.errors import ConflictError
from conference.scheduling.lifecycle import (
    STATUS_WORDS,
    TRANSITIONS,
    Trigger,
    after,
    allows,
    to_mermaid,
)
from conference.scheduling.models import Status


def test_every_status_has_a_row_and_a_word() -> None:
    assert set(TRANSITIONS) == set(Status) == set(STATUS_WORDS)


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize("trigger", list(Trigger))
def test_what_is_not_in_the_table_is_refused_with_a_sentence(
    status: Status, trigger: Trigger
) -> None:
    if allows(status, trigger):
        assert after(status, trigger) is TRANSITIONS[status][trigger]
    else:
        with pytest.raises(ConflictError, match="trạng thái"):
            after(status, trigger)


def test_what_is_over_stays_over() -> None:
    assert not TRANSITIONS[Status.ENDED]
    assert not TRANSITIONS[Status.CANCELLED]


def test_every_status_can_be_reached_from_a_draft() -> None:
    reached, frontier = {Status.DRAFT}, [Status.DRAFT]
    while frontier:
        following = set(TRANSITIONS[frontier.pop()].values()) - reached
        reached |= following
        frontier += following
    assert reached == set(Status)


def test_the_diagram_has_one_line_for_each_transition() -> None:
    lines = to_mermaid().splitlines()
    assert lines[0] == "stateDiagram-v2"
    assert len(lines) - 1 == sum(len(row) for row in TRANSITIONS.values())
    assert "    invited --> postponed: postpone" in lines
