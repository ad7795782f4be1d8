"""A real worker process is killed in mid-recording; the meeting's file has everything but a gap."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from conference.archive import recording as recordings
from conference.archive.models import Recording, RecordingState
from conference.database import Database
from recordings.compose.pieces import pieces_of, presence_of
from recordings.composing import read_session
from recordings.store import manifest
from recordings.store.folder import FolderStore
from tests.support.playing import loudness_db, mean_brightness, read_chapters
from tests.support.recorded_meeting import hold_meeting

pytestmark = pytest.mark.media

Start = Callable[[], "subprocess.Popen[bytes]"]


@pytest.fixture
def start_worker(database_url: str, tmp_path: Path, media: Path) -> Iterator[Start]:
    started: list[subprocess.Popen[bytes]] = []

    def start() -> "subprocess.Popen[bytes]":
        command = [
            sys.executable, "-m", "tests.support.canned_worker",
            database_url, str(tmp_path / "store"), str(media),
        ]  # fmt: skip
        log = (tmp_path / f"worker-{len(started)}.log").open("wb")
        with log:
            started.append(subprocess.Popen(command, stderr=log))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait(10)


def wait_for(database: Database, recording_id: int, until: Callable[[Recording], bool],
             within_s: float) -> Recording:  # fmt: skip
    deadline = time.monotonic() + within_s
    while True:
        with database.reading() as session:
            row = session.get_one(Recording, recording_id)
            if until(row):
                return row
        assert time.monotonic() < deadline, (row.state, row.error, row.bytes_written)
        time.sleep(0.1)


def begin(database: Database) -> int:
    with database.transaction() as session:
        meeting = hold_meeting(session)
        row = recordings.request_recording(session, meeting, "Chủ trì", datetime.now(UTC))
        return row.id


def stop(database: Database, recording_id: int) -> None:
    with database.transaction() as session:
        row = session.get_one(Recording, recording_id)
        recordings.request_stop(session, row, datetime.now(UTC))


def light(row: Recording) -> str:
    return recordings.public_state(row, datetime.now(UTC))


def test_a_worker_killed_in_mid_recording_costs_two_seconds_and_the_file_says_where(
    database: Database, start_worker: Start, tmp_path: Path
) -> None:
    recording_id = begin(database)
    first = start_worker()
    wait_for(database, recording_id, lambda row: light(row) == "recording", 20)
    wait_for(database, recording_id, lambda row: row.bytes_written > 200_000, 20)
    killed_at = time.time()
    first.send_signal(signal.SIGKILL)
    first.wait(10)
    wait_for(database, recording_id, lambda row: light(row) == "interrupted", 10)

    start_worker()
    row = wait_for(database, recording_id, lambda row: light(row) == "recording", 20)
    resumed = row.bytes_written
    wait_for(database, recording_id, lambda row: row.bytes_written > resumed + 200_000, 20)
    stop(database, recording_id)
    row = wait_for(database, recording_id, lambda row: row.state is RecordingState.PUBLISHED, 90)

    store = FolderStore(tmp_path / "store")
    crashed, resumed_session = store.sessions(row.folder)
    root = store.folder(row.folder)
    session, measures = read_session(root, crashed)
    pieces = pieces_of(session, measures)
    span = presence_of(session, pieces)
    assert span is not None
    assert killed_at - min(piece.ends_s for piece in pieces) <= 2.0

    composed = store.composed(row.folder)
    later, later_measures = read_session(root, resumed_session)
    begins = min(piece.starts_s for piece in pieces)
    ends = max(piece.ends_s for piece in pieces_of(later, later_measures))
    assert row.duration_s == pytest.approx(ends - begins, abs=1.0)
    assert [gap["reason"] for gap in row.gaps] == ["Máy ghi bị gián đoạn"]
    gap = row.gaps[0]
    assert any("Gián đoạn" in title for _, title in read_chapters(composed))
    assert [title for _, title in read_chapters(composed)] == [c["title"] for c in row.chapters]

    assert mean_brightness(composed, at_s=gap["from_s"] / 2) > 60
    assert mean_brightness(composed, at_s=(gap["from_s"] + gap["to_s"]) / 2) < 40
    assert mean_brightness(composed, at_s=(gap["to_s"] + row.duration_s) / 2) > 60
    assert loudness_db(composed, 0.5, gap["from_s"] - 0.5) > -40
    assert loudness_db(composed, gap["from_s"] + 0.5, gap["to_s"] - 0.5) < -60
    assert loudness_db(composed, gap["to_s"] + 0.5, row.duration_s - 0.5) > -40
    assert manifest.check(store, row.folder, row.manifest_sha256) == []


def test_a_worker_killed_while_composing_is_followed_by_one_that_publishes(
    database: Database, start_worker: Start, tmp_path: Path
) -> None:
    recording_id = begin(database)
    first = start_worker()
    wait_for(database, recording_id, lambda row: row.bytes_written > 400_000, 30)
    stop(database, recording_id)
    wait_for(database, recording_id, lambda row: row.state is RecordingState.COMPOSING, 20)
    first.send_signal(signal.SIGKILL)
    first.wait(10)
    start_worker()
    row = wait_for(database, recording_id, lambda row: row.state is RecordingState.PUBLISHED, 60)
    assert row.attempts == 2
    store = FolderStore(tmp_path / "store")
    assert manifest.check(store, row.folder, row.manifest_sha256) == []
    assert mean_brightness(store.composed(row.folder), at_s=1) > 60


def test_a_worker_told_to_end_completes_its_files_and_leaves_the_row_takeable(
    database: Database, start_worker: Start, tmp_path: Path
) -> None:
    recording_id = begin(database)
    worker = start_worker()
    wait_for(database, recording_id, lambda row: row.bytes_written > 100_000, 20)
    begun = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(5) == 0
    assert time.monotonic() - begun < 5
    with database.reading() as session:
        row = session.get_one(Recording, recording_id)
        assert row.lease_owner == ""
        assert row.lease_until is None
        assert row.state is RecordingState.ACTIVE
    (folder,) = FolderStore(tmp_path / "store").sessions(row.folder)
    kinds = (folder / "journal.ndjson").read_text().splitlines()
    assert '"session_stopped"' in "".join(kinds[-5:])
    assert len(list(folder.glob("*.mkv"))) == 3
