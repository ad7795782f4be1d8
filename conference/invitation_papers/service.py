"""Write, number and print a meeting's official invitation; keep the offices' templates."""

import zipfile
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from io import BytesIO
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from conference.access import audit
from conference.access.policy import Actor
from conference.directory.models import Site, Unit
from conference.directory.vietnamese import fold
from conference.documents import office_suite, pdf, word
from conference.documents.paper import Issuer
from conference.errors import ConflictError, InvalidError
from conference.invitation_papers import office_template, wording
from conference.invitation_papers.models import InvitationPaper, PaperKind, PaperTemplate
from conference.invitation_papers.wording import InvitedUnit, Text
from conference.scheduling.models import InvitedSite, Meeting

ZIP_TIME: Final = (1980, 1, 1, 0, 0, 0)
"""Entries carry no time of their own, so the same papers give the same archive."""


def find(session: Session, meeting_id: int) -> InvitationPaper | None:
    """What was typed for a meeting, if anything was."""
    return session.scalar(select(InvitationPaper).where(InvitationPaper.meeting_id == meeting_id))


def text_of(row: InvitationPaper) -> Text:
    """The stored text."""
    return Text(
        row.kind, row.number, row.issued_on, row.addressees, row.places, row.requirements,
        row.contact, row.authority, row.signer, row.recipients,
    )  # fmt: skip


def first_text(session: Session, meeting: Meeting, *, hotline: str, issuer: Issuer) -> Text:
    """What the form holds before anything was typed."""
    return wording.first_text(meeting, _units(session, meeting.id), hotline=hotline, issuer=issuer)


def _units(session: Session, meeting_id: int) -> Sequence[InvitedUnit]:
    query = (
        select(InvitedSite.unit_name, Unit.level)
        .join(Site, InvitedSite.site_id == Site.id)
        .join(Unit, Site.unit_id == Unit.id)
        .where(InvitedSite.meeting_id == meeting_id, InvitedSite.withdrawn_at.is_(None))
        .order_by(InvitedSite.position)
    )
    return [InvitedUnit(name, level) for name, level in session.execute(query)]


def save(
    session: Session,
    meeting: Meeting,
    text: Text,
    *,
    version: int,
    actor: Actor,
    at: datetime,
    address: str = "",
) -> InvitationPaper:
    """Store what was typed. Raises InvalidError by field, ConflictError for the second editor."""
    found = wording.faults(text, [site.join_code for site in meeting.sites])
    if found:
        raise InvalidError(found)
    row = find(session, meeting.id)
    if (row.version if row else 0) != version:
        raise ConflictError
    if row is None:
        row = InvitationPaper(meeting_id=meeting.id, version=1)
        session.add(row)
    for name, value in asdict(text).items():
        setattr(row, name, value)
    row.updated_by, row.updated_at = actor.name, at
    session.flush()
    audit.record(
        session, at=at, actor=actor, action="invitation_paper.saved", object_type="meeting",
        object_id=meeting.id, address=address, detail={"number": text.number},
    )  # fmt: skip
    return row


def docx(  # noqa: PLR0917 (what a paper is made of)
    session: Session, issuer: Issuer, meeting: Meeting, text: Text, at: datetime,
    addressee: str | None = None,
) -> bytes:  # fmt: skip
    """The paper as DOCX, in the office's own layout if it has one."""
    paper = wording.compose(issuer, meeting, text, addressee)
    template = session.get(PaperTemplate, text.kind)
    if template is None:
        return word.document(paper, at)
    to = [addressee] if addressee else text.invited
    fields = office_template.values(issuer, meeting, text, paper, to)
    return office_template.render(template.content, fields)


def pdf_file(session: Session, issuer: Issuer, meeting: Meeting, text: Text, at: datetime) -> bytes:
    """The paper as PDF: of the office's own layout by its suite, else in the decree's layout.

    Raises ConflictError when there is an own layout and no suite to print it with.
    """
    if session.get(PaperTemplate, text.kind) is None:
        return pdf.document(wording.compose(issuer, meeting, text), at)
    try:
        return office_suite.to_pdf(docx(session, issuer, meeting, text, at))
    except office_suite.ConversionError as error:
        raise ConflictError(
            "Máy chủ chưa in được mẫu riêng ra PDF (cần LibreOffice). Hãy tải DOCX.",
            code="no_office_suite",
        ) from error


def one_for_each(
    session: Session, issuer: Issuer, meeting: Meeting, text: Text, at: datetime
) -> bytes:
    """A ZIP with one DOCX for each addressee."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, addressee in enumerate(text.invited, start=1):
            name = fold(addressee).replace(" ", "-").encode("ascii", "ignore").decode()
            safe = "".join(c for c in name if c.isalnum() or c == "-")[:60]
            entry = zipfile.ZipInfo(f"{number:03d}-{safe}.docx", ZIP_TIME)
            archive.writestr(entry, docx(session, issuer, meeting, text, at, addressee))
    return file.getvalue()


def templates(session: Session) -> dict[PaperKind, PaperTemplate]:
    """The offices' own layouts by kind."""
    return {row.kind: row for row in session.scalars(select(PaperTemplate))}


def set_template(
    session: Session, kind: PaperKind, filename: str, content: bytes, *,
    actor: Actor, at: datetime, address: str = "",
) -> None:  # fmt: skip
    """Use ``content`` for papers of ``kind`` from now on. Raises InvalidError."""
    content = office_template.checked(content)
    row = session.get(PaperTemplate, kind)
    if row is None:
        row = PaperTemplate(kind=kind)
        session.add(row)
    row.filename, row.content = filename[:255], content
    row.uploaded_by, row.uploaded_at = actor.name, at
    audit.record(
        session, at=at, actor=actor, action="paper_template.set", object_type="paper_template",
        object_id=kind.value, address=address, note=filename[:255],
    )  # fmt: skip


def drop_template(
    session: Session, kind: PaperKind, *, actor: Actor, at: datetime, address: str = ""
) -> None:
    """Return to the decree's layout."""
    row = session.get(PaperTemplate, kind)
    if row is not None:
        session.delete(row)
        audit.record(
            session, at=at, actor=actor, action="paper_template.dropped",
            object_type="paper_template", object_id=kind.value, address=address,
        )  # fmt: skip
