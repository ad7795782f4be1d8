"""Terms, holds and destructions as a person of the registry handles them.

Nothing here destroys but `execute`, and that only what a list names, a decision covers, and today's
rules still allow: a hold placed after the decision stops the whole execution.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, selectinload

from conference import canonical
from conference.access import audit
from conference.access.policy import Actor
from conference.conclusions.models import Task, TaskState
from conference.database import Database
from conference.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from conference.retention import erase, terms
from conference.retention.erase import Stores
from conference.retention.models import (
    Destruction,
    DestructionItem,
    FileTerm,
    LegalHold,
    RetentionClass,
    Stage,
)
from conference.retention.terms import BAR_WORDS, Bar, FileFacts, Step, Term
from conference.scheduling.local_time import day_bounds, local_day
from conference.scheduling.models import CALLED_OFF, HELD, Meeting

PAGE_SIZE: Final = 50
MAX_ITEMS: Final = 500
RECORD_FORMAT: Final = "diemcau-destruction/1"


@dataclass(frozen=True, slots=True)
class FileLine:
    """One file on the list of terms."""

    meeting: Meeting
    ended_on: date
    term: Term | None
    suggested: str
    kept_until: date | None
    holds: tuple[LegalHold, ...]
    bars: tuple[Bar, ...]


# --- the schedule --------------------------------------------------------------------------------


def classes(session: Session) -> dict[str, Term]:
    """The office's schedule: the default terms and what it set otherwise or added, by code."""
    found = {one.code: one for one in terms.DEFAULTS}
    for row in session.scalars(select(RetentionClass).order_by(RetentionClass.code)):
        found[row.code] = Term(row.code, row.name, row.years)
    return found


def set_class(
    session: Session, code: str, name: str, years: int | None, *, actor: Actor, at: datetime
) -> Term:
    """Change a term of the schedule or add one. Raises InvalidError."""
    code, name = code.strip(), name.strip()
    faults = {}
    if not 1 <= len(code) <= 20 or not all(c.isascii() and (c.isalnum() or c == "-") for c in code):
        faults["code"] = "Mã từ 1 đến 20 chữ không dấu, số hoặc gạch nối."
    if not 1 <= len(name) <= 160:
        faults["name"] = "Tên từ 1 đến 160 ký tự."
    if years is not None and not 1 <= years <= terms.MAX_YEARS:
        faults["years"] = f"Số năm từ 1 đến {terms.MAX_YEARS}; để trống là vĩnh viễn."
    if faults:
        raise InvalidError(faults)
    row = session.get(RetentionClass, code) or RetentionClass(code=code)
    row.name, row.years, row.changed_by, row.changed_at = name, years, actor.name, at
    session.add(row)
    _record(session, actor, at, "retention.class", code, years=years, name=name)
    return Term(code, name, years)


# --- files and their terms -----------------------------------------------------------------------


def files(
    session: Session, today: date, *, wanted: str = "", page: int = 1
) -> tuple[list[FileLine], int]:
    """A part of the files that are over, oldest first, and how many fit.

    ``wanted``: ``het-han`` (may be proposed), ``chua-xac-dinh`` (no class), ``tam-giu`` (held).
    """
    schedule = classes(session)
    query = select(Meeting).where(Meeting.status.in_(HELD | CALLED_OFF))
    holds = _active_holds().exists()
    if wanted == "chua-xac-dinh":
        query = query.where(~_termed())
    elif wanted == "tam-giu":
        query = query.where(holds)
    elif wanted == "het-han":
        query = query.where(_expired(schedule, today), ~holds, ~_open_tasks().exists())
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    rows = session.scalars(
        query.order_by(Meeting.starts_at, Meeting.id)
        .offset((page - 1) * PAGE_SIZE)
        .limit(PAGE_SIZE)
    ).all()
    return _lines(session, rows, schedule, today), total


def _expired(schedule: dict[str, Term], today: date) -> ColumnElement[bool]:
    """SQL condition: the term that was set is over. Years are those of Vietnam, UTC+7."""
    ended = func.coalesce(Meeting.ended_at, Meeting.starts_at)
    over = []
    for term in schedule.values():
        if term.years is not None:
            first_kept = date(max(today.year - term.years, 1900), 1, 1)
            is_class = Meeting.id.in_(
                select(FileTerm.meeting_id).where(FileTerm.class_code == term.code)
            )
            over.append(and_(is_class, ended < day_bounds(first_kept)[0]))
    return or_(*over) if over else Meeting.id.is_(None)


