"""Receiving and answering requests of people about their data; correcting what is wrong."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from conference.access import audit
from conference.access.policy import Actor
from conference.directory import people
from conference.directory.people import PersonFacts
from conference.errors import ConflictError, InvalidError, NotFoundError
from conference.personal_data.models import Asked, DataCorrection, DataRequest, Outcome
from conference.scheduling.local_time import local_day
from conference.scheduling.planning import office_of

ANSWER_DAYS: Final = 2
"""Working days for an answer (NĐ 356/2025)."""
MAX_TEXT: Final = 4000
ASKED_WORDS: Final = {
    Asked.SEE: "Xem dữ liệu", Asked.CORRECT: "Đính chính", Asked.ERASE: "Xóa",
    Asked.RESTRICT: "Hạn chế xử lý",
}  # fmt: skip
OUTCOME_WORDS: Final = {
    Outcome.OPEN: "Chưa trả lời", Outcome.GRANTED: "Đã thực hiện", Outcome.REFUSED: "Từ chối",
}  # fmt: skip


def receive(
    session: Session, person_id: int, asked: str, text: str, received_on: date | None, *,
    actor: Actor, at: datetime,
) -> DataRequest:  # fmt: skip
    """Write a request down with the day by which it is to be answered. Raises InvalidError."""
    person = people.find_person(session, person_id)
    faults = {}
    text = text.strip()
    if asked not in {one.value for one in Asked}:
        faults["asked"] = "Chọn loại yêu cầu."
    if not 1 <= len(text) <= MAX_TEXT:
        faults["text"] = f"Ghi nội dung yêu cầu, tối đa {MAX_TEXT} ký tự."
    today = local_day(at)
    if received_on is None or not today - timedelta(days=365) <= received_on <= today:
        faults["received_on"] = "Ngày nhận trong vòng một năm đến hôm nay."
    if faults or received_on is None:
        raise InvalidError(faults)
    calendar = office_of(session, received_on, received_on + timedelta(days=30)).calendar
    row = DataRequest(
        person_id=person.id, asked=Asked(asked), text=text, received_on=received_on,
        due_on=calendar.after(received_on, ANSWER_DAYS), recorded_by=actor.name, recorded_at=at,
    )  # fmt: skip
    session.add(row)
    session.flush()
    audit.record(
        session, at=at, actor=actor, action="personal_data.request", object_type="person",
        object_id=person.id, detail={"request": row.id, "asked": asked},
    )  # fmt: skip
    return row


def answer(
    session: Session, request_id: int, outcome: str, text: str, *, actor: Actor, at: datetime
) -> DataRequest:
    """Answer a request once. Raises InvalidError, NotFoundError, ConflictError."""
    row = session.get(DataRequest, request_id)
    if row is None:
        raise NotFoundError
    if row.outcome is not Outcome.OPEN:
        raise ConflictError("Yêu cầu này đã được trả lời.")
    if outcome not in {Outcome.GRANTED.value, Outcome.REFUSED.value}:
        raise InvalidError({"outcome": "Chọn kết quả."})
    if not 1 <= len(text.strip()) <= MAX_TEXT:
        raise InvalidError({"answer": "Ghi nội dung trả lời; từ chối thì nêu lý do."})
    row.outcome, row.answer = Outcome(outcome), text.strip()
    row.answered_by, row.answered_at = actor.name, at
    audit.record(
        session, at=at, actor=actor, action="personal_data.answer", object_type="person",
        object_id=row.person_id, detail={"request": row.id, "outcome": outcome},
    )  # fmt: skip
    return row


def correct(
    session: Session, person_id: int, facts: PersonFacts, reason: str, *, actor: Actor,
    at: datetime,
) -> int:  # fmt: skip
    """Correct the directory and keep what stood there; how many values changed.

    Signed papers and files of past meetings keep what they said. Raises InvalidError.
    """
    reason = reason.strip()
    if not 1 <= len(reason) <= 1000:
        raise InvalidError({"reason": "Nêu lý do đính chính, tối đa 1.000 ký tự."})
    changed = people.update_person(session, person_id, facts)
    for field, (before, after) in changed.items():
        session.add(
            DataCorrection(
                person_id=person_id, field=field, before=str(before or "")[:300],
                after=str(after or "")[:300], reason=reason, corrected_by=actor.name,
                corrected_at=at,
            )
        )  # fmt: skip
    if changed:
        audit.record(
            session, at=at, actor=actor, action="personal_data.correct", object_type="person",
            object_id=person_id, note=reason, detail={"fields": sorted(changed)},
        )  # fmt: skip
    return len(changed)


def requests(session: Session, person_id: int | None = None) -> Sequence[DataRequest]:
    """Requests, unanswered first, then the newest."""
    query = select(DataRequest).options(joinedload(DataRequest.person))
    if person_id is not None:
        query = query.where(DataRequest.person_id == person_id)
    rows = session.scalars(query.order_by(DataRequest.id.desc()).limit(500)).all()
    return sorted(rows, key=lambda row: (row.outcome is not Outcome.OPEN, -row.id))


def corrections(session: Session, person_id: int) -> Sequence[DataCorrection]:
    """What was corrected for one person, newest first."""
    query = select(DataCorrection).where(DataCorrection.person_id == person_id)
    return session.scalars(query.order_by(DataCorrection.id.desc())).all()
