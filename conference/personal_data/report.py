"""Everything that is held on one person, in one report.

Rows are found by account and directory number where there is one, and by the whole name where only
a name was written down (delegates, substitutes); those sections say so, because a namesake may be
meant. Secret ballots lead back to nobody, so only the fact of having voted is listed. Links, hashes
and other people's data stay out.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from conference.access.models import Account, AuditEntry, Role
from conference.attendance.models import Delegate, PresenceEvidence
from conference.attendance.service import STATUS_WORDS
from conference.conduct.models import Ballot, ChatMessage, FloorRequest, LogEntry, Vote, VoteReceipt
from conference.directory.models import Appointment, Person, Site, Unit
from conference.errors import NotFoundError
from conference.personal_data.models import DataCorrection, DataRequest
from conference.replies.models import Substitution
from conference.scheduling.local_time import date_text, to_local
from conference.scheduling.models import Meeting

ROLE_WORDS: Final = {
    Role.ADMINISTRATOR: "quản trị", Role.SECRETARY: "thư ký",
    Role.OFFICE_CHIEF: "chánh văn phòng", Role.CHAIR: "chủ tọa", Role.CLERK: "văn thư",
    Role.TECHNICIAN: "kỹ thuật", Role.SITE: "điểm cầu", Role.DELEGATE: "đại biểu",
    Role.LEADER: "lãnh đạo", Role.AUDITOR: "kiểm tra",
}  # fmt: skip
MAX_ROWS: Final = 1000
"""Of each section; how many there are in all is always said."""


@dataclass(frozen=True, slots=True)
class Section:
    """One kind of data."""

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: int
    is_by_name: bool = False
    """Found by the name alone; may be about a namesake."""


@dataclass(frozen=True, slots=True)
class PersonReport:
    """The whole report."""

    person_id: int
    name: str
    made_at: datetime
    sections: tuple[Section, ...]

    @property
    def total(self) -> int:
        """How many entries there are in all."""
        return sum(section.total for section in self.sections)


def gather(session: Session, person_id: int, at: datetime) -> PersonReport:
    """The report on one person of the directory. Raises NotFoundError."""
    person = session.get(Person, person_id)
    if person is None:
        raise NotFoundError
    accounts = session.scalars(select(Account).where(Account.person_id == person.id)).all()
    identities = [f"person:{one.id}" for one in accounts]
    account_ids = [one.id for one in accounts]
    read = _Reader(session)
    sections = [
        _directory(person), _offices(read, person), _accounts(accounts),
        *_meetings(read, person, account_ids), *_room(read, identities),
        *_named(read, person), *_traces(read, person, account_ids),
    ]  # fmt: skip
    return PersonReport(person.id, person.full_name, at, tuple(sections))


class _Reader:
    """Reads the rows of a section and counts them."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def section(
        self,
        title: str,
        headers: tuple[str, ...],
        query: Any,
        shown: Callable[[Any], Iterable[Any]],
        *,
        is_by_name: bool = False,
    ) -> Section:
        """The rows of ``query`` as words."""
        total = self._session.scalar(select(func.count()).select_from(query.subquery())) or 0
        rows = self._session.execute(query.limit(MAX_ROWS))
        words = tuple(tuple(_word(one) for one in shown(row)) for row in rows)
        return Section(title, headers, words, total, is_by_name)


def _word(value: Any) -> str:
    if isinstance(value, datetime):
        local = to_local(value)
        return f"{date_text(local.date())} {local.hour}:{local.minute:02d}"
    if isinstance(value, date):
        return date_text(value)
    return "" if value is None else str(value)


def _directory(person: Person) -> Section:
    rows = (
        ("Họ và tên", person.full_name),
        ("Chức vụ", person.title), ("Đơn vị", person.unit.name if person.unit else ""),
        ("Thư điện tử", person.email), ("Điện thoại", person.phone),
    )  # fmt: skip
    return Section("Danh bạ", ("Mục", "Nội dung"), rows, len(rows))


