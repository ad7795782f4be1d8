"""Recordings in a bucket: carried, played, looked into, destroyed; with a server that goes away."""

import asyncio
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import select

from conference.access.models import AuditEntry
from conference.archive import files, keeping
from conference.archive.bucket import Bucket, open_bucket
from conference.archive.files import RecordingFile
from conference.archive.keeping import CLAIM, Keeper
from conference.archive.models import Recording, RecordingState
from conference.archive.object_keys import LONGEST_PAUSE
from conference.errors import NotFoundError, StoreUnavailableError
from conference.retention import erase
from conference.scheduling.models import Meeting
from config.settings import ObjectStorage, SettingsError
from recordings.__main__ import main as worker
from recordings.ledger import Ledger
from recordings.service import Service
from recordings.store import manifest
from recordings.store.folder import FolderStore
from tests.support.held_meeting import HeldMeeting, held_meeting
from tests.support.live_meeting import STARTS_AT
from tests.support.s3_server import NAME, S3Server, over_tls
from web import cli
from web.services import EXTENSION, Services

FILM = bytes(range(256)) * 400
CAPTIONS = b"1\n00:00:01,000 --> 00:00:02,000\nNgh\xe1\xbb\x89\n"


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    made = S3Server()
    yield made
    made.go()


@dataclass
class Kept:
    """A meeting with one published recording, and what carries it."""

    held: HeldMeeting
    server: S3Server
    bucket: Bucket
    keeper: Keeper
    number: int
    key: str

    @property
    def folder(self) -> Path:
        return self.services.settings.recordings_dir / self.key

    @property
    def services(self) -> Services:
        found = self.held.app.extensions[EXTENSION]
        assert isinstance(found, Services)
        return found

    @property
    def row(self) -> Recording:
        with self.held.database.reading() as session:
            return session.get_one(Recording, self.number)

    def url(self, rest: str = "") -> str:
        return f"/cuoc-hop/{self.held.meeting_id}/ban-ghi" + (f"/{self.number}/{rest}" * bool(rest))

    def local(self) -> set[str]:
        return {
            path.relative_to(self.folder).as_posix()
            for path in self.folder.rglob("*")
            if path.is_file()
        }

    def read(self, file: RecordingFile) -> bytes:
        with files.find(self.services.recordings, self.row, file).open() as opened:
            return opened.read()

    def actions(self) -> list[str]:
        with self.held.database.reading() as session:
            return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def kept_in(folder: Path, server: S3Server, **settings: str) -> Iterator[Kept]:
    server.clear()
    place = server.settings(**settings)
    with held_meeting(folder, storage=place) as held:
        with held.database.transaction() as session:
            row = Recording(
                meeting_id=held.meeting_id, state=RecordingState.PUBLISHED, state_since=STARTS_AT,
                decided_by="Nguyễn Văn Ước", requested_at=STARTS_AT, started_at=STARTS_AT,
                duration_s=30.0, size_bytes=len(FILM),
            )  # fmt: skip
            session.add(row)
            session.flush()
            number, key = row.id, FolderStore.key(held.meeting_id, row.id)
            row.folder = key
            recordings_dir = held.app.extensions[EXTENSION].settings.recordings_dir
            row.manifest_sha256 = write_files(FolderStore(recordings_dir), key)
        bucket = open_bucket(place)
        assert bucket is not None
        keeper = Keeper(held.database, recordings_dir, bucket, held.clock)
        yield Kept(held, server, bucket, keeper, number, key)


def write_files(store: FolderStore, key: str) -> str:
    session = store.next_session(key)
    session.mkdir()
    (session / "journal.ndjson").write_text("{}\n")
    (session / "0001-camera.mkv").write_bytes(b"nguon")
    store.composed(key).write_bytes(FILM)
    store.sound(key).write_bytes(b"tieng")
    track = {"path": "sessions/0001/0001-camera.mkv", "name": "Xã Đăk Pxi", "source": "camera"}
    return manifest.write(store, key, {"tracks": [{**track, "from_s": 0, "to_s": 9}]})


@pytest.fixture
def kept(tmp_path: Path, server: S3Server) -> Iterator[Kept]:
    yield from kept_in(tmp_path, server)


# --- carrying -----------------------------------------------------------------------------------


