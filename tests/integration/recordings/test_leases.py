"""Claims under real concurrency: workers and people at once, on both databases."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier
from typing import TypeVar

import pytest
from sqlalchemy import select

from conference.archive import recording as service
from conference.archive.models import Recording, RecordingState
from conference.archive.recording_states import Trigger
from conference.database import Base, Database
from conference.scheduling.models import Meeting
from tests.support import postgres
from tests.support.recorded_meeting import hold_meeting

WORKERS = 6


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def any_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('leases') / 'test.sqlite3'}"
        yield from _open(url)
        return
    if postgres.find_binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    with postgres.cluster(Path(tmp_path_factory.mktemp("pg"))) as cluster:
        yield from _open(cluster.new_database())


def _open(url: str) -> Iterator[Database]:
    database = Database(url)
    Base.metadata.create_all(database.engine)
    yield database
    database.dispose()


T = TypeVar("T")


def at_once(act: Callable[[int], T]) -> list[T]:
    barrier = Barrier(WORKERS)

    def run(number: int) -> T:
        barrier.wait(10)
        return act(number)

    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(run, range(WORKERS)))


def test_people_who_ask_at_once_get_one_recording_and_workers_who_claim_at_once_share_out(
    any_database: Database,
) -> None:
    with any_database.transaction() as session:
        meetings = [hold_meeting(session, room_name=f"phong-{n}").id for n in range(3)]
    now = datetime.now(UTC)

    def ask(number: int) -> list[int]:
        found = []
        for meeting_id in meetings:
            with any_database.transaction() as session:
                meeting = session.get_one(Meeting, meeting_id)
                found.append(service.request_recording(session, meeting, f"p{number}", now).id)
        return found

    answers = at_once(ask)
    assert all(answer == answers[0] for answer in answers)

    def claim(number: int) -> int | None:
        with any_database.transaction() as session:
            row = service.claim_capture(session, f"worker-{number}", now)
            return row.id if row else None

    claimed = [one for one in at_once(claim) if one is not None]
    assert len(claimed) == len(set(claimed))
    assert set(claimed) <= set(answers[0])

    def stop(number: int) -> bool:
        with any_database.transaction() as session:
            return service.request_stop(session, session.get_one(Recording, answers[0][0]), now)

    assert sum(at_once(stop)) == 1


def test_one_composer_wins(any_database: Database) -> None:
    now = datetime.now(UTC)
    with any_database.transaction() as session:
        meeting = hold_meeting(session)
        row = service.request_recording(session, meeting, "p", now)
        service.claim_capture(session, "w", now)
        service.report_bytes(session, row, "w", bytes_written=9, last_byte_at=now, at=now)
        service.request_stop(session, row, now)
        service.finish(session, row, "w", Trigger.DRAINED, at=now)

    def claim(number: int) -> bool:
        with any_database.transaction() as session:
            return service.claim_composing(session, f"worker-{number}", now) is not None

    assert sum(at_once(claim)) == 1
    with any_database.reading() as session:
        (row,) = session.scalars(select(Recording)).all()
        assert row.state is RecordingState.COMPOSING
        assert row.attempts == 1
