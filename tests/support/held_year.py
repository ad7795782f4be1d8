"""Years of held meetings in the sample province, written straight into the tables: quickly many."""

import secrets
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from conference.access.models import Account
from conference.attendance.models import AttendanceMark, AttendanceStatus
from conference.directory.models import Person, Site
from conference.directory.vietnamese import fold
from conference.invitations.models import Delivery, OutboxMessage, Purpose
from conference.scheduling.models import InvitedSite, Meeting, RoomPreset, Scope, Status

CENTRAL, INTRA = 56, 37


def fill_year(
    session: Session,
    year: int = 2020,
    *,
    central: int = CENTRAL,
    intra: int = INTRA,
    sites: int = 3,
) -> list[int]:
    """Meetings spread over ``year``, ``sites`` sites each, every tenth mark missing; their ids.

    Every fourth intra-provincial meeting was invited too late. Sites report 10 people, every
    fifth site none.
    """
    account = session.scalars(select(Account).order_by(Account.id)).first()
    assert account is not None
    chairs = session.scalars(select(Person).where(Person.may_chair).order_by(Person.id)).all()
    places = session.scalars(select(Site).order_by(Site.id)).all()[:sites]
    ids = []
    total = central + intra
    for number in range(total):
        day = datetime(year, 1, 6, tzinfo=UTC) + timedelta(days=number * 350 // total)
        starts_at = datetime.combine(day, time(1), UTC)
        # spread both kinds evenly over the year
        is_central = (number + 1) * central // total > number * central // total
        meeting = Meeting(
            room_name=f"nam-{secrets.token_hex(8)}",
            title=f"Họp mẫu số {number + 1} năm {year}",
            title_folded=fold(f"Họp mẫu số {number + 1} năm {year}"),
            scope=Scope.CENTRAL if is_central else Scope.INTRA,
            status=Status.ENDED,
            starts_at=starts_at,
            ends_at=starts_at + timedelta(hours=3),
            room_preset=RoomPreset.CONFERENCE,
            chair_id=chairs[number % len(chairs)].id,
            external_host="Văn phòng Chính phủ" if is_central else "",
            not_secret_stated_by="mẫu",
            not_secret_stated_at=starts_at,
            ics_uid=secrets.token_hex(12),
            created_by_id=account.id,
            created_at=starts_at - timedelta(days=9),
            updated_at=starts_at,
            opened_at=starts_at,
            ended_at=starts_at + timedelta(hours=2, minutes=30),
        )
        session.add(meeting)
        session.flush()
        ids.append(meeting.id)
        _sites(session, meeting, places, number)
    return ids


def _sites(session: Session, meeting: Meeting, places: list[Site], number: int) -> None:
    rows = [
        {
            "meeting_id": meeting.id, "site_id": site.id, "position": place,
            "site_name": site.name, "unit_name": site.unit.name, "parent_unit_name": "",
            "join_code": secrets.token_hex(10),
            "delegates_count": None if place % 5 == 4 else 10,
        }
        for place, site in enumerate(places)
    ]  # fmt: skip
    session.execute(insert(InvitedSite), rows)
    invited = session.scalars(
        select(InvitedSite.id).where(InvitedSite.meeting_id == meeting.id).order_by(InvitedSite.id)
    ).all()
    marks = [
        {
            "meeting_id": meeting.id, "invited_site_id": one,
            "status": AttendanceStatus.ABSENT if place % 7 == 6 else AttendanceStatus.PRESENT,
            "note": "", "marked_by": "mẫu", "marked_at": meeting.ended_at,
        }
        for place, one in enumerate(invited) if place % 10 != 9
    ]  # fmt: skip
    session.execute(insert(AttendanceMark), marks)
    days_before = 1 if number % 4 == 3 else 9
    sent_at = meeting.starts_at - timedelta(days=days_before)
    letter = {
        "meeting_id": meeting.id, "purpose": Purpose.REQUEST, "recipient": "a@b.example",
        "subject": "", "content": "", "ics_sequence": 0, "state": Delivery.SENT, "attempts": 1,
        "next_attempt_at": sent_at, "lease_owner": "", "lease_until": None, "last_error": "",
        "created_at": sent_at, "sent_at": sent_at,
    }  # fmt: skip
    session.execute(insert(OutboxMessage), [{**letter, "invited_site_id": one} for one in invited])
