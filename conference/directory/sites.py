"""Keeping the facts about a site: its room, its mail address, whom to call."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session, joinedload

from conference.directory.models import Site
from conference.errors import InvalidError, NotFoundError

MAX_CAPACITY: Final = 2000


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """What may be changed about a site."""

    name: str
    room: str
    email: str
    capacity: int | None
    technician_name: str
    technician_phone: str
    is_active: bool


def find_site(session: Session, site_id: int) -> Site:
    """The site with its unit. Raises NotFoundError."""
    site = session.get(Site, site_id, options=[joinedload(Site.unit)])
    if site is None:
        raise NotFoundError
    return site


def update_site(session: Session, site_id: int, facts: SiteFacts) -> dict[str, list[object]]:
    """Write ``facts``; what changed as ``{field: [before, after]}``. Raises InvalidError."""
    site = find_site(session, site_id)
    faults = _faults(facts)
    if faults:
        raise InvalidError(faults)
    changes: dict[str, list[object]] = {}
    for name in facts.__slots__:
        before, after = getattr(site, name), getattr(facts, name)
        if before != after:
            changes[name] = [before, after]
            setattr(site, name, after)
    return changes


def _faults(facts: SiteFacts) -> dict[str, str]:
    found = {}
    if not facts.name:
        found["name"] = "Nhập tên điểm cầu."
    local, at_sign, domain = facts.email.rpartition("@")
    is_address = bool(local and at_sign and "." in domain) and not any(
        map(str.isspace, facts.email)
    )
    if facts.email and not is_address:
        found["email"] = "Địa chỉ thư không đúng; ví dụ diemcau.xa@tinh.gov.vn."
    if facts.capacity is not None and not 1 <= facts.capacity <= MAX_CAPACITY:
        found["capacity"] = f"Số chỗ từ 1 đến {MAX_CAPACITY}."
    return found