def test_whole_files_go_and_drafts_stay(kept: Kept) -> None:
    (kept.folder / ".1234.part").write_bytes(b"half")
    before = kept.local() - {".1234.part"}
    assert kept.keeper.step()
    assert kept.local() == {".1234.part"}
    assert set(kept.server.keys()) == {f"tinh/{kept.key}/{name}" for name in before}
    assert {entry["path"] for entry in kept.row.objects} == before
    assert not kept.keeper.step()
    for file, content in ((RecordingFile.VIDEO, FILM), (RecordingFile.SOUND, b"tieng")):
        assert kept.read(file) == content
    store, digest = FolderStore(kept.folder.parent), kept.row.manifest_sha256
    assert manifest.check(store, kept.key, digest, kept.bucket) == []
    kept.server.client().put_object(
        Bucket=NAME, Key=f"tinh/{kept.key}/recording.m4a", Body=b"khac!"
    )
    faults = manifest.check(store, kept.key, digest, kept.bucket)
    assert [(one.path, one.reason) for one in faults] == [("recording.m4a", "changed")]


def test_a_large_file_goes_in_parts_and_is_read_from_any_place(kept: Kept, tmp_path: Path) -> None:
    block = hashlib.sha256(b"x").digest() * 1024
    content = b"".join(bytes([n % 256]) + block for n in range(560))  # 17.5 MiB, two parts
    path = tmp_path / "phim"
    path.write_bytes(content)
    key = f"tinh/{kept.key}/recording.mp4"
    kept.bucket.put(key, path, hashlib.sha256(content).hexdigest(), "video/mp4")
    with kept.bucket.open(key) as reader:
        for start in (0, 16 << 20, len(content) - 5, 7):
            reader.seek(start)
            assert reader.read(5) == content[start : start + 5]
        assert reader.seek(0, io.SEEK_END) == len(content)
        assert reader.read(5) == b""
    kept.server.client().create_multipart_upload(Bucket=NAME, Key=key)
    assert kept.bucket.remove(f"tinh/{kept.key}/")
    assert kept.server.client().list_multipart_uploads(Bucket=NAME).get("Uploads", []) == []


def test_what_did_not_arrive_whole_is_not_believed(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Bucket, "digest", lambda self, key: "0" * 64)
    kept.keeper.step()
    assert "không giữ đúng tệp" in kept.row.upload_error
    assert "recording.mp4" in kept.local()
    assert kept.row.objects == []


