"""Writing the notice, giving tasks, reporting on them, and the list of tasks by unit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from conference.access.policy import Actor, Verb, may
from conference.conclusions.dates import Standing, standing
from conference.conclusions.models import Notice, Task, TaskState
from conference.directory.models import Site, Unit
from conference.documents.paper import capital, clock, day
from conference.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from conference.minutes.service import addressed
from conference.scheduling.lifecycle import Trigger
from conference.scheduling.models import Meeting
from conference.scheduling.progress import paper_arrived

MAX_TEXT: Final = 20_000
MAX_TASK_TEXT: Final = 2000
MAX_REMIND_DAYS: Final = 60

STATE_WORDS: Final = {
    TaskState.OPEN: "Chưa thực hiện",
    TaskState.DOING: "Đang thực hiện",
    TaskState.REPORTED: "Chờ xác nhận",
    TaskState.DONE: "Hoàn thành",
}
STANDING_WORDS: Final = {
    Standing.OVERDUE: "Quá hạn",
    Standing.SOON: "Sắp đến hạn",
    Standing.OPEN: "Chưa thực hiện",
    Standing.DOING: "Đang thực hiện",
    Standing.REPORTED: "Chờ xác nhận",
    Standing.DONE: "Hoàn thành",
}
UNIT_MAY_SAY: Final = frozenset({TaskState.DOING, TaskState.REPORTED})
"""States a unit may set itself; that a task is done, the office confirms."""


@dataclass(frozen=True, slots=True)
class NoticeText:
    """What an editor sends."""

    number: str
    issued_on: date | None
    opening: str
    authority: str
    signer: str


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """One task as typed."""

    text: str
    lead_unit_id: int | None
    coordinating_ids: tuple[int, ...]
    due_on: date | None
    remind_days: int = 3


@dataclass(frozen=True, slots=True)
class TaskLine:
    """One task as it stands today."""

    task: Task
    standing: Standing
    days_late: int
    """Calendar days past its date; 0 when it is not late."""


def notice_of(session: Session, meeting_id: int) -> Notice | None:
    """The notice of a meeting, or None before the first save."""
    return session.scalar(select(Notice).where(Notice.meeting_id == meeting_id))


def default_opening(meeting: Meeting) -> str:
    """The first paragraphs of a notice, from the meeting's own facts (template 1.4)."""
    begun = meeting.opened_at or meeting.starts_at
    place = f"tại {meeting.location}, " if meeting.location else ""
    chair = addressed(meeting.chair)
    return (
        f"{capital(day(begun))}, {place}{chair} đã chủ trì cuộc họp {meeting.title} bằng hình thức "
        f"trực tuyến, khai mạc lúc {clock(begun)}.\n\n"
        f"Sau khi nghe báo cáo và ý kiến của các đại biểu, {chair} kết luận như sau:"
    )


def save_notice(
    session: Session, meeting: Meeting, text: NoticeText, *, version: int, by: str, at: datetime
) -> Notice:
    """Store the notice. Raises InvalidError, or ConflictError when somebody else has saved."""
    faults = {}
    if len(text.number) > 60:
        faults["number"] = "Số quá dài."
    if len(text.opening) > MAX_TEXT:
        faults["opening"] = "Nội dung quá dài."
    for name in ("authority", "signer"):
        if len(getattr(text, name)) > 160:
            faults[name] = "Quá dài."
    if faults:
        raise InvalidError(faults)
    row = notice_of(session, meeting.id)
    if row is None:
        row = Notice(meeting_id=meeting.id, updated_by=by, updated_at=at)
        session.add(row)
    elif row.version != version:
        raise ConflictError(f"{row.updated_by} vừa sửa thông báo. Tải lại trang để xem bản mới.")
    row.number, row.issued_on = text.number.strip(), text.issued_on
    row.opening, row.authority = _plain(text.opening), _plain(text.authority)
    row.signer = _plain(text.signer)
    row.updated_by, row.updated_at = by, at
    session.flush()
    if row.issued_on is not None:
        paper_arrived(session, meeting.id, Trigger.ISSUE_CONCLUSION, by=by, at=at)
    return row


def _plain(text: str) -> str:
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in lines if c in "\n\t" or c.isprintable()).strip()


# --- tasks --------------------------------------------------------------------------------------


def tasks_of(session: Session, meeting_id: int, today: date) -> list[TaskLine]:
    """The tasks of one meeting in the order of the notice."""
    query = select(Task).where(Task.meeting_id == meeting_id)
    return [_line(row, today) for row in session.scalars(query.order_by(Task.position, Task.id))]


def _line(row: Task, today: date) -> TaskLine:
    found = standing(row.state, row.due_on, today, row.remind_days)
    late = (today - row.due_on).days if found is Standing.OVERDUE else 0
    return TaskLine(row, found, late)


def add_task(
    session: Session, meeting: Meeting, facts: TaskFacts, *, by: str, at: datetime
) -> Task:
    """Give a task. Raises InvalidError: every conclusion needs a lead unit and a date."""
    last = select(func.max(Task.position)).where(Task.meeting_id == meeting.id)
    row = Task(
        meeting_id=meeting.id, position=(session.scalar(last) or 0) + 1, updated_by=by,
        updated_at=at,
    )  # fmt: skip
    _write(session, row, facts, by=by, at=at)
    session.add(row)
    session.flush()
    return row


