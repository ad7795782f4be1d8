"""Sample accounts for the sample province, one for each role and three of sites.

Their passwords are published, so they belong on a demonstration machine only; the caller prints
them and says so. Loading twice changes nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from conference.access.models import Account, Role
from conference.access.passwords import hash_password, is_correct
from conference.directory import sample as directory
from conference.directory.models import Person, Site, Unit

PASSWORD: Final = "mau-kontum-2020"  # noqa: S105 - published on purpose


@dataclass(frozen=True, slots=True)
class SampleAccount:
    """What somebody needs to log in and see one role's pages."""

    username: str
    password: str
    role: Role
    name: str


_PEOPLE: Final = (
    ("thuky", Role.SECRETARY),
    ("cvp", Role.OFFICE_CHIEF),
    ("chutoa", Role.CHAIR),
    ("vanthu", Role.CLERK),
    ("kythuat", Role.TECHNICIAN),
    ("pct1", Role.LEADER),
    ("kiemtra", Role.AUDITOR),
    ("daibieu", Role.DELEGATE),
)
ADMINISTRATOR: Final = "quantri"
_SITES: Final = (("diemcau1", "62-S16"), ("diemcau2", "610"), ("diemcau3", "23538"))
"""Sở Y tế, huyện Đắk Glei, xã Ia Tơi: one of each level."""


def load(session: Session, at: datetime) -> list[SampleAccount]:
    """Add the sample province and its accounts; those whose sample password is still in force."""
    directory.load_directory(session)
    present = {account.username: account for account in session.scalars(select(Account))}
    usable = []
    for account in _wanted(session, at):
        kept = present.get(account.username)
        if kept is None:
            account.password_hash = hash_password(PASSWORD)
            session.add(account)
        elif not kept.is_active or not is_correct(kept.password_hash, PASSWORD):
            continue
        shown = kept or account
        usable.append(SampleAccount(shown.username, PASSWORD, shown.role, shown.display_name))
    session.flush()
    return usable


def in_force(session: Session) -> list[SampleAccount]:
    """Sample accounts that are there and still open with the published password."""
    names = [name for name, _ in (*_PEOPLE, *_SITES)] + [ADMINISTRATOR]
    query = select(Account).where(Account.username.in_(names), Account.is_active)
    return [
        SampleAccount(account.username, PASSWORD, account.role, account.display_name)
        for account in session.scalars(query.order_by(Account.id))
        if is_correct(account.password_hash, PASSWORD)
    ]


def _wanted(session: Session, at: datetime) -> list[Account]:
    people = {p.email.partition("@")[0]: p for p in session.scalars(select(Person))}
    codes = [code for _, code in _SITES]
    query = select(Site).join(Site.unit).where(Unit.code.in_(codes))
    sites = {s.unit.code: s for s in session.scalars(query.options(joinedload(Site.unit)))}
    accounts = [
        _account(name, role, people[name].full_name, at, person_id=people[name].id)
        for name, role in _PEOPLE
        if name in people
    ]
    accounts.append(_account(ADMINISTRATOR, Role.ADMINISTRATOR, "Quản trị hệ thống (mẫu)", at))
    accounts += [
        _account(name, Role.SITE, f"Điểm cầu {sites[code].name}", at, site_id=sites[code].id)
        for name, code in _SITES
        if code in sites
    ]
    return accounts


def _account(
    username: str,
    role: Role,
    name: str,
    at: datetime,
    *,
    person_id: int | None = None,
    site_id: int | None = None,
) -> Account:
    return Account(
        username=username,
        password_hash="",
        role=role,
        display_name=name,
        person_id=person_id,
        site_id=site_id,
        language="vi",
        is_active=True,
        created_at=at,
    )
