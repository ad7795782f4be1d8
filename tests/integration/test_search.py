"""Searching all files, on both databases: what is found, marked, counted, and by whom."""

import io
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from conference.access.models import Role
from conference.access.policy import ANONYMOUS, Actor
from conference.archive import search_index
from conference.archive.search import PAGE_SIZE, Page, find
from conference.archive.search_piece import Place, SearchPiece
from conference.conclusions.models import Task
from conference.conduct.models import FloorRequest, FloorState
from conference.database import Database
from conference.directory.models import Person, Unit
from conference.migrations import configuration, upgrade
from conference.minutes.models import Minutes, MinutesAddendum
from conference.scheduling import papers
from conference.scheduling.models import InvitedSite, Meeting
from config.settings import Settings
from tests.support.recorded_meeting import STARTS_AT, hold_meeting
from web.cli import main
from web.preparation import prepare

CLERK = Actor(account_id=None, role=Role.CLERK, name="văn thư")
AUDITOR = Actor(account_id=None, role=Role.AUDITOR, name="kiểm tra")


def meeting(database: Database, title: str = "Giao ban tháng 12", number: int = 1) -> int:
    with database.transaction() as session:
        made = hold_meeting(session, room_name=f"phong-{number}")
        made.title = title
        made.starts_at += timedelta(days=number)
        made.ends_at += timedelta(days=number)
        return made.id


def found(database: Database, query: str, actor: Actor = CLERK, page: int = 1) -> Page:
    with database.reading() as session:
        return find(session, query, actor=actor, page=page)


def places(database: Database, query: str, actor: Actor = CLERK) -> list[Place]:
    return [hit.place for hit in found(database, query, actor).hits]


def write_minutes(database: Database, meeting_id: int, course: str) -> None:
    with database.transaction() as session:
        session.add(
            Minutes(
                meeting_id=meeting_id, number="07/BB-VPUBND", course=course,
                updated_by="x", updated_at=STARTS_AT,
            )
        )  # fmt: skip


def add_paper(database: Database, meeting_id: int, text: str, folder: Path) -> None:
    with database.transaction() as session:
        content = io.BytesIO(text.encode())
        stored = papers.store(folder, content, "Phụ lục 1.txt", max_bytes=1 << 20)
        papers.add_paper(session, meeting_id, stored, actor=CLERK, at=STARTS_AT)


@pytest.mark.parametrize("query", ["giao ban", "giao bán", "GIAO BAN", "ban giao", "tháng giao b"])
def test_marks_case_and_order_do_not_count(any_database: Database, query: str) -> None:
    meeting(any_database)
    assert places(any_database, query) == [Place.TITLE]
    assert not places(any_database, "giao bang")
    assert not places(any_database, "iao ban")


def test_every_part_of_the_file_is_found(any_database: Database, tmp_path: Path) -> None:
    meeting_id = meeting(any_database)
    write_minutes(any_database, meeting_id, "Đường Hồ Chí Minh sạt lở.\n\nKè suối Đăk Bla.")
    add_paper(any_database, meeting_id, "Vùng trồng sâm Ngọc Linh\nTu Mơ Rông", tmp_path)
    with any_database.transaction() as session:
        unit_id = session.scalars(select(Unit.id)).first()
        session.add(
            Task(
                meeting_id=meeting_id, position=0, text="Khắc phục hồ chứa", lead_unit_id=unit_id,
                lead_unit_name="Sở Xây dựng", due_on=STARTS_AT.date(), updated_by="x",
                updated_at=STARTS_AT,
            )
        )  # fmt: skip
        session.add(
            FloorRequest(
                meeting_id=meeting_id, identity="person:9", display_name="Y Thắm",
                state=FloorState.DONE, requested_at=STARTS_AT,
            )
        )  # fmt: skip
    assert places(any_database, "van uoc chu tich") == [Place.PEOPLE]
    assert places(any_database, "dak pxi") == [Place.UNIT]
    assert places(any_database, "ngan sach") == [Place.AGENDA]
    assert places(any_database, "duong ho chi") == [Place.MINUTES]
    assert places(any_database, "07/BB") == [Place.MINUTES]
    assert places(any_database, "phu luc") == [Place.PAPER]
    assert places(any_database, "sam ngoc li") == [Place.PAPER]
    assert places(any_database, "ho chua") == [Place.CONCLUSION]
    assert places(any_database, "y tham") == [Place.SPEAKER]
    [hit] = found(any_database, "tu mo rong").hits
    assert hit.parts == [("Tu Mơ Rông", True)]
    # one word in the title, one in the minutes, one in a paper
    assert len(found(any_database, "giao sat sam").hits) == 1


def test_what_changes_is_found_as_it_is_now_and_a_rollback_changes_nothing(
    any_database: Database,
) -> None:
    meeting_id = meeting(any_database)
    write_minutes(any_database, meeting_id, "Bản cũ")
    with any_database.transaction() as session:
        row = session.scalars(select(Minutes)).one()
        row.course = "Lời mới"
        session.add(
            MinutesAddendum(minutes_id=row.id, text="Bổ sung", added_by="x", added_at=STARTS_AT)
        )
        session.scalars(select(Person)).one().full_name = "Nguyễn Văn Đức"
        session.scalars(
            select(InvitedSite).where(InvitedSite.position == 1)
        ).one().withdrawn_at = STARTS_AT
        session.get_one(Meeting, meeting_id).title = "Hội nghị quý bốn"
    for gone in ("ban cu", "van uoc", "giao ban", "ngoc reo"):
        assert not places(any_database, gone), gone
    for there in ("loi moi", "bo sung", "van duc", "quy bon", "dak pxi"):
        assert places(any_database, there), there
    with any_database.transaction() as session:
        session.get_one(Meeting, meeting_id).title = "Chưa bao giờ"
        session.flush()
        session.rollback()
    assert not places(any_database, "bao gio")
    assert places(any_database, "quy bon")