def edit_task(session: Session, row: Task, facts: TaskFacts, *, by: str, at: datetime) -> None:
    """Change what a task says. Raises InvalidError."""
    _write(session, row, facts, by=by, at=at)
    session.flush()


def _write(session: Session, row: Task, facts: TaskFacts, *, by: str, at: datetime) -> None:
    text = _plain(facts.text)
    wanted = {facts.lead_unit_id or 0, *facts.coordinating_ids}
    found = session.scalars(select(Unit).where(Unit.id.in_(wanted)))
    names = {unit.id: unit.name for unit in found}
    faults = {}
    if not text or len(text) > MAX_TASK_TEXT:
        faults["text"] = f"Nhập nội dung nhiệm vụ, tối đa {MAX_TASK_TEXT} ký tự."
    if facts.lead_unit_id not in names:
        faults["lead_unit"] = "Mỗi kết luận cần đơn vị chủ trì."
    if facts.due_on is None:
        faults["due_on"] = "Mỗi kết luận cần thời hạn."
    if not 0 <= facts.remind_days <= MAX_REMIND_DAYS:
        faults["remind_days"] = f"Nhắc trước từ 0 đến {MAX_REMIND_DAYS} ngày."
    if faults or facts.due_on is None or facts.lead_unit_id is None:
        raise InvalidError(faults)
    row.text, row.due_on, row.remind_days = text, facts.due_on, facts.remind_days
    row.lead_unit_id, row.lead_unit_name = facts.lead_unit_id, names[facts.lead_unit_id]
    row.coordinating = [
        {"id": one, "name": names[one]}
        for one in dict.fromkeys(facts.coordinating_ids)
        if one in names and one != facts.lead_unit_id
    ]
    row.updated_by, row.updated_at = by, at


def find_task(session: Session, task_id: int) -> Task:
    """One task with its meeting. Raises NotFoundError."""
    row = session.get(Task, task_id, options=[joinedload(Task.meeting)])
    if row is None:
        raise NotFoundError
    return row


def remove_task(session: Session, row: Task) -> None:
    """Take a task off that was not yet begun. Raises ConflictError otherwise."""
    if row.state is not TaskState.OPEN:
        raise ConflictError("Nhiệm vụ đã có kết quả, không xóa được.")
    session.delete(row)


def report(
    session: Session,
    row: Task,
    state: TaskState,
    progress: str,
    *,
    actor: Actor,
    at: datetime,
    today: date,
) -> None:
    """Say how far a task is. Raises ForbiddenError when that is not for ``actor`` to say.

    The office may say everything; the unit that leads says *doing* or *done, please confirm*.
    """
    if row.meeting.is_imported:
        raise ForbiddenError  # followed up where the meeting was held
    is_office = may(actor, Verb.MINUTES_EDIT)
    if not is_office and (
        row.lead_unit_id not in units_of(session, actor) or state not in UNIT_MAY_SAY
    ):
        raise ForbiddenError
    progress = _plain(progress)
    if len(progress) > MAX_TASK_TEXT:
        raise InvalidError({"progress": f"Nội dung dài quá {MAX_TASK_TEXT} ký tự."})
    if state is TaskState.REPORTED and not progress:
        raise InvalidError({"progress": "Ghi kết quả thực hiện."})
    row.state, row.progress = state, progress or row.progress
    row.done_on = today if state is TaskState.DONE else None
    row.updated_by, row.updated_at = actor.name, at
    session.flush()


def units_of(session: Session, actor: Actor) -> frozenset[int]:
    """Units whose tasks are ``actor``'s own: that of the site the account belongs to."""
    if actor.site_id is None:
        return frozenset()
    return frozenset(session.scalars(select(Site.unit_id).where(Site.id == actor.site_id)))


def tasks_by_unit(
    session: Session,
    *,
    actor: Actor,
    today: date,
    unit_id: int | None = None,
    wanted: Standing | None = None,
) -> list[tuple[str, Sequence[TaskLine]]]:
    """Tasks grouped by lead unit, units with most overdue first; only what ``actor`` may see."""
    query = (
        select(Task)
        .join(Task.meeting)
        .where(Meeting.is_imported.is_(False))
        .options(contains_eager(Task.meeting))
        .order_by(Task.due_on, Task.id)
    )
    if not may(actor, Verb.MINUTES_VIEW):
        query = query.where(Task.lead_unit_id.in_(units_of(session, actor)))
    if unit_id is not None:
        query = query.where(Task.lead_unit_id == unit_id)
    groups: dict[str, list[TaskLine]] = {}
    for row in session.scalars(query):
        line = _line(row, today)
        if wanted is None or line.standing is wanted:
            groups.setdefault(row.lead_unit_name, []).append(line)
    return sorted(groups.items(), key=_most_overdue)


def _most_overdue(group: tuple[str, Sequence[TaskLine]]) -> tuple[int, str]:
    name, lines = group
    return -sum(line.standing is Standing.OVERDUE for line in lines), name


def counts(groups: Sequence[tuple[str, Sequence[Any]]]) -> dict[Standing, int]:
    """How many tasks stand how."""
    every = [line.standing for _, lines in groups for line in lines]
    return {one: every.count(one) for one in Standing}
