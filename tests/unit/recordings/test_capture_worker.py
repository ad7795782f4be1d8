"""How a capture ends, with a ledger in memory and a room of plain Python."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from conference.archive.models import RecordingState
from recordings import journal
from recordings.capture.clock import forward_clock
from recordings.capture.port import EncodedFrame, Sink, Track
from recordings.capture.worker import START_RESERVE_MIB, CaptureWorker
from recordings.store.folder import FolderStore

MICROPHONE = Track("TR_a", "site:1", "Đăk Pxi", "microphone", "opus", 48_000)


@dataclass
class Claim:
    state: RecordingState = RecordingState.STARTING
    recording_id: int = 7
    room_name: str = "phong"
    key: str = "meeting-1-recording-7"
    bytes_before: int = 0
    last_byte_at: datetime | None = None


@dataclass
class FakeLedger:
    """Counts what is reported; answers each heartbeat from ``answers``, then with the last."""

    answers: list[RecordingState | Exception | None]
    calls: list[str] = field(default_factory=list)
    bytes_seen: int = 0

    def report_bytes(
        self, recording_id: int, bytes_written: int, last_byte_at: datetime | None
    ) -> RecordingState | None:
        self.bytes_seen = max(self.bytes_seen, bytes_written)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def refuse(self, recording_id: int, reason: str) -> None:
        self.calls.append(f"refuse {reason}")

    def finish_capture(self, recording_id: int) -> RecordingState | None:
        self.calls.append("finish")
        return RecordingState.CAPTURED

    def release(self, recording_id: int) -> None:
        self.calls.append("release")


class TalkingRoom:
    """One microphone that sends a packet every 20 ms."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.joins = 0

    def request_keyframe(self, sid: str) -> None:
        raise AssertionError("sound has no keyframes")

    async def run(self, sink: Sink) -> None:
        self.joins += 1
        if self.error is not None and self.joins == 1:
            raise self.error
        sink.track_opened(MICROPHONE)
        for number in range(100_000):
            sink.frame("TR_a", EncodedFrame(b"\xfc\xff\xfe", number * 960, is_keyframe=True))
            await asyncio.sleep(0.02)


@dataclass
class Run:
    ledger: FakeLedger
    store: FolderStore
    room: TalkingRoom


Start = Callable[..., "asyncio.Future[Run]"]


async def run(
    tmp_path: Path,
    answers: list[RecordingState | Exception | None],
    *,
    claim: Claim | None = None,
    error: Exception | None = None,
    leave_after_s: float | None = None,
    headroom_mib: int = 0,
    free_mib: int | None = None,
) -> Run:
    store = FolderStore(tmp_path)
    if free_mib is not None:
        store.free_mib = lambda: free_mib  # type: ignore[method-assign]
    made = Run(FakeLedger(answers), store, TalkingRoom(error))
    worker = CaptureWorker(
        claim or Claim(), made.ledger, made.store, lambda _claim, _session: made.room,
        name="w", clock=forward_clock(), min_headroom_mib=headroom_mib,
        heartbeat_s=0.3,
    )  # fmt: skip
    leave = asyncio.Event()
    if leave_after_s is not None:
        asyncio.get_running_loop().call_later(leave_after_s, leave.set)
    async with asyncio.timeout(20):
        await worker.run(leave)
    return made


def last_entry(made: Run) -> journal.Entry:
    (folder,) = made.store.sessions("meeting-1-recording-7")
    entries = journal.read((folder / "journal.ndjson").read_text().splitlines())
    return next(e for e in reversed(entries) if isinstance(e, journal.SessionStopped))


ACTIVE, STOPPING = RecordingState.ACTIVE, RecordingState.STOPPING


async def test_a_stop_completes_the_files_then_the_row(tmp_path: Path) -> None:
    made = await run(tmp_path, [ACTIVE, ACTIVE, STOPPING])
    assert made.ledger.calls == ["finish"]
    assert made.ledger.bytes_seen > 0
    assert isinstance(last_entry(made), journal.SessionStopped)


async def test_a_worker_that_leaves_releases_its_claim(tmp_path: Path) -> None:
    made = await run(tmp_path, [ACTIVE], leave_after_s=0.5)
    assert made.ledger.calls == ["release"]


async def test_a_lost_claim_is_left_alone(tmp_path: Path) -> None:
    made = await run(tmp_path, [ACTIVE, None])
    assert made.ledger.calls == []


async def test_a_recording_that_is_already_stopping_is_only_brought_to_its_end(
    tmp_path: Path,
) -> None:
    made = await run(tmp_path, [ACTIVE], claim=Claim(state=STOPPING))
    assert made.ledger.calls == ["finish"]
    assert made.room.joins == 0


async def test_without_room_on_the_disk_nothing_starts(tmp_path: Path) -> None:
    made = await run(tmp_path, [ACTIVE], headroom_mib=1 << 40)
    assert made.ledger.calls[0].startswith("refuse Ổ đĩa ghi còn dưới")
    assert made.room.joins == 0


async def test_a_start_needs_two_hours_of_room_and_a_takeover_does_not(tmp_path: Path) -> None:
    little = {"headroom_mib": 2048, "free_mib": 2048 + START_RESERVE_MIB - 1}
    refused = await run(tmp_path / "a", [ACTIVE], **little)
    assert refused.ledger.calls[0].startswith("refuse Ổ đĩa ghi còn dưới")
    taken = await run(tmp_path / "b", [ACTIVE, STOPPING], claim=Claim(bytes_before=9), **little)
    assert taken.ledger.calls == ["finish"]
    assert taken.room.joins == 1


@pytest.mark.parametrize("error", [OSError("no route"), ValueError("bug")])
async def test_a_room_in_trouble_is_joined_again(
    tmp_path: Path, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    made = await run(tmp_path, [ACTIVE, ACTIVE, ACTIVE, ACTIVE, STOPPING], error=error)
    assert made.room.joins == 2
    assert made.ledger.bytes_seen > 0


async def test_a_database_in_trouble_does_not_stop_the_capture(tmp_path: Path) -> None:
    trouble = OperationalError("UPDATE", {}, Exception("database is locked"))
    made = await run(tmp_path, [trouble, trouble, ACTIVE, STOPPING])
    assert made.ledger.calls == ["finish"]
    assert made.ledger.bytes_seen > 0
