"""An ended meeting with a log, on a database of its own."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from conference.attendance.evidence import Observation, record
from conference.attendance.models import EvidenceKind, EvidenceSource
from conference.conduct import service as conduct
from conference.conduct.participants import person_participant, site_participant
from conference.database import Database
from conference.models import Base
from tests.support.live_meeting import STARTS_AT, LiveMeeting, hold


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    database = Database(f"sqlite:///{tmp_path / 'test.sqlite3'}")
    Base.metadata.create_all(database.engine)
    with database.transaction() as session:
        yield session
    database.dispose()


@pytest.fixture
def held(session: Session) -> LiveMeeting:
    """Two of three sites came, one spoke twice; 8:00 to 9:30."""
    live = hold(session)
    meeting, start = live.meeting, STARTS_AT
    chair = person_participant(live.chair, is_conducting=True)
    sites = [site_participant(site) for site in live.sites]
    for number in (0, 1):
        for kind, at in ((EvidenceKind.JOINED, start), (EvidenceKind.LEFT, start + _min(90))):
            record(
                session, meeting.id,
                [Observation(sites[number].identity, f"PA_{number}", kind,
                             EvidenceSource.WEBHOOK, at, f"{number}:{kind.value}")],
                at,
            )  # fmt: skip
    conduct.select_agenda_item(session, meeting, chair, meeting.agenda[0].id, start)
    conduct.select_agenda_item(session, meeting, chair, meeting.agenda[1].id, start + _min(10))
    conduct.give_floor(session, meeting, chair, sites[0].identity, start + _min(12))
    conduct.give_floor(session, meeting, chair, sites[1].identity, start + _min(17))
    conduct.end_floor(session, meeting, chair, sites[1].identity, start + _min(20))
    conduct.select_agenda_item(session, meeting, chair, meeting.agenda[2].id, start + _min(30))
    conduct.give_floor(session, meeting, chair, sites[0].identity, start + _min(35))
    conduct.report_delegates(session, meeting, sites[0], 27, start)
    conduct.end_meeting(session, meeting, chair, start + _min(90))
    session.flush()
    return live


def _min(minutes: int) -> timedelta:
    return timedelta(minutes=minutes)