@pytest.mark.parametrize("moment", ["put", "row", "removal", "half"])
def test_a_kill_at_any_moment_loses_nothing(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    class KilledError(BaseException):
        pass

    def die(*_: Any) -> None:
        raise KilledError

    put, unlink, done = Bucket.put, Path.unlink, []

    def one_then_die(act: Any) -> Any:
        def acting(*args: Any) -> None:
            if done:
                die()
            done.append(1)
            act(*args)

        return acting

    with monkeypatch.context() as patch:
        if moment == "put":
            patch.setattr(Bucket, "put", one_then_die(put))
        elif moment == "half":
            patch.setattr(Path, "unlink", one_then_die(unlink))
        else:
            patch.setattr(keeping, {"row": "_carried", "removal": "_clear"}[moment], die)
        with pytest.raises(KilledError):
            kept.keeper.step()
    assert kept.read(RecordingFile.VIDEO) == FILM
    assert kept.read(RecordingFile.SOUND) == b"tieng"
    kept.held.clock.pass_s(CLAIM.total_seconds() + 1)
    assert kept.keeper.step()
    assert kept.local() == set()
    assert len(kept.server.keys()) == 5
    assert kept.read(RecordingFile.VIDEO) == FILM


def test_a_server_that_is_away_costs_nothing_but_time(kept: Kept) -> None:
    clerk = kept.held.browser(kept.held.live.secretary)
    before = kept.local()
    kept.server.go()
    try:
        kept.keeper.step()
        assert kept.local() == before
        assert "không trả lời" in kept.row.upload_error
        assert not kept.keeper.step()  # not before its pause is over
        assert clerk.get("/healthz").get_json()["storage"] == "failing"
        assert "Chưa chuyển được vào kho S3" in clerk.get(kept.url()).text
        assert clerk.get(kept.url("phim.mp4"), buffered=True).data == FILM
    finally:
        kept.server.come()
    kept.held.clock.pass_s(LONGEST_PAUSE.total_seconds())
    kept.keeper.step()
    assert kept.local() == set()
    assert kept.row.upload_error == ""
    assert clerk.get("/healthz").get_json() == {"status": "ok", "storage": "ok"}
    assert "Kho S3" in clerk.get(kept.url()).text


def test_captions_replaced_while_they_are_carried_are_not_lost(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.keep_captions(kept.services.recordings, kept.row, "WEBVTT\n\ncũ")
    put = Bucket.put

    def replaced_meanwhile(bucket: Bucket, key: str, path: Path, *rest: str) -> None:
        put(bucket, key, path, *rest)
        if path.name == "captions.vtt":
            files.keep_captions(kept.services.recordings, kept.row, "WEBVTT\n\nmới")

    with monkeypatch.context() as patch:
        patch.setattr(Bucket, "put", replaced_meanwhile)
        kept.keeper.step()
    assert kept.local() == {"captions.vtt"}
    assert "mới" in kept.read(RecordingFile.CAPTIONS).decode()
    kept.keeper.step()
    assert kept.local() == set()
    assert "mới" in kept.read(RecordingFile.CAPTIONS).decode()


def test_a_recording_destroyed_on_its_way_leaves_nothing(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry = Keeper._carry

    def destroyed_meanwhile(keeper: Keeper, number: int, folder: str) -> Any:
        carried = carry(keeper, number, folder)
        kept.held.change(lambda session: session.delete(session.get_one(Recording, number)))
        return carried

    monkeypatch.setattr(Keeper, "_carry", destroyed_meanwhile)
    assert kept.keeper.step()
    assert kept.server.keys() == []


# --- what the office is told --------------------------------------------------------------------


def test_a_wrong_secret_and_a_missing_bucket_are_named(kept: Kept) -> None:
    absent = open_bucket(ObjectStorage(
        endpoint=kept.server.url, bucket="khong-co", access_key="khoa", secret="s"
    ))  # fmt: skip
    assert absent is not None
    path = kept.folder / "recording.m4a"
    digest = hashlib.sha256(b"tieng").hexdigest()
    with pytest.raises(StoreUnavailableError, match="không có kho"):
        absent.put("a/b", path, digest, "audio/mp4")
    with kept.server.believing_only_keys_of_its_own() as (key, secret):
        right = open_bucket(kept.server.settings(access_key=key, secret=secret))
        wrong = open_bucket(kept.server.settings(access_key=key, secret="sai"))
        assert right is not None
        assert wrong is not None
        right.put("tinh/a", path, digest, "audio/mp4")
        with pytest.raises(StoreUnavailableError, match="khóa bí mật không đúng"):
            wrong.put("tinh/a", path, digest, "audio/mp4")
        with pytest.raises(StoreUnavailableError, match="khóa bí mật không đúng"):
            wrong.remove("tinh/")


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"access_key": ""}, "access_key"),
        ({"secret": ""}, "secret"),
        ({"secret_file": "/khong/co"}, "secret_file"),
        ({"addressing": "both"}, "addressing"),
        ({"delivery": "mail"}, "delivery"),
        ({"ca_file": "/khong/co"}, "ca_file"),
        ({"endpoint": "kho"}, "endpoint"),
    ],
)
def test_settings_that_cannot_work_are_named(facts: dict[str, str], said: str) -> None:
    whole = {"endpoint": "http://127.0.0.1:9", "bucket": "b", "access_key": "a", "secret": "s"}
    with pytest.raises(SettingsError, match=said):
        open_bucket(ObjectStorage(**{**whole, **facts}))


def test_the_servers_certificate_is_checked_against_the_file(kept: Kept, tmp_path: Path) -> None:
    path, digest = kept.folder / "recording.m4a", hashlib.sha256(b"tieng").hexdigest()
    with over_tls(tmp_path) as (url, proof):
        place = replace(kept.server.settings(), endpoint=url)
        trusting = open_bucket(replace(place, ca_file=str(proof)))
        wary = open_bucket(place)
        assert trusting is not None
        assert wary is not None
        trusting.put("tinh/a", path, digest, "audio/mp4")
        with pytest.raises(StoreUnavailableError, match="không tin được chứng chỉ"):
            wary.head("tinh/a")


