"""The pages of what remains: recordings with their access log, minutes, the search."""

import io
import json
import zipfile
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
from conference.archive.verify import check
from conference.directory.models import Site
from conference.directory.vietnamese import fold
from conference.minutes import service as minutes
from conference.scheduling.models import Meeting, Status
from conference.signatures.models import SignedPaper
from tests.support.held_meeting import HeldMeeting, held_meeting
from tests.support.live_meeting import STARTS_AT, hold
from tests.support.signing import authority
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


def test_captions_are_taken_cleaned_shown_and_logged(held: HeldMeeting, recording_id: int) -> None:
    secretary, clerk = held.browser(held.live.secretary), held.browser(held.live.clerk)
    path = url(held, f"ban-ghi/{recording_id}/phu-de")
    assert "Chưa có phụ đề" in clerk.get(url(held, "ban-ghi")).text
    assert clerk.get(f"{path}.vtt").status_code == 404
    srt = "1\n00:00:01,000 --> 00:00:02,000\nKính thưa\n"
    refused = secretary.post(
        path, data={"captions": (io.BytesIO(b"GIF89a"), "a.vtt")}, follow_redirects=True
    )
    assert "không đúng định dạng" in refused.text
    assert (
        clerk.post(path, data={"captions": (io.BytesIO(srt.encode()), "a.srt")}).status_code == 403
    )
    secretary.post(path, data={"captions": (io.BytesIO(srt.encode()), "a.srt")})
    assert "Kính thưa" in clerk.get(f"{path}.vtt", buffered=True).text
    assert 'kind="captions"' in clerk.get(url(held, "ban-ghi")).text
    assert actions(held) == ["recording.captions"]


def test_chapters_are_a_track_of_the_player(held: HeldMeeting, recording_id: int) -> None:
    text = held.browser(held.live.clerk).get(url(held, f"ban-ghi/{recording_id}/chuong.vtt")).text
    assert text == "WEBVTT\n\n00:00:08.000 --> 00:00:30.000\nBáo cáo &lt;b&gt;\n"


def test_sound_and_sources_are_given_to_those_who_may_and_logged(
    held: HeldMeeting, recording_id: int
) -> None:
    folder = held.app.extensions[EXTENSION].settings.recordings_dir / "r1"
    (folder / "recording.m4a").write_bytes(b"tieng")
    (folder / "0001-microphone.mkv").write_bytes(b"nguon")
    listed = [
        {"path": path, "name": "Xã Đăk Pxi", "source": "microphone", "from_s": 0, "to_s": 9}
        for path in ("0001-microphone.mkv", "../../secrets/media")
    ]
    files = [{"path": one["path"], "size_bytes": 5} for one in listed]
    (folder / "manifest.json").write_text(json.dumps({"files": files, "tracks": listed}))
    secretary, clerk = held.browser(held.live.secretary), held.browser(held.live.clerk)
    base = url(held, f"ban-ghi/{recording_id}")
    assert clerk.get(f"{base}/tieng.m4a", buffered=True).data == b"tieng"
    assert clerk.get(f"{base}/nguon/0").status_code == 403
    assert secretary.get(f"{base}/nguon/0", buffered=True).data == b"nguon"
    for number in (1, 2):  # outside the folder, and not there
        assert secretary.get(f"{base}/nguon/{number}").status_code == 404
    assert actions(held)[:2] == ["recording.download_sound", "recording.download_source"]


def test_a_failed_composing_can_be_tried_again(held: HeldMeeting) -> None:
    row = add_recording(held, RecordingState.FAILED_COMPOSE, attempts=3)
    held.browser(held.live.secretary).post(url(held, f"ban-ghi/{row}/ghep-lai"))
    with held.database.reading() as session:
        assert session.get_one(Recording, row).state is RecordingState.CAPTURED


# --- minutes ------------------------------------------------------------------------------------


def typed(held: HeldMeeting, browser: FlaskClient, course: str, base: str = "") -> Any:
    return browser.post(
        url(held, "bien-ban"),
        data={"number": "", "course": course, "conclusion": "", "base_course": base},
        headers={"Accept": "application/json"},
    )


