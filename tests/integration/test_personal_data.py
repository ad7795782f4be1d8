"""One report says what is held on a person; requests have their day, corrections keep the past."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path

import pymupdf
import pytest
from docx import Document
from sqlalchemy import select

from conference.access.models import AuditEntry
from conference.attendance import delegates
from conference.conduct.ballots import Choice
from conference.conduct.models import Ballot, ChatMessage, Vote, VoteReceipt
from conference.directory.models import Person
from conference.personal_data.models import DataCorrection, DataRequest
from conference.scheduling.models import Meeting, Status
from tests.support.held_meeting import HeldMeeting, held_meeting
from tests.support.live_meeting import STARTS_AT

FRIDAY = datetime(2027, 4, 23, 3, 0, tzinfo=UTC)
"""Before a weekend; working days go on with Monday 26/04/2027."""


@pytest.fixture
def held(tmp_path: Path) -> Iterator[HeldMeeting]:
    with held_meeting(tmp_path, status=Status.ENDED) as meeting:
        meeting.clock.at = FRIDAY
        yield meeting


def fill(held: HeldMeeting) -> int:
    """The chair chats, votes openly and secretly, and is named as a delegate."""
    identity = f"person:{held.live.chair.id}"
    with held.database.transaction() as session:
        meeting = session.get_one(Meeting, held.meeting_id)
        votes = [
            Vote(meeting_id=meeting.id, question=text, is_secret=is_secret, eligible_count=3,
                 opened_at=STARTS_AT, opened_by="A")
            for text, is_secret in (("Câu công khai", False), ("Câu kín", True))
        ]  # fmt: skip
        session.add_all(votes)
        session.flush()
        session.add_all(
            [
                ChatMessage(meeting_id=meeting.id, at=STARTS_AT, identity=identity,
                            display_name="A", text="<script>x</script> lời của tôi"),
                ChatMessage(meeting_id=meeting.id, at=STARTS_AT, identity="person:999",
                            display_name="B", text="lời của người khác"),
                Ballot(id=1, vote_id=votes[0].id, choice=Choice.AGAINST, identity=identity,
                       display_name="A", unit_name="", cast_at=STARTS_AT),
                Ballot(id=2, vote_id=votes[1].id, choice=Choice.FOR),
                VoteReceipt(id=3, vote_id=votes[1].id, identity=identity),
            ]
        )  # fmt: skip
        people = delegates.parse("Nguyễn Văn Ước, Phó Chủ tịch")
        delegates.expect(session, meeting, meeting.sites[0], people)
        assert meeting.chair.full_name == "Nguyễn Văn Ước"
        return meeting.chair_id


def test_the_report_holds_what_is_the_persons_and_nothing_of_others(held: HeldMeeting) -> None:
    number = fill(held)
    clerk = held.browser(held.live.clerk)
    page = clerk.get(f"/luu-tru/ca-nhan/{number}").text
    assert "lời của tôi" in page
    assert "<script>x" not in page
    assert "lời của người khác" not in page
    assert held.live.sites[0].join_code not in page
    made = json.loads(clerk.get(f"/luu-tru/ca-nhan/{number}/bao-cao.json").text)
    sections = {one["title"]: one for one in made["sections"]}
    assert [row[1] for row in sections["Biểu quyết công khai"]["rows"]] == ["Câu công khai"]
    assert [row[1:] for row in sections["Đã biểu quyết"]["rows"]] == [["Câu kín", "bỏ phiếu kín"]]
    assert sections["Đại biểu được nêu tên"]["by_name"]
    assert sections["Đại biểu được nêu tên"]["total"] == 1
    assert sections["Chủ trì hoặc làm thư ký"]["rows"][0][2] == "chủ trì"
    word = Document(BytesIO(clerk.get(f"/luu-tru/ca-nhan/{number}/bao-cao.docx").data))
    cells = {cell.text for table in word.tables for row in table.rows for cell in row.cells}
    assert "Câu công khai" in cells
    printed = pymupdf.open(
        stream=clerk.get(f"/luu-tru/ca-nhan/{number}/bao-cao.pdf").data, filetype="pdf"
    )
    assert "Nguyễn Văn Ước" in "".join(sheet.get_text() for sheet in printed)
    with held.database.reading() as session:
        looks = session.scalars(
            select(AuditEntry.action).where(AuditEntry.object_type == "person")
        ).all()
    assert looks == ["personal_data.view", *["personal_data.export"] * 3]


def test_a_request_is_due_after_two_working_days_and_answered_once(held: HeldMeeting) -> None:
    number = fill(held)
    clerk = held.browser(held.live.clerk)
    path = f"/luu-tru/ca-nhan/{number}"
    typed = {"asked": "erase", "text": "", "received_on": "2027-04-23"}
    assert clerk.post(f"{path}/yeu-cau", data=typed).status_code == 422
    assert clerk.post(f"{path}/yeu-cau", data={**typed, "text": "Xóa"}).status_code == 303
    with held.database.reading() as session:
        row = session.scalars(select(DataRequest)).one()
        assert row.due_on == date(2027, 4, 27)
        request_id = row.id
    assert "Chưa trả lời" in clerk.get("/luu-tru/ca-nhan").text
    held.clock.at = datetime(2027, 4, 28, 3, 0, tzinfo=UTC)
    assert "Quá hạn" in clerk.get("/luu-tru/ca-nhan").text
    reply = {"outcome": "refused", "answer": "Hồ sơ lưu trữ theo luật"}
    assert clerk.post(f"{path}/yeu-cau/{request_id}", data=reply).status_code == 303
    assert clerk.post(f"{path}/yeu-cau/{request_id}", data=reply).status_code == 409


def test_a_correction_keeps_what_stood_there_and_why(held: HeldMeeting) -> None:
    number = fill(held)
    clerk = held.browser(held.live.clerk)
    path = f"/luu-tru/ca-nhan/{number}/dinh-chinh"
    typed = {"full_name": "Nguyễn Văn Uớc", "email": "uoc@x.example", "phone": ""}
    refused = clerk.post(path, data=typed)
    assert refused.status_code == 422
    assert "uoc@x.example" in refused.text
    clerk.post(path, data={**typed, "reason": "Theo căn cước"})
    with held.database.reading() as session:
        assert session.get_one(Person, number).email == "uoc@x.example"
        rows = {one.field: one for one in session.scalars(select(DataCorrection))}
        assert (rows["full_name"].before, rows["full_name"].after) == (
            "Nguyễn Văn Ước", "Nguyễn Văn Uớc",
        )  # fmt: skip
        assert rows["email"].reason == "Theo căn cước"


def test_others_do_not_see_it(held: HeldMeeting) -> None:
    number = fill(held)
    for who in (held.live.secretary, held.live.chair):
        browser = held.browser(who)
        for path in ("", f"/{number}", f"/{number}/bao-cao.json"):
            assert browser.get(f"/luu-tru/ca-nhan{path}").status_code == 403
