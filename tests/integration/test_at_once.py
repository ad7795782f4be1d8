"""Two people do the same thing at the same moment, on both databases."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from conference import lease
from conference.attendance.evidence import Observation, record
from conference.attendance.models import EvidenceKind, EvidenceSource, PresenceEvidence
from conference.conduct import service
from conference.conduct.models import FloorRequest
from conference.conduct.participants import person_participant, site_participant
from conference.database import Database
from conference.minutes import service as minutes
from conference.minutes.service import MinutesClashError, Text
from conference.scheduling.journal import LogEntry
from conference.scheduling.models import Meeting, Status
from tests.support.live_meeting import STARTS_AT, LiveMeeting, hold

T0 = STARTS_AT


@pytest.fixture
def live(any_database: Database) -> LiveMeeting:
    with any_database.transaction() as session:
        live = hold(session)
        person_participant(live.chair, is_conducting=True)  # loads what tests read later
        person_participant(live.secretary, is_conducting=True)
    return live


def at_once(database: Database, *acts: Callable[[Session], Any]) -> list[Any]:
    """Run each act in a thread and transaction of its own, started together; results or errors."""
    gate = threading.Barrier(len(acts))
    results: list[Any] = [None] * len(acts)

    def run(number: int, act: Callable[[Session], Any]) -> None:
        gate.wait()
        try:
            with database.transaction() as session:
                results[number] = act(session)
        except Exception as error:
            results[number] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def count(database: Database, query: Any) -> int:
    with database.reading() as session:
        return int(session.scalar(query) or 0)


def test_two_people_ending_a_meeting_at_once_is_no_error(
    any_database: Database, live: LiveMeeting
) -> None:
    people = [person_participant(one, is_conducting=True) for one in (live.chair, live.secretary)]

    def end(number: int) -> Callable[[Session], Any]:
        def act(session: Session) -> Any:
            meeting = service.locked_meeting(session, live.meeting.id)
            return service.end_meeting(session, meeting, people[number], T0 + timedelta(hours=1))

        return act

    results = at_once(any_database, end(0), end(1), end(0), end(1))
    assert not [one for one in results if isinstance(one, Exception)]
    ended = select(func.count()).where(LogEntry.kind == "meeting_ended")
    assert count(any_database, ended) == 1
    with any_database.reading() as session:
        assert session.get_one(Meeting, live.meeting.id).status is Status.ENDED


def test_a_hand_raised_twice_at_once_is_one_hand(any_database: Database, live: LiveMeeting) -> None:
    site = site_participant(live.sites[0])

    def ask(session: Session) -> int:
        meeting = service.locked_meeting(session, live.meeting.id)
        return service.request_floor(session, meeting, site, T0)

    assert at_once(any_database, ask, ask, ask) == [1, 1, 1]
    assert count(any_database, select(func.count()).select_from(FloorRequest)) == 1


def test_the_floor_given_to_two_at_once_is_had_by_one(
    any_database: Database, live: LiveMeeting
) -> None:
    chair = person_participant(live.chair, is_conducting=True)

    def give(number: int) -> Callable[[Session], Any]:
        def act(session: Session) -> Any:
            meeting = service.locked_meeting(session, live.meeting.id)
            identity = f"site:{live.sites[number].id}"
            return service.give_floor(session, meeting, chair, identity, T0)

        return act

    at_once(any_database, give(0), give(1), give(2))
    speaking = select(func.count()).where(FloorRequest.state == "speaking")
    assert count(any_database, speaking) == 1


def test_of_two_first_texts_of_minutes_one_is_told_of_the_other(
    any_database: Database, live: LiveMeeting
) -> None:
    def save(by: str) -> Callable[[Session], Any]:
        def act(session: Session) -> str:
            meeting = session.get_one(Meeting, live.meeting.id)
            row = minutes.save(session, meeting, Text("", by, ""), version=0, by=by, at=T0)
            return row.course

        return act

    results = at_once(any_database, save("Bích"), save("Lan"))
    clashes = [one for one in results if isinstance(one, MinutesClashError)]
    written = [one for one in results if isinstance(one, str)]
    assert (len(clashes), len(written)) == (1, 1)
    assert clashes[0].message == f"{written[0]} vừa sửa biên bản."


def test_a_report_that_comes_twice_at_once_is_one_row(
    any_database: Database, live: LiveMeeting
) -> None:
    def report(session: Session) -> int:
        one = Observation("site:1", "PA_1", EvidenceKind.JOINED, EvidenceSource.WEBHOOK, T0, "EV_1")
        return record(session, live.meeting.id, [one], T0)

    results = at_once(any_database, report, report, report)
    assert all(isinstance(one, int | IntegrityError) for one in results)
    assert count(any_database, select(func.count()).select_from(PresenceEvidence)) == 1


def test_a_lease_is_taken_by_one(any_database: Database) -> None:
    def take(owner: str) -> Callable[[Session], bool]:
        return lambda session: lease.hold(session, "work", owner, T0, timedelta(seconds=30))

    assert sorted(at_once(any_database, *(take(str(n)) for n in range(4)))) == [False] * 3 + [True]
    again = T0 + timedelta(seconds=31)
    taken = at_once(
        any_database,
        *(
            lambda session, n=n: lease.hold(session, "work", f"b{n}", again, timedelta(seconds=30))
            for n in range(4)
        ),
    )
    assert sorted(taken) == [False] * 3 + [True]
