"""Real ffmpeg: many scenes, both builds, broken input, and a manifest that notices."""

import json
import time
from pathlib import Path

import av
import imageio_ffmpeg
import pytest

from media.client.packetize import Packetizer
from media.client.tracks import MediaPacket
from media.core.depayload import depayloader_for
from recordings import composing, journal
from recordings.capture.clock import forward_clock
from recordings.capture.port import EncodedFrame, Track
from recordings.capture.session import CaptureSession
from recordings.compose.parts import PART_SCENES
from recordings.compose.timeline import AgendaPoint, Conduct, Floor
from recordings.store import manifest
from recordings.store.folder import FolderStore
from tests.support.canned_media import Canned, frames_of, make
from tests.support.playing import loudness_db, mean_brightness, read_chapters

pytestmark = pytest.mark.media

KEY = "meeting-1-recording-1"


class Instant:
    """A session's clock that the player moves, so that twelve seconds take none."""

    def __init__(self) -> None:
        self.now_s = forward_clock()()

    def __call__(self) -> float:
        return self.now_s


def capture(store: FolderStore, canned: list[Canned], seconds: float) -> float:
    """Record the canned tracks from their start; the wall time of the start."""
    clock = Instant()
    begun = clock.now_s
    session = CaptureSession(store.next_session(KEY), clock, room="r", worker="w")
    for one in canned:
        session.track_opened(one.track)
    timed = [(at, one.track.sid, frame) for one in canned for at, frame in frames_of(one)]
    for at_s, sid, frame in sorted(timed, key=lambda item: item[0]):
        if at_s < seconds:
            clock.now_s = begun + at_s
            session.frame(sid, frame)
    clock.now_s = begun + seconds
    assert session.close("stopped", 20)
    return begun


def compose(
    store: FolderStore, conduct: Conduct, program: str | None = None
) -> composing.Composition:
    return composing.compose(
        store, KEY, conduct,
        height=360, program=program or composing.ffmpeg_program(), on_progress=lambda _share: None,
    )  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


@pytest.mark.parametrize("program", ["system", "imageio"])
def test_a_meeting_of_many_scenes_plays_with_every_chapter_in_place(
    store: FolderStore, canned: list[Canned], program: str
) -> None:
    begun = capture(store, canned, 10)
    count = PART_SCENES + 6
    step = 9 / count
    floors = tuple(
        Floor(f"site:{n % 2 + 1}", f"Bà {n}; =#\\", begun + n * step, begun + (n + 1) * step)
        for n in range(count)
    )
    conduct = Conduct("Giao ban [x]:'y'", floors, (AgendaPoint(begun + 9.5, "Bế mạc"),))
    path = imageio_ffmpeg.get_ffmpeg_exe() if program == "imageio" else None
    result = compose(store, conduct, path)
    composed = store.composed(KEY)
    assert result.duration_s == pytest.approx(10, abs=0.1)
    found = read_chapters(composed)
    assert len(found) == count + 2
    for (at_s, title), chapter in zip(found, result.chapters, strict=True):
        assert at_s == pytest.approx(chapter["at_s"], abs=0.01)
        assert title == chapter["title"].replace("\\", "/")
    for at_s in (0.5, 5, 9.4):
        assert mean_brightness(composed, at_s=at_s) > 60
        assert loudness_db(composed, at_s - 0.3, at_s + 0.3) > -40
    assert loudness_db(store.sound(KEY), 0.5, 9) > -40
    with av.open(str(store.sound(KEY))) as sound:
        assert not sound.streams.video
    assert manifest.check(store, KEY, result.manifest_sha256) == []
    assert not (store.folder(KEY) / "work").exists()


def test_composing_again_is_harmless_and_gives_the_same_raw_files(
    store: FolderStore, canned: list[Canned]
) -> None:
    capture(store, canned, 3)
    compose(store, Conduct("Họp"))
    before = {path.name: manifest.sha256(path) for path in store.raw_files(KEY)}
    result = compose(store, Conduct("Họp"))
    assert {path.name: manifest.sha256(path) for path in store.raw_files(KEY)} == before
    assert manifest.check(store, KEY, result.manifest_sha256) == []


def test_sound_only_makes_a_file_that_says_so_in_its_picture(
    store: FolderStore, canned: list[Canned]
) -> None:
    capture(store, canned[1:2], 3)
    assert compose(store, Conduct("Họp")).duration_s == pytest.approx(3, abs=0.1)
    assert loudness_db(store.composed(KEY), 0.5, 2.5) > -40


def test_picture_without_any_sound_still_composes(store: FolderStore, canned: list[Canned]) -> None:
    capture(store, canned[:1], 3)
    compose(store, Conduct("Họp"))
    assert loudness_db(store.composed(KEY), 0.5, 2.5) < -90


def test_nothing_captured_is_said(store: FolderStore) -> None:
    capture(store, [], 1)
    with pytest.raises(composing.ComposeError, match="nothing was captured"):
        compose(store, Conduct("Họp"))


