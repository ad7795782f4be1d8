"""A file is destroyed by a decision alone, wholly, and what was done stays on record."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from conference.access import audit
from conference.access.models import Role
from conference.access.policy import Actor
from conference.archive import rows, search
from conference.conclusions.models import Task, TaskState
from conference.database import Database
from conference.errors import ConflictError, ForbiddenError, InvalidError
from conference.retention import service
from conference.retention.erase import Stores
from conference.retention.models import Destruction, Stage
from conference.scheduling.models import Meeting
from tests.support.whole_file import WholeFile, whole_file

LATER = datetime(2032, 1, 1, 3, 0, tzinfo=UTC)
CLERK = Actor(account_id=None, role=Role.CLERK, name="Văn thư")
OTHER = Actor(account_id=None, role=Role.ADMINISTRATOR, name="Quản trị")
SECRET = "hoaphuongvi"
"""A word that stands nowhere but in the file that is destroyed."""


class House:
    """An installation with two files, the first to be destroyed."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.folder = database, folder
        self.files: list[WholeFile] = []
        with database.transaction() as session:
            self.files = [whole_file(session, folder, tag=tag) for tag in ("a", "b")]
            for task in session.scalars(select(Task)):
                task.state = TaskState.DONE
        self.stores = Stores(self.files[0].stores.papers_dir, self.files[0].stores.recordings_dir)
        self.first, self.second = (one.meeting.id for one in self.files)

    def term(self, code: str = "giao-ban") -> None:
        with self.database.transaction() as session:
            service.set_term(session, [self.first], code, actor=CLERK, at=LATER)

    def propose(self, at: datetime = LATER) -> int:
        with self.database.transaction() as session:
            return service.propose(session, [self.first], actor=CLERK, at=at).id

    def decide(self, number: int, at: datetime = LATER) -> None:
        with self.database.transaction() as session:
            service.decide(
                session, service.find(session, number), number="12/QĐ-UBND", day=date(2032, 1, 1),
                signatory="Nguyễn Văn Ước", actor=OTHER, at=at,
            )  # fmt: skip

    def execute(self, number: int, typed: str = "12/QĐ-UBND") -> None:
        with self.database.transaction() as session:
            service.execute(session, number, self.stores, number=typed, actor=OTHER, at=LATER)
        assert service.finish(self.database, self.stores) == 0


@pytest.fixture
def house(database: Database, tmp_path: Path) -> House:
    return House(database, tmp_path / "house")


@pytest.fixture
def either_house(any_database: Database, tmp_path: Path) -> House:
    return House(any_database, tmp_path / "house")


def row_counts(house: House, meeting_id: int) -> dict[str, int]:
    with house.database.reading() as session:
        return {one.name: len(session.execute(one.of(meeting_id)).all()) for one in rows.TABLES}


def test_a_destroyed_file_is_gone_its_record_stays_and_its_neighbour_is_whole(
    either_house: House,
) -> None:
    house = either_house
    neighbour = row_counts(house, house.second)
    assert all(neighbour.values())
    house.term()
    number = house.propose()
    house.decide(number)
    house.execute(number)
    assert not any(row_counts(house, house.first).values())
    assert row_counts(house, house.second) == neighbour
    with house.database.reading() as session:
        assert session.get(Meeting, house.first) is None
        found = search.search(session, "khoan gieng", actor=OTHER)
        assert [hit.meeting.id for hit in found] == [house.second]
        done = service.find(session, number)
        assert done.stage is Stage.EXECUTED
        assert service.is_record_whole(done)
        item = done.record["items"][0]
        assert item["rows"] == neighbour  # both files were filled alike
        assert {one["name"] for one in item["files"]} >= {"Báo cáo.pdf", "bb-ky.pdf"}
        assert any(one["name"].endswith("sessions/raw.mkv") for one in item["files"])
        assert audit.verify(session).is_whole
    left = sorted(p.name for p in house.folder.rglob("*") if p.is_file())
    assert left == sorted([f"{c * 40}{house.second}" for c in "ab"]
                          + ["manifest.json", "raw.mkv", "recording.mp4"])  # fmt: skip


def test_no_byte_of_a_destroyed_file_is_left_in_the_database_file(
    database: Database, tmp_path: Path
) -> None:
    house = House(database, tmp_path / "house")
    with database.transaction() as session:
        meeting = session.get_one(Meeting, house.first)
        meeting.description = f"{SECRET} " * 300
        meeting.papers[0].text = f"{SECRET} " * 300
    path = Path(str(database.engine.url.database))
    with database.engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
    house.term()
    number = house.propose()
    house.decide(number)
    stored = [path, Path(f"{path}-wal")]
    assert any(SECRET.encode() in one.read_bytes() for one in stored)
    house.execute(number)
    for one in stored:
        assert not one.exists() or SECRET.encode() not in one.read_bytes(), one.name


