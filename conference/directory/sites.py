"""Keeping the facts about a site: its room, line and equipment, its mail address, whom to call."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy.orm import Session, joinedload, selectinload

from conference.directory.history import day_before
from conference.directory.models import FormerHolder, Person, Site, Unit
from conference.errors import InvalidError, NotFoundError

MAX_CAPACITY: Final = 2000
MAX_LINE_MBPS: Final = 100_000


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """What may be said about a site."""

    name: str
    room: str
    email: str
    capacity: int | None
    technician_name: str
    technician_phone: str
    is_active: bool
    line_mbps: int | None = None
    equipment: str = ""
    technician_id: int | None = None
    unit_id: int = 0
    """Who holds the room; 0 = as before."""


def find_site(session: Session, site_id: int) -> Site:
    """The site with its unit, technician and former holders. Raises NotFoundError."""
    options = [
        joinedload(Site.unit),
        joinedload(Site.technician),
        selectinload(Site.former_holders).joinedload(FormerHolder.unit),
    ]
    site = session.get(Site, site_id, options=options)
    if site is None:
        raise NotFoundError
    return site


def create_site(session: Session, facts: SiteFacts) -> Site:
    """Store a new site. Raises InvalidError."""
    faults = site_faults(facts) | _reference_faults(session, facts)
    if not facts.unit_id:
        faults["unit"] = "Chọn đơn vị có phòng họp này."
    if faults:
        raise InvalidError(faults)
    site = Site(unit_id=facts.unit_id)
    for name in _WRITTEN:
        setattr(site, name, getattr(facts, name))
    session.add(site)
    session.flush()
    return site


def update_site(
    session: Session, site_id: int, facts: SiteFacts, *, today: date | None = None
) -> dict[str, list[object]]:
    """Write ``facts``; what changed as ``{field: [before, after]}``. Raises InvalidError.

    A room handed to another unit is that unit's from ``today`` on; meetings before it keep their
    names anyway, and the former holder stays on record.
    """
    site = find_site(session, site_id)
    faults = site_faults(facts) | _reference_faults(session, facts)
    if faults:
        raise InvalidError(faults)
    changes: dict[str, list[object]] = {}
    if facts.unit_id and facts.unit_id != site.unit_id:
        changes["unit_id"] = [site.unit_id, facts.unit_id]
        _hand_over(session, site, facts.unit_id, today)
    for name in _WRITTEN:
        before, after = getattr(site, name), getattr(facts, name)
        if before != after:
            changes[name] = [before, after]
            setattr(site, name, after)
    return changes


_WRITTEN: Final = tuple(name for name in SiteFacts.__slots__ if name != "unit_id")


def _hand_over(session: Session, site: Site, unit_id: int, today: date | None) -> None:
    if today is not None:
        last = day_before(today)
        if all(former.until_day != last for former in site.former_holders):
            site.former_holders.append(FormerHolder(unit_id=site.unit_id, until_day=last))
    site.unit_id = unit_id
    session.flush()
    session.expire(site, ["unit"])


def site_faults(facts: SiteFacts) -> dict[str, str]:
    """What is wrong with a site's facts by themselves, by field."""
    found = {}
    if not facts.name:
        found["name"] = "Nhập tên điểm cầu."
    if facts.email and not is_mail_address(facts.email):
        found["email"] = "Địa chỉ thư không đúng; ví dụ diemcau.xa@tinh.gov.vn."
    if facts.capacity is not None and not 1 <= facts.capacity <= MAX_CAPACITY:
        found["capacity"] = f"Số chỗ từ 1 đến {MAX_CAPACITY}."
    if facts.line_mbps is not None and not 1 <= facts.line_mbps <= MAX_LINE_MBPS:
        found["line_mbps"] = f"Đường truyền từ 1 đến {MAX_LINE_MBPS} Mb/s."
    return found


def is_mail_address(text: str) -> bool:
    """Whether ``text`` looks like one address: something, an at sign, a domain with a dot."""
    local, at_sign, domain = text.rpartition("@")
    return bool(local and at_sign and "." in domain) and not any(map(str.isspace, text))


def _reference_faults(session: Session, facts: SiteFacts) -> dict[str, str]:
    found = {}
    if facts.unit_id:
        unit = session.get(Unit, facts.unit_id)
        if unit is None:
            found["unit"] = "Không tìm thấy đơn vị này."
    if facts.technician_id is not None and session.get(Person, facts.technician_id) is None:
        found["technician"] = "Không tìm thấy người này trong danh bạ."
    return found
