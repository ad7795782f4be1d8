"""Capture one claimed recording: stay in the room, write, report, until it is stopped.

The shell around `CaptureSession`. It ends in one of four ways: the recording is stopping (files
completed, row captured), the claim was lost (another worker has it), this worker is told to leave
(files completed, claim released so that the next one goes on at once), or the disk refuses (orderly
end with the reason). The room's trouble is never an end: joining is tried again until the row says
stop. The database's trouble is none either: media first, the row catches up.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Protocol

from sqlalchemy.exc import SQLAlchemyError

from conference.archive.models import RecordingState
from conference.archive.recording_states import CAPTURE_STATES
from recordings.capture.port import Room, RoomClosedError
from recordings.capture.session import CaptureSession
from recordings.store.folder import FolderStore

log = logging.getLogger(__name__)

HEARTBEAT_S: Final = 1.0
CALM_S: Final = 2.0
"""Between heartbeats once bytes flow: well below what the light and the lease allow."""

CLOSE_S: Final = 4.0
"""How long completing the files may take when the worker must leave."""

STARVED_S: Final = 15.0
"""Tracks are open, none muted gives a frame for this long: the connection is dead, join anew."""

START_RESERVE_MIB: Final = 2 * 3600 * 4_000_000 // 8 >> 20
"""Two hours of a stage at 4 Mbit/s: a meeting that begins to be recorded can be recorded to its
end. A recording that has begun goes on with less."""

_REJOIN_S: Final = (0.5, 1.0, 2.0, 5.0)


class CaptureLedger(Protocol):
    """What a capture reports to; `recordings.ledger.Ledger` on the database."""

    def report_bytes(
        self, recording_id: int, bytes_written: int, last_byte_at: datetime | None
    ) -> RecordingState | None:
        """Heartbeat; the state that follows, None if the claim is lost."""

    def refuse(self, recording_id: int, reason: str) -> None:
        """It cannot be captured (any more)."""

    def finish_capture(self, recording_id: int) -> RecordingState | None:
        """All files are complete."""

    def release(self, recording_id: int) -> None:
        """Give the claim up."""


class CaptureClaim(Protocol):
    """Facts of the claimed recording."""

    @property
    def recording_id(self) -> int:
        """Which row."""

    @property
    def room_name(self) -> str:
        """Which room."""

    @property
    def key(self) -> str:
        """Its key in the store."""

    @property
    def state(self) -> RecordingState:
        """State after the claim."""

    @property
    def bytes_before(self) -> int:
        """Bytes of earlier sessions."""

    @property
    def last_byte_at(self) -> datetime | None:
        """When the newest of them came."""


class CaptureWorker:
    """Captures one claim."""

    def __init__(
        self,
        claim: CaptureClaim,
        ledger: CaptureLedger,
        store: FolderStore,
        make_room: Callable[[CaptureClaim, str], Room],
        *,
        name: str,
        clock: Callable[[], float],
        min_headroom_mib: int,
        heartbeat_s: float = HEARTBEAT_S,
    ) -> None:
        """``make_room(claim, session_name)``; ``clock``: wall seconds that only go forward."""
        self._claim = claim
        self._ledger = ledger
        self._store = store
        self._make_room = make_room
        self._name = name
        self._clock = clock
        self._min_headroom_mib = min_headroom_mib
        self._heartbeat_s = heartbeat_s

    async def run(self, leave: asyncio.Event) -> None:
        """Capture until an end; ``leave`` is set when this process is told to end."""
        claim = self._claim
        if claim.state is RecordingState.STOPPING:
            await asyncio.to_thread(self._ledger.finish_capture, claim.recording_id)
            return
        needed_mib = self._min_headroom_mib + (0 if claim.bytes_before else START_RESERVE_MIB)
        if self._store.free_mib() < needed_mib:
            reason = _disk_reason(needed_mib)
            await asyncio.to_thread(self._ledger.refuse, claim.recording_id, reason)
            await asyncio.to_thread(self._ledger.finish_capture, claim.recording_id)
            return
        folder = self._store.next_session(claim.key)
        session = CaptureSession(folder, self._clock, room=claim.room_name, worker=self._name)
        stay = asyncio.create_task(self._stay(session, folder.name))
        try:
            end = await self._watch(session, leave)
        finally:
            stay.cancel()
            await asyncio.wait([stay])
        await self._end(session, end)

    async def _stay(self, session: CaptureSession, session_name: str) -> None:
        """Be in the room, again and again."""
        failures = 0
        while True:
            room = self._make_room(self._claim, session_name)
            session.request_keyframe = room.request_keyframe
            joined_s = self._clock()
            reason = await self._be_in(room, session)
            session.interrupted(reason)
            log.warning("recording %s: out of the room: %s", self._claim.recording_id, reason)
            failures = 0 if self._clock() - joined_s > STARVED_S else failures + 1
            await asyncio.sleep(_REJOIN_S[min(failures, len(_REJOIN_S) - 1)])

    async def _be_in(self, room: Room, session: CaptureSession) -> str:
        """One stay; why it ended."""
        stay = asyncio.create_task(room.run(session))
        try:
            while not (await asyncio.wait([stay], timeout=HEARTBEAT_S))[0]:
                if session.is_starved(STARVED_S):
                    return "starved"
            stay.result()
        except (OSError, RoomClosedError) as error:
            return str(error) or type(error).__name__
        except Exception:
            log.exception("recording %s: the room broke", self._claim.recording_id)
            return "internal error"
        finally:
            stay.cancel()
            await asyncio.wait([stay])
        return "left"

    async def _watch(self, session: CaptureSession, leave: asyncio.Event) -> str:
        """Heartbeats; the reason for which the capture ends."""
        while True:
            if session.progress.failure:
                return f"disk: {session.progress.failure}"
            if self._store.free_mib() < self._min_headroom_mib:
                return f"disk: {_disk_reason(self._min_headroom_mib)}"
            state = await self._report(session)
            if state is None:
                return "lost"
            if state not in CAPTURE_STATES:
                return "stopped"
            try:
                calm_s = CALM_S / HEARTBEAT_S if state is RecordingState.ACTIVE else 1.0
                await asyncio.wait_for(leave.wait(), self._heartbeat_s * calm_s)
            except TimeoutError:
                continue
            return "leaving"

    async def _report(self, session: CaptureSession) -> RecordingState | None:
        """Tell the row what is on disk; the state that follows.

        While the database is in trouble the capture goes on as it is.
        """
        progress = session.progress
        grown_at = self._claim.last_byte_at
        if progress.grown_at is not None:
            grown_at = datetime.fromtimestamp(progress.grown_at, UTC)
        try:
            return await asyncio.to_thread(
                self._ledger.report_bytes,
                self._claim.recording_id,
                self._claim.bytes_before + progress.size_bytes,
                grown_at,
            )
        except SQLAlchemyError as error:
            log.warning("recording %s: heartbeat failed: %s", self._claim.recording_id, error)
            return RecordingState.ACTIVE

    async def _end(self, session: CaptureSession, end: str) -> None:
        """Complete the files, then tell the row."""
        if not await asyncio.to_thread(session.close, end, CLOSE_S):
            log.error("recording %s: the disk is too slow to close", self._claim.recording_id)
        recording_id = self._claim.recording_id
        log.info("recording %s: session ended: %s", recording_id, end)
        if end == "lost":
            return
        await self._report(session)
        if end.startswith("disk: "):
            await asyncio.to_thread(self._ledger.refuse, recording_id, end.removeprefix("disk: "))
        if end == "leaving":
            await asyncio.to_thread(self._ledger.release, recording_id)
        else:
            await asyncio.to_thread(self._ledger.finish_capture, recording_id)


def _disk_reason(needed_mib: int) -> str:
    return f"Ổ đĩa ghi còn dưới {needed_mib} MiB trống."