def test_two_editors_lose_no_word_and_see_each_other(held: HeldMeeting) -> None:
    secretary, clerk = held.browser(held.live.secretary), held.browser(held.live.clerk)
    began = "Mở đầu.\n\nBáo cáo."
    typed(held, secretary, began)
    first = typed(held, secretary, "Mở đầu lúc 8 giờ.\n\nBáo cáo.", began).get_json()
    both = typed(held, clerk, "Mở đầu.\n\nBáo cáo thu ngân sách.", began).get_json()
    assert both["course"] == "Mở đầu lúc 8 giờ.\n\nBáo cáo thu ngân sách."
    assert both["merged_from"] == "Trần Thị Bích"
    seen = secretary.get(url(held, f"bien-ban/hien-tai.json?version={first['version']}"))
    assert seen.get_json()["course"] == both["course"]
    again = secretary.get(url(held, f"bien-ban/hien-tai.json?version={both['version']}"))
    assert again.status_code == 204
    # without scripts: the page sends what it began with, too
    page = secretary.post(
        url(held, "bien-ban"), data={"course": "Mở đầu lúc 9 giờ.\n\nBáo cáo.",
                                     "base_course": "Mở đầu lúc 8 giờ.\n\nBáo cáo."},
    )  # fmt: skip
    assert page.status_code == 303
    assert (
        "Mở đầu lúc 9 giờ.\n\nBáo cáo thu ngân sách." in secretary.get(url(held, "bien-ban")).text
    )


def test_two_versions_are_compared_word_by_word(held: HeldMeeting) -> None:
    secretary, clerk = held.browser(held.live.secretary), held.browser(held.live.clerk)
    typed(held, secretary, "Giao Sở <b>Tài chính</b>.")
    typed(held, clerk, "Giao Sở Y tế.", "Giao Sở <b>Tài chính</b>.")
    text = secretary.get(url(held, "bien-ban/so-sanh?tu=1&den=2")).text
    assert "<del>&lt;b&gt;Tài" in text
    assert "<ins>Y" in text
    assert secretary.get(url(held, "bien-ban/so-sanh?tu=1&den=9")).status_code == 404


def test_a_mark_leads_into_the_recording_and_is_not_printed(
    held: HeldMeeting, recording_id: int
) -> None:
    secretary = held.browser(held.live.secretary)
    typed(held, secretary, "Xã A phát biểu [0:12:40].")
    assert "/ban-ghi?t=760" in secretary.get(url(held, "bien-ban")).text
    answer = secretary.get(url(held, "bien-ban/bien-ban.docx"))
    words = [p.text for p in docx.Document(io.BytesIO(answer.data)).paragraphs]
    assert "Xã A phát biểu." in words


def test_the_draft_fills_the_minutes_and_the_old_text_stays_in_history(held: HeldMeeting) -> None:
    secretary = held.browser(held.live.secretary)
    typed(held, secretary, "Bản gõ tay")
    secretary.post(url(held, "bien-ban/du-thao"))
    text = secretary.get(url(held, "bien-ban")).text
    assert "đồng chí Nguyễn Văn Ước" in text
    assert "Bản gõ tay" in secretary.get(url(held, "bien-ban/lich-su/1")).text


def test_the_papers_carry_what_was_saved(held: HeldMeeting) -> None:
    secretary = held.browser(held.live.secretary)
    typed(held, secretary, "Sở Tài chính báo cáo <b>thu</b>.")
    answer = secretary.get(url(held, "bien-ban/bien-ban.docx"))
    document = docx.Document(io.BytesIO(answer.data))
    assert "Sở Tài chính báo cáo <b>thu</b>." in [p.text for p in document.paragraphs]
    assert secretary.get(url(held, "bien-ban/bien-ban.pdf")).data.startswith(b"%PDF")
    assert actions(held) == ["minutes.docx", "minutes.pdf"]


def test_a_site_reads_and_writes_no_minutes(held: HeldMeeting) -> None:
    site = held.site_browser(0)
    assert site.get(url(held, "bien-ban")).status_code == 403
    assert typed(held, site, "x").status_code == 403
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


# --- signed papers, conclusions -------------------------------------------------------------------


def upload(held: HeldMeeting, content: bytes, name: str = "ky.pdf", kind: str = "minutes") -> Any:
    return held.browser(held.live.clerk).post(
        url(held, f"ban-ky/{kind}"),
        data={"file": (io.BytesIO(content), name)},
        content_type="multipart/form-data",
    )


