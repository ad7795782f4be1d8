"""Make a sample year by holding its meetings: through the services, as an office would.

Each meeting is planned, announced, opened, attended, ended, its attendance confirmed and its
minutes written, at the times when that would have happened; what lies in the future of ``now`` is
planned and announced only. Nothing leaves the machine: letters are on record as sent, to
addresses in ``.example``, without being sent.
"""

import random
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from conference.access import sample
from conference.access.accounts import actor_of
from conference.access.models import Account
from conference.access.policy import Actor
from conference.attendance import evidence
from conference.attendance.evidence import Observation
from conference.attendance.models import AttendanceStatus, EvidenceKind, EvidenceSource
from conference.attendance.service import confirm_suggestions
from conference.conduct import service as conduct
from conference.conduct.participants import Participant, person_participant
from conference.database import Database
from conference.demo.programme import LABEL, Course, Planned, course, programme
from conference.directory import units
from conference.directory.models import Person
from conference.errors import ConflictError
from conference.invitations.models import Delivery, OutboxMessage, Purpose
from conference.minutes import service as minutes
from conference.scheduling import service as scheduling
from conference.scheduling.announcement import Announcement, SilentAnnouncer
from conference.scheduling.local_time import day_bounds
from conference.scheduling.models import InvitedSite, Meeting
from conference.scheduling.rules import AgendaDraft, Classification, MeetingDraft

Progress = Callable[[int, int], None]
_CONFIRMED = frozenset(AttendanceStatus) - {AttendanceStatus.UNMARKED}


class SentAnnouncer(SilentAnnouncer):
    """Puts letters on record as sent, without sending them."""

    def announce(
        self, session: Session, meeting: Meeting, announcement: Announcement, at: datetime
    ) -> None:
        """Write the record of the invitations."""
        session.add_all(
            OutboxMessage(
                meeting_id=meeting.id,
                invited_site_id=site.id,
                purpose=Purpose.REQUEST,
                recipient=site.site.email,
                subject=f"Giấy mời họp: {meeting.title}",
                content="",
                ics_sequence=meeting.ics_sequence,
                state=Delivery.SENT,
                attempts=1,
                next_attempt_at=at,
                lease_owner="",
                lease_until=None,
                last_error="",
                created_at=at,
                sent_at=at,
            )
            for site in announcement.invited
        )


@dataclass(frozen=True, slots=True)
class _Office:
    """Who acts in the sample."""

    actor: Actor
    conductor: Participant
    secretary_id: int | None
    chairs: Sequence[int]


def make_years(
    database: Database,
    years: Sequence[int],
    now: datetime,
    progress: Progress | None = None,
    plan: Callable[[int], list[Planned]] = programme,
) -> int:
    """Make the sample years that are not there yet; how many meetings were added.

    Raises ConflictError in a database that holds anything but the sample province.
    """
    with database.transaction() as session:
        if _is_somebody_elses(session):
            raise ConflictError("the database holds real accounts; samples go into another one")
        sample.load(session, now)
    wanted = [planned for year in years if _is_missing(database, year) for planned in plan(year)]
    for done, planned in enumerate(wanted, start=1):
        with database.transaction() as session:
            _hold(session, _office(session), planned, now)
        if progress is not None:
            progress(done, len(wanted))
    return len(wanted)


def _is_somebody_elses(session: Session) -> bool:
    has_accounts = session.scalar(select(exists().where(Account.id.is_not(None))))
    has_sample = session.scalar(select(exists().where(Person.title.contains(LABEL))))
    return bool(has_accounts) and not has_sample


def _is_missing(database: Database, year: int) -> bool:
    first, last = day_bounds(date(year, 1, 1))[0], day_bounds(date(year, 12, 31))[1]
    query = exists().where(
        Meeting.title.endswith(LABEL), Meeting.starts_at >= first, Meeting.starts_at < last
    )
    with database.reading() as session:
        return not session.scalar(select(query))


def _office(session: Session) -> _Office:
    account = session.scalars(select(Account).where(Account.username == "thuky")).one()
    chairs = [person.id for person in units.chairs(session)]
    conductor = person_participant(account, is_conducting=True)
    return _Office(actor_of(account), conductor, account.person_id, chairs)


def _hold(session: Session, office: _Office, planned: Planned, now: datetime) -> None:
    announced_at = planned.starts_at - timedelta(days=6, hours=2)
    sites = units.sites_on(session, planned.starts_at.date())
    draft = MeetingDraft(
        classification=Classification.NONE,
        scope=planned.scope,
        title=planned.title,
        starts_at=planned.starts_at,
        ends_at=planned.ends_at,
        chair_id=office.chairs[planned.chair % len(office.chairs)],
        secretary_id=office.secretary_id,
        location="Phòng họp trực tuyến, trụ sở UBND tỉnh",
        external_host=planned.external_host,
        external_reference=planned.external_reference,
        agenda=tuple(AgendaDraft(title) for title in planned.agenda),
        site_ids=tuple(site.id for site in sites),
    )
    meeting = scheduling.create_meeting(
        session, draft, actor=office.actor, at=min(announced_at, now), announcer=SentAnnouncer()
    )
    if planned.ends_at + timedelta(hours=1) < now:
        _attend(session, office, meeting, planned)


def _attend(session: Session, office: _Office, meeting: Meeting, planned: Planned) -> None:
    chance = random.Random(f"{planned.starts_at:%Y-%m-%d}")  # noqa: S311 - a sample
    opened_at = planned.starts_at - timedelta(minutes=20)
    ended_at = planned.ends_at + timedelta(minutes=chance.randint(-15, 10))
    length = (ended_at - planned.starts_at).total_seconds() / 60
    courses = {site.id: course(chance, length) for site in meeting.sites}
    conduct.open_meeting(session, meeting, office.conductor, opened_at)
    seen = [
        one
        for site in meeting.sites
        for one in _observations(site, courses[site.id], planned.starts_at)
    ]
    evidence.record(session, meeting.id, seen, ended_at)
    for site in meeting.sites:
        site.delegates_count = courses[site.id].delegates or None
    conduct.end_meeting(session, meeting, office.conductor, ended_at)
    session.flush()
    confirm_suggestions(session, meeting, _CONFIRMED, by=office.actor.name, at=ended_at)
    text = minutes.Text(
        number="",
        course="\n\n".join(f"{n}. {title}." for n, title in enumerate(planned.agenda, start=1)),
        conclusion=f"Các đơn vị triển khai theo chương trình công tác {LABEL}.",
    )
    minutes.save(
        session, meeting, text, version=0, by=office.actor.name, at=ended_at + timedelta(hours=4)
    )


def _observations(site: InvitedSite, took: Course, starts_at: datetime) -> list[Observation]:
    found = []
    for came, left, reason in took.sessions:
        sid = f"PA_{secrets.token_hex(6)}"
        for kind, minute, why in (
            (EvidenceKind.JOINED, came, ""),
            (EvidenceKind.LEFT, left, reason),
        ):
            found.append(
                Observation(
                    f"site:{site.id}",
                    sid,
                    kind,
                    EvidenceSource.WEBHOOK,
                    starts_at + timedelta(minutes=minute),
                    f"{sid}:{kind.value}",
                    site.site_name,
                    why,
                )
            )
    return found