def _termed() -> ColumnElement[bool]:
    return select(FileTerm).where(FileTerm.meeting_id == Meeting.id).exists()


def _active_holds() -> Select[Any]:
    return select(LegalHold.id).where(
        LegalHold.meeting_id == Meeting.id, LegalHold.lifted_at.is_(None)
    )


def _open_tasks() -> Select[Any]:
    return select(Task.id).where(
        Task.meeting_id == Meeting.id, Task.state != TaskState.DONE, Meeting.is_imported.is_(False)
    )


def line_of(session: Session, meeting_id: int, today: date) -> FileLine:
    """One file. Raises NotFoundError."""
    meeting = session.get(Meeting, meeting_id)
    if meeting is None:
        raise NotFoundError
    return _lines(session, [meeting], classes(session), today)[0]


def _lines(
    session: Session, meetings: Sequence[Meeting], schedule: dict[str, Term], today: date
) -> list[FileLine]:
    ids = [one.id for one in meetings]
    set_terms = {
        row.meeting_id: row.class_code
        for row in session.scalars(select(FileTerm).where(FileTerm.meeting_id.in_(ids)))
    }
    holds: dict[int, list[LegalHold]] = {}
    active = select(LegalHold).where(LegalHold.meeting_id.in_(ids), LegalHold.lifted_at.is_(None))
    for hold_row in session.scalars(active.order_by(LegalHold.id)):
        holds.setdefault(hold_row.meeting_id, []).append(hold_row)
    open_tasks = select(Task.meeting_id, func.count()).where(
        Task.meeting_id.in_(ids), Task.state != TaskState.DONE
    )
    tasks = dict(session.execute(open_tasks.group_by(Task.meeting_id)).all())
    return [
        _line(
            one, schedule.get(set_terms.get(one.id, "")), tuple(holds.get(one.id, ())),
            0 if one.is_imported else tasks.get(one.id, 0), today,
        )
        for one in meetings
    ]  # fmt: skip


def _line(
    meeting: Meeting, term: Term | None, holds: tuple[LegalHold, ...], tasks: int, today: date
) -> FileLine:
    ended_on = local_day(meeting.ended_at or meeting.starts_at)
    facts = FileFacts(meeting.status, ended_on, term, len(holds), tasks)
    last = terms.kept_until(ended_on, term.years) if term else None
    return FileLine(
        meeting, ended_on, term, terms.suggested(meeting.kind), last, holds,
        terms.bars(facts, today),
    )  # fmt: skip


def set_term(
    session: Session, meeting_ids: Iterable[int], code: str, *, actor: Actor, at: datetime
) -> int:
    """Give files a class; how many changed. Raises InvalidError."""
    wanted = list(dict.fromkeys(meeting_ids))[:MAX_ITEMS]
    if code not in classes(session):
        raise InvalidError({"code": "Chọn thời hạn bảo quản."})
    if not wanted:
        raise InvalidError({"files": "Chọn ít nhất một hồ sơ."})
    changed = 0
    for meeting in session.scalars(select(Meeting).where(Meeting.id.in_(wanted))):
        row = session.get(FileTerm, meeting.id)
        if row is not None and row.class_code == code:
            continue
        before = row.class_code if row else ""
        row = row or FileTerm(meeting_id=meeting.id)
        row.class_code, row.set_by, row.set_at = code, actor.name, at
        session.add(row)
        _record(session, actor, at, "retention.term", meeting.id, before=before, after=code)
        changed += 1
    return changed


def hold(
    session: Session, meeting_id: int, reason: str, *, actor: Actor, at: datetime
) -> LegalHold:
    """Keep a file whatever its term says. Raises InvalidError or NotFoundError."""
    reason = reason.strip()
    if not 1 <= len(reason) <= 1000:
        raise InvalidError({"reason": "Nêu lý do tạm giữ, tối đa 1.000 ký tự."})
    if session.get(Meeting, meeting_id) is None:
        raise NotFoundError
    row = LegalHold(meeting_id=meeting_id, reason=reason, placed_by=actor.name, placed_at=at)
    session.add(row)
    _record(session, actor, at, "retention.hold", meeting_id, reason=reason)
    return row