def test_a_broken_ffmpeg_fails_with_a_reason_and_leaves_the_raw_media(
    store: FolderStore, canned: list[Canned]
) -> None:
    capture(store, canned[:2], 2)
    before = [manifest.sha256(path) for path in store.raw_files(KEY)]
    with pytest.raises(composing.ComposeError, match="ended with 1"):
        compose(store, Conduct("Họp"), "/bin/false")
    assert [manifest.sha256(path) for path in store.raw_files(KEY)] == before
    assert not store.composed(KEY).exists()


def test_a_cancelled_composing_ends_ffmpeg_at_once(
    store: FolderStore, canned: list[Canned]
) -> None:
    capture(store, canned, 10)

    def cancel(share: float) -> None:
        if share > 0:
            raise composing.ComposeCancelledError("stop")

    begun = time.monotonic()
    with pytest.raises(composing.ComposeCancelledError):
        composing.compose(
            store, KEY, Conduct("Họp"),
            height=720, program=composing.ffmpeg_program(), on_progress=cancel,
        )  # fmt: skip
    assert time.monotonic() - begun < 10
    assert not store.composed(KEY).exists()


def test_a_playlist_in_the_place_of_media_opens_no_address(
    store: FolderStore, canned: list[Canned]
) -> None:
    capture(store, canned[:2], 2)
    rogue = store.sessions(KEY)[0] / "0009-camera.mkv"
    rogue.write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n")
    started = journal.TrackStarted(0.0, rogue.name, "TR_x", "site:9", "x", "camera", "vp8")
    with (store.sessions(KEY)[0] / "journal.ndjson").open("a") as file:
        file.write(journal.encode(started) + "\n")
    assert compose(store, Conduct("Họp")).duration_s == pytest.approx(2, abs=0.1)


def test_vp9_from_its_packets_to_the_composed_picture(store: FolderStore, tmp_path: Path) -> None:
    source = tmp_path / "vp9.mkv"
    make(
        source, "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=3",
        "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "25",
    )  # fmt: skip
    track = Track("TR_9", "site:9", "Điểm cầu", "camera", "vp9", 90_000)
    packetizer, frames = Packetizer("video/vp9"), depayloader_for("video/vp9")
    clock, number = Instant(), 0
    session = CaptureSession(store.next_session(KEY), clock, room="r", worker="w")
    session.track_opened(track)
    session.track_refused("TR_a", "site:8", "Điểm cầu khác", "video/av1")
    for at_s, sent in frames_of(Canned(track, source)):
        payloads = packetizer.payloads(sent.data)
        clock.now_s += 0.04
        for index, payload in enumerate(payloads, start=1):
            number += 1
            is_last = index == len(payloads)
            got = frames.push(MediaPacket(number, sent.ticks, is_last, payload, 98, at_s, 0))
        assert got is not None
        assert (got.data, got.is_keyframe) == (sent.data, sent.is_keyframe)
        kept = EncodedFrame(got.data, got.timestamp, got.is_keyframe, got.follows_gap)
        session.frame("TR_9", kept)
    assert session.close("stopped", 20)
    assert compose(store, Conduct("Họp")).duration_s == pytest.approx(3, abs=0.1)
    assert mean_brightness(store.composed(KEY), at_s=2) > 60
    entries = journal.read((store.sessions(KEY)[0] / "journal.ndjson").read_text().splitlines())
    assert [e.what for e in entries if isinstance(e, journal.TrackRefused)] == ["video/av1"]


@pytest.mark.parametrize("harm", ["changed", "missing", "added"])
def test_the_manifest_notices_every_change(
    store: FolderStore, canned: list[Canned], harm: str
) -> None:
    capture(store, canned[1:2], 2)
    result = compose(store, Conduct("Họp"))
    raw = next(path for path in store.raw_files(KEY) if path.suffix == ".mkv")
    if harm == "changed":
        data = bytearray(raw.read_bytes())
        data[-1] ^= 1
        raw.write_bytes(data)
    elif harm == "missing":
        raw.unlink()
    else:
        (raw.parent / "9999-camera.mkv").write_bytes(b"x")
    assert [fault.reason for fault in manifest.check(store, KEY, result.manifest_sha256)] == [harm]


def test_a_manifest_made_to_fit_changed_files_is_noticed(
    store: FolderStore, canned: list[Canned]
) -> None:
    capture(store, canned[1:2], 2)
    result = compose(store, Conduct("Họp"))
    path = store.folder(KEY) / "manifest.json"
    document = json.loads(path.read_text())
    document["gaps"] = [{"from_s": 0, "to_s": 1, "reason": "x"}]
    path.write_text(json.dumps(document))
    assert [f.reason for f in manifest.check(store, KEY, result.manifest_sha256)] == ["changed"]


@pytest.mark.parametrize("key", ["", "..", "../x", "a/b", "meeting-1/../x", "x\n", "A"])
def test_no_key_leads_out_of_the_store(store: FolderStore, key: str) -> None:
    with pytest.raises(ValueError, match="not the key"):
        store.folder(key)
