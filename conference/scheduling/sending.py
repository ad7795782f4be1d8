"""Ways on which invitations and papers go out besides our own mail (QĐ 45/2018, Art. 10).

The document system signs and sends, a clerk faxes, a technician telephones: each is noted with its
hour, so that the meeting's file says how everybody was told. Short messages and social networks
are used only if the chair approves; whoever notes one says so.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from conference.errors import InvalidError
from conference.scheduling import rules
from conference.scheduling.context import Context, locked_meeting
from conference.scheduling.journal import Kind, LogEntry

CHANNELS: Final = {
    "document_system": "hệ thống quản lý văn bản, ký số",
    "fax": "fax",
    "official_mail": "thư điện tử công vụ",
    "telephone": "điện thoại",
    "messages": "tin nhắn, mạng xã hội được phép dùng",
    "portal": "cổng thông tin điện tử",
    "paper": "bản giấy",
}
PIECES: Final = {"invitation": "giấy mời", "papers": "tài liệu"}
MAX_NOTE: Final = 200


@dataclass(frozen=True, slots=True)
class Sending:
    """One sending, as typed."""

    what: str
    channel: str
    sent_at: datetime | None
    note: str = ""


def note_sending(context: Context, meeting_id: int, typed: Sending) -> None:
    """Put on record what went out, when and how. Raises InvalidError by field."""
    what, channel, sent_at, note = typed.what, typed.channel, typed.sent_at, typed.note
    meeting = locked_meeting(context.session, meeting_id)
    found: dict[str, str] = {}
    if what not in PIECES:
        found["what"] = "Chọn giấy mời hay tài liệu."
    if channel not in CHANNELS:
        found["channel"] = "Chọn cách gửi."
    if sent_at is None:
        found["sent_at"] = "Nhập ngày và giờ gửi."
    elif sent_at > context.at + timedelta(minutes=1):
        found["sent_at"] = "Thời điểm gửi chưa đến."
    if rules.is_marked_secret(note):
        found["note"] = rules.REFUSAL
    elif len(note) > MAX_NOTE:
        found["note"] = "Ghi chú dài quá 200 ký tự."
    if found or sent_at is None:
        raise InvalidError(found)
    note = note.strip()
    detail = {"what": what, "channel": channel, "sent_at": sent_at.isoformat(), "note": note}
    context.record(meeting, Kind.SENT_OTHERWISE, note=note, detail=detail)


def sendings_of(session: Session, meeting_id: int) -> list[LogEntry]:
    """What was noted for a meeting, by the order in which it was."""
    query = select(LogEntry).where(
        LogEntry.meeting_id == meeting_id, LogEntry.kind == Kind.SENT_OTHERWISE.value
    )
    return list(session.scalars(query.order_by(LogEntry.id)))