def test_the_secret_may_stand_in_a_file(server: S3Server, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("bi-mat\n")
    server.clear()
    bucket = open_bucket(server.settings(secret="", secret_file=str(tmp_path / "secret")))
    assert bucket is not None
    with pytest.raises(NotFoundError):
        bucket.head("tinh/khong-co")


# --- pages --------------------------------------------------------------------------------------


def test_the_player_gets_ranges_of_what_is_in_the_bucket(kept: Kept) -> None:
    kept.keeper.step()
    clerk = kept.held.browser(kept.held.live.clerk)
    path = kept.url("phim.mp4")
    whole = clerk.get(path, buffered=True)
    assert (whole.status_code, whole.data) == (200, FILM)
    assert whole.headers["Accept-Ranges"] == "bytes"
    part = clerk.get(path, headers={"Range": "bytes=1000-1999"}, buffered=True)
    assert (part.status_code, part.data) == (206, FILM[1000:2000])
    assert part.headers["Content-Range"] == f"bytes 1000-1999/{len(FILM)}"
    assert part.headers["Cache-Control"] == "private, no-cache"
    end = clerk.get(path, headers={"Range": "bytes=-7"}, buffered=True)
    assert end.data == FILM[-7:]
    beyond = clerk.get(path, headers={"Range": f"bytes={len(FILM)}-"}, buffered=True)
    assert beyond.status_code == 416
    same = clerk.get(path, headers={"If-None-Match": whole.headers["ETag"]}, buffered=True)
    assert same.status_code == 304
    assert clerk.head(path).content_length == len(FILM)
    assert kept.actions()[:1] == ["recording.play"]
    assert kept.held.site_browser(0).get(path).status_code in {302, 403}


def test_downloads_captions_and_the_package_read_the_bucket(kept: Kept) -> None:
    kept.keeper.step()
    secretary = kept.held.browser(kept.held.live.secretary)
    sent = secretary.get(kept.url("phim.mp4?tai=1"), buffered=True)
    assert sent.data == FILM
    assert "attachment" in sent.headers["Content-Disposition"]
    assert secretary.get(kept.url("tieng.m4a"), buffered=True).data == b"tieng"
    listed = json.loads(secretary.get(kept.url("manifest.json"), buffered=True).data)
    assert listed["recording"] == kept.key
    assert "Xã Đăk Pxi" in secretary.get(kept.url()).text
    assert secretary.get(kept.url("nguon/0"), buffered=True).data == b"nguon"
    for text in (b"Ngh\xe1\xbb\x89", b"Ti\xe1\xba\xbfp"):  # new ones replace those in the bucket
        content = CAPTIONS.replace(b"Ngh\xe1\xbb\x89", text)
        secretary.post(kept.url("phu-de"), data={"captions": (io.BytesIO(content), "a.srt")})
        assert kept.local() == {"captions.vtt"}
        kept.keeper.step()
        assert kept.local() == set()
        assert text in secretary.get(kept.url("phu-de.vtt"), buffered=True).data
    packed = kept.held.browser(kept.held.live.clerk).get(
        f"/cuoc-hop/{kept.held.meeting_id}/ho-so.zip", buffered=True
    )
    with zipfile.ZipFile(io.BytesIO(packed.data)) as archive:
        assert archive.read(f"ban-ghi/{kept.number}/recording.mp4") == FILM


def test_a_silent_server_is_said_on_the_page_and_in_the_answer(kept: Kept) -> None:
    kept.keeper.step()
    secretary = kept.held.browser(kept.held.live.secretary)
    kept.server.go()
    try:
        assert secretary.get(kept.url("phim.mp4")).status_code == 503
        assert "Chưa xem được bản ghi này" in secretary.get(kept.url()).text
    finally:
        kept.server.come()
    assert secretary.get(kept.url("phim.mp4"), buffered=True).data == FILM
    kept.server.client().delete_object(Bucket=NAME, Key=f"tinh/{kept.key}/recording.mp4")
    assert secretary.get(kept.url("phim.mp4")).status_code == 404


def test_with_links_a_download_goes_straight_to_the_server_after_the_policy(
    tmp_path: Path, server: S3Server
) -> None:
    for kept in kept_in(tmp_path, server, delivery="link"):
        kept.keeper.step()
        clerk = kept.held.browser(kept.held.live.clerk)
        sent = clerk.get(kept.url("phim.mp4?tai=1"))
        assert sent.status_code == 302
        link = sent.headers["Location"]
        assert link.startswith(f"{server.url}/{NAME}/tinh/{kept.key}/recording.mp4?")
        assert "X-Amz-Expires=300" in link
        assert "bi-mat" not in link
        assert sent.headers["Cache-Control"] == "no-store"
        given = requests.get(link, timeout=30)
        assert given.content == FILM
        assert "attachment" in given.headers["Content-Disposition"]
        assert clerk.get(kept.url("phim.mp4"), buffered=True).data == FILM
        assert kept.actions() == ["recording.download", "recording.play"]
        stranger = kept.held.site_browser(0).get(kept.url("phim.mp4?tai=1"))
        assert server.url not in stranger.headers.get("Location", "")


# --- destruction --------------------------------------------------------------------------------


@pytest.mark.parametrize("is_versioned", [False, True])
def test_destruction_removes_the_objects_in_every_version(kept: Kept, is_versioned: bool) -> None:
    client = kept.server.client()
    if is_versioned:
        client.put_bucket_versioning(Bucket=NAME, VersioningConfiguration={"Status": "Enabled"})
    client.put_object(Bucket=NAME, Key="tinh/meeting-1-recording-99/x", Body=b"another")
    kept.keeper.step()
    client.delete_object(Bucket=NAME, Key=f"tinh/{kept.key}/recording.m4a")
    settings = kept.services.settings
    stores = erase.Stores(settings.papers_dir, settings.recordings_dir, kept.bucket)
    with kept.held.database.transaction() as session:
        gone = erase.erase(session, session.get_one(Meeting, kept.held.meeting_id), stores)
    digest = hashlib.sha256(FILM).hexdigest()
    film = {"name": f"{kept.key}/recording.mp4", "bytes": len(FILM), "sha256": digest}
    assert film in gone.files
    kept.server.go()
    try:
        left = erase.remove(gone.places, stores)
    finally:
        kept.server.come()
    assert left == [f"bucket/{kept.key}"]
    # without the settings nobody can say that they are gone
    assert erase.remove(left, erase.Stores(stores.papers_dir, stores.recordings_dir)) == left
    assert erase.remove(left, stores) == []
    versions = client.list_object_versions(Bucket=NAME)
    found = [one["Key"] for kind in ("Versions", "DeleteMarkers") for one in versions.get(kind, [])]
    assert found == ["tinh/meeting-1-recording-99/x"]


def test_a_bucket_that_is_no_longer_configured_is_named(kept: Kept) -> None:
    kept.keeper.step()
    without = files.Store(kept.services.settings.recordings_dir)
    with pytest.raises(StoreUnavailableError, match="chưa được cấu hình"):
        files.find(without, kept.row, RecordingFile.VIDEO)


# --- the worker ---------------------------------------------------------------------------------


def test_the_recordings_worker_carries_what_is_finished(kept: Kept) -> None:
    def no_room(*_: Any) -> Any:
        raise AssertionError("nothing is captured here")

    service = Service(
        Ledger(kept.held.database, "test", kept.held.clock),
        FolderStore(kept.folder.parent), no_room, name="test", clock=lambda: 0.0,
        min_headroom_mib=0, video_height=180, keeper=kept.keeper,
    )  # fmt: skip

    async def work() -> None:
        leave = asyncio.Event()
        running = asyncio.create_task(service.run(leave))
        async with asyncio.timeout(60):
            while await asyncio.to_thread(kept.folder.exists):
                await asyncio.sleep(0.05)
        leave.set()
        await running

    asyncio.run(work())
    assert len(kept.row.objects) == 5
    assert kept.read(RecordingFile.VIDEO) == FILM


def test_a_worker_with_a_wrong_setting_says_which(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "diemcau.toml").write_text('[storage]\nbucket = "b"\naccess_key = "a"\n')
    monkeypatch.setattr("sys.argv", ["recordings", "--data", str(tmp_path)])
    assert worker() == 1
    assert "secret" in capsys.readouterr().err
    assert cli.main(["serve", "--data", str(tmp_path)]) == 1
    assert "secret" in capsys.readouterr().err
