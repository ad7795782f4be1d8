"""How long "who is wanted elsewhere?" takes while somebody types, at ten years of data.

Ten years of meetings (1,000, each with 130 of the sample's 134 sites) are written into an empty
SQLite database; the question is asked for a new meeting with 134 sites on a day with three others,
once when it fits and once when the next free time has to be found. Budget: 200 ms.
"""

import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

import conference.models
from conference.access import sample
from conference.access.models import Account
from conference.database import Database
from conference.directory.models import Person, Site
from conference.scheduling.bookings import clashes_of
from conference.scheduling.local_time import local_day
from conference.scheduling.models import (
    Form,
    InvitedSite,
    Meeting,
    RelayMode,
    RoomPreset,
    Scope,
    Status,
)
from conference.scheduling.planning import office_of
from conference.scheduling.rules import Classification, MeetingDraft

MEETINGS: Final = 1000
SITES: Final = 130
ASKED: Final = 40
BUDGET_MS: Final = 200
BUSY_DAY: Final = datetime(2026, 12, 10, 1, 0, tzinfo=UTC)
"""Thursday, 8:00 in Vietnam."""


def run() -> dict[str, Any]:
    """Figures for ``make bench``."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'ten-years.sqlite3'}")
        conference.models.Base.metadata.create_all(database.engine)
        with database.transaction() as session:
            sample.load(session, BUSY_DAY)
            people, sites = _fill(session)
        result = {
            "data": {"meetings": MEETINGS + 3, "invitations": (MEETINGS + 3) * SITES},
            "budget_ms": BUDGET_MS,
            "clash_and_free_time_ms": _asked(database, people, sites, BUSY_DAY),
            "nothing_in_the_way_ms": _asked(
                database, people, sites, BUSY_DAY + timedelta(days=2, hours=12)
            ),
        }
        database.dispose()
    return result


def _fill(session: Session) -> tuple[Sequence[int], Sequence[int]]:
    people = session.scalars(select(Person.id).order_by(Person.id)).all()
    sites = session.scalars(select(Site.id).order_by(Site.id)).all()
    account = session.scalars(select(Account.id)).first()
    chance = random.Random(2026)
    days = [BUSY_DAY - timedelta(days=chance.randrange(1, 3650)) for _ in range(MEETINGS)]
    starts = [day + timedelta(hours=chance.choice((0, 5))) for day in days]
    starts += [BUSY_DAY + timedelta(hours=hours) for hours in (0, 1, 6)]
    fixed = {
        "title_folded": "giao ban", "scope": Scope.INTRA, "location": "", "description": "",
        "room_preset": RoomPreset.CONFERENCE, "external_host": "", "external_reference": "",
        "relay_mode": RelayMode.NONE, "form": Form.ONLINE, "is_ad_hoc": False,
        "ad_hoc_reason": "", "is_not_prohibited": True, "not_secret_stated_by": "",
        "not_secret_stated_at": BUSY_DAY, "ics_sequence": 0, "status_reason": "", "version": 1,
        "requested_by": "", "approved_by": "", "created_by_id": account, "created_at": BUSY_DAY,
        "updated_at": BUSY_DAY, "ended_by": "",
    }  # fmt: skip
    meetings = [
        {
            **fixed, "id": number, "room_name": f"hop-{number}", "title": f"Họp {number}",
            "status": Status.INVITED if start >= BUSY_DAY else Status.ENDED, "starts_at": start,
            "ends_at": start + timedelta(hours=3), "chair_id": people[number % len(people)],
            "secretary_id": None, "ics_uid": f"{number}@diemcau",
        }
        for number, start in enumerate(starts, start=1)
    ]  # fmt: skip
    session.execute(insert(Meeting), meetings)
    invited = [
        {
            "meeting_id": meeting["id"], "site_id": site, "position": place, "site_name": "Xã",
            "unit_name": "Xã", "parent_unit_name": "", "join_code": f"{meeting['id']}-{site}",
        }
        for meeting in meetings
        for place, site in enumerate(sites[:SITES])
    ]  # fmt: skip
    session.execute(insert(InvitedSite), invited)
    return people, sites


def _asked(
    database: Database, people: Sequence[int], sites: Sequence[int], start: datetime
) -> dict[str, float]:
    draft = MeetingDraft(
        classification=Classification.NONE, scope=Scope.INTRA, title="Họp mới", starts_at=start,
        ends_at=start + timedelta(hours=2), chair_id=people[0], secretary_id=people[1],
        location="Phòng họp số 1", site_ids=tuple(sites),
    )  # fmt: skip
    taken = []
    for _ in range(ASKED):
        begun = time.perf_counter()
        with database.reading() as session:
            clashes_of(session, draft, office_of(session, local_day(start)))
        taken.append((time.perf_counter() - begun) * 1000)
    return {"median": statistics.median(taken), "min": min(taken), "max": max(taken)}