def test_nobody_finds_or_counts_what_they_may_not_read(
    any_database: Database, tmp_path: Path
) -> None:
    meeting_id = meeting(any_database)
    meeting(any_database, "Giao ban khác", 2)
    write_minutes(any_database, meeting_id, "Nội dung kín đáo")
    add_paper(any_database, meeting_id, "Số liệu riêng", tmp_path)
    with any_database.reading() as session:
        invited = session.scalars(
            select(InvitedSite.id).where(InvitedSite.meeting_id == meeting_id)
        ).first()
    site = Actor(account_id=None, role=None, name="x", invited_site_id=invited)
    stranger = Actor(account_id=999, role=Role.DELEGATE, name="x", person_id=999)
    for nobody in (stranger, ANONYMOUS):
        assert found(any_database, "giao ban", nobody).total == 0
    assert found(any_database, "giao ban", site).total == 1
    assert places(any_database, "so lieu rieng", site) == [Place.PAPER]
    assert not places(any_database, "kin dao", site)
    assert not places(any_database, "giao kin", site)
    assert places(any_database, "kin dao", AUDITOR) == [Place.MINUTES]
    assert not places(any_database, "so lieu rieng", AUDITOR)
    assert found(any_database, "giao ban", CLERK).total == 2


def test_own_marks_come_first_then_the_newest_25_to_a_page(any_database: Database) -> None:
    meeting(any_database, "Giáo bản vùng cao", 1)
    with any_database.transaction() as session:
        for number in range(2, PAGE_SIZE + 4):
            made = hold_meeting(session, room_name=f"phong-{number}")
            made.title = f"Giao ban số {number}"
            made.starts_at += timedelta(days=number)
            made.ends_at += timedelta(days=number)
    first = found(any_database, "giáo bản")
    assert (first.total, first.count, len(first.hits)) == (PAGE_SIZE + 3, 2, PAGE_SIZE)
    titles = [hit.meeting.title for hit in first.hits]
    assert titles[:2] == ["Giáo bản vùng cao", f"Giao ban số {PAGE_SIZE + 3}"]
    assert [hit.is_exact for hit in first.hits[:2]] == [True, False]
    last = found(any_database, "giáo bản", page=99)
    assert (last.number, len(last.hits)) == (2, 3)
    assert found(any_database, "  …  ").total == 0


@pytest.mark.parametrize(
    "query", ['"', "giao OR", "a* AND (", "NEAR(a b)", "folded:x", "a & !b | c:*", "'", "\\", "%"]
)
def test_a_query_is_words_and_never_syntax(any_database: Database, query: str) -> None:
    meeting(any_database)
    assert found(any_database, query).total == 0


def test_the_index_is_made_again_and_after_an_upgrade_missed(
    any_database: Database, tmp_path: Path
) -> None:
    meeting_id = meeting(any_database)
    add_paper(any_database, meeting_id, "Số liệu riêng", tmp_path)
    with any_database.transaction() as session:
        before = pieces(session)
        session.execute(delete(SearchPiece))
        assert search_index.is_missing(session)
    assert not places(any_database, "giao ban")
    with any_database.transaction() as session:
        assert papers.read_texts(session, tmp_path) == (1, 0)
        assert papers.read_texts(session, tmp_path / "none") == (0, 1)
        assert search_index.rebuild(session) == 1
    with any_database.transaction() as session:
        assert not search_index.is_missing(session)
        assert pieces(session) == before
    assert places(any_database, "so lieu rieng") == [Place.PAPER]


def test_the_command_makes_the_index_again(
    settings: Settings, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    database.dispose()
    Path(settings.database_url.removeprefix("sqlite:///")).unlink()
    upgrade(settings.database_url)
    meeting_id = meeting(database)
    add_paper(database, meeting_id, "Số liệu riêng", settings.papers_dir)
    with database.transaction() as session:
        session.execute(delete(SearchPiece))
    prepare(settings)
    assert places(database, "so lieu rieng") == [Place.PAPER]
    with database.transaction() as session:
        session.execute(delete(SearchPiece))
    assert main(["search", "rebuild", "--data", str(settings.data_dir)]) == 0
    assert capsys.readouterr().out == "1 meetings and 1 papers indexed.\n"
    assert places(database, "so lieu rieng") == [Place.PAPER]


def test_the_service_keeps_the_index_while_it_writes() -> None:
    code = "import sys, web.app; sys.exit('conference.archive.search_index' not in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def pieces(session: Session) -> list[tuple[str, str]]:
    query = select(SearchPiece.place, SearchPiece.folded).order_by(SearchPiece.place)
    return [(row.place.value, row.folded) for row in session.execute(query)]


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("pg", marks=pytest.mark.postgres)])
def test_the_revision_goes_down_and_up_with_files_in_it(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path / 'x.sqlite3'}"
    if kind == "pg":
        url = request.getfixturevalue("postgres").new_database()
    upgrade(url)
    database = Database(url)
    meeting_id = meeting(database)
    add_paper(database, meeting_id, "Số liệu riêng", tmp_path)
    assert places(database, "so lieu") == [Place.PAPER]
    database.dispose()
    command.downgrade(configuration(url), "0014")
    upgrade(url)
    with database.transaction() as session:
        assert session.scalar(select(func.count()).select_from(SearchPiece)) == 0
        papers.read_texts(session, tmp_path)
        search_index.rebuild(session)
    assert places(database, "so lieu") == [Place.PAPER]
    database.dispose()