def lift(session: Session, hold_id: int, *, actor: Actor, at: datetime) -> LegalHold:
    """End a hold. Raises NotFoundError, ConflictError when it ended before."""
    row = session.get(LegalHold, hold_id)
    if row is None:
        raise NotFoundError
    if row.lifted_at is not None:
        raise ConflictError("Hồ sơ này đã được bỏ tạm giữ.")
    row.lifted_by, row.lifted_at = actor.name, at
    _record(session, actor, at, "retention.lift", row.meeting_id, hold=row.id)
    return row


# --- destruction ---------------------------------------------------------------------------------


def propose(
    session: Session, meeting_ids: Iterable[int], *, actor: Actor, at: datetime
) -> Destruction:
    """Put files on a list. Raises InvalidError naming each file that may not be destroyed."""
    wanted = list(dict.fromkeys(meeting_ids))
    if not 1 <= len(wanted) <= MAX_ITEMS:
        raise InvalidError({"files": f"Chọn từ 1 đến {MAX_ITEMS} hồ sơ."})
    rows = session.scalars(select(Meeting).where(Meeting.id.in_(wanted)))
    lines = _lines(session, rows.all(), classes(session), local_day(at))
    _require_free(lines, wanted)
    listed = session.scalars(
        select(DestructionItem.title)
        .join(DestructionItem.destruction)
        .where(
            DestructionItem.meeting_id.in_(wanted),
            Destruction.stage.in_([Stage.PROPOSED, Stage.DECIDED]),
        )
    ).all()
    if listed:
        raise InvalidError({"files": f"Đã có trong danh mục khác: {'; '.join(listed[:5])}."})
    made = Destruction(proposed_by=actor.name, proposed_by_id=actor.account_id, proposed_at=at)
    for line in sorted(lines, key=lambda one: (one.ended_on, one.meeting.id)):
        assert line.term is not None  # a file without class or for ever is barred
        assert line.kept_until is not None
        made.items.append(
            DestructionItem(
                meeting_id=line.meeting.id, title=line.meeting.title, held_on=line.ended_on,
                class_name=line.term.name, kept_until=line.kept_until,
            )
        )  # fmt: skip
    session.add(made)
    session.flush()
    _record(session, actor, at, "destruction.propose", made.id, files=len(made.items))
    return made


def _require_free(lines: Sequence[FileLine], wanted: Sequence[int]) -> None:
    if len(lines) != len(wanted):
        raise InvalidError({"files": "Có hồ sơ không còn trong hệ thống."})
    barred = [
        f"{one.meeting.title}: {', '.join(BAR_WORDS[bar].lower() for bar in one.bars)}"
        for one in lines
        if one.bars
    ]
    if barred:
        raise InvalidError({"files": f"Không được tiêu hủy: {'; '.join(barred[:5])}."})


def find(session: Session, destruction_id: int) -> Destruction:
    """One list with its items. Raises NotFoundError."""
    row = session.get(Destruction, destruction_id, options=[selectinload(Destruction.items)])
    if row is None:
        raise NotFoundError
    return row


def destructions(session: Session) -> Sequence[Destruction]:
    """All lists, newest first."""
    query = select(Destruction).options(selectinload(Destruction.items))
    return session.scalars(query.order_by(Destruction.id.desc()).limit(500)).all()


def decide(
    session: Session, row: Destruction, *, number: str, day: date | None, signatory: str,
    actor: Actor, at: datetime,
) -> None:  # fmt: skip
    """Enter the decision. Raises InvalidError; ForbiddenError for whoever proposed the list."""
    if actor.account_id is not None and actor.account_id == row.proposed_by_id:
        raise ForbiddenError("Người lập danh mục không tự ghi quyết định tiêu hủy.")
    number, signatory = number.strip(), signatory.strip()
    faults = {}
    if not 1 <= len(number) <= 60:
        faults["number"] = "Nhập số quyết định."
    if not 1 <= len(signatory) <= 160:
        faults["signatory"] = "Nhập người ký quyết định."
    if day is None or day > local_day(at) or day < local_day(row.proposed_at):
        faults["day"] = "Ngày quyết định từ ngày lập danh mục đến hôm nay."
    if faults:
        raise InvalidError(faults)
    _step(row, Step.DECIDE)
    row.decision_number, row.decision_day, row.signatory = number, day, signatory
    row.decided_by, row.decided_at = actor.name, at
    _record(session, actor, at, "destruction.decide", row.id, number=number, signatory=signatory)


