"""Hand a meeting's papers over to the document system: the invitation and the conclusions."""

import zipfile
from collections.abc import Sequence
from datetime import date, datetime
from io import BytesIO
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from conference.conclusions import paper as conclusions_paper
from conference.conclusions import service as conclusions
from conference.directory.models import Site, Unit
from conference.documents import pdf, word
from conference.documents.paper import Issuer, Paper, number_line
from conference.errors import ConflictError
from conference.handover.envelope import Envelope, HandedFile, Receiver, header, metadata
from conference.invitation_papers import service as invitation_papers
from conference.invitation_papers.wording import KIND_WORDS, SYMBOLS, subject
from conference.scheduling.local_time import local_day
from conference.scheduling.models import InvitedSite, Meeting

_TIME: Final = (1980, 1, 1, 0, 0, 0)


def package(session: Session, issuer: Issuer, meeting: Meeting, at: datetime) -> bytes:
    """The ZIP of what was written. Raises ConflictError when nothing was."""
    receivers = _receivers(session, meeting.id)
    parts = [
        *_invitation(session, issuer, meeting, receivers, at),
        *_notice(session, issuer, meeting, receivers, at),
    ]
    if not parts:
        raise ConflictError("Chưa có văn bản mời hoặc thông báo kết luận để chuyển.")
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for folder, envelope, files in parts:
            extra = (
                HandedFile("metadata.json", metadata(envelope, files)),
                HandedFile("edxml.xml", header(envelope, files)),
            )
            for one in (*files, *extra):
                archive.writestr(zipfile.ZipInfo(f"{folder}/{one.name}", _TIME), one.content)
    return file.getvalue()


Part = tuple[str, Envelope, tuple[HandedFile, ...]]


def _invitation(
    session: Session, issuer: Issuer, meeting: Meeting, receivers: Sequence[Receiver], at: datetime
) -> list[Part]:
    row = invitation_papers.find(session, meeting.id)
    if row is None:
        return []
    text = invitation_papers.text_of(row)
    kind = SYMBOLS[text.kind]
    docx = invitation_papers.docx(session, issuer, meeting, text, at)
    files = [HandedFile("van-ban.docx", docx)]
    try:
        printed = invitation_papers.pdf_file(session, issuer, meeting, text, at)
        files.append(HandedFile("van-ban.pdf", printed))
    except ConflictError:
        pass  # an own layout without a suite to print it: the DOCX is what there is
    envelope = _envelope(
        issuer, meeting, at, receivers, kind=kind, kind_name=KIND_WORDS[text.kind],
        number=text.number, issued_on=text.issued_on, signer=text.signer,
        authority=text.authority, title=subject(text.kind, meeting.title),
    )  # fmt: skip
    return [("giay-moi" if kind == "GM" else "thong-bao", envelope, tuple(files))]


def _notice(
    session: Session, issuer: Issuer, meeting: Meeting, receivers: Sequence[Receiver], at: datetime
) -> list[Part]:
    row = conclusions.notice_of(session, meeting.id)
    if row is None:
        return []
    tasks = [line.task for line in conclusions.tasks_of(session, meeting.id, local_day(at))]
    made: Paper = conclusions_paper.compose(
        issuer, meeting, row, tasks, conclusions.default_opening(meeting)
    )
    files = (
        HandedFile("van-ban.docx", word.document(made, at)),
        HandedFile("van-ban.pdf", pdf.document(made, at)),
    )
    envelope = _envelope(
        issuer, meeting, at, receivers, kind="TB", kind_name=made.kind, number=row.number,
        issued_on=row.issued_on, signer=row.signer, authority=row.authority, title=made.title,
    )  # fmt: skip
    return [("thong-bao-ket-luan", envelope, files)]


def _envelope(
    issuer: Issuer, meeting: Meeting, at: datetime, receivers: Sequence[Receiver], *,
    kind: str, kind_name: str, number: str, issued_on: date | None, signer: str,
    authority: str, title: str,
) -> Envelope:  # fmt: skip
    printed = number_line(number, kind, issuer.symbol).removeprefix("Số:").strip()
    return Envelope(
        kind=kind, kind_name=kind_name, number=printed.partition("/")[0].strip(), symbol=printed,
        subject=title, organ=issuer.name, place=issuer.place, issued_on=issued_on, signer=signer,
        authority=authority, receivers=tuple(receivers), meeting_id=meeting.id,
        meeting_title=meeting.title, starts_at=meeting.starts_at, made_at=at,
    )  # fmt: skip


def _receivers(session: Session, meeting_id: int) -> list[Receiver]:
    query = (
        select(InvitedSite.unit_name, Unit.code)
        .join(Site, InvitedSite.site_id == Site.id)
        .join(Unit, Site.unit_id == Unit.id)
        .where(InvitedSite.meeting_id == meeting_id, InvitedSite.withdrawn_at.is_(None))
        .order_by(InvitedSite.position)
    )
    return [Receiver(name, code) for name, code in session.execute(query)]