def test_the_signed_paper_is_checked_filed_and_closes_the_minutes(held: HeldMeeting) -> None:
    secretary = held.browser(held.live.secretary)
    typed(held, secretary, "Bản sẽ ký")
    printed = secretary.get(url(held, "bien-ban/bien-ban.pdf")).data
    upload(held, printed)
    assert "Tệp chưa có chữ ký số" in secretary.get(url(held, "bien-ban")).text
    assert typed(held, secretary, "Sửa tiếp", "Bản sẽ ký").status_code == 200
    signed = authority().sign(printed)
    upload(held, signed)
    assert "Chưa xác định được người ký" in secretary.get(url(held, "bien-ban")).text
    folder = held.app.extensions[EXTENSION].settings.authorities_dir
    folder.mkdir(parents=True)
    (folder / "ca.pem").write_bytes(authority().pem())
    secretary.post(url(held, "ban-ky/2/kiem-tra"))
    text = secretary.get(url(held, "bien-ban")).text
    assert "Chữ ký hợp lệ" in text
    assert "Nguyễn Văn An" in text
    assert typed(held, secretary, "Sau khi ký", "Sửa tiếp").status_code == 409
    secretary.post(url(held, "bien-ban/phu-luc"), data={"addendum": "Bổ sung <b>số liệu</b>"})
    assert "Bổ sung &lt;b&gt;số liệu&lt;/b&gt;" in secretary.get(url(held, "bien-ban")).text
    answer = secretary.get(url(held, "ban-ky/2.pdf"), buffered=True)
    assert answer.data == signed
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_what_is_no_pdf_and_who_is_no_clerk_files_nothing(held: HeldMeeting) -> None:
    upload(held, b"<html>", "ky.pdf")
    upload(held, b"%PDF-1.7", "ky.docx")
    site = held.site_browser(0)
    answer = site.post(url(held, "ban-ky/minutes"), data={"file": (io.BytesIO(b"%PDF-"), "a.pdf")})
    assert answer.status_code == 403
    with held.database.reading() as session:
        assert session.query(SignedPaper).count() == 0


def test_conclusions_become_tasks_and_a_notice(held: HeldMeeting) -> None:
    secretary = held.browser(held.live.secretary)
    with held.database.reading() as session:
        unit = session.get_one(Site, held.live.sites[0].site_id).unit_id
    form = {"text": "Rà soát <i>nước</i>", "lead_unit": unit, "due_on": "2026-12-20"}
    refused = secretary.post(url(held, "ket-luan/nhiem-vu"), data={**form, "lead_unit": ""})
    assert refused.status_code == 422
    assert "Mỗi kết luận cần đơn vị chủ trì." in refused.text
    assert "Rà soát &lt;i&gt;nước&lt;/i&gt;" in refused.text
    assert secretary.post(url(held, "ket-luan/nhiem-vu"), data=form).status_code == 303
    notice = {"number": "345", "issued_on": "2026-12-11", "opening": "Mở đầu", "version": 0}
    assert secretary.post(url(held, "ket-luan"), data=notice).status_code == 303
    assert secretary.post(url(held, "ket-luan"), data=notice).status_code == 409
    text = secretary.get("/nhiem-vu").text
    assert "UBND xã đăk pxi 1" in text
    assert secretary.post("/nhiem-vu/1", data={"state": "done"}).status_code == 303
    assert "Hoàn thành" in secretary.get(url(held, "ket-luan")).text
    answer = secretary.get(url(held, "ket-luan/thong-bao.docx"))
    assert answer.data.startswith(b"PK")
    assert secretary.get(url(held, "ket-luan/thong-bao.pdf")).data.startswith(b"%PDF")
    site = held.site_browser(0)
    assert site.get(url(held, "ket-luan")).status_code == 403
    assert site.post("/nhiem-vu/1", data={"state": "open"}).status_code == 403


def test_the_whole_file_leaves_as_a_package_that_proves_itself(
    held: HeldMeeting, recording_id: int
) -> None:
    secretary, clerk = held.browser(held.live.secretary), held.browser(held.live.clerk)
    typed(held, secretary, "Nội dung <b>biên bản</b>")
    assert held.site_browser(0).get(url(held, "ho-so.zip")).status_code == 403
    answer = clerk.get(url(held, "ho-so.zip"), buffered=True)
    report = check(io.BytesIO(answer.data))
    assert report.faults == ()
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        names = set(archive.namelist())
        assert archive.read(f"ban-ghi/{recording_id}/recording.mp4") == VIDEO
    assert {"bien-ban/bien-ban.pdf", "bien-ban/bien-ban.docx", "diem-danh/diem-danh.xlsx",
            "metadata.xml", "index.html", "nhat-ky/nhat-ky.json"} <= names  # fmt: skip
    assert actions(held)[-1] == "archive.export"


def test_the_overview_shows_how_complete_the_file_is(held: HeldMeeting, recording_id: int) -> None:
    def end(session: Any) -> None:
        session.get_one(Meeting, held.meeting_id).status = Status.ENDED

    held.change(end)
    text = held.browser(held.live.clerk).get(url(held, "tong-quan")).text
    assert "Tải gói hồ sơ" in text
    assert "Đủ 1/7 phần" in text
    assert "0/3 điểm cầu đã điểm danh" in text
    assert "chưa có bản ký" in text
    assert 'href="/cuoc-hop/1/ket-luan"' in text
    assert "Tải gói hồ sơ" not in held.site_browser(0).get(url(held, "tong-quan")).text
