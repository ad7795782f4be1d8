"""When a notice is due, how tasks stand, and what the paper says."""

import io
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import docx
import pymupdf
import pytest
from docx.shared import Mm
from sqlalchemy.orm import Session

from conference.access.accounts import actor_of
from conference.access.models import Account, Role
from conference.access.policy import Actor
from conference.conclusions import paper, service
from conference.conclusions.dates import Standing, standing
from conference.conclusions.models import Task, TaskState
from conference.conclusions.service import NoticeText, TaskFacts
from conference.database import Database
from conference.documents import pdf, word
from conference.documents.paper import Issuer, Paragraph, Table
from conference.errors import ConflictError, ForbiddenError, InvalidError
from conference.models import Base
from tests.support.live_meeting import STARTS_AT, LiveMeeting, hold

AT = STARTS_AT + timedelta(hours=3)
TODAY = date(2026, 12, 10)
DUE = date(2026, 12, 20)
ISSUER = Issuer("Ủy ban nhân dân tỉnh Kon Tum", "Văn phòng UBND tỉnh", "VPUBND", "Kon Tum")


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    database = Database(f"sqlite:///{tmp_path / 'test.sqlite3'}")
    Base.metadata.create_all(database.engine)
    with database.transaction() as session:
        yield session
    database.dispose()


@pytest.fixture
def held(session: Session) -> LiveMeeting:
    return hold(session)


def unit_id(held: LiveMeeting, number: int) -> int:
    return held.sites[number].site.unit_id


def give(session: Session, held: LiveMeeting, number: int, due: date = DUE) -> Task:
    facts = TaskFacts("Rà soát nước sinh hoạt", unit_id(held, number), (unit_id(held, 2),), due)
    return service.add_task(session, held.meeting, facts, by="Bích", at=AT)


def site_actor(session: Session, held: LiveMeeting, number: int) -> Actor:
    row = Account(
        username=f"site{number}", password_hash="!", role=Role.SITE, display_name="Xã",
        site_id=held.sites[number].site_id, created_at=AT,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return actor_of(row)


# --- dates --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "today", "expected"),
    [
        (TaskState.OPEN, date(2026, 12, 1), Standing.OPEN),
        (TaskState.DOING, date(2026, 12, 1), Standing.DOING),
        (TaskState.OPEN, date(2026, 12, 17), Standing.SOON),
        (TaskState.DOING, date(2026, 12, 20), Standing.SOON),
        (TaskState.DOING, date(2026, 12, 21), Standing.OVERDUE),
        (TaskState.REPORTED, date(2027, 1, 1), Standing.REPORTED),
        (TaskState.DONE, date(2027, 1, 1), Standing.DONE),
    ],
)
def test_a_task_stands_by_state_and_date(state: TaskState, today: date, expected: Standing) -> None:
    assert standing(state, DUE, today, 3) is expected


# --- tasks --------------------------------------------------------------------------------------


def test_every_conclusion_needs_text_lead_and_date(session: Session, held: LiveMeeting) -> None:
    with pytest.raises(InvalidError) as refused:
        service.add_task(
            session, held.meeting, TaskFacts(" ", None, (), None, 99), by="Bích", at=AT
        )
    assert set(refused.value.fields) == {"text", "lead_unit", "due_on", "remind_days"}


def test_a_unit_reports_on_its_own_tasks_and_the_office_confirms(
    session: Session, held: LiveMeeting
) -> None:
    row = give(session, held, 0)
    own, other = site_actor(session, held, 0), site_actor(session, held, 1)

    def say(actor: Actor, state: TaskState, text: str = "Đã xong") -> None:
        service.report(session, row, state, text, actor=actor, at=AT, today=TODAY)

    with pytest.raises(ForbiddenError):
        say(other, TaskState.DOING)
    with pytest.raises(ForbiddenError):
        say(own, TaskState.DONE)
    with pytest.raises(InvalidError):
        say(own, TaskState.REPORTED, " ")
    say(own, TaskState.REPORTED)
    assert (row.state, row.progress) == (TaskState.REPORTED, "Đã xong")
    say(actor_of(held.secretary), TaskState.DONE, "")
    assert (row.state, row.progress, row.done_on) == (TaskState.DONE, "Đã xong", TODAY)
    with pytest.raises(ConflictError):
        service.remove_task(session, row)


