"""The worker's side of the recording rows: each call is one short transaction.

Everything here blocks on the database and is called from threads, never from the event loop.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from conference.archive import recording as recordings
from conference.archive.models import Recording, RecordingState
from conference.archive.recording_states import Trigger
from conference.database import Database
from conference.scheduling.models import Meeting
from recordings import meeting_log
from recordings.compose.timeline import Conduct
from recordings.composing import Composition
from recordings.ownership import dead
from recordings.store.folder import FolderStore

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Claim:
    """A recording that this worker holds."""

    recording_id: int
    meeting_id: int
    room_name: str
    key: str
    """Its key in the store."""
    state: RecordingState
    bytes_before: int
    """Bytes that earlier sessions wrote."""
    last_byte_at: datetime | None


class Ledger:
    """Rows of recordings, seen by the worker ``owner``."""

    def __init__(self, database: Database, owner: str, clock: Clock) -> None:
        self._database = database
        self._owner = owner
        self._clock = clock

    def bury_the_dead(self) -> int:
        """Give up the claims of this host's dead workers; how many."""
        with self._database.transaction() as session:
            owners = session.scalars(
                select(Recording.lease_owner).where(Recording.lease_owner != "").distinct()
            ).all()
            return recordings.release_all(session, dead(owners))

    def reconcile(self) -> int:
        """Carry out deadlines and ends of meetings; how many rows moved."""
        with self._database.transaction() as session:
            return recordings.reconcile(session, self._clock())

    def claim_capture(self) -> Claim | None:
        """Take a recording to capture, or to bring to its end."""
        with self._database.transaction() as session:
            row = recordings.claim_capture(session, self._owner, self._clock())
            if row is None:
                return None
            if not row.folder:
                row.folder = FolderStore.key(row.meeting_id, row.id)
            return Claim(
                row.id, row.meeting_id, row.meeting.room_name, row.folder, row.state,
                row.bytes_written, row.last_byte_at,
            )  # fmt: skip

    def report_bytes(
        self, recording_id: int, bytes_written: int, last_byte_at: datetime | None
    ) -> RecordingState | None:
        """Heartbeat of a capture; the state that follows, or None if the claim is lost."""
        with self._database.transaction() as session:
            row = session.get_one(Recording, recording_id)
            is_held = recordings.report_bytes(
                session, row, self._owner, bytes_written=bytes_written,
                last_byte_at=last_byte_at, at=self._clock(),
            )  # fmt: skip
            return row.state if is_held else None

    def refuse(self, recording_id: int, reason: str) -> None:
        """It cannot be captured: a start fails, a running one comes to its orderly end."""
        with self._database.transaction() as session:
            row = session.get_one(Recording, recording_id)
            at = self._clock()
            if row.bytes_written == 0 and row.state in {
                RecordingState.REQUESTED,
                RecordingState.STARTING,
            }:
                facts = {"error": reason, "is_wanted": False}
                recordings.finish(session, row, self._owner, Trigger.REFUSE, at=at, facts=facts)
            elif recordings.request_stop(session, row, at):
                row.error = reason

    def finish_capture(self, recording_id: int) -> RecordingState | None:
        """All files are complete: the recording is captured, or nothing ever came."""
        with self._database.transaction() as session:
            row = session.get_one(Recording, recording_id)
            if row.state is not RecordingState.STOPPING:
                return row.state
            at = self._clock()
            ended_at = row.last_byte_at or at
            length = ended_at - row.started_at if row.started_at else timedelta()
            facts: dict[str, Any] = {
                "ended_at": ended_at,
                "duration_s": max(0.0, length.total_seconds()),
            }
            trigger = Trigger.DRAINED
            if row.bytes_written == 0:
                trigger = Trigger.NOTHING_CAPTURED
                facts = {"error": row.error or "Không có tiếng, hình nào trong lúc ghi."}
            if not recordings.finish(session, row, self._owner, trigger, at=at, facts=facts):
                return None
            return row.state

    def release(self, recording_id: int) -> None:
        """Give the claim up, so that any worker can go on at once."""
        with self._database.transaction() as session:
            row = session.get_one(Recording, recording_id)
            recordings.release(session, row, self._owner)

    def claim_composing(self) -> tuple[int, str, Conduct] | None:
        """Take a captured recording to compose: its id, its key, the meeting's conduct."""
        with self._database.transaction() as session:
            row = recordings.claim_composing(session, self._owner, self._clock())
            if row is None:
                return None
            meeting = session.get_one(Meeting, row.meeting_id)
            return row.id, row.folder, meeting_log.read(session, meeting)

    def report_progress(self, recording_id: int, progress: float) -> bool:
        """Heartbeat of a composing; False if the claim is lost."""
        with self._database.transaction() as session:
            row = session.get_one(Recording, recording_id)
            if row.state is not RecordingState.COMPOSING:
                return False
            return recordings.report_progress(session, row, self._owner, progress, self._clock())

    def publish(self, recording_id: int, composition: Composition) -> bool:
        """The composed file exists; False if the claim is lost."""
        with self._database.transaction() as session:
            row = session.get_one(Recording, recording_id)
            if row.state is not RecordingState.COMPOSING:
                return False
            starts_at = datetime.fromtimestamp(composition.starts_s, UTC)
            facts = {
                "progress": 1.0,
                # heartbeats only know to a second when it began; the journals know exactly
                "started_at": starts_at,
                "ended_at": starts_at + timedelta(seconds=composition.duration_s),
                "duration_s": composition.duration_s,
                "size_bytes": composition.size_bytes,
                "manifest_sha256": composition.manifest_sha256,
                "chapters": composition.chapters,
                "gaps": composition.gaps,
                "speeches": composition.speeches,
                "error": "",
            }
            return recordings.finish(
                session, row, self._owner, Trigger.COMPOSED, at=self._clock(), facts=facts
            )

    def fail_composing(self, recording_id: int, reason: str) -> None:
        """A try failed; it is tried again, or given up with its reason."""
        with self._database.transaction() as session:
            row = session.get_one(Recording, recording_id)
            if row.state is RecordingState.COMPOSING:
                recordings.fail_composing(session, row, self._owner, reason, self._clock())

    def cancel_composing(self, recording_id: int) -> None:
        """A try was broken off by this worker's end: it is free at once and does not count."""
        with self._database.transaction() as session:
            row = session.get_one(Recording, recording_id)
            if row.state is RecordingState.COMPOSING:
                facts = {"attempts": max(0, row.attempts - 1), "progress": 0.0}
                recordings.finish(
                    session, row, self._owner, Trigger.TRY_AGAIN, at=self._clock(), facts=facts
                )