def test_files_that_a_crash_left_behind_are_removed_afterwards(house: House) -> None:
    house.term()
    number = house.propose()
    house.decide(number)
    with house.database.transaction() as session:  # … and the process dies here
        service.execute(session, number, house.stores, number="12/QĐ-UBND", actor=OTHER, at=LATER)
    paper = house.stores.papers_dir / f"{'a' * 40}{house.first}"
    assert paper.is_file()
    assert service.finish(house.database, house.stores) == 0
    assert not paper.exists()
    with house.database.reading() as session:
        assert service.find(session, number).files_left == []


def test_without_a_decision_nothing_is_destroyed(house: House) -> None:
    house.term()
    number = house.propose()
    with pytest.raises(ConflictError, match="Chưa có quyết định"):
        house.execute(number, "")
    assert all(row_counts(house, house.first).values())


def test_the_decision_is_repeated_by_whoever_executes(house: House) -> None:
    house.term()
    number = house.propose()
    house.decide(number)
    with pytest.raises(InvalidError, match="không khớp"):
        house.execute(number, "13/QĐ-UBND")
    assert all(row_counts(house, house.first).values())


def test_a_hold_after_the_decision_stops_everything(house: House) -> None:
    house.term()
    number = house.propose()
    house.decide(number)
    with house.database.transaction() as session:
        placed = service.hold(session, house.first, "Thanh tra", actor=CLERK, at=LATER).meeting_id
    assert placed == house.first
    with pytest.raises(InvalidError, match="đang tạm giữ"):
        house.execute(number)
    with house.database.transaction() as session:
        active = service.line_of(session, house.first, LATER.date()).holds[0]
        service.lift(session, active.id, actor=CLERK, at=LATER)
    house.execute(number)


@pytest.mark.parametrize(
    ("code", "at", "said"),
    [
        ("tong-ket", LATER, "bảo quản vĩnh viễn"),
        ("giao-ban", datetime(2031, 12, 31, 16, 59, tzinfo=UTC), "chưa hết thời hạn"),
        ("cong-viec", LATER, "chưa hết thời hạn"),
    ],
)
def test_a_file_whose_term_runs_is_not_even_proposed(
    house: House, code: str, at: datetime, said: str
) -> None:
    house.term(code)
    with pytest.raises(InvalidError, match=said):
        house.propose(at)


def test_a_file_without_class_or_with_open_tasks_is_not_proposed(house: House) -> None:
    with pytest.raises(InvalidError, match="chưa xác định"):
        house.propose()
    house.term()
    with house.database.transaction() as session:
        session.scalars(
            select(Task).where(Task.meeting_id == house.first)
        ).one().state = TaskState.REPORTED
    with pytest.raises(InvalidError, match="còn nhiệm vụ"):
        house.propose()


def test_who_proposes_does_not_enter_the_decision(house: House) -> None:
    house.term()
    number = house.propose()
    with house.database.transaction() as session:
        row = service.find(session, number)
        row.proposed_by_id = house.files[0].live.clerk.id
        same = Actor(account_id=row.proposed_by_id, role=Role.CLERK, name="Văn thư")
        with pytest.raises(ForbiddenError):
            service.decide(session, row, number="1", day=date(2032, 1, 1), signatory="A",
                           actor=same, at=LATER)  # fmt: skip


def test_one_file_is_on_one_list_and_a_withdrawn_list_frees_it(house: House) -> None:
    house.term()
    number = house.propose()
    with pytest.raises(InvalidError, match="danh mục khác"):
        house.propose()
    with house.database.transaction() as session:
        service.withdraw(session, service.find(session, number), actor=CLERK, at=LATER)
    house.propose()
    with pytest.raises(ConflictError):
        house.decide(number)


def test_the_list_of_files_agrees_with_the_rule(either_house: House) -> None:
    house = either_house
    house.term()
    for at in (LATER, LATER - timedelta(days=1)):
        with house.database.reading() as session:
            listed, total = service.files(session, at.date(), wanted="het-han")
            every, _ = service.files(session, at.date())
            free = [one.meeting.id for one in every if not one.bars]
            assert [one.meeting.id for one in listed] == free
            assert total == len(free) == (at is LATER)


def test_a_record_that_was_edited_is_noticed(house: House) -> None:
    house.term()
    number = house.propose()
    house.decide(number)
    house.execute(number)
    with house.database.transaction() as session:
        row = service.find(session, number)
        record = json.loads(json.dumps(row.record))
        record["items"][0]["title"] = "Khác"
        row.record = record
        assert not service.is_record_whole(row)
        assert session.scalar(select(func.count()).select_from(Destruction)) == 1
