"""Presence from the engine's reports and lists to the sheet and the workbook."""

import base64
import hashlib
import io
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import openpyxl
import pytest
from flask.testing import FlaskClient

from conference.access.models import AuditEntry
from conference.attendance import delegates, evidence, service
from conference.attendance.intervals import derive
from conference.attendance.models import AttendanceMark, AttendanceStatus, PresenceEvidence
from conference.lease import hold as hold_lease
from conference.scheduling.models import InvitedSite, Meeting, Status
from tests.support.held_meeting import HeldMeeting, held_meeting
from tests.support.live_meeting import STARTS_AT
from tests.support.service import wait_until
from web.realtime import documents
from web.realtime.watcher import LEASE, Watcher


@pytest.fixture
def held(tmp_path: Path) -> Iterator[HeldMeeting]:
    with held_meeting(tmp_path) as meeting:
        yield meeting


def report(
    held: HeldMeeting,
    event: str,
    identity: str,
    sid: str,
    *,
    id: str | None = None,  # noqa: A002
    at: datetime | None = None,
    reason: str = "",
    hidden: bool = False,
    secret: str | None = None,
    signed_at: datetime | None = None,
    body_after: bytes = b"",
) -> int:
    """Send one of the engine's reports; the answer's status."""
    settings = held.app.extensions["diemcau"].settings
    happened = at or held.clock.at
    held.clock.at = max(held.clock.at, happened)  # nothing is reported before it happens
    participant: dict[str, Any] = {
        "sid": sid, "identity": identity, "name": identity, "permission": {"hidden": hidden},
    }  # fmt: skip
    if reason:
        participant["disconnectReason"] = reason
    body = json.dumps(
        {
            "event": event, "id": id or f"EV_{sid}_{event}", "room": {"name": "phong-a"},
            "createdAt": str(int(happened.timestamp())), "participant": participant,
        }
    ).encode()  # fmt: skip
    now_s = int((signed_at or held.clock.at).timestamp())
    claims = {
        "iss": settings.media.api_key, "nbf": now_s, "exp": now_s + 300,
        "sha256": base64.b64encode(hashlib.sha256(body).digest()).decode(),
    }  # fmt: skip
    token = jwt.encode(claims, secret or settings.media_secret(), algorithm="HS256")
    answer = held.browser().post(
        "/engine/webhook",
        data=body + body_after,
        headers={"Authorization": token, "Content-Type": "application/webhook+json"},
    )
    return answer.status_code


def evidence_count(held: HeldMeeting) -> int:
    with held.database.reading() as session:
        return session.query(PresenceEvidence).count()


def roster(held: HeldMeeting) -> dict[str, Any]:
    with held.database.reading() as session:
        meeting = session.get_one(Meeting, held.meeting_id)
        return documents.roster_lines(session, meeting, held.clock.at)


# --- the engine's reports -----------------------------------------------------------------------


def test_a_report_of_joining_makes_the_site_present_on_every_screen(held: HeldMeeting) -> None:
    assert report(held, "participant_joined", held.site_identity(0), "PA_1") == 200
    shown = roster(held)
    assert shown["present_count"] == 1
    assert report(held, "participant_left", held.site_identity(0), "PA_1") == 200
    assert roster(held)["present_count"] == 0


def test_a_repeated_report_changes_nothing(held: HeldMeeting) -> None:
    for _ in range(3):
        assert report(held, "participant_joined", held.site_identity(0), "PA_1") == 200
    assert evidence_count(held) == 1


def test_hidden_helpers_are_never_present(held: HeldMeeting) -> None:
    report(held, "participant_joined", "recorder:1", "PA_1")
    report(held, "participant_joined", held.site_identity(0), "PA_2", hidden=True)
    assert evidence_count(held) == 0


@pytest.mark.parametrize(
    "fault",
    [{"secret": "x" * 40}, {"body_after": b" "}, {"signed_at": STARTS_AT - timedelta(minutes=7)}],
)
def test_a_report_that_is_not_the_engines_is_refused(
    held: HeldMeeting, fault: dict[str, Any]
) -> None:
    assert report(held, "participant_joined", held.site_identity(0), "PA_1", **fault) == 401
    assert evidence_count(held) == 0


def test_a_report_without_a_signature_is_refused(held: HeldMeeting) -> None:
    assert held.browser().post("/engine/webhook", data=b"{}").status_code == 401


