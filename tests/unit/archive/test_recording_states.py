"""The table of a recording's life."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from conference.archive.models import RecordingState
from conference.archive.recording_states import (
    CAPTURE_STATES,
    DEADLINES,
    FINAL_STATES,
    TRANSITIONS,
    IllegalTransitionError,
    Trigger,
    after,
    deadline_of,
    to_mermaid,
)

DOCUMENT = Path(__file__).parents[3] / "docs" / "recording.md"


def test_every_state_has_a_row() -> None:
    assert set(TRANSITIONS) == set(RecordingState)


def test_every_state_can_be_reached() -> None:
    reached = {RecordingState.REQUESTED}
    while True:
        further = {b for a in reached for b in TRANSITIONS[a].values()} | reached
        if further == reached:
            break
        reached = further
    assert reached == set(RecordingState)


def test_every_state_that_is_not_final_has_a_deadline_whose_trigger_it_knows() -> None:
    assert set(DEADLINES) == set(RecordingState) - set(FINAL_STATES)
    for state, deadline in DEADLINES.items():
        assert deadline.trigger in TRANSITIONS[state]
        assert deadline.reason


def test_deadlines_alone_bring_every_recording_to_a_final_state() -> None:
    for start in RecordingState:
        state, steps = start, 0
        while state in DEADLINES:
            state = after(state, DEADLINES[state].trigger)
            if state is RecordingState.CAPTURED:  # composing is tried a counted number of times
                state = after(state, Trigger.GIVE_UP)
            steps += 1
            assert steps < len(RecordingState)
        assert state in FINAL_STATES


def test_a_stop_is_heeded_in_every_state_that_captures() -> None:
    for state in CAPTURE_STATES:
        assert after(state, Trigger.STOP) is RecordingState.STOPPING


def test_a_trigger_without_an_entry_is_refused_by_name() -> None:
    with pytest.raises(IllegalTransitionError, match="published cannot stop"):
        after(RecordingState.PUBLISHED, Trigger.STOP)


def test_composing_may_last_longer_for_a_longer_recording() -> None:
    since = datetime(2026, 12, 10, 1, tzinfo=UTC)
    assert deadline_of(RecordingState.COMPOSING, since, 0) == since + timedelta(minutes=10)
    assert deadline_of(RecordingState.COMPOSING, since, 3600) == since + timedelta(minutes=130)
    assert deadline_of(RecordingState.PUBLISHED, since, 3600) is None


def test_the_documents_diagram_is_the_table() -> None:
    assert to_mermaid() in DOCUMENT.read_text(encoding="utf-8")