def withdraw(session: Session, row: Destruction, *, actor: Actor, at: datetime) -> None:
    """Give a list up; its files stay. Raises ConflictError once it was executed."""
    _step(row, Step.WITHDRAW)
    _record(session, actor, at, "destruction.withdraw", row.id)


def _step(row: Destruction, step: Step) -> None:
    following = terms.after(row.stage, step)
    if following is None:
        raise ConflictError("Danh mục này không còn ở bước đó. Tải lại trang để xem.")
    row.stage = following


def execute(
    session: Session, destruction_id: int, stores: Stores, *, number: str, actor: Actor,
    at: datetime,
) -> Destruction:  # fmt: skip
    """Destroy what a decided list names; the caller then calls `finish`.

    ``number`` repeats the decision's, so that nobody destroys by one click. Raises InvalidError
    when it differs or a file may no longer be destroyed, ConflictError without a decision.
    """
    row = session.get(Destruction, destruction_id, with_for_update=True)
    if row is None:
        raise NotFoundError
    if terms.after(row.stage, Step.EXECUTE) is None:
        raise ConflictError("Chưa có quyết định tiêu hủy, hoặc danh mục đã thực hiện.")
    if number.strip() != row.decision_number:
        raise InvalidError({"number": "Số quyết định không khớp."})
    wanted = [item.meeting_id for item in row.items]
    meetings = session.scalars(select(Meeting).where(Meeting.id.in_(wanted))).all()
    _require_free(_lines(session, meetings, classes(session), local_day(at)), wanted)
    described, places = [], []
    items = [(one.meeting_id, one.title, one.held_on, one.class_name) for one in row.items]
    for meeting_id, title, held_on, class_name in items:
        gone = erase.erase(session, session.get_one(Meeting, meeting_id), stores)
        places += gone.places
        described.append(
            {
                "meeting": meeting_id, "title": title, "held_on": held_on.isoformat(),
                "class": class_name, "rows": gone.rows, "files": gone.files,
            }
        )  # fmt: skip
    row = session.get_one(Destruction, destruction_id)
    _step(row, Step.EXECUTE)
    row.executed_by, row.executed_at, row.files_left = actor.name, at, places
    row.record = {
        "format": RECORD_FORMAT, "decision": row.decision_number,
        "decision_day": row.decision_day.isoformat() if row.decision_day else None,
        "signatory": row.signatory, "proposed_by": row.proposed_by, "decided_by": row.decided_by,
        "executed_by": actor.name, "executed_at": at.isoformat(), "items": described,
    }  # fmt: skip
    row.record_sha256 = canonical.digest(row.record)
    _record(
        session, actor, at, "destruction.execute", row.id,
        files=len(described), decision=row.decision_number, record_sha256=row.record_sha256,
    )  # fmt: skip
    return row


def has_files_left(session: Session) -> bool:
    """Whether files of destroyed meetings are still on the disk."""
    done = select(Destruction.files_left).where(Destruction.stage == Stage.EXECUTED)
    return any(session.scalars(done))


def finish(database: Database, stores: Stores) -> int:
    """Remove the files of executed destructions from the disk; how many could not be removed."""
    with database.transaction() as session:
        left = 0
        for row in session.scalars(select(Destruction).where(Destruction.stage == Stage.EXECUTED)):
            if row.files_left:
                row.files_left = erase.remove(row.files_left, stores)
                left += len(row.files_left)
    erase.forget(database)
    return left


def is_record_whole(row: Destruction) -> bool:
    """Whether the record is the one that was written when the files were destroyed."""
    return bool(row.record) and canonical.digest(row.record) == row.record_sha256


def _record(
    session: Session, actor: Actor, at: datetime, action: str, about: int | str, **detail: Any
) -> None:
    kind = "destruction" if action.startswith("destruction") else "meeting"
    audit.record(
        session, at=at, actor=actor, action=action,
        object_type="retention" if action == "retention.class" else kind,
        object_id=about, detail=detail,
    )  # fmt: skip
