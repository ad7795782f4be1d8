"""The table of a meeting's life."""

from pathlib import Path

import pytest

from conference.access.models import Role
from conference.access.policy import Actor, may
from conference.errors import ConflictError
from conference.scheduling.lifecycle import (
    STATUS_WORDS,
    STEPS,
    TRANSITIONS,
    Demand,
    Trigger,
    after,
    allows,
    to_mermaid,
    to_table,
)
from conference.scheduling.models import CALLED_OFF, HELD, Status


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


def test_what_was_held_or_cancelled_never_comes_back() -> None:
    for status in HELD:
        assert set(TRANSITIONS[status].values()) <= HELD
    assert not TRANSITIONS[Status.CANCELLED]
    assert not TRANSITIONS[Status.ARCHIVED]


def test_no_two_rows_answer_the_same_question() -> None:
    asked = [(before, step.trigger) for step in STEPS for before in step.before]
    assert len(asked) == len(set(asked))


def test_every_row_names_a_right_that_somebody_has() -> None:
    for step in STEPS:
        assert any(may(Actor(1, role, ""), step.verb) for role in Role), step


def test_nobody_is_invited_without_sites_and_nothing_is_called_off_without_a_reason() -> None:
    for step in STEPS:
        if step.trigger is Trigger.INVITE:
            assert Demand.SITES in step.demands
        if step.then in CALLED_OFF:
            assert Demand.REASON in step.demands


def test_editing_what_was_approved_asks_for_approval_again() -> None:
    assert after(Status.APPROVED, Trigger.EDIT) is Status.REQUESTED


def test_the_documentation_shows_the_table() -> None:
    page = (Path(__file__).parents[3] / "docs/scheduling.md").read_text(encoding="utf-8")
    assert to_mermaid() in page
    assert to_table() in page


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
    moves = [one for step in STEPS if step.then for one in step.before]
    assert len(lines) - 1 == len(moves)
    assert "    invited --> postponed: postpone" in lines
