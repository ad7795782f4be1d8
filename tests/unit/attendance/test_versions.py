"""Signing the sheet, correcting it, and what every format says of it."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import docx
import openpyxl
import pymupdf
import pytest
from sqlalchemy.orm import Session

from conference.attendance import delegates, export, paper, record, service, versions
from conference.attendance.delegates import Expected
from conference.attendance.fair_copy import record_of
from conference.attendance.models import AttendanceStatus, AttendanceVersion
from conference.attendance.record import AttendanceRecord
from conference.database import Database
from conference.documents import pdf, word
from conference.documents.paper import Issuer
from conference.errors import ConflictError, InvalidError, NotFoundError
from conference.models import Base
from conference.scheduling.models import Status
from tests.support.live_meeting import STARTS_AT, LiveMeeting, hold

AT = STARTS_AT + timedelta(hours=3)
ISSUER = Issuer("Ủy ban nhân dân tỉnh Kon Tum", "Văn phòng UBND tỉnh", "VPUBND", "Kon Tum")


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    database = Database(f"sqlite:///{tmp_path / 'test.sqlite3'}")
    Base.metadata.create_all(database.engine)
    with database.transaction() as session:
        yield session
    database.dispose()


@pytest.fixture
def held(session: Session) -> LiveMeeting:
    live = hold(session, status=Status.ENDED)
    live.meeting.ended_at = AT
    names = [Expected("Y Mửi", "Chủ tịch UBND xã"), Expected('=HYPERLINK("http://x")')]
    delegates.expect(session, live.meeting, live.sites[0], names)
    mark(session, live, AttendanceStatus.IN_PERSON)
    return live


def mark(session: Session, held: LiveMeeting, status: AttendanceStatus) -> None:
    service.mark(
        session, held.meeting, held.sites[0].id, status=status, note="", delegates_count=12,
        by="Bích", at=AT,
    )  # fmt: skip


def current(session: Session, held: LiveMeeting) -> AttendanceRecord:
    return record_of(held.meeting, service.sheet(session, held.meeting, AT))


def sign(session: Session, held: LiveMeeting) -> AttendanceVersion:
    return versions.sign(session, held.meeting, current(session, held), by="Ước", at=AT)


def test_a_signed_sheet_is_locked_and_a_correction_is_the_next_version(
    session: Session, held: LiveMeeting
) -> None:
    sign(session, held)
    with pytest.raises(ConflictError):
        mark(session, held, AttendanceStatus.LATE)
    with pytest.raises(ConflictError):
        service.confirm_suggestions(session, held.meeting, set(), by="Bích", at=AT)
    with pytest.raises(ConflictError):
        sign(session, held)
    with pytest.raises(InvalidError):
        versions.correct(session, held.meeting, "  ", by="Bích", at=AT)
    versions.correct(session, held.meeting, "Ghi nhầm xã", by="Bích", at=AT)
    with pytest.raises(ConflictError):
        versions.correct(session, held.meeting, "Hai lần", by="Lan", at=AT)
    mark(session, held, AttendanceStatus.LATE)
    second = sign(session, held)
    assert (second.number, second.opened_by, second.reason) == (2, "Bích", "Ghi nhầm xã")
    statuses = [versions.signed(session, held.meeting.id, n).sites[0].status for n in (1, 2)]
    assert statuses == ["Có mặt trực tiếp", "Đến muộn"]


def test_what_was_signed_does_not_follow_later_changes(session: Session, held: LiveMeeting) -> None:
    sign(session, held)
    held.meeting.title = "Tên khác"
    held.sites[0].unit_name = "Đơn vị khác"
    kept = versions.last_signed(session, held.meeting.id)
    assert kept is not None
    assert (kept.meeting, kept.sites[0].unit) == ("Giao ban tháng 12/2026", "UBND xã đăk pxi 1")
    assert (kept.signed_by, kept.version) == ("Ước", 1)


def test_altered_content_is_noticed(session: Session, held: LiveMeeting) -> None:
    row = sign(session, held)
    row.content = {**row.content, "chair": "Người khác"}
    with pytest.raises(ValueError, match="digest"):
        versions.signed(session, held.meeting.id, 1)


def test_a_running_meeting_is_not_signed(session: Session, held: LiveMeeting) -> None:
    held.meeting.status = Status.LIVE
    with pytest.raises(ConflictError):
        sign(session, held)
    with pytest.raises(NotFoundError):
        versions.signed(session, held.meeting.id, 1)


def test_a_record_survives_json(session: Session, held: LiveMeeting) -> None:
    made = current(session, held)
    assert record.from_json(record.to_json(made)) == made
    with pytest.raises(ValueError, match="attendance record"):
        record.from_json({"format": "x"})


def test_all_formats_say_the_same(session: Session, held: LiveMeeting) -> None:
    sign(session, held)
    made = versions.last_signed(session, held.meeting.id)
    assert made is not None
    official = paper.compose(ISSUER, made, secretary="Trần Thị Bích")
    book = openpyxl.load_workbook(io.BytesIO(export.workbook(made)))
    assert book.sheetnames == ["Điểm cầu", "Đại biểu", "Theo đơn vị", "Vào ra"]
    sheets = "\n".join(
        str(cell) for page in book for row in page.iter_rows(values_only=True) for cell in row
    )
    document = docx.Document(io.BytesIO(word.document(official, AT)))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    letters = "\n".join([*cells, *(one.text for one in document.paragraphs)])
    with pymupdf.open(stream=pdf.document(official, AT)) as file:
        assert round(file[0].rect.width / 72 * 25.4) == 297
        printed = " ".join(" ".join(page.get_text().split()) for page in file)
    table = export.csv_text(made).decode("utf-8-sig")
    for text in (sheets, letters, printed, table):
        for wanted in ("UBND xã đăk pxi 1", "Có mặt trực tiếp", "Y Mửi", "Chủ tịch UBND xã"):
            assert wanted in text
    assert all("Bản 1, Ước ký xác nhận" in text for text in (sheets, letters, printed))


def test_csv_runs_no_formula(session: Session, held: LiveMeeting) -> None:
    rows = list(
        csv.reader(io.StringIO(export.csv_text(current(session, held)).decode("utf-8-sig")))
    )
    assert {len(row) for row in rows} == {len(rows[0])}
    cells = [cell for row in rows for cell in row]
    assert '\'=HYPERLINK("http://x")' in cells
    assert not any(cell.startswith(("=", "@", "+")) for cell in cells)


def test_the_digest_is_that_of_the_content(session: Session, held: LiveMeeting) -> None:
    row = sign(session, held)
    again = replace(record.from_json(row.content), signed_by="Người khác")
    assert record.to_json(again) != row.content
    assert len(row.sha256) == 64
