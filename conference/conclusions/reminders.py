"""Reminding units of their tasks: once before the date, once when it has passed.

When is decided by `kind_due`, pure: reminders leave on working days only, the first one so many
days before the date as the task says (brought forward where that day is free), the second on the
first working day after a date that is moved past days off, as terms of law are. A row of the outbox
under a key of its own is the reminder, so several processes and restarts write it once; another
date is another key.
"""

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from conference.conclusions.models import Notice, Task, TaskState
from conference.directory.models import FormerHolder, Site
from conference.invitations.message import mail_address, one_line
from conference.invitations.models import Channel, Delivery, OutboxMessage, Purpose
from conference.scheduling.local_time import date_text, local_day
from conference.scheduling.models import Meeting
from conference.scheduling.planning import office_of
from conference.scheduling.working_days import WorkingCalendar

_ASKED: Final = frozenset({TaskState.OPEN, TaskState.DOING})
_LOOK_AHEAD: Final = timedelta(days=80)
"""More than the longest time before a date plus the longest holidays."""


class Reminder(enum.Enum):
    """Which reminder; the value is part of its key."""

    SOON = "soon"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True)
class Sender:
    """In whose name, and where the list of tasks is."""

    name: str
    address: str
    public_url: str


@dataclass(frozen=True, slots=True)
class SentReminder:
    """A reminder as the list of tasks shows it."""

    kind: Reminder
    recipient: str
    state: Delivery
    at: datetime


def kind_due(
    due_on: date, remind_days: int, state: TaskState, today: date, calendar: WorkingCalendar
) -> Reminder | None:
    """The reminder that belongs to ``today``, or None. Pure."""
    if state not in _ASKED or not calendar.is_working(today):
        return None
    last = due_on if calendar.is_working(due_on) else calendar.after(due_on, 1)
    if today > last:
        return Reminder.OVERDUE
    first = due_on - timedelta(days=remind_days)
    if not calendar.is_working(first):
        first = calendar.before(first, 1)
    return Reminder.SOON if today >= first else None


def write_due(session: Session, sender: Sender, at: datetime) -> int:
    """Write every reminder of today that was not written before; how many letters."""
    today = local_day(at)
    query = (
        select(Task)
        .join(Notice, Notice.meeting_id == Task.meeting_id)
        .join(Meeting, Meeting.id == Task.meeting_id)
        .where(
            Task.state.in_(_ASKED), Task.due_on <= today + _LOOK_AHEAD,
            Notice.issued_on.is_not(None),  # nobody is reminded of what was not yet told
            Meeting.is_imported.is_(False),
        )
        .options(joinedload(Task.meeting))
        .order_by(Task.id)
    )  # fmt: skip
    tasks = session.scalars(query).all()
    if not tasks:
        return 0
    days = [one.due_on for one in tasks]
    calendar = office_of(session, today, min(days), max(days) + timedelta(days=30)).calendar
    wanted = [
        (task, kind)
        for task in tasks
        if (kind := kind_due(task.due_on, task.remind_days, task.state, today, calendar))
    ]
    known = _known(session, [one.id for one, _ in wanted])
    addresses = _addresses(session, {task.lead_unit_id for task, _ in wanted})
    count = 0
    for task, kind in wanted:
        for recipient in addresses.get(task.lead_unit_id, ()):
            key = f"task:{task.id}:{kind.value}:{task.due_on:%Y%m%d}:{recipient}"[:300]
            if key not in known:
                count += _write(
                    session, task, kind, recipient=recipient, key=key, sender=sender, at=at
                )
    return count


def _known(session: Session, task_ids: Sequence[int]) -> set[str | None]:
    query = select(OutboxMessage.once_key).where(OutboxMessage.task_id.in_(task_ids))
    return set(session.scalars(query))