def _offices(read: _Reader, person: Person) -> Section:
    query = (
        select(Appointment.title, Unit.name, Appointment.valid_from, Appointment.valid_to)
        .outerjoin(Unit, Appointment.unit_id == Unit.id)
        .where(Appointment.person_id == person.id)
        .order_by(Appointment.id)
    )
    headers = ("Chức vụ", "Đơn vị", "Từ ngày", "Đến ngày")
    return read.section("Quá trình giữ chức vụ", headers, query, tuple)


def _accounts(accounts: Sequence[Account]) -> Section:
    rows = tuple(
        (
            one.username, one.display_name, ROLE_WORDS[one.role],
            "hoạt động" if one.is_active else "đã khóa", _word(one.created_at),
        )
        for one in accounts
    )  # fmt: skip
    headers = ("Tên đăng nhập", "Tên hiển thị", "Vai trò", "Tình trạng", "Tạo lúc")
    return Section("Tài khoản", headers, rows, len(rows))


def _meetings(read: _Reader, person: Person, account_ids: list[int]) -> list[Section]:
    led = (
        select(Meeting.title, Meeting.starts_at, Meeting.chair_id, Meeting.secretary_id)
        .where(or_(Meeting.chair_id == person.id, Meeting.secretary_id == person.id))
        .order_by(Meeting.starts_at)
    )
    made = (
        select(Meeting.title, Meeting.created_at)
        .where(Meeting.created_by_id.in_(account_ids))
        .order_by(Meeting.created_at)
    )
    return [
        read.section(
            "Chủ trì hoặc làm thư ký", ("Cuộc họp", "Thời gian", "Vai trò"), led,
            lambda row: (row[0], row[1], "chủ trì" if row[2] == person.id else "thư ký"),
        ),
        read.section("Lập cuộc họp", ("Cuộc họp", "Lúc"), made, tuple),
    ]  # fmt: skip


def _room(read: _Reader, identities: list[str]) -> list[Section]:
    presence = (
        select(
            Meeting.title, func.min(PresenceEvidence.at), func.max(PresenceEvidence.at),
            func.count(),
        )
        .join(Meeting, PresenceEvidence.meeting_id == Meeting.id)
        .where(PresenceEvidence.identity.in_(identities))
        .group_by(Meeting.id, Meeting.title)
        .order_by(func.min(PresenceEvidence.at))
    )  # fmt: skip
    floor = (
        select(Meeting.title, FloorRequest.requested_at, FloorRequest.given_at,
               FloorRequest.ended_at)
        .join(Meeting, FloorRequest.meeting_id == Meeting.id)
        .where(FloorRequest.identity.in_(identities))
        .order_by(FloorRequest.id)
    )  # fmt: skip
    chat = (
        select(Meeting.title, ChatMessage.at, ChatMessage.text)
        .join(Meeting, ChatMessage.meeting_id == Meeting.id)
        .where(ChatMessage.identity.in_(identities))
        .order_by(ChatMessage.id)
    )
    ballots = (
        select(Meeting.title, Vote.question, Ballot.cast_at, Ballot.choice)
        .join(Vote, Ballot.vote_id == Vote.id)
        .join(Meeting, Vote.meeting_id == Meeting.id)
        .where(Ballot.identity.in_(identities))
        .order_by(Vote.id)
    )
    voted = (
        select(Meeting.title, Vote.question, Vote.is_secret)
        .select_from(VoteReceipt)
        .join(Vote, VoteReceipt.vote_id == Vote.id)
        .join(Meeting, Vote.meeting_id == Meeting.id)
        .where(VoteReceipt.identity.in_(identities))
        .order_by(Vote.id)
    )
    log = (
        select(Meeting.title, LogEntry.at, LogEntry.kind, LogEntry.subject)
        .join(Meeting, LogEntry.meeting_id == Meeting.id)
        .where(LogEntry.identity.in_(identities))
        .order_by(LogEntry.id)
    )
    kinds = {True: "bỏ phiếu kín", False: "công khai"}
    return [
        read.section("Kết nối vào phòng họp", ("Cuộc họp", "Từ", "Đến", "Số ghi nhận"), presence,
                     tuple),
        read.section("Đăng ký và phát biểu", ("Cuộc họp", "Đăng ký", "Bắt đầu", "Kết thúc"), floor,
                     tuple),
        read.section("Trao đổi trong phòng họp", ("Cuộc họp", "Lúc", "Nội dung"), chat, tuple),
        read.section("Biểu quyết công khai", ("Cuộc họp", "Câu hỏi", "Lúc", "Lựa chọn"), ballots,
                     lambda row: (*row[:3], row[3].value)),
        read.section("Đã biểu quyết", ("Cuộc họp", "Câu hỏi", "Hình thức"), voted,
                     lambda row: (row[0], row[1], kinds[row[2]])),
        read.section("Nhật ký cuộc họp", ("Cuộc họp", "Lúc", "Việc", "Về"), log, tuple),
    ]  # fmt: skip