def test_everybody_gets_one_roster_for_many_changes(held: HeldMeeting) -> None:
    hub = held.app.extensions["diemcau.conduct"].hub
    site = held.site_socket(0)
    site.told()
    for _ in range(20):
        hub.changed_soon(held.meeting_id, "roster")
    hub.start()
    try:
        told = wait_until(site.told, "a roster")
        assert [name for name, _ in told] == ["roster"]
    finally:
        hub.stop()


# --- the list -----------------------------------------------------------------------------------


def test_a_minute_without_the_web_process_loses_no_interval(held: HeldMeeting) -> None:
    """While we are away one site comes and stays, one goes, one comes and goes and comes."""
    first, second = held.site_identity(0), held.site_identity(1)
    held.engine.enter("phong-a", first, at=held.clock.at)
    process = Watcher(held.app)
    process.poll()
    held.clock.pass_s(15)
    process.poll()
    # killed here: no release of the lease, no webhooks
    held.engine.leave("phong-a", first)
    held.engine.enter("phong-a", second, at=held.clock.at + timedelta(seconds=20))
    held.clock.pass_s(60)
    Watcher(held.app).poll()
    with held.database.reading() as session:
        found = derive(evidence.load(session, held.meeting_id), now=held.clock.at)
    assert [(one.start, one.end) for one in found[first]] == [
        (STARTS_AT, STARTS_AT + timedelta(seconds=15))
    ]
    assert found[first][0].is_estimated
    assert [(one.start, one.end) for one in found[second]] == [
        (STARTS_AT + timedelta(seconds=35), None)
    ]


def test_two_processes_do_not_both_ask_the_engine(held: HeldMeeting) -> None:
    held.change(
        lambda session: hold_lease(session, LEASE, "another", held.clock.at, timedelta(seconds=30))
    )
    Watcher(held.app).poll()
    assert held.engine.calls == []
    held.clock.pass_s(31)
    Watcher(held.app).poll()
    assert held.engine.calls != []


def test_who_stays_in_the_room_of_an_ended_meeting_is_put_out(held: HeldMeeting) -> None:
    held.engine.enter("phong-a", held.site_identity(0), at=held.clock.at)

    def end(session: Any) -> None:
        meeting = session.get_one(Meeting, held.meeting_id)
        meeting.status = Status.ENDED
        meeting.ended_at = held.clock.at

    held.change(end)
    Watcher(held.app).poll()
    assert "phong-a" not in held.engine.rooms


# --- the page -----------------------------------------------------------------------------------


def page(held: HeldMeeting, path: str = "", browser: FlaskClient | None = None) -> Any:
    browser = browser or held.browser(held.live.secretary)
    return browser.get(f"/cuoc-hop/{held.meeting_id}/diem-danh{path}")


def test_the_log_suggests_and_a_person_marks(held: HeldMeeting) -> None:
    report(held, "participant_joined", held.site_identity(0), "PA_1")
    late = STARTS_AT + timedelta(minutes=17)
    report(held, "participant_joined", held.site_identity(1), "PA_2", at=late)
    held.clock.at = STARTS_AT + timedelta(minutes=17, seconds=30)
    text = page(held).text
    assert "Đến muộn (vào 8:17)" in text
    assert "Chưa điểm danh" in text
    secretary = held.browser(held.live.secretary)
    site = held.live.sites[2]
    answer = secretary.post(
        f"/cuoc-hop/{held.meeting_id}/diem-danh/{site.id}",
        data={"status": "excused", "note": "Mất điện", "delegates_count": ""},
    )
    assert answer.status_code == 303
    text = page(held).text
    assert "Vắng có lý do" in text
    assert "Mất điện" in text
    with held.database.reading() as session:
        actions = [entry.action for entry in session.query(AuditEntry)]
    assert "attendance.mark" in actions


def test_confirming_marks_only_who_came_and_is_not_marked_yet(held: HeldMeeting) -> None:
    report(held, "participant_joined", held.site_identity(0), "PA_1")
    held.clock.pass_s(30)
    secretary = held.browser(held.live.secretary)
    url = f"/cuoc-hop/{held.meeting_id}/diem-danh"
    secretary.post(f"{url}/xac-nhan")
    held.clock.at = STARTS_AT + timedelta(minutes=20)
    with held.database.reading() as session:
        sheet = service.sheet(session, session.get_one(Meeting, held.meeting_id), held.clock.at)
    assert [line.status.value for line in sheet.sites] == ["present", "unmarked", "unmarked"]
    assert sheet.sites[0].mark is not None
    assert sheet.sites[0].mark.marked_by == "Trần Thị Bích"


