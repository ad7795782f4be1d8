"""The pages of what remains: recordings with their access log, minutes, the search."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docx
import pytest
from flask.testing import FlaskClient

from conference.access.models import AuditEntry
from conference.access.policy import Actor
from conference.archive import hoso, search
from conference.archive.hoso import Completeness
from conference.archive.models import Recording, RecordingState
from conference.directory.vietnamese import fold
from conference.minutes import service as minutes
from conference.scheduling.models import Meeting, Status
from tests.support.held_meeting import HeldMeeting, held_meeting
from tests.support.live_meeting import STARTS_AT, hold
from web.services import EXTENSION

VIDEO = bytes(range(256)) * 400


@pytest.fixture
def held(tmp_path: Path) -> Iterator[HeldMeeting]:
    with held_meeting(tmp_path) as meeting:
        yield meeting


def add_recording(held: HeldMeeting, state: RecordingState, **facts: Any) -> int:
    with held.database.transaction() as session:
        row = Recording(
            meeting_id=held.meeting_id, state=state, state_since=STARTS_AT,
            decided_by="Nguyễn Văn Ước", requested_at=STARTS_AT, **facts,
        )  # fmt: skip
        session.add(row)
        session.flush()
        return row.id


@pytest.fixture
def recording_id(held: HeldMeeting) -> int:
    """A published recording with files."""
    folder = held.app.extensions[EXTENSION].settings.recordings_dir / "r1"
    folder.mkdir(parents=True)
    (folder / "recording.mp4").write_bytes(VIDEO)
    (folder / "manifest.json").write_text("{}")
    return add_recording(
        held, RecordingState.PUBLISHED, folder="r1", duration_s=30.0, size_bytes=len(VIDEO),
        started_at=STARTS_AT, manifest_sha256="ab" * 32,
        chapters=[{"at_s": 8.0, "title": "Báo cáo <b>", "identity": ""}],
        gaps=[{"from_s": 20.0, "to_s": 22.5, "reason": "Máy ghi khởi động lại"}],
    )  # fmt: skip


def url(held: HeldMeeting, rest: str) -> str:
    return f"/cuoc-hop/{held.meeting_id}/{rest}"


def actions(held: HeldMeeting) -> list[str]:
    with held.database.reading() as session:
        return [entry.action for entry in session.query(AuditEntry).order_by(AuditEntry.id)]


# --- recordings ---------------------------------------------------------------------------------


def test_the_player_gets_ranges_and_a_play_is_logged_once(
    held: HeldMeeting, recording_id: int
) -> None:
    clerk = held.browser(held.live.clerk)
    path = url(held, f"ban-ghi/{recording_id}/phim.mp4")
    opening = clerk.get(path, headers={"Range": "bytes=0-"}, buffered=True)
    assert opening.status_code == 206
    part = clerk.get(path, headers={"Range": "bytes=1000-1999"}, buffered=True)
    assert part.status_code == 206
    assert part.data == VIDEO[1000:2000]
    assert part.headers["Content-Range"] == f"bytes 1000-1999/{len(VIDEO)}"
    assert part.headers["X-Content-Type-Options"] == "nosniff"
    assert actions(held) == ["recording.play"]


def test_a_download_is_logged_with_who_took_it(held: HeldMeeting, recording_id: int) -> None:
    clerk = held.browser(held.live.clerk)
    answer = clerk.get(url(held, f"ban-ghi/{recording_id}/phim.mp4?tai=1"), buffered=True)
    assert answer.status_code == 200
    assert "attachment" in answer.headers["Content-Disposition"]
    manifest = clerk.get(url(held, f"ban-ghi/{recording_id}/manifest.json"), buffered=True)
    assert manifest.status_code == 200
    assert actions(held) == ["recording.download", "recording.manifest"]
    with held.database.reading() as session:
        assert {entry.account_id for entry in session.query(AuditEntry)} == {held.live.clerk.id}


def test_sites_and_strangers_get_no_recording_and_no_trace_of_it(
    held: HeldMeeting, recording_id: int
) -> None:
    for browser in (held.site_browser(0), held.browser()):
        for rest in ("ban-ghi", f"ban-ghi/{recording_id}/phim.mp4",
                     f"ban-ghi/{recording_id}/manifest.json"):  # fmt: skip
            answer = browser.get(url(held, rest))
            assert answer.status_code in {302, 403}
            assert "Giao ban" not in answer.text
    assert actions(held) == []


def test_a_recording_of_another_meeting_is_not_found_here(
    held: HeldMeeting, recording_id: int
) -> None:
    with held.database.transaction() as session:
        other = hold(session, tag="b").meeting.id
    clerk = held.browser(held.live.clerk)
    assert clerk.get(f"/cuoc-hop/{other}/ban-ghi/{recording_id}/phim.mp4").status_code == 404


@pytest.mark.parametrize("folder", ["", "../../etc", "/etc", "r1/../../.."])
def test_no_row_leads_out_of_the_store(held: HeldMeeting, folder: str) -> None:
    row = add_recording(held, RecordingState.PUBLISHED, folder=folder)
    clerk = held.browser(held.live.clerk)
    assert clerk.get(url(held, f"ban-ghi/{row}/phim.mp4")).status_code == 404


@pytest.mark.parametrize(
    ("state", "facts", "said"),
    [
        (RecordingState.REQUESTED, {}, "Đang bắt đầu"),
        (RecordingState.ACTIVE, {"started_at": STARTS_AT, "last_byte_at": STARTS_AT}, "Đang ghi,"),
        (RecordingState.INTERRUPTED, {"started_at": STARTS_AT}, "KHÔNG GHI ĐƯỢC"),
        (RecordingState.COMPOSING, {"progress": 0.62}, "Đang ghép: 62 %"),
        (RecordingState.FAILED_START, {"error": "Hết đĩa"}, "Hết đĩa"),
        (RecordingState.FAILED_COMPOSE, {"error": "ffmpeg"}, "Chạy lại"),
    ],
)
def test_every_state_says_what_is_really_so(
    held: HeldMeeting, state: RecordingState, facts: dict[str, Any], said: str
) -> None:
    row = add_recording(held, state, **facts)
    secretary = held.browser(held.live.secretary)
    assert said in secretary.get(url(held, "ban-ghi")).text
    assert said in secretary.get(url(held, f"ban-ghi?ban={row}")).text
    assert secretary.get(url(held, f"ban-ghi/{row}/phim.mp4")).status_code == 404


def test_chapters_and_gaps_are_listed_as_text(held: HeldMeeting, recording_id: int) -> None:
    text = held.browser(held.live.clerk).get(url(held, "ban-ghi")).text
    assert "Báo cáo &lt;b&gt;" in text
    assert 'data-seek="8.0"' in text
    assert "0:20–0:22" in text


def test_a_failed_composing_can_be_tried_again(held: HeldMeeting) -> None:
    row = add_recording(held, RecordingState.FAILED_COMPOSE, attempts=3)
    held.browser(held.live.secretary).post(url(held, f"ban-ghi/{row}/ghep-lai"))
    with held.database.reading() as session:
        assert session.get_one(Recording, row).state is RecordingState.CAPTURED


# --- minutes ------------------------------------------------------------------------------------


def typed(held: HeldMeeting, browser: FlaskClient, version: int, course: str) -> Any:
    return browser.post(
        url(held, "bien-ban"),
        data={"number": "", "course": course, "conclusion": "", "version": version},
        headers={"Accept": "application/json"},
    )


def test_two_editors_do_not_overwrite_each_other(held: HeldMeeting) -> None:
    secretary, clerk = held.browser(held.live.secretary), held.browser(held.live.clerk)
    saved = typed(held, secretary, 0, "Bản của thư ký").get_json()
    clash = typed(held, clerk, 0, "Bản của văn thư")
    assert clash.status_code == 409
    assert clash.get_json()["course"] == "Bản của thư ký"
    assert "Trần Thị Bích vừa sửa" in clash.get_json()["said"]
    assert typed(held, clerk, saved["version"], "Bản của văn thư").status_code == 200
    # without scripts: the page comes back with both texts
    page = secretary.post(
        url(held, "bien-ban"), data={"course": "Tôi gõ thêm", "version": saved["version"]}
    )
    assert page.status_code == 409
    assert "Tôi gõ thêm" in page.text
    assert "Bản của văn thư" in page.text


def test_the_draft_fills_the_minutes_and_the_old_text_stays_in_history(held: HeldMeeting) -> None:
    secretary = held.browser(held.live.secretary)
    typed(held, secretary, 0, "Bản gõ tay")
    secretary.post(url(held, "bien-ban/du-thao"))
    text = secretary.get(url(held, "bien-ban")).text
    assert "đồng chí Nguyễn Văn Ước" in text
    assert "Bản gõ tay" in secretary.get(url(held, "bien-ban/lich-su/1")).text


def test_the_papers_carry_what_was_saved(held: HeldMeeting) -> None:
    secretary = held.browser(held.live.secretary)
    typed(held, secretary, 0, "Sở Tài chính báo cáo <b>thu</b>.")
    answer = secretary.get(url(held, "bien-ban/bien-ban.docx"))
    document = docx.Document(io.BytesIO(answer.data))
    assert "Sở Tài chính báo cáo <b>thu</b>." in [p.text for p in document.paragraphs]
    assert secretary.get(url(held, "bien-ban/bien-ban.pdf")).data.startswith(b"%PDF")
    assert actions(held) == ["minutes.docx", "minutes.pdf"]


def test_a_site_reads_and_writes_no_minutes(held: HeldMeeting) -> None:
    site = held.site_browser(0)
    assert site.get(url(held, "bien-ban")).status_code == 403
    assert typed(held, site, 0, "x").status_code == 403
    assert site.get(url(held, "bien-ban/bien-ban.pdf")).status_code == 403


# --- search and completeness --------------------------------------------------------------------


def plan(held: HeldMeeting, title: str, tag: str) -> None:
    def make(session: Any) -> None:
        meeting = hold(session, tag=tag, sites=1).meeting
        meeting.title, meeting.title_folded = title, fold(title)

    held.change(make)


@pytest.mark.parametrize("query", ["giao ban", "giao bán", "GIAO BAN", "Giao  ban"])
def test_a_meeting_is_found_with_and_without_marks(held: HeldMeeting, query: str) -> None:
    answer = held.browser(held.live.clerk).get("/tim-kiem", query_string={"q": query})
    assert "Giao ban tháng 12/2026" in answer.text


def test_exact_marks_come_first_and_places_are_told(held: HeldMeeting) -> None:
    plan(held, "Giáo bản vùng cao", "b")

    def write(session: Any) -> None:
        meeting = session.get_one(Meeting, held.meeting_id)
        text = minutes.Text("", "Mở đầu. " * 40 + "Đăk Rơ Nga thiếu nước sinh hoạt.", "")
        minutes.save(session, meeting, text, version=0, by="x", at=STARTS_AT)

    held.change(write)
    clerk = held.browser(held.live.clerk)
    text = clerk.get("/tim-kiem?q=giáo bản").text
    assert text.index("Giáo bản vùng cao") < text.index("Giao ban tháng 12")
    text = clerk.get("/tim-kiem?q=dak ro nga").text
    assert "Biên bản: … " in text
    assert "Đăk Rơ Nga" in text
    assert "Không tìm thấy" in clerk.get("/tim-kiem?q=không có đâu").text


def test_minutes_are_searched_only_for_those_who_may_read_them(held: HeldMeeting) -> None:
    def write(session: Any) -> None:
        meeting = session.get_one(Meeting, held.meeting_id)
        text = minutes.Text("", "Nội dung kín đáo", "")
        minutes.save(session, meeting, text, version=0, by="x", at=STARTS_AT)

    held.change(write)
    site = Actor(account_id=None, role=None, name="x", invited_site_id=held.live.sites[0].id)
    with held.database.reading() as session:
        assert search.search(session, "kín đáo", actor=site) == []
        assert len(search.search(session, "giao ban", actor=site)) == 1


def test_the_file_says_what_is_missing(held: HeldMeeting, recording_id: int) -> None:
    def end(session: Any) -> None:
        session.get_one(Meeting, held.meeting_id).status = Status.ENDED

    held.change(end)
    with held.database.reading() as session:
        meeting = session.get_one(Meeting, held.meeting_id)
        found = {part.tab: part for part in hoso.parts(hoso.facts_of(session, meeting))}
    assert found["ban-ghi"].completeness is Completeness.COMPLETE
    assert found["bien-ban"].completeness is Completeness.MISSING
    assert (found["diem-danh"].count, found["diem-danh"].of) == (0, 3)
    assert found["tai-lieu"].completeness is Completeness.NONE
