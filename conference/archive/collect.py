"""What belongs into the export package of one meeting, gathered from rows and stores."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from conference import canonical
from conference.archive import hoso, inside_tables, rows
from conference.archive.bucket import Bucket
from conference.archive.files import RecordingFile, Store, StoredFile, find
from conference.archive.hoso import Completeness
from conference.archive.models import Recording, RecordingState
from conference.archive.package import Item, Package
from conference.attendance import export as attendance_export
from conference.attendance import paper as attendance_paper
from conference.attendance import record as attendance_record
from conference.attendance import service as attendance
from conference.attendance import versions
from conference.attendance.fair_copy import record_of
from conference.attendance.service import Rule
from conference.conclusions import paper as notice_paper
from conference.conclusions import service as conclusions
from conference.conduct import log, voting
from conference.documents import pdf, word
from conference.documents.paper import Issuer, Paper
from conference.errors import ConflictError, NotFoundError
from conference.invitation_papers import service as invitation_papers
from conference.line_checks import board
from conference.line_checks import service as line_checks
from conference.minutes import paper as minutes_paper
from conference.minutes import service as minutes
from conference.minutes.service import Text
from conference.scheduling.local_time import local_day, period_text
from conference.scheduling.models import Meeting
from conference.scheduling.papers import papers_of
from conference.scheduling.planning import thresholds_of
from conference.signatures import service as signatures

RECORDS: Final = "du-lieu/ho-so.json"
"""Place of the record document, from which another installation takes the file in."""
CONTENT: Final = "content"
PARTS: Final = {
    RecordingFile.VIDEO: "Bản ghi hình",
    RecordingFile.SOUND: "Bản ghi âm",
    RecordingFile.CAPTIONS: "Phụ đề",
    RecordingFile.MANIFEST: "Kê khai bản ghi",
}


@dataclass(frozen=True, slots=True)
class Stores:
    """Where files are, and in whose name papers are made."""

    papers_dir: Path
    recordings_dir: Path
    issuer: Issuer
    rule: Rule
    bucket: Bucket | None = None


def package_of(session: Session, meeting: Meeting, stores: Stores, at: datetime) -> Package:
    """Everything of ``meeting``, as it stands at ``at``; files that are gone are named missing."""
    found = hoso.parts(hoso.facts_of(session, meeting))
    lacking = {Completeness.MISSING, Completeness.PENDING}
    missing = [part.said for part in found if part.completeness in lacking]
    items: list[Item] = []
    for item in _items(session, meeting, stores, at):
        if not _is_there(item.content):
            missing.append(f"{item.title}: tệp không còn")
        else:
            items.append(item)
    places: dict[tuple[str, int], dict[str, str]] = {}
    for item in items:
        if item.row is not None:
            table, number, part = item.row
            places.setdefault((table, number), {})[part] = item.path
    document = rows.as_document(session, meeting, places)
    items.append(Item(RECORDS, "Dữ liệu hồ sơ", canonical.encode(document)))
    return Package(
        title=f"Hồ sơ cuộc họp {meeting.title}", office=stores.issuer.name, made_at=at,
        metadata=_metadata(session, meeting, stores, at, missing), items=items, missing=missing,
    )  # fmt: skip


def _is_there(content: bytes | Path | StoredFile) -> bool:
    if isinstance(content, bytes):
        return True
    return content.is_file() if isinstance(content, Path) else content.is_there()


def _items(session: Session, meeting: Meeting, stores: Stores, at: datetime) -> Iterator[Item]:
    yield from _line_checks(session, meeting)
    yield from _invitation(session, meeting, stores, at)
    yield from inside_tables.items(session, meeting)
    yield from _attendance(session, meeting, stores, at)
    yield from _minutes(session, meeting, stores, at)
    yield from _notice(session, meeting, stores, at)
    for signed in signatures.of_meeting(session, meeting.id):
        path = f"ban-ky/{signed.id:03d}-{_inside(signed.filename)}"
        content = stores.papers_dir / signed.stored_name
        row = ("signed_paper", signed.id, CONTENT)
        yield Item(path, f"Bản ký số: {signed.filename}", content, row)
    for paper in papers_of(session, meeting.id):
        path = f"tai-lieu/{paper.id:03d}-{_inside(paper.filename)}"
        content = stores.papers_dir / paper.stored_name
        yield Item(path, f"Tài liệu: {paper.filename}", content, ("paper", paper.id, CONTENT))
    yield from _recordings(session, meeting, stores)
    yield Item("nhat-ky/nhat-ky.json", "Nhật ký cuộc họp", _log(session, meeting))


def _inside(filename: str) -> str:
    """A name that is no path on any system."""
    return "".join("_" if c in '\\/:*?"<>|' else c for c in filename).strip(". ")


def _paper(folder: str, title: str, paper: Paper, at: datetime) -> Iterator[Item]:
    yield Item(f"{folder}/{folder}.pdf", f"{title} (PDF/A)", pdf.document(paper, at))
    yield Item(f"{folder}/{folder}.docx", f"{title} (DOCX)", word.document(paper, at))


def _line_checks(session: Session, meeting: Meeting) -> Iterator[Item]:
    """The board as it stood, and every check with its facts and limits."""
    rows = line_checks.all_of(session, meeting.id)
    if not rows:
        return
    lines = board.lines_of(session, meeting, thresholds_of(session))
    title = "Kết quả kiểm tra đường truyền"
    yield Item("kiem-tra/kiem-tra.xlsx", f"{title} (XLSX)", board.workbook(meeting, lines))
    names = {site.id: site.site_name for site in meeting.sites}
    checks = [
        {
            "site": names.get(one.invited_site_id, ""), "at": one.checked_at.isoformat(),
            "by": one.checked_by, "source": one.source.value, "grade": one.grade.value,
            "note": one.note, "findings": one.findings, "report": one.report,
            "limits": one.limits, "browser": one.browser,
        }
        for one in rows
    ]  # fmt: skip
    content = json.dumps(checks, ensure_ascii=False, indent=1).encode()
    yield Item("kiem-tra/kiem-tra.json", f"{title} (dữ liệu)", content)


def _attendance(session: Session, meeting: Meeting, stores: Stores, at: datetime) -> Iterator[Item]:
    signed = versions.last_signed(session, meeting.id)
    made = signed or record_of(meeting, attendance.sheet(session, meeting, at, stores.rule))
    secretary = meeting.secretary.full_name if meeting.secretary else ""
    paper = attendance_paper.compose(stores.issuer, made, secretary=secretary)
    yield from _paper("diem-danh", "Danh sách điểm danh", paper, at)
    table = attendance_export.workbook(made)
    yield Item("diem-danh/diem-danh.xlsx", "Danh sách điểm danh (XLSX)", table)
    content = json.dumps(attendance_record.to_json(made), ensure_ascii=False, indent=1).encode()
    yield Item("diem-danh/diem-danh.json", "Danh sách điểm danh (dữ liệu)", content)


def _invitation(session: Session, meeting: Meeting, stores: Stores, at: datetime) -> Iterator[Item]:
    row = invitation_papers.find(session, meeting.id)
    if row is None:
        return
    text = invitation_papers.text_of(row)
    docx = invitation_papers.docx(session, stores.issuer, meeting, text, at)
    yield Item("giay-moi/giay-moi.docx", "Giấy mời (DOCX)", docx)
    try:
        printed = invitation_papers.pdf_file(session, stores.issuer, meeting, text, at)
    except ConflictError:
        return  # an own layout without a suite to print it: the DOCX is what there is
    yield Item("giay-moi/giay-moi.pdf", "Giấy mời (PDF)", printed)


def _minutes(session: Session, meeting: Meeting, stores: Stores, at: datetime) -> Iterator[Item]:
    row = minutes.find(session, meeting.id)
    if row is not None:
        sheet = attendance.sheet(session, meeting, at, stores.rule)
        text = Text(row.number, row.course, row.conclusion)
        paper = minutes_paper.compose(stores.issuer, meeting, sheet, text)
        yield from _paper("bien-ban", "Biên bản", paper, at)


def _notice(session: Session, meeting: Meeting, stores: Stores, at: datetime) -> Iterator[Item]:
    row = conclusions.notice_of(session, meeting.id)
    if row is not None:
        tasks = [line.task for line in conclusions.tasks_of(session, meeting.id, local_day(at))]
        opening = conclusions.default_opening(meeting)
        paper = notice_paper.compose(stores.issuer, meeting, row, tasks, opening)
        yield from _paper("ket-luan", "Thông báo kết luận", paper, at)


def _recordings(session: Session, meeting: Meeting, stores: Stores) -> Iterable[Item]:
    query = select(Recording).where(
        Recording.meeting_id == meeting.id, Recording.state == RecordingState.PUBLISHED
    )
    for row in session.scalars(query.order_by(Recording.id)):
        for part, title in PARTS.items():
            try:
                file = find(Store(stores.recordings_dir, stores.bucket), row, part)
            except NotFoundError:
                continue
            place = f"ban-ghi/{row.id}/{part.value}"
            yield Item(place, f"{title} {row.id}", file, ("recording", row.id, part.value))


def _log(session: Session, meeting: Meeting) -> bytes:
    lines = [
        {
            "at": one.at.isoformat(), "kind": one.kind, "actor": one.actor,
            "subject": one.subject, "detail": one.detail,
        }
        for one in log.entries(session, meeting.id)
    ]  # fmt: skip
    return json.dumps(lines, ensure_ascii=False, indent=1).encode()


def _metadata(
    session: Session, meeting: Meeting, stores: Stores, at: datetime, missing: list[str]
) -> dict[str, Any]:
    sheet = attendance.sheet(session, meeting, at, stores.rule)
    return {
        "title": meeting.title,
        "office": stores.issuer.name,
        "scope": meeting.scope.value,
        "status": meeting.status.value,
        "period": period_text(meeting.starts_at, meeting.ends_at),
        "starts_at": meeting.starts_at.isoformat(),
        "ended_at": meeting.ended_at.isoformat() if meeting.ended_at else None,
        "chair": meeting.chair.full_name,
        "secretary": meeting.secretary.full_name if meeting.secretary else None,
        "agenda": [item.title for item in meeting.agenda],
        "sites": [site.unit_name for site in meeting.sites if site.withdrawn_at is None],
        "sites_invited": sheet.totals.invited,
        "sites_present": sheet.totals.came,
        "delegates": sheet.totals.delegates,
        "votes": [
            {"question": vote.question, **_tally(session, vote)}
            for vote in voting.votes(session, meeting.id)
            if vote.closed_at is not None
        ],
        "missing": missing,
        "made_at": at.isoformat(),
    }


def _tally(session: Session, vote: Any) -> dict[str, int]:
    found = voting.count(session, vote)
    return {"for": found.in_favour, "against": found.against, "abstaining": found.abstaining}
