"""Filing a signed paper: store the PDF, check it, and say what was found."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from conference.errors import InvalidError, NotFoundError
from conference.scheduling import papers
from conference.scheduling.papers import StoredFile
from conference.signatures import verify
from conference.signatures.models import SignedKind, SignedPaper, Verdict
from conference.signatures.verify import Report

PDF: Final = "application/pdf"
VERDICT_WORDS: Final = {
    Verdict.VALID: "Chữ ký hợp lệ",
    Verdict.UNKNOWN: "Chưa xác định được người ký",
    Verdict.BROKEN: "Chữ ký không đúng",
    Verdict.UNSIGNED: "Tệp chưa có chữ ký số",
}


def store(folder: Path, content: IO[bytes], filename: str, *, max_bytes: int) -> StoredFile:
    """Write an uploaded PDF. Raises InvalidError for anything else."""
    stored = papers.store(folder, content, filename, max_bytes=max_bytes)
    if stored.media_type != PDF:
        papers.discard(folder, stored.stored_name)
        raise InvalidError({"file": "Tải lên bản PDF đã ký số."})
    return stored


def examine(folder: Path, stored_name: str, authorities: Path) -> Report:
    """Check a stored file against the installed authorities."""
    with (folder / stored_name).open("rb") as file:
        return verify.check(file, verify.installed_authorities(authorities))


def file_paper(
    session: Session,
    meeting_id: int,
    kind: SignedKind,
    stored: StoredFile,
    report: Report,
    *,
    by: str,
    at: datetime,
) -> SignedPaper:
    """Put a stored and examined PDF into the meeting's file."""
    row = SignedPaper(
        meeting_id=meeting_id, kind=kind, filename=stored.filename,
        stored_name=stored.stored_name, size_bytes=stored.size_bytes, sha256=stored.sha256,
        verdict=report.verdict, signatures=_findings(report), checked_at=at, uploaded_by=by,
        uploaded_at=at,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def check_again(row: SignedPaper, report: Report, at: datetime) -> None:
    """Keep the newest finding, after authorities were installed."""
    row.verdict, row.signatures, row.checked_at = report.verdict, _findings(report), at


def _findings(report: Report) -> list[dict[str, str]]:
    return [
        {
            "signer": one.signer,
            "signed_at": one.signed_at.isoformat() if one.signed_at else "",
            "verdict": one.verdict.value,
            "reason": one.reason,
        }
        for one in report.findings
    ]


def of_meeting(
    session: Session, meeting_id: int, kind: SignedKind | None = None
) -> Sequence[SignedPaper]:
    """The signed papers, newest first."""
    query = select(SignedPaper).where(SignedPaper.meeting_id == meeting_id)
    if kind is not None:
        query = query.where(SignedPaper.kind == kind)
    return session.scalars(query.order_by(SignedPaper.id.desc())).all()


def find(session: Session, meeting_id: int, paper_id: int) -> SignedPaper:
    """One signed paper of one meeting. Raises NotFoundError."""
    row = session.get(SignedPaper, paper_id)
    if row is None or row.meeting_id != meeting_id:
        raise NotFoundError
    return row