def test_a_form_with_errors_keeps_what_was_typed(held: HeldMeeting) -> None:
    secretary = held.browser(held.live.secretary)
    site = held.live.sites[0]
    answer = secretary.post(
        f"/cuoc-hop/{held.meeting_id}/diem-danh/{site.id}",
        data={"status": "late", "note": "Kẹt xe ở đèo", "delegates_count": "99999"},
    )
    assert answer.status_code == 422
    assert "Kẹt xe ở đèo" in answer.text
    assert "99999" in answer.text
    assert "Số người từ 0 đến 2000" in answer.text


def test_sites_and_strangers_do_not_see_or_mark_the_sheet(held: HeldMeeting) -> None:
    site = held.site_browser(0)
    assert page(held, browser=site).status_code == 403
    assert page(held, browser=held.browser()).status_code == 302
    url = f"/cuoc-hop/{held.meeting_id}/diem-danh/{held.live.sites[0].id}"
    assert site.post(url, data={"status": "present"}).status_code == 403


def test_the_workbook_has_vietnamese_headers_local_times_and_no_formulas(
    held: HeldMeeting,
) -> None:
    def rename(session: Any) -> None:
        session.get_one(InvitedSite, held.live.sites[0].id).unit_name = '=HYPERLINK("http://x")'

    held.change(rename)
    report(held, "participant_joined", held.site_identity(0), "PA_1")
    gone = STARTS_AT + timedelta(minutes=30)
    report(held, "participant_left", held.site_identity(0), "PA_1", at=gone,
           reason="CLIENT_INITIATED")  # fmt: skip
    held.clock.at = STARTS_AT + timedelta(minutes=40)
    answer = page(held, "/xuat.xlsx")
    assert answer.status_code == 200
    book = openpyxl.load_workbook(io.BytesIO(answer.data))
    assert book.sheetnames == ["Điểm cầu", "Đại biểu", "Theo đơn vị", "Vào ra"]
    rows = [[cell.value for cell in row] for row in book["Điểm cầu"].iter_rows()]
    header = next(n for n, row in enumerate(rows) if row[0] == "STT")
    assert rows[header][:7] == [
        "STT", "Đơn vị", "Điểm cầu", "Trạng thái", "Đề xuất theo nhật ký", "Giờ vào", "Giờ ra",
    ]  # fmt: skip
    first = rows[header + 1]
    assert first[5] == datetime(2026, 12, 10, 8, 0)  # noqa: DTZ001 -- a workbook has no zones
    assert first[6] == datetime(2026, 12, 10, 8, 30)  # noqa: DTZ001
    assert first[7] == 30
    cell = book["Điểm cầu"].cell(header + 2, 2)
    assert cell.value == '=HYPERLINK("http://x")'
    assert cell.data_type == "s"
    interval = [[cell.value for cell in row] for row in book["Vào ra"].iter_rows()]
    assert interval[header + 1][6] == "Rời họp"


def test_a_person_in_the_room_is_a_delegate_not_a_site(held: HeldMeeting) -> None:
    report(held, "participant_joined", f"person:{held.live.chair.id}", "PA_1")
    held.clock.pass_s(5)
    assert "Nguyễn Văn Ước" in page(held).text
    assert roster(held)["present_count"] == 0
    chair = roster(held)["sites"][0]
    assert chair["role"] == "chair"
    assert chair["is_present"] is True


# --- delegates, signature, correction -------------------------------------------------------------


def test_the_secretary_names_and_marks_delegates(held: HeldMeeting) -> None:
    secretary = held.browser(held.live.secretary)
    base = f"/cuoc-hop/{held.meeting_id}/diem-danh"
    site = held.live.sites[0]
    names = "Y Mửi, Chủ tịch UBND xã\nKring Ba"
    assert (
        secretary.post(f"{base}/dai-bieu", data={"site": site.id, "names": names}).status_code
        == 303
    )
    refused = secretary.post(f"{base}/dai-bieu", data={"site": site.id, "names": "Lê Hoa\n99"})
    assert refused.status_code == 422
    assert "Dòng 2 chưa có họ tên" in refused.text
    assert "Lê Hoa\n99" in refused.text  # nothing typed is lost
    with held.database.reading() as session:
        first = delegates.of_meeting(session, held.meeting_id)[0].id
    form = {"status": "excused", "note": "", "stands_in_for": ""}
    answer = secretary.post(f"{base}/dai-bieu/{first}", data=form)
    assert answer.status_code == 422
    assert "Ghi lý do vắng." in answer.text
    answer = secretary.post(f"{base}/dai-bieu/{first}", data={**form, "note": "Đi công tác"})
    assert answer.status_code == 303
    text = page(held, "?xem=dai-bieu").text
    assert "Y Mửi" in text
    assert "Đi công tác" in text
    assert "Theo đơn vị" in page(held, "?xem=don-vi").text
    assert held.site_browser(0).post(f"{base}/dai-bieu", data={"names": "X"}).status_code == 403