def _addresses(session: Session, unit_ids: Iterable[int]) -> Mapping[int, list[str]]:
    """Mail addresses of each unit's rooms; a unit that ended is reached where it was."""
    wanted = set(unit_ids)
    query = (
        select(Site.unit_id, FormerHolder.unit_id, Site.email)
        .outerjoin(FormerHolder, FormerHolder.site_id == Site.id)
        .where(
            Site.is_active,
            or_(Site.unit_id.in_(wanted), FormerHolder.unit_id.in_(wanted)),
        )
        .order_by(Site.id)
    )
    found: dict[int, list[str]] = {}
    for holder, former, email in session.execute(query):
        recipient = mail_address(email.strip())
        for unit_id in {holder, former} & wanted if recipient else ():
            if recipient not in found.setdefault(unit_id, []):
                found[unit_id].append(str(recipient))
    return found


def _write(
    session: Session, task: Task, kind: Reminder, *, recipient: str, key: str, sender: Sender,
    at: datetime,
) -> int:  # fmt: skip
    heading = subject(task, kind)
    row = OutboxMessage(
        meeting_id=task.meeting_id, invited_site_id=None, task_id=task.id, once_key=key,
        purpose=Purpose.TASK, channel=Channel.MAIL, recipient=recipient, subject=heading,
        content=compose(task, kind, recipient, sender, at), ics_sequence=0,
        state=Delivery.WAITING, next_attempt_at=at, created_at=at,
    )  # fmt: skip
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return 0  # another process wrote it in this moment
    return 1


def subject(task: Task, kind: Reminder) -> str:
    """The subject line."""
    word = "Nhiệm vụ quá hạn" if kind is Reminder.OVERDUE else "Nhắc nhiệm vụ sắp đến hạn"
    return one_line(f"{word} {date_text(task.due_on)}: {task.text}")[:200]


def compose(task: Task, kind: Reminder, recipient: str, sender: Sender, at: datetime) -> str:
    """The whole RFC 5322 message: ASCII, CRLF."""
    late = kind is Reminder.OVERDUE
    opening = "đã quá thời hạn hoàn thành" if late else "sắp đến thời hạn hoàn thành"
    together = "; ".join(one["name"] for one in task.coordinating)
    lines = [
        f"Kính gửi {task.lead_unit_name},", "",
        f"Nhiệm vụ sau đây, giao tại kết luận cuộc họp “{task.meeting.title}”, {opening}:", "",
        f"Nội dung: {task.text}", f"Thời hạn: {date_text(task.due_on)}",
        *([f"Phối hợp: {together}"] if together else []), "",
        f"Đề nghị cập nhật tình hình thực hiện tại {sender.public_url}/nhiem-vu#nv-{task.id}", "",
        sender.name,
    ]  # fmt: skip
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(one_line(sender.name), addr_spec=sender.address)
    message["To"] = Address(one_line(task.lead_unit_name), addr_spec=recipient)
    message["Subject"] = subject(task, kind)
    message["Date"] = format_datetime(at)
    domain = sender.address.rpartition("@")[2] or "localhost"
    message["Message-ID"] = f"<task-{task.id}-{kind.value}-{task.due_on:%Y%m%d}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = "vi"
    message.set_content("\n".join(lines), cte="base64")
    return message.as_bytes().decode("ascii")


def sent_for(session: Session, task_ids: Iterable[int]) -> dict[int, list[SentReminder]]:
    """Reminders of each task, oldest first."""
    query = (
        select(OutboxMessage)
        .where(OutboxMessage.task_id.in_(list(task_ids)))
        .order_by(OutboxMessage.id)
    )
    found: dict[int, list[SentReminder]] = {}
    for row in session.scalars(query):
        if row.once_key is None:
            continue  # taken in from elsewhere
        kind = Reminder(row.once_key.split(":")[2])
        sent = SentReminder(kind, row.recipient, row.state, row.sent_at or row.created_at)
        found.setdefault(row.task_id or 0, []).append(sent)
    return found
