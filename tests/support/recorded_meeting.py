"""A small meeting that is live, for tests of what happens to its recording."""

from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

import conference.models  # noqa: F401  (registers every table)
from conference.access.models import Account, Role
from conference.directory.models import Person, Site, Unit, UnitLevel
from conference.scheduling.models import AgendaItem, InvitedSite, Meeting, Scope, Status

STARTS_AT = datetime(2026, 12, 10, 1, tzinfo=UTC)


def hold_meeting(session: Session, *, room_name: str = "phong-giao-ban") -> Meeting:
    """A live meeting with a chair (``person:1``), two sites and two agenda items, flushed."""
    unit = Unit(
        code=f"xa-{room_name}", name="UBND xã Đăk Pxi", name_folded="ubnd xa dak pxi",
        type="xã", level=UnitLevel.COMMUNE,
    )  # fmt: skip
    chair = Person(full_name="Nguyễn Văn Ước", name_folded="nguyen van uoc", title="Chủ tịch")
    account = Account(
        username=f"chutri-{room_name}", password_hash="-", role=Role.CHAIR,
        display_name="Nguyễn Văn Ước", person=chair, created_at=STARTS_AT,
    )  # fmt: skip
    sites = [Site(unit=unit, name=name) for name in ("Điểm cầu Đăk Pxi", "Điểm cầu Ngọc Réo")]
    session.add_all([unit, chair, account, *sites])
    session.flush()
    meeting = Meeting(
        room_name=room_name, title="Giao ban tháng 12", title_folded="giao ban thang 12",
        scope=Scope.INTRA, status=Status.LIVE, starts_at=STARTS_AT,
        ends_at=STARTS_AT + timedelta(hours=2), chair_id=chair.id, opened_at=STARTS_AT,
        not_secret_stated_by="Trần Thị Thư ký", not_secret_stated_at=STARTS_AT,
        ics_uid=f"{room_name}@example.invalid", created_by_id=account.id,
        created_at=STARTS_AT, updated_at=STARTS_AT,
    )  # fmt: skip
    meeting.agenda = [
        AgendaItem(position=0, title="Khai mạc", minutes=5),
        AgendaItem(position=1, title="Báo cáo thu ngân sách", minutes=15),
    ]
    meeting.sites = [
        InvitedSite(
            site=site, position=place, site_name=site.name, unit_name=unit.name,
            join_code=f"{room_name}-{place}",
        )
        for place, site in enumerate(sites)
    ]  # fmt: skip
    session.add(meeting)
    session.flush()
    return meeting
