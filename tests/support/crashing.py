"""A served meeting that is recorded while its processes are killed, and what that cost."""

import asyncio
import random
import statistics
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psutil
from sqlalchemy import func, select

from conference.archive import recording as recordings
from conference.archive.models import Recording, RecordingState
from conference.attendance.models import PresenceEvidence
from conference.database import Database
from conference.scheduling.models import Meeting
from media.client import Client
from media.client.load import LoadPlan, room_token
from recordings import measuring
from recordings.store.folder import FolderStore
from tests.support.flash_and_beep import flashes, make_clips, publish
from tests.support.recorded_meeting import hold_meeting
from tests.support.service import Service, wait_until

TARGETS: Final = ("recordings", "media", "web")
RESUME_WITHIN_S: Final = 90.0
COMPOSE_WITHIN_S: Final = 900.0
CALM_S: Final = (1.0, 8.0)
"""Between coming back and the next kill, drawn evenly."""


@dataclass
class Outcome:
    """What the kills of one process cost."""

    kills: int
    resumed_s: list[float] = field(default_factory=list)
    """From each kill until the pages answer and the recording's bytes grow again."""
    film_s: float = 0.0
    lost_s: float = 0.0
    """Seconds of the film without their flash."""
    rows_lost: int = 0
    """Rows that were there at a kill and are not at the end, and bytes once reported."""
    plays: bool = False

    def summary(self) -> dict[str, Any]:
        """For the table."""
        return {
            "kills": self.kills,
            "resume_median_s": round(statistics.median(self.resumed_s), 1),
            "resume_worst_s": round(max(self.resumed_s), 1),
            "film_s": round(self.film_s),
            "lost_s": round(self.lost_s, 1),
            "lost_s_per_kill": round(self.lost_s / self.kills, 2),
            "rows_lost": self.rows_lost,
            "plays": self.plays,
        }


def run(folder: Path, targets: Sequence[str], seed: int) -> Outcome:
    """Kill ``targets`` in turn. AssertionError when one does not come back in time."""
    service = Service(folder / "data").start()
    database = Database(service.settings.database_url)
    try:
        return asyncio.run(_meet(folder, service, database, targets, random.Random(seed)))
    finally:
        database.dispose()
        with suppress(psutil.NoSuchProcess):
            service.stop()


async def _meet(
    folder: Path,
    service: Service,
    database: Database,
    targets: Sequence[str],
    chance: random.Random,
) -> Outcome:
    with database.transaction() as session:
        meeting = hold_meeting(session)
        meeting_id, room = meeting.id, meeting.room_name
    settings = service.settings
    plan = LoadPlan(
        url=settings.media_api_url.replace("http", "ws", 1),
        api_key=settings.media.api_key,
        secret=settings.media_secret(),
    )
    clips = await asyncio.to_thread(make_clips, folder)
    client = await Client.connect(
        plan.url,
        lambda: room_token(plan, room, "site:1", publishes=True),
        retry_for_s=float("inf"),
    )
    outcome = Outcome(len(targets))
    async with client:
        tasks = await publish(client, clips)
        with database.transaction() as session:
            meeting = session.get_one(Meeting, meeting_id)
            recordings.request_recording(session, meeting, "Chủ trì", datetime.now(UTC))
        await asyncio.to_thread(_wait_recording, database, meeting_id)
        for target in targets:
            await asyncio.sleep(chance.uniform(*CALM_S))
            before = _rows(database, meeting_id)
            process = _process(service, target)
            killed_s = time.monotonic()
            process.kill()
            await asyncio.to_thread(_wait_back, service, database, target, process.pid)
            outcome.resumed_s.append(time.monotonic() - killed_s)
            after = _rows(database, meeting_id)
            outcome.rows_lost += sum(
                max(0, was - now) for was, now in zip(before, after, strict=True)
            )
        await asyncio.sleep(2)
        for task in tasks:
            assert not task.done(), "the participant went on all the time"
            task.cancel()
    with database.transaction() as session:
        found = recordings.latest(session, meeting_id)
        assert found is not None
        recordings.request_stop(session, found, datetime.now(UTC))
    await asyncio.to_thread(_look_at_film, database, meeting_id, settings.recordings_dir, outcome)
    return outcome


def _process(service: Service, target: str) -> psutil.Process:
    if target != "web":
        return service.child(target)
    assert service.process is not None
    others = {service.child(name).pid for name in ("media", "recordings")}
    children = psutil.Process(service.process.pid).children()
    (web,) = [child for child in children if child.pid not in others]
    return web


def _row(database: Database, meeting_id: int) -> Recording:
    with database.reading() as session:
        row = recordings.latest(session, meeting_id)
        assert row is not None
        return row


def _rows(database: Database, meeting_id: int) -> tuple[int, int, int]:
    """What was acknowledged: evidence of presence, recordings, bytes reported as written."""
    with database.reading() as session:
        evidence = session.scalar(select(func.count()).select_from(PresenceEvidence)) or 0
        count = session.scalar(select(func.count()).select_from(Recording)) or 0
    return evidence, count, _row(database, meeting_id).bytes_written


def _wait_recording(database: Database, meeting_id: int) -> None:
    def is_lit() -> bool:
        light = recordings.public_state(_row(database, meeting_id), datetime.now(UTC))
        return light == "recording"

    wait_until(is_lit, "recording", RESUME_WITHIN_S)


def _wait_back(service: Service, database: Database, target: str, killed_pid: int) -> None:
    """Until the killed process has a successor, pages answer and bytes came after that."""

    def successor() -> psutil.Process | None:
        try:
            found = _process(service, target)
        except (LookupError, ValueError, psutil.Error):
            return None  # not yet started again
        return found if found.pid != killed_pid else None

    def is_back() -> bool:
        process = successor()
        newest = _newest_byte_at(database)
        if process is None or newest is None:
            return False
        return newest.timestamp() > process.create_time() and service.is_healthy()

    wait_until(is_back, f"back, see {service.log_path}", RESUME_WITHIN_S)


def _newest_byte_at(database: Database) -> datetime | None:
    with database.reading() as session:
        return session.scalar(select(func.max(Recording.last_byte_at)))


def _look_at_film(database: Database, meeting_id: int, root: Path, outcome: Outcome) -> None:
    def is_published() -> bool:
        state = _row(database, meeting_id).state
        assert state is not RecordingState.FAILED_COMPOSE, _row(database, meeting_id).error
        return state is RecordingState.PUBLISHED

    wait_until(is_published, "published", COMPOSE_WITHIN_S)
    row = _row(database, meeting_id)
    outcome.film_s = row.duration_s or 0.0
    film = FolderStore(root).composed(row.folder)
    measuring.verify(film, outcome.film_s)
    outcome.lost_s = max(0.0, int(outcome.film_s) - len(flashes(film)))
    outcome.plays = True
