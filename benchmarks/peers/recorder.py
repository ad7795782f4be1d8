"""A recordings worker at work: a database with a live meeting, the process, its row."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import conference.models  # noqa: F401  (registers every table)
from benchmarks.peers.servers import KEY, SECRET, Server
from conference.archive import recording as recordings
from conference.database import Base, Database
from conference.scheduling.models import Meeting
from tests.support.recorded_meeting import hold_meeting

START_S: Final = 30.0


@contextmanager
def worker(server: Server, folder: Path) -> Iterator[tuple[int, str, Database]]:
    """The worker's pid, the room of a meeting it is asked to record, and its database."""
    (folder / "secrets").mkdir(mode=0o700)
    (folder / "secrets" / "media").write_text(SECRET)
    url = f"sqlite:///{folder / 'bench.sqlite3'}"
    database = Database(url)
    Base.metadata.create_all(database.engine)
    with database.transaction() as session:
        meeting = hold_meeting(session)
        room, meeting_id = meeting.room_name, meeting.id
    environment = os.environ | {
        "DIEMCAU_MEDIA_API_URL": server.url.replace("ws", "http", 1),
        "DIEMCAU_MEDIA_API_KEY": KEY,
        "DIEMCAU_DATABASE_URL": url,
    }
    command = [sys.executable, "-m", "recordings", "--data", str(folder)]
    with subprocess.Popen(command, env=environment) as process:
        try:
            with database.transaction() as session:
                meeting = session.get_one(Meeting, meeting_id)
                recordings.request_recording(session, meeting, "Đo", datetime.now(UTC))
            yield process.pid, room, database
        finally:
            process.terminate()
            process.wait(20)
            database.dispose()


def wait_until_recording(database: Database) -> None:
    """Until the worker writes; TimeoutError when it does not."""
    deadline_s = time.monotonic() + START_S
    while time.monotonic() < deadline_s:
        with database.reading() as session:
            row = recordings.latest(session, 1)
            if recordings.public_state(row, datetime.now(UTC)) == "recording":
                return
        time.sleep(0.2)
    raise TimeoutError("the worker records nothing")