def _named(read: _Reader, person: Person) -> list[Section]:
    delegates = (
        select(Meeting.title, Delegate.title, Delegate.status, Delegate.note)
        .join(Meeting, Delegate.meeting_id == Meeting.id)
        .where(Delegate.full_name == person.full_name)
        .order_by(Delegate.id)
    )
    instead = (
        select(Meeting.title, Substitution.absent, Substitution.substitute)
        .join(Meeting, Substitution.meeting_id == Meeting.id)
        .where(
            or_(
                Substitution.absent == person.full_name,
                Substitution.substitute == person.full_name,
            )
        )
        .order_by(Substitution.id)
    )
    return [
        read.section(
            "Đại biểu được nêu tên", ("Cuộc họp", "Chức vụ", "Điểm danh", "Ghi chú"), delegates,
            lambda row: (row[0], row[1], STATUS_WORDS[row[2]], row[3]), is_by_name=True,
        ),
        read.section("Dự thay", ("Cuộc họp", "Người vắng", "Người dự thay"), instead, tuple,
                     is_by_name=True),
    ]  # fmt: skip


def _traces(read: _Reader, person: Person, account_ids: list[int]) -> list[Section]:
    sites = select(Site.name, Site.technician_phone).where(Site.technician_id == person.id)
    audit = (
        select(AuditEntry.at, AuditEntry.action, AuditEntry.object_type, AuditEntry.object_id,
               AuditEntry.address)
        .where(AuditEntry.account_id.in_(account_ids))
        .order_by(AuditEntry.id.desc())
    )  # fmt: skip
    requests = (
        select(DataRequest.received_on, DataRequest.asked, DataRequest.text, DataRequest.outcome)
        .where(DataRequest.person_id == person.id)
        .order_by(DataRequest.id)
    )
    corrections = (
        select(DataCorrection.corrected_at, DataCorrection.field, DataCorrection.before,
               DataCorrection.after, DataCorrection.reason)
        .where(DataCorrection.person_id == person.id)
        .order_by(DataCorrection.id)
    )  # fmt: skip
    return [
        read.section("Kỹ thuật viên của điểm cầu", ("Điểm cầu", "Điện thoại"), sites, tuple),
        read.section("Nhật ký hệ thống", ("Lúc", "Việc", "Đối tượng", "Số", "Địa chỉ mạng"), audit,
                     tuple),
        read.section("Yêu cầu về dữ liệu", ("Nhận ngày", "Loại", "Nội dung", "Kết quả"), requests,
                     lambda row: (row[0], row[1].value, row[2], row[3].value)),
        read.section("Đính chính", ("Lúc", "Mục", "Trước", "Sau", "Lý do"), corrections, tuple),
    ]  # fmt: skip


def as_json(report: PersonReport) -> dict[str, Any]:
    """The report as plain data."""
    return {
        "format": "diemcau-person/1", "person": report.person_id, "name": report.name,
        "made_at": report.made_at.isoformat(),
        "sections": [
            {
                "title": one.title, "headers": one.headers, "rows": one.rows, "total": one.total,
                "by_name": one.is_by_name,
            }
            for one in report.sections
        ],
    }  # fmt: skip
