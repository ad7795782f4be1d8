"""Kept months never change a figure: random histories, on both databases."""

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from conference.access import sample
from conference.attendance.models import (
    AttendanceMark,
    AttendanceStatus,
    EvidenceKind,
    EvidenceSource,
    PresenceEvidence,
)
from conference.database import Database
from conference.directory.models import Site, Unit, UnitLevel
from conference.migrations import configuration, upgrade
from conference.retention.erase import Stores, erase
from conference.scheduling.models import InvitedSite, Meeting, Status
from conference.statistics import gather, periods, service, tallies
from conference.statistics.figures import SitesOfLevel
from conference.statistics.models import MonthTally
from conference.statistics.periods import Period
from tests.integration.statistics.conftest import Year
from tests.support.held_year import fill_year
from tests.support.province import AT, counted_queries
from web.cli import main

LATER = datetime(2021, 6, 1, tzinfo=UTC)
WANTED = (
    periods.year(2020),
    Period(date(2019, 11, 15), date(2020, 11, 14)),
    Period(date(2020, 3, 2), date(2020, 3, 30)),
)
Act = Callable[[Session, random.Random, Meeting, InvitedSite], object]


def from_records(session: Session, period: Period) -> tuple[object, object]:
    rows = gather.attendance_by_unit(session, gather.was_held(period))
    units: list[tuple[str, SitesOfLevel]] = [
        (name, figures) for name, _, figures in sorted(rows, key=lambda row: (row[1], row[0]))
    ]
    return gather.held_meetings(session, period), units


def shown(session: Session, period: Period) -> tuple[object, object]:
    found = service.overview(session, period, AT)
    return list(found.meetings), list(found.units)


def kept(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(MonthTally)) or 0


def _mark(session: Session, rng: random.Random, meeting: Meeting, site: InvitedSite) -> None:
    query = select(AttendanceMark).where(AttendanceMark.invited_site_id == site.id)
    mark = session.scalars(query).one_or_none()
    if mark is None:
        mark = AttendanceMark(
            meeting_id=meeting.id, invited_site_id=site.id, marked_by="x", marked_at=AT
        )
        session.add(mark)
    mark.status = rng.choice(list(AttendanceStatus))


def _observe(session: Session, rng: random.Random, meeting: Meeting, site: InvitedSite) -> None:
    at = meeting.starts_at + timedelta(minutes=rng.randrange(300))
    session.add(
        PresenceEvidence(
            meeting_id=meeting.id, identity=f"site:{site.id}", participant_sid="PA",
            kind=rng.choice(list(EvidenceKind)), source=EvidenceSource.WEBHOOK, at=at,
            reason=rng.choice(["", "signal_close"]), event_key=str(rng.getrandbits(60)),
            received_at=at,
        )
    )  # fmt: skip


def _count(_session: Session, rng: random.Random, _meeting: Meeting, site: InvitedSite) -> None:
    site.delegates_count = rng.choice([None, 0, 7, 12])


def _withdraw(_session: Session, _rng: random.Random, _meeting: Meeting, site: InvitedSite) -> None:
    site.withdrawn_at = None if site.withdrawn_at else AT


def _rename(_session: Session, rng: random.Random, _meeting: Meeting, site: InvitedSite) -> None:
    site.unit_name = rng.choice(["Sở Mới", "UBND xã Cũ"])


def _move(_session: Session, rng: random.Random, meeting: Meeting, _site: InvitedSite) -> None:
    meeting.starts_at += timedelta(days=rng.choice([-40, 1, 40]))


def _call_off(_session: Session, _rng: random.Random, meeting: Meeting, _site: InvitedSite) -> None:
    is_off = meeting.status is Status.CANCELLED
    meeting.status = Status.ENDED if is_off else Status.CANCELLED


def _end(_session: Session, rng: random.Random, meeting: Meeting, _site: InvitedSite) -> None:
    meeting.ended_at = rng.choice([None, meeting.starts_at + timedelta(hours=1)])


def _raise(session: Session, rng: random.Random, _meeting: Meeting, site: InvitedSite) -> None:
    unit = session.get_one(Unit, session.get_one(Site, site.site_id).unit_id)
    unit.level = rng.choice(list(UnitLevel))


def _rehouse(session: Session, rng: random.Random, _meeting: Meeting, site: InvitedSite) -> None:
    units = session.scalars(select(Unit.id).order_by(Unit.id)).all()
    session.get_one(Site, site.site_id).unit_id = rng.choice(units)


def _in_bulk(session: Session, rng: random.Random, meeting: Meeting, _site: InvitedSite) -> None:
    if rng.random() < 0.5:
        session.execute(delete(AttendanceMark).where(AttendanceMark.meeting_id == meeting.id))
    else:
        changed = update(InvitedSite).where(InvitedSite.meeting_id == meeting.id)
        session.execute(changed.values(delegates_count=3))