def test_the_list_is_by_unit_with_overdue_first_and_a_site_sees_its_own(
    session: Session, held: LiveMeeting
) -> None:
    give(session, held, 0)
    give(session, held, 1, date(2026, 12, 1))
    office = actor_of(held.secretary)
    groups = service.tasks_by_unit(session, actor=office, today=TODAY)
    assert [name for name, _ in groups] == ["UBND xã đăk pxi 2", "UBND xã đăk pxi 1"]
    assert groups[0][1][0].days_late == 9
    assert service.counts(groups)[Standing.OVERDUE] == 1
    late = service.tasks_by_unit(session, actor=office, today=TODAY, wanted=Standing.OVERDUE)
    assert len(late) == 1
    own = service.tasks_by_unit(session, actor=site_actor(session, held, 0), today=TODAY)
    assert [name for name, _ in own] == ["UBND xã đăk pxi 1"]


# --- the notice -----------------------------------------------------------------------------------


def test_the_second_of_two_who_save_the_notice_is_told(session: Session, held: LiveMeeting) -> None:
    text = NoticeText("", None, "Mở đầu", "", "")
    first = service.save_notice(session, held.meeting, text, version=0, by="Bích", at=AT)
    with pytest.raises(ConflictError, match="Bích"):
        service.save_notice(session, held.meeting, text, version=0, by="Lan", at=AT)
    service.save_notice(session, held.meeting, text, version=first.version, by="Lan", at=AT)


def test_the_paper_is_the_decrees_and_names_task_lead_and_date(
    session: Session, held: LiveMeeting
) -> None:
    tasks = [give(session, held, 0), give(session, held, 1)]
    text = NoticeText("345", TODAY, "", "TL. Chủ tịch\nChánh Văn phòng", "Lê Văn C")
    notice = service.save_notice(session, held.meeting, text, version=0, by="Bích", at=AT)
    opening = service.default_opening(held.meeting)
    made = paper.compose(ISSUER, held.meeting, notice, tasks, opening)
    assert made.number == "Số: 345/TB-VPUBND"
    assert made.place_date == "Kon Tum, ngày 10 tháng 12 năm 2026"
    assert isinstance(made.body[-1], Paragraph)
    assert made.body[-1].text.endswith("biết, thực hiện./.")
    table = next(part for part in made.body if isinstance(part, Table))
    assert table.rows[0][1:] == (
        "Rà soát nước sinh hoạt", "UBND xã đăk pxi 1", "UBND xã đăk pxi 3", "20/12/2026",
    )  # fmt: skip
    document = docx.Document(io.BytesIO(word.document(made, AT)))
    margins = document.sections[0]
    assert [round((side or 0) / Mm(1)) for side in (
        margins.top_margin, margins.bottom_margin, margins.left_margin, margins.right_margin,
    )] == [20, 20, 30, 15]  # fmt: skip
    foot = document.tables[-1].rows[0].cells
    assert foot[0].text.startswith("Nơi nhận:")
    assert foot[1].text.startswith("TL. CHỦ TỊCH\nCHÁNH VĂN PHÒNG")
    assert foot[1].text.endswith("Lê Văn C")
    with pymupdf.open(stream=pdf.document(made, AT)) as file:
        printed = " ".join(" ".join(page.get_text().split()) for page in file)
    for wanted in ("THÔNG BÁO", "Kết luận của đồng chí Nguyễn Văn Ước", "kết luận như sau:",
                   "Hoàn thành trước 20/12/2026.", "CHÁNH VĂN PHÒNG"):  # fmt: skip
        assert wanted in printed


def test_without_a_number_and_a_day_both_stay_open(session: Session, held: LiveMeeting) -> None:
    text = NoticeText("", None, "", "", "")
    notice = service.save_notice(session, held.meeting, text, version=0, by="Bích", at=AT)
    made = paper.compose(ISSUER, held.meeting, notice, [], "x")
    assert made.number == "Số:        /TB-VPUBND"
    assert made.place_date == "Kon Tum, ngày      tháng      năm"
