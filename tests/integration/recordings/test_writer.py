"""The writer's thread on real disks: slow, full, and with frames nobody can store."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from recordings import journal
from recordings.capture.clock import forward_clock
from recordings.capture.port import EncodedFrame, Track
from recordings.capture.session import CaptureSession
from recordings.capture.writer import MAX_PENDING_BYTES, Close, Open, Write, Writer
from recordings.measuring import measure
from tests.support.canned_media import Canned, frames_of

pytestmark = pytest.mark.media


def open_session(folder: Path) -> CaptureSession:
    return CaptureSession(folder, forward_clock(), room="r", worker="w")


def play(session: CaptureSession, canned: list[Canned], seconds: float = 10.0) -> None:
    for one in canned:
        session.track_opened(one.track)
        for at_s, frame in frames_of(one):
            if at_s < seconds:
                session.frame(one.track.sid, frame)


def journal_of(folder: Path) -> list[journal.Entry]:
    return journal.read((folder / "journal.ndjson").read_text().splitlines())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)],
        check=False, capture_output=True,
    )  # fmt: skip
    if mounted.returncode != 0:
        pytest.skip("mounting needs root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("index", [0, 1, 2], ids=["vp8", "opus", "h264"])
def test_every_codec_is_stored_without_decoding_and_plays(
    tmp_path: Path, canned: list[Canned], index: int
) -> None:
    one = canned[index]
    folder = tmp_path / "0001"
    session = open_session(folder)
    session.track_opened(one.track)
    frames = [frame for at_s, frame in frames_of(one) if at_s < 1.5]
    for frame in frames:
        session.frame(one.track.sid, frame)
    assert session.close("stopped", 10)
    (file,) = folder.glob("*.mkv")
    found = measure(file)
    assert found is not None
    assert found.length_s == pytest.approx(1.5, abs=0.05)
    command = ["ffmpeg", "-v", "error", "-i", str(file), "-f", "null", "-"]
    ran = subprocess.run(command, check=True, capture_output=True, timeout=60)
    assert ran.stderr == b""


def test_a_full_disk_is_told_and_blocks_nobody(small_disk: Path, canned: list[Canned]) -> None:
    session = open_session(small_disk / "0001")
    begun = time.monotonic()
    play(session, canned, 1.9)
    assert time.monotonic() - begun < 5
    deadline = time.monotonic() + 10
    while not session.progress.failure and time.monotonic() < deadline:
        time.sleep(0.05)
    assert "No space left" in session.progress.failure
    assert session.close("disk", 5)


def test_a_frame_that_cannot_be_stored_costs_its_own_file_only(
    tmp_path: Path, canned: list[Canned]
) -> None:
    folder = tmp_path / "0001"
    session = open_session(folder)
    rogue = Track("TR_x", "site:9", "?", "camera", "h264", 90_000)
    session.track_opened(rogue)
    session.frame("TR_x", EncodedFrame(b"\x00\x00\x00\x01\x67rubbish", 0, is_keyframe=True))
    session.frame("TR_x", EncodedFrame(os.urandom(300), 3_000, is_keyframe=False))
    play(session, canned[:2], 1.5)
    assert session.close("stopped", 10)
    assert session.progress.failure == ""
    lengths = [found.length_s for file in sorted(folder.glob("*.mkv")) if (found := measure(file))]
    assert sum(length > 1.4 for length in lengths) == 2


def test_what_a_slow_disk_cannot_take_is_refused_not_waited_for(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "0001", forward_clock())
    big = bytes(8 << 20)
    begun = time.monotonic()
    taken = [writer.offer(Write("none.mkv", big, 0, False)) for _ in range(50)]
    assert time.monotonic() - begun < 2
    assert taken[: MAX_PENDING_BYTES // len(big)] == [True] * (MAX_PENDING_BYTES // len(big))
    assert writer.stop(10)


def test_bytes_count_only_once_they_are_on_disk(tmp_path: Path, canned: list[Canned]) -> None:
    session = open_session(tmp_path / "0001")
    assert session.progress.size_bytes == 0
    play(session, canned, 1.5)
    assert session.close("stopped", 10)
    files = list((tmp_path / "0001").glob("*.mkv"))
    assert session.progress.size_bytes == sum(file.stat().st_size for file in files)


def test_a_reconnection_ends_every_file_and_begins_new_ones(
    tmp_path: Path, canned: list[Canned]
) -> None:
    folder = tmp_path / "0001"
    session = open_session(folder)
    play(session, canned[:2], 1.0)
    session.interrupted("the line is cut")
    play(session, canned[:2], 1.0)
    assert session.close("stopped", 10)
    stops = [e.reason for e in journal_of(folder) if isinstance(e, journal.TrackStopped)]
    assert sorted(stops) == ["stopped", "stopped", "the line is cut", "the line is cut"]


def test_a_file_is_given_up_only_once(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "0001", forward_clock())
    writer.offer(Open("a.mkv", "vp8", b"no keyframe"))
    writer.offer(Write("a.mkv", b"x", 0, False))
    writer.offer(Close("a.mkv", "unpublished"))
    assert writer.stop(10)
    assert writer.progress.failure == ""
