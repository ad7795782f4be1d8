"""Signing the sheet, and correcting it afterwards: every signed version stays as it was.

The chair signs (*ký xác nhận*); from then on nothing can be marked. Whoever finds a fault opens a
correction with a reason; marks may be changed again, and the chair signs the next version. What was
signed is stored whole with its digest, so an older version can be shown and exported for ever.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from conference import canonical
from conference.attendance import record
from conference.attendance.models import AttendanceVersion
from conference.attendance.record import AttendanceRecord
from conference.errors import ConflictError, InvalidError, NotFoundError
from conference.scheduling.models import Meeting

MAX_REASON_LENGTH: Final = 500


def of_meeting(session: Session, meeting_id: int) -> Sequence[AttendanceVersion]:
    """All versions, newest first; the first may be a correction that is still being made."""
    query = select(AttendanceVersion).where(AttendanceVersion.meeting_id == meeting_id)
    return session.scalars(query.order_by(AttendanceVersion.number.desc())).all()


def latest(session: Session, meeting_id: int) -> AttendanceVersion | None:
    """The newest version, signed or being corrected; None before the first signature."""
    return next(iter(of_meeting(session, meeting_id)), None)


def is_locked(session: Session, meeting_id: int) -> bool:
    """Whether the sheet is signed and no correction is open."""
    newest = latest(session, meeting_id)
    return newest is not None and newest.signed_at is not None


def require_open(session: Session, meeting_id: int) -> None:
    """Raises ConflictError when the sheet is signed."""
    if is_locked(session, meeting_id):
        raise ConflictError("Bảng điểm danh đã ký xác nhận; mở đính chính để sửa.", code="locked")


def sign(
    session: Session, meeting: Meeting, sheet: AttendanceRecord, *, by: str, at: datetime
) -> AttendanceVersion:
    """Store ``sheet`` as the signed version, whole, with its digest.

    Raises ConflictError while the meeting lasts or when it is signed already.
    """
    if not meeting.is_over:
        raise ConflictError("Ký xác nhận sau khi cuộc họp kết thúc.", code="not_ended")
    require_open(session, meeting.id)
    row = latest(session, meeting.id) or AttendanceVersion(meeting_id=meeting.id, number=1)
    signed = AttendanceRecord(
        **{
            **{name: getattr(sheet, name) for name in AttendanceRecord.__slots__},
            "version": row.number, "signed_by": by, "signed_at": at, "reason": row.reason,
        }
    )  # fmt: skip
    row.signed_by, row.signed_at = by, at
    row.content = record.to_json(signed)
    row.sha256 = canonical.digest(row.content)
    _add(session, row)
    return row


def correct(
    session: Session, meeting: Meeting, reason: str, *, by: str, at: datetime
) -> AttendanceVersion:
    """Open the signed sheet again. Raises InvalidError without a reason, ConflictError if unsigned.

    The signed version is not touched; it counts until the next one is signed.
    """
    reason = " ".join(reason.split())
    if not reason:
        raise InvalidError({"reason": "Ghi lý do đính chính."})
    if len(reason) > MAX_REASON_LENGTH:
        raise InvalidError({"reason": f"Lý do dài quá {MAX_REASON_LENGTH} ký tự."})
    newest = latest(session, meeting.id)
    if newest is None or newest.signed_at is None:
        raise ConflictError("Bảng điểm danh chưa ký, sửa được ngay.", code="not_signed")
    row = AttendanceVersion(
        meeting_id=meeting.id, number=newest.number + 1, opened_by=by, opened_at=at, reason=reason
    )
    _add(session, row)
    return row


def _add(session: Session, row: AttendanceVersion) -> None:
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        raise ConflictError from None  # somebody else did the same in this moment


def signed(session: Session, meeting_id: int, number: int) -> AttendanceRecord:
    """What was signed as version ``number``.

    Raises NotFoundError when there is none, ValueError when the stored content was altered.
    """
    query = select(AttendanceVersion).where(
        AttendanceVersion.meeting_id == meeting_id, AttendanceVersion.number == number
    )
    row = session.scalar(query)
    if row is None or row.signed_at is None:
        raise NotFoundError
    if canonical.digest(row.content) != row.sha256:
        raise ValueError(f"attendance version {row.id} does not fit its digest")
    return record.from_json(row.content)


def last_signed(session: Session, meeting_id: int) -> AttendanceRecord | None:
    """The newest signed version; None before the first."""
    for row in of_meeting(session, meeting_id):
        if row.signed_at is not None:
            return signed(session, meeting_id, row.number)
    return None
