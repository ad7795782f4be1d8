"""A meeting with its people and sites as rows, for tests that need one to be held."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from conference.access.models import Account, Role
from conference.directory.models import Person, Site, Unit, UnitLevel
from conference.scheduling.models import (
    AgendaItem,
    InvitedSite,
    Meeting,
    RoomPreset,
    Scope,
    Status,
)

STARTS_AT = datetime(2026, 12, 10, 1, 0, tzinfo=UTC)


@dataclass(frozen=True)
class LiveMeeting:
    """The rows of one meeting."""

    meeting: Meeting
    chair: Account
    secretary: Account
    clerk: Account
    sites: list[InvitedSite]


def account(session: Session, username: str, role: Role, person: Person | None) -> Account:
    """A login without a usable password."""
    made = Account(
        username=username,
        password_hash="!",
        role=role,
        display_name=person.full_name if person else username,
        person=person,
        created_at=STARTS_AT,
    )
    session.add(made)
    return made


def person(session: Session, name: str, title: str, order: int) -> Person:
    """Somebody of the province's office."""
    made = Person(
        full_name=name, name_folded=name.lower(), title=title, protocol_order=order, may_chair=True
    )
    session.add(made)
    return made


def hold(
    session: Session,
    *,
    sites: int = 3,
    preset: RoomPreset = RoomPreset.CONFERENCE,
    status: Status = Status.LIVE,
    starts_at: datetime = STARTS_AT,
    tag: str = "a",
) -> LiveMeeting:
    """A meeting of ``sites`` communes; ``tag`` keeps the unique names of two meetings apart."""
    chair = person(session, "Nguyễn Văn Ước", "Phó Chủ tịch UBND tỉnh", 10)
    secretary = person(session, "Trần Thị Bích", "Chuyên viên Văn phòng", 900)
    chair_login = account(session, f"chutri.{tag}", Role.CHAIR, chair)
    secretary_login = account(session, f"thuky.{tag}", Role.SECRETARY, secretary)
    clerk_login = account(session, f"vanthu.{tag}", Role.CLERK, None)
    session.flush()
    meeting = Meeting(
        room_name=f"phong-{tag}",
        title="Giao ban tháng 12/2026",
        title_folded="giao ban thang 12/2026",
        scope=Scope.INTRA,
        status=status,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=3),
        location="Phòng họp số 1, UBND tỉnh",
        room_preset=preset,
        chair_id=chair.id,
        secretary_id=secretary.id,
        not_secret_stated_by="Trần Thị Bích",
        not_secret_stated_at=starts_at,
        ics_uid=f"{tag}@diemcau.example",
        created_by_id=secretary_login.id,
        created_at=starts_at - timedelta(days=7),
        updated_at=starts_at - timedelta(days=7),
        opened_at=starts_at if status in {Status.LIVE, Status.ENDED} else None,
    )
    session.add(meeting)
    session.flush()
    titles = ["Khai mạc", "Báo cáo tình hình", "Thảo luận", "Kết luận"]
    for position, title in enumerate(titles):
        session.add(AgendaItem(meeting_id=meeting.id, position=position, title=title, minutes=15))
    invited = [_site(session, meeting, number, tag) for number in range(sites)]
    session.flush()
    session.refresh(meeting, ["agenda", "sites"])  # tests read them after the session is gone
    return LiveMeeting(meeting, chair_login, secretary_login, clerk_login, invited)


def _site(session: Session, meeting: Meeting, number: int, tag: str) -> InvitedSite:
    name = f"Xã Đăk Pxi {number + 1}"
    unit = Unit(
        code=f"{tag}-{number}",
        name=f"UBND {name.lower()}",
        name_folded=f"ubnd xa dak pxi {number + 1}",
        type="xã",
        level=UnitLevel.COMMUNE,
        protocol_order=number,
    )
    site = Site(unit=unit, name=f"Điểm cầu {name.lower()}", email=f"{tag}{number}@xa.example")
    session.add(site)
    session.flush()
    invited = InvitedSite(
        meeting_id=meeting.id,
        site_id=site.id,
        position=number,
        site_name=site.name,
        unit_name=unit.name,
        parent_unit_name="UBND huyện Đăk Hà",
        join_code=f"ma-{tag}-{number}",
    )
    session.add(invited)
    return invited