def _destroy(session: Session, _rng: random.Random, meeting: Meeting, _site: InvitedSite) -> None:
    erase(session, meeting, Stores(Path("none"), Path("none")))


ACTS: tuple[Act, ...] = (
    _mark, _observe, _count, _withdraw, _rename, _move, _call_off, _end, _raise, _rehouse,
    _in_bulk, _destroy,
)  # fmt: skip


def test_whatever_happens_to_past_meetings_figures_are_those_of_the_records(
    any_database: Database,
) -> None:
    with any_database.transaction() as session:
        sample.load(session, AT)
        fill_year(session, 2020, central=14, intra=14, sites=6)
    rng = random.Random(20201)
    assert tallies.fill(any_database, LATER) == kept(any_database) == 12
    for step in range(60):
        act = ACTS[step % len(ACTS)]
        with any_database.transaction() as session:
            meeting = session.get_one(
                Meeting, rng.choice(session.scalars(select(Meeting.id)).all())
            )
            act(session, rng, meeting, rng.choice(meeting.sites))
        with any_database.reading() as session:
            for period in WANTED:
                assert shown(session, period) == from_records(session, period), act
        tallies.fill(any_database, LATER, most=rng.choice([0, 2, 20]))
    tallies.fill(any_database, LATER)
    assert kept(any_database) >= 11
    with any_database.reading() as session:
        contents = {row.month: row.content for row in session.scalars(select(MonthTally))}
        for period in WANTED:
            assert shown(session, period) == from_records(session, period)
    assert tallies.rebuild(any_database, LATER) == len(contents)
    with any_database.reading() as session:
        assert {row.month: row.content for row in session.scalars(select(MonthTally))} == contents


def test_a_change_removes_its_month_alone_and_a_rollback_none(any_database: Database) -> None:
    with any_database.transaction() as session:
        sample.load(session, AT)
        ids = fill_year(session, 2020, central=24, intra=0, sites=3)
    assert tallies.fill(any_database, LATER) == 12

    def change() -> None:
        with any_database.transaction() as session:
            session.get_one(Meeting, ids[0]).sites[0].delegates_count = 99
            session.flush()
            if kept(any_database) != 12 or not is_wanted:
                raise RuntimeError

    is_wanted = False
    with pytest.raises(RuntimeError):
        change()
    assert kept(any_database) == 12
    is_wanted = True
    change()
    assert kept(any_database) == 11
    with any_database.transaction() as session:  # a title is in no sum
        session.get_one(Meeting, ids[5]).title = "Tên khác"
    assert kept(any_database) == 11


def test_a_month_is_kept_only_when_it_is_over(any_database: Database) -> None:
    with any_database.transaction() as session:
        sample.load(session, AT)
        fill_year(session, 2020, central=24, intra=0, sites=2)
    assert tallies.fill(any_database, datetime(2020, 3, 1, 10, tzinfo=UTC)) == 1
    assert tallies.fill(any_database, datetime(2020, 3, 2, 10, tzinfo=UTC)) == 1


def asked(year: Year, address: str) -> str:
    browser = year.browser("thuky")
    with counted_queries(year.province.database) as seen:
        page = browser.get(address)
    statements = [one for one in seen if one.lstrip().upper().startswith(("SELECT", "WITH"))]
    assert len(statements) <= 12
    return page.text.partition("<main")[2]


def test_ten_years_need_no_more_than_twelve_statements_with_and_without_kept_months(
    year: Year, capsys: pytest.CaptureFixture[str]
) -> None:
    database = year.province.database
    address = "/thong-ke?tu=2011-01-01&den=2020-12-31"
    before = asked(year, address)
    folder = database.engine.url.database
    assert folder is not None
    told = ["statistics", "--data", str(Path(folder).parent), "--from", "2020-01-01"]
    assert main([*told, "--to", "2020-12-31"]) == 0
    plain = capsys.readouterr().out
    assert main([*told, "--to", "2020-12-31", "--rebuild"]) == 0
    assert capsys.readouterr().out == plain
    assert kept(database) > 12
    assert asked(year, address) == before


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("pg", marks=pytest.mark.postgres)])
def test_the_revision_goes_down_and_up_with_months_in_it(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path / 'x.sqlite3'}"
    if kind == "pg":
        url = request.getfixturevalue("postgres").new_database()
    upgrade(url)
    database = Database(url)
    with database.transaction() as session:
        sample.load(session, AT)
        fill_year(session, 2020, central=24, intra=0, sites=2)
    assert tallies.fill(database, LATER) == 12
    with database.reading() as session:
        before = shown(session, periods.year(2020))
    database.dispose()
    command.downgrade(configuration(url), "0025")
    upgrade(url)
    assert kept(database) == 0
    assert tallies.fill(database, LATER) == 12
    with database.reading() as session:
        assert shown(session, periods.year(2020)) == before
    database.dispose()
