"""A sample year: 93 meetings held through the services, labelled, in sound order."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from conference.access.models import Account, Role
from conference.attendance.models import AttendanceMark
from conference.conduct.models import LogEntry
from conference.database import Database
from conference.demo import year
from conference.demo.programme import CENTRAL, INTRA, LABEL, Planned, programme
from conference.errors import ConflictError
from conference.invitations.models import Delivery, OutboxMessage
from conference.minutes.models import Minutes
from conference.scheduling.local_time import local_day
from conference.scheduling.models import InvitedSite, Meeting, Scope, Status
from tests.support.province import Province

NOW = datetime(2020, 1, 20, tzinfo=UTC)
"""A few meetings of the year lie behind, the others are only announced."""


def test_a_year_has_the_two_numbers_of_2020_and_never_two_meetings_at_once() -> None:
    for number in (2019, 2020, 2024):
        planned = programme(number)
        assert sum(one.scope is Scope.CENTRAL for one in planned) == CENTRAL == 56
        assert sum(one.scope is Scope.INTRA for one in planned) == INTRA == 37
        assert all(LABEL in one.title for one in planned)
        assert all(local_day(one.starts_at).weekday() < 5 for one in planned)
        assert len({local_day(one.starts_at) for one in planned}) == 93
        assert programme(number) == planned


def test_sample_meetings_are_held_through_the_services(tmp_path: Path) -> None:
    province = Province(tmp_path)
    held = [one for one in programme(2020) if one.ends_at < NOW]
    assert 0 < len(held) < 20

    def first_weeks(number: int) -> list[Planned]:
        return programme(number)[: len(held) + 2]

    assert year.make_years(province.database, [2020], NOW, plan=first_weeks) == len(held) + 2
    assert year.make_years(province.database, [2020], NOW) == 0  # a year that is there stays
    with province.database.reading() as session:

        def count(model: type[object], *conditions: object) -> int:
            return session.scalar(select(func.count()).select_from(model).where(*conditions)) or 0

        assert count(Meeting, Meeting.status == Status.ENDED) == len(held)
        assert count(Meeting, Meeting.status == Status.INVITED) == 2
        assert count(InvitedSite) == 134 * (len(held) + 2)
        assert count(OutboxMessage, OutboxMessage.state != Delivery.SENT) == 0  # nothing is sent
        assert count(AttendanceMark) == 134 * len(held)
        assert count(Minutes) == len(held)
        assert count(LogEntry, LogEntry.kind == "meeting_ended") == len(held)
        for meeting in session.scalars(select(Meeting).where(Meeting.ended_at.is_not(None))):
            assert meeting.created_at < meeting.starts_at < meeting.ended_at


def test_samples_do_not_go_into_a_real_database(database: Database) -> None:
    with database.transaction() as session:
        session.add(
            Account(
                username="ai", password_hash="x", role=Role.CLERK, display_name="Ai", created_at=NOW
            )
        )
    with pytest.raises(ConflictError):
        year.make_years(database, [2020], NOW)