def test_only_the_chair_signs_and_every_version_can_be_had_for_ever(held: HeldMeeting) -> None:
    def end(session: Any) -> None:
        meeting = session.get_one(Meeting, held.meeting_id)
        meeting.status, meeting.ended_at = Status.ENDED, held.clock.at

    held.clock.pass_s(3600)
    held.change(end)
    base = f"/cuoc-hop/{held.meeting_id}/diem-danh"
    secretary, chair = held.browser(held.live.secretary), held.browser(held.live.chair)
    assert secretary.post(f"{base}/ky").status_code == 403
    assert chair.post(f"{base}/ky").status_code == 303
    site = f"{base}/{held.live.sites[0].id}"
    assert secretary.post(site, data={"status": "present"}).status_code == 409
    assert "Đã khóa theo bản ký" in page(held).text
    assert secretary.post(f"{base}/dinh-chinh", data={"reason": " "}).status_code == 422
    reason = "Xã có mặt trực tiếp tại hội trường"
    assert secretary.post(f"{base}/dinh-chinh", data={"reason": reason}).status_code == 303
    assert secretary.post(site, data={"status": "in_person"}).status_code == 303
    assert chair.post(f"{base}/ky").status_code == 303
    words = {}
    for number in (1, 2):
        answer = page(held, f"/xuat.csv?ban={number}")
        assert f"ban-{number}.csv" in answer.headers["Content-Disposition"]
        words[number] = answer.text
    assert "Có mặt trực tiếp" not in words[1]
    assert "Có mặt trực tiếp" in words[2]
    assert page(held, "/xuat.csv").text == words[2]
    assert page(held, "/xuat.pdf").data.startswith(b"%PDF")
    assert page(held, "/xuat.docx").data.startswith(b"PK")
    assert page(held, "/xuat.csv?ban=9").status_code == 404
    shown = page(held).text
    assert reason in shown
    with held.database.reading() as session:
        actions = [one.action for one in session.query(AuditEntry).order_by(AuditEntry.id)]
    assert actions[:4] == [
        "attendance.sign", "attendance.correct", "attendance.mark", "attendance.sign",
    ]  # fmt: skip


def test_the_rest_is_marked_at_once_and_taken_back_but_not_what_a_person_said_since(
    held: HeldMeeting,
) -> None:
    clerk = held.browser(held.live.clerk)
    sheet = f"/cuoc-hop/{held.meeting_id}/diem-danh"
    first, second, third = (site.id for site in held.live.sites)
    clerk.post(f"{sheet}/{first}", data={"status": "excused", "note": "Bão", "delegates_count": ""})
    assert clerk.post(f"{sheet}/con-lai", data={"status": "excused"}).status_code == 422

    def marks() -> dict[int, AttendanceStatus]:
        with held.database.reading() as session:
            rows = session.query(AttendanceMark).filter_by(meeting_id=held.meeting_id)
            return {row.invited_site_id: row.status for row in rows}

    held.clock.pass_s(60)
    done = clerk.post(f"{sheet}/con-lai", data={"status": "in_person"})
    assert done.status_code == 303
    present = AttendanceStatus.IN_PERSON
    assert marks() == {first: AttendanceStatus.EXCUSED, second: present, third: present}
    page = clerk.get(done.headers["Location"]).text
    assert "Hoàn tác" in page
    moment = held.clock.at.isoformat()
    held.clock.pass_s(60)
    clerk.post(f"{sheet}/{third}", data={"status": "absent", "note": "", "delegates_count": ""})
    clerk.post(f"{sheet}/con-lai/hoan-tac", data={"at": moment})
    assert marks() == {first: AttendanceStatus.EXCUSED, third: AttendanceStatus.ABSENT}
    outsider = held.site_browser(0)
    assert outsider.post(f"{sheet}/con-lai", data={"status": "present"}).status_code == 403
