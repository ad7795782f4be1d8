"""What people and workers do to a recording's row, and what the room is told."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from conference.archive import recording as service
from conference.archive.models import Recording, RecordingState
from conference.archive.recording_states import START_S, Trigger
from conference.scheduling.models import Meeting, Status
from tests.support.recorded_meeting import STARTS_AT as T0


def seconds(count: float) -> datetime:
    return T0 + timedelta(seconds=count)


def begin(session: Session, meeting: Meeting) -> Recording:
    return service.request_recording(session, meeting, "Nguyễn Văn Ước", T0)


def write_bytes(session: Session, recording: Recording, owner: str, count: int, at: float) -> bool:
    return service.report_bytes(
        session, recording, owner, bytes_written=count, last_byte_at=seconds(at), at=seconds(at)
    )


def test_asking_twice_gives_the_same_recording(session: Session, meeting: Meeting) -> None:
    assert begin(session, meeting).id == begin(session, meeting).id


def test_database_itself_refuses_a_second_recording_being_captured(
    session: Session, meeting: Meeting
) -> None:
    begin(session, meeting)
    double = Recording(meeting_id=meeting.id, state_since=T0, decided_by="x", requested_at=T0)
    with pytest.raises(IntegrityError), session.begin_nested():
        session.add(double)


def test_after_a_stop_the_meeting_can_be_recorded_again(session: Session, meeting: Meeting) -> None:
    first = begin(session, meeting)
    assert service.request_stop(session, first, seconds(1))
    assert begin(session, meeting).id != first.id


def test_stopping_twice_is_no_error_and_keeps_the_first_time(
    session: Session, meeting: Meeting
) -> None:
    recording = begin(session, meeting)
    assert service.request_stop(session, recording, seconds(1))
    assert not service.request_stop(session, recording, seconds(9))
    assert recording.stop_requested_at == seconds(1)
    assert not recording.is_wanted


def test_one_worker_wins_a_claim_and_holds_it_until_the_lease_runs_out(
    session: Session, meeting: Meeting
) -> None:
    begin(session, meeting)
    claimed = service.claim_capture(session, "a", seconds(1))
    assert claimed is not None
    assert claimed.state is RecordingState.STARTING
    assert service.claim_capture(session, "b", seconds(2)) is None
    assert service.renew(session, claimed, "a", seconds(8))
    assert service.claim_capture(session, "b", seconds(8 + service.LEASE_S - 0.1)) is None
    taken = service.claim_capture(session, "b", seconds(8 + service.LEASE_S + 0.1))
    assert taken is not None
    assert taken.lease_owner == "b"
    assert not service.renew(session, claimed, "a", seconds(20))


def test_a_claim_taken_over_in_mid_recording_shows_as_interrupted_until_bytes_come(
    session: Session, meeting: Meeting
) -> None:
    begin(session, meeting)
    recording = service.claim_capture(session, "a", seconds(1))
    assert recording is not None
    assert write_bytes(session, recording, "a", 1000, 2)
    assert recording.state is RecordingState.ACTIVE
    assert service.claim_capture(session, "b", seconds(20)) is recording
    assert recording.state is RecordingState.INTERRUPTED
    assert service.public_state(recording, seconds(20)) == "interrupted"
    assert not write_bytes(session, recording, "a", 5000, 21)
    assert recording.bytes_written == 1000
    assert write_bytes(session, recording, "b", 1500, 22)
    assert recording.state is RecordingState.ACTIVE
    assert recording.started_at == seconds(2)


def test_a_released_claim_can_be_taken_at_once(session: Session, meeting: Meeting) -> None:
    begin(session, meeting)
    recording = service.claim_capture(session, "a", seconds(1))
    assert recording is not None
    assert not service.release(session, recording, "b")
    assert service.release(session, recording, "a")
    assert service.claim_capture(session, "b", seconds(1)) is recording


def test_claims_of_dead_workers_are_given_up_together(session: Session, meeting: Meeting) -> None:
    begin(session, meeting)
    service.claim_capture(session, "dead", seconds(1))
    assert service.release_all(session, []) == 0
    assert service.release_all(session, ["dead", "other"]) == 1
    session.expire_all()
    assert service.claim_capture(session, "b", seconds(1)) is not None


def test_light_says_recording_only_while_bytes_are_young(
    session: Session, meeting: Meeting
) -> None:
    assert service.public_state(None, T0) == "off"
    recording = begin(session, meeting)
    assert service.public_state(recording, seconds(1)) == "starting"
    assert service.public_state(recording, seconds(START_S + 1)) == "interrupted"
    service.claim_capture(session, "a", seconds(2))
    write_bytes(session, recording, "a", 10, 3)
    assert service.public_state(recording, seconds(3 + service.LIGHT_S - 0.1)) == "recording"
    assert service.public_state(recording, seconds(3 + service.LIGHT_S)) == "interrupted"
    service.request_stop(session, recording, seconds(9))
    assert service.public_state(recording, seconds(9)) == "stopping"
    service.finish(session, recording, "a", Trigger.DRAINED, at=seconds(10))
    assert service.public_state(recording, seconds(10)) == "off"


def test_silence_interrupts_and_says_why_and_bytes_clear_it(
    session: Session, meeting: Meeting
) -> None:
    recording = begin(session, meeting)
    service.claim_capture(session, "a", seconds(1))
    write_bytes(session, recording, "a", 10, 2)
    service.report_bytes(
        session, recording, "a", bytes_written=10, last_byte_at=seconds(2), at=seconds(8)
    )
    assert recording.state is RecordingState.INTERRUPTED
    assert recording.error
    write_bytes(session, recording, "a", 20, 9)
    assert recording.state is RecordingState.ACTIVE
    assert recording.error == ""


def test_nothing_to_record_yet_is_a_start_that_waits(session: Session, meeting: Meeting) -> None:
    recording = begin(session, meeting)
    service.claim_capture(session, "a", seconds(1))
    service.report_bytes(session, recording, "a", bytes_written=0, last_byte_at=None, at=seconds(3))
    assert recording.state is RecordingState.STARTING
    assert service.reconcile(session, seconds(2 + START_S)) == 1
    assert recording.state is RecordingState.INTERRUPTED


def test_the_end_of_the_meeting_stops_its_recording(session: Session, meeting: Meeting) -> None:
    recording = begin(session, meeting)
    assert service.reconcile(session, seconds(1)) == 0
    meeting.status = Status.ENDED
    session.flush()
    assert service.reconcile(session, seconds(2)) == 1
    assert recording.state is RecordingState.STOPPING


def test_an_unclaimed_request_fails_with_a_reason_and_frees_the_meeting(
    session: Session, meeting: Meeting
) -> None:
    recording = begin(session, meeting)
    service.reconcile(session, seconds(121))
    assert recording.state is RecordingState.FAILED_START
    assert recording.error
    assert service.public_state(recording, seconds(121)) == "failed"
    assert begin(session, meeting).id != recording.id


@pytest.mark.parametrize(
    ("written", "state"),
    [(0, RecordingState.FAILED_START), (10, RecordingState.CAPTURED)],
)
def test_a_worker_that_never_closes_is_overruled_and_media_kept(
    session: Session, meeting: Meeting, written: int, state: RecordingState
) -> None:
    recording = begin(session, meeting)
    service.claim_capture(session, "a", seconds(1))
    if written:
        write_bytes(session, recording, "a", written, 2)
    service.request_stop(session, recording, seconds(3))
    service.reconcile(session, seconds(64))
    assert recording.state is state
    assert recording.lease_owner == ""


def test_composing_is_tried_three_times_then_kept_as_failed(
    session: Session, meeting: Meeting
) -> None:
    recording = begin(session, meeting)
    service.claim_capture(session, "a", seconds(1))
    write_bytes(session, recording, "a", 10, 2)
    service.request_stop(session, recording, seconds(3))
    service.finish(session, recording, "a", Trigger.DRAINED, at=seconds(4))
    for attempt in range(1, service.MAX_COMPOSE_ATTEMPTS + 1):
        claimed = service.claim_composing(session, "a", seconds(4 + attempt))
        assert claimed is recording
        assert recording.attempts == attempt
        assert service.report_progress(session, recording, "a", 0.5, seconds(5))
        service.fail_composing(session, recording, "a", "ffmpeg: hỏng", seconds(5 + attempt))
    assert recording.state is RecordingState.FAILED_COMPOSE
    assert recording.error == "ffmpeg: hỏng"
    assert service.claim_composing(session, "a", seconds(30)) is None
    assert service.request_composing(session, recording, seconds(40))
    assert service.claim_composing(session, "a", seconds(41)) is recording


def test_a_composer_that_is_killed_each_time_does_not_go_on_for_ever(
    session: Session, meeting: Meeting
) -> None:
    recording = begin(session, meeting)
    service.claim_capture(session, "a", seconds(1))
    write_bytes(session, recording, "a", 10, 2)
    service.request_stop(session, recording, seconds(3))
    service.finish(session, recording, "a", Trigger.DRAINED, at=seconds(4))
    times = [seconds(10 + 60 * n) for n in range(service.MAX_COMPOSE_ATTEMPTS + 1)]
    claims = [service.claim_composing(session, f"worker {n}", at) for n, at in enumerate(times)]
    assert [c is not None for c in claims] == [True, True, True, False]
    assert recording.state is RecordingState.FAILED_COMPOSE
