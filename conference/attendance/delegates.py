"""The people expected at a meeting: named by the office or by a site's reply, marked one by one.

Names are typed or pasted a line each, ``Họ và tên, chức vụ`` or ``Họ và tên (dự thay …)``. Naming
the same person at the same place again changes nothing, so a reply may be applied as often as it
arrives. The connection only suggests: a delegate at a site was as present as the site was,
a delegate with an account as the account was.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from conference.attendance.models import AttendanceStatus, Delegate
from conference.directory.vietnamese import fold
from conference.errors import InvalidError, NotFoundError
from conference.scheduling.models import InvitedSite, Meeting

MAX_DELEGATES: Final = 3000
MAX_LINES: Final = 500
MAX_NAME_LENGTH: Final = 120
MAX_TITLE_LENGTH: Final = 160
MAX_NOTE_LENGTH: Final = 500
_STANDS_IN: Final = re.compile(r"\(\s*dự thay:?\s+([^()]{1,150})\)", re.IGNORECASE)
_NUMBERING: Final = re.compile(r"^\s*(?:\d{1,3}[.)]|[-–•*])\s*")


@dataclass(frozen=True, slots=True)
class Expected:
    """One person who is to come."""

    full_name: str
    title: str = ""
    stands_in_for: str = ""
    account_id: int | None = None


def parse(text: str) -> list[Expected]:
    """The people of a pasted list, one a line. Pure.

    Raises InvalidError naming the first line that is no name, or an empty or too long list.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise InvalidError({"names": "Nhập ít nhất một họ tên."})
    if len(lines) > MAX_LINES:
        raise InvalidError({"names": f"Mỗi lần thêm tối đa {MAX_LINES} người."})
    return [_parsed(number, line) for number, line in enumerate(lines, 1)]


def _parsed(number: int, line: str) -> Expected:
    bare = "".join(c if c.isprintable() else " " for c in _NUMBERING.sub("", line))
    found = _STANDS_IN.search(bare)
    if found is not None:
        bare = bare[: found.start()] + bare[found.end() :]
    name, _, title = bare.partition(",")
    name, title = " ".join(name.split()), " ".join(title.split(" ")).strip(" ,")
    if not any(c.isalpha() for c in name):
        raise InvalidError({"names": f"Dòng {number} chưa có họ tên."})
    if len(name) > MAX_NAME_LENGTH or len(title) > MAX_TITLE_LENGTH:
        raise InvalidError({"names": f"Dòng {number} quá dài."})
    return Expected(name, title, found[1].strip() if found else "")


def expect(
    session: Session,
    meeting: Meeting,
    site: InvitedSite | None,
    people: Iterable[Expected],
    *,
    source: str = "typed",
) -> int:
    """Add who is not yet named at this place; how many were new.

    Of somebody named before it is kept whom they stand in for, unless they were marked meanwhile.
    Raises InvalidError when a meeting would have more than `MAX_DELEGATES`.
    """
    query = select(Delegate).where(Delegate.meeting_id == meeting.id)
    known = {row.key: row for row in session.scalars(query)}
    last = session.scalar(
        select(func.max(Delegate.position)).where(Delegate.meeting_id == meeting.id)
    )
    added = 0
    for one in people:
        key = _key(site, one)
        row = known.get(key)
        if row is not None:
            if row.marked_at is None:
                row.stands_in_for = one.stands_in_for or row.stands_in_for
            continue
        added += 1
        known[key] = _delegate(meeting, site, one, key, (last or 0) + added, source)
        session.add(known[key])
    if len(known) > MAX_DELEGATES:
        raise InvalidError({"names": f"Mỗi cuộc họp tối đa {MAX_DELEGATES} đại biểu."})
    session.flush()
    return added


def _key(site: InvitedSite | None, one: Expected) -> str:
    place = "" if site is None else str(site.id)
    return f"{place}:{fold(one.full_name)}:{fold(one.title)}"[:300]


def _delegate(  # noqa: PLR0917 (the values of one call above)
    meeting: Meeting, site: InvitedSite | None, one: Expected, key: str, position: int, source: str
) -> Delegate:
    is_substitute = bool(one.stands_in_for)
    return Delegate(
        meeting_id=meeting.id, invited_site_id=site.id if site else None,
        account_id=one.account_id, key=key, position=position, full_name=one.full_name,
        title=one.title, unit_name=site.unit_name if site else "",
        stands_in_for=one.stands_in_for, source=source,
        status=AttendanceStatus.SUBSTITUTE if is_substitute and source == "typed"
        else AttendanceStatus.UNMARKED,
    )  # fmt: skip


def of_meeting(session: Session, meeting_id: int) -> Sequence[Delegate]:
    """All delegates, in the order in which they were named."""
    query = select(Delegate).where(Delegate.meeting_id == meeting_id)
    return session.scalars(query.order_by(Delegate.position, Delegate.id)).all()


def find(session: Session, meeting: Meeting, delegate_id: int) -> Delegate:
    """One delegate of one meeting. Raises NotFoundError."""
    row = session.get(Delegate, delegate_id)
    if row is None or row.meeting_id != meeting.id:
        raise NotFoundError
    return row


def mark(
    row: Delegate,
    *,
    status: AttendanceStatus,
    note: str,
    stands_in_for: str = "",
    by: str,
    at: datetime,
) -> None:
    """A person decides about one delegate. Raises InvalidError for what cannot be.

    An excused absence needs its reason, a substitute the name of who is replaced.
    """
    note, stands_in_for = note.strip(), " ".join(stands_in_for.split())
    faults = {}
    if len(note) > MAX_NOTE_LENGTH:
        faults["note"] = f"Ghi chú dài quá {MAX_NOTE_LENGTH} ký tự."
    if status is AttendanceStatus.EXCUSED and not note:
        faults["note"] = "Ghi lý do vắng."
    if status is AttendanceStatus.SUBSTITUTE and not stands_in_for:
        faults["stands_in_for"] = "Ghi dự thay cho ai."
    if len(stands_in_for) > MAX_TITLE_LENGTH:
        faults["stands_in_for"] = "Tên quá dài."
    if faults:
        raise InvalidError(faults)
    row.status, row.note = status, note
    row.stands_in_for = stands_in_for if status is AttendanceStatus.SUBSTITUTE else ""
    row.marked_by, row.marked_at = by, at


def remove(session: Session, row: Delegate) -> None:
    """Take a delegate off who was named by mistake; one who is marked stays on record."""
    if row.marked_at is not None:
        raise InvalidError(message="Đại biểu đã điểm danh, không xóa được; sửa trạng thái.")
    session.delete(row)
