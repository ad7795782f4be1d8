"""Taking in accounts from a table, with the people they belong to; see `directory.intake`.

No password is read or made: new accounts have none, and their owners get links
(`conference.access.accounts.issue_links`). That is also why 5,672 accounts take seconds: an
Argon2id hash costs some tens of milliseconds on purpose.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from conference.access.accounts import AccountFacts, account_faults
from conference.access.models import Account, Role
from conference.directory import people
from conference.directory.intake import Cells, Plan
from conference.directory.models import Person, Site, Unit
from conference.directory.people import Office, PersonFacts
from conference.directory.people_intake import PeopleRegister, new_person
from conference.directory.reading import read_flag, read_word
from conference.directory.tables import Column, Row, Table
from conference.directory.vietnamese import fold

ROLE_WORDS: Final = {
    "quản trị": Role.ADMINISTRATOR,
    "thư ký": Role.SECRETARY,
    "chánh văn phòng": Role.OFFICE_CHIEF,
    "chủ trì": Role.CHAIR,
    "văn thư": Role.CLERK,
    "kỹ thuật": Role.TECHNICIAN,
    "điểm cầu": Role.SITE,
    "đại biểu": Role.DELEGATE,
    "lãnh đạo": Role.LEADER,
    "kiểm tra": Role.AUDITOR,
}
ROLE_NAMES: Final = {role: word for word, role in ROLE_WORDS.items()}

COLUMNS: Final = (
    Column("username", "Tên đăng nhập", is_required=True),
    Column("display_name", "Họ và tên", ("Tên hiển thị",), is_required=True),
    Column("role", "Vai trò", is_required=True),
    Column("unit_code", "Mã đơn vị"),
    Column("title", "Chức vụ"),
    Column("site", "Điểm cầu"),
    Column("email", "Thư điện tử", ("Email",)),
    Column("phone", "Điện thoại"),
    Column("is_active", "Đang dùng"),
)
_FILE_ROW: Final = Row(0, {})


def plan_accounts(session: Session, table: Table, *, today: date, at: datetime) -> Plan:
    """What taking ``table`` in would do to the accounts and their people."""
    plan = Plan(len(table.rows), faults=list(table.faults))
    intake = _Intake(session, table, plan, today, at)
    for row in table.rows:
        intake.plan_row(Cells(row, COLUMNS, plan.faults))
    intake.keep_an_administrator()
    plan.finish = intake.finish
    return plan


class _Intake:
    """Accounts as they are, while a table is taken in."""

    def __init__(
        self, session: Session, table: Table, plan: Plan, today: date, at: datetime
    ) -> None:
        self._session = session
        self._plan = plan
        self._at = at
        self._columns = table.columns
        self._people = PeopleRegister(session, today)
        accounts = session.scalars(select(Account).options(joinedload(Account.person)))
        self._accounts = {account.username: account for account in accounts}
        self._sites: dict[str, list[int]] = {}
        for site_id, name in session.execute(select(Site.id, Site.name)):
            self._sites.setdefault(fold(name), []).append(site_id)
        self._site_units = dict(session.execute(select(Site.id, Unit.code).join(Site.unit)).all())
        self._seen: dict[str, int] = {}
        self._administrators = {
            name for name, one in self._accounts.items() if _administers(one.role, one.is_active)
        }
        self._had_administrator = bool(self._administrators)

    def plan_row(self, cells: Cells) -> None:
        """Decide what one row does."""
        facts, person, office = self._read(cells)
        if not cells.is_sound:
            return
        if facts.username in self._seen:
            cells.fault("username", f"Trùng với dòng {self._seen[facts.username]}.")
            return
        self._seen[facts.username] = cells.row.number
        self._administrators.discard(facts.username)
        if _administers(facts.role, facts.is_active):
            self._administrators.add(facts.username)
        kept = self._accounts.get(facts.username)
        if kept is None:
            self._plan.new += 1
            self._plan.acts.append(lambda: self._create(facts, person, office))
        elif self._differs(kept, facts, person):
            self._plan.changed += 1
            self._plan.acts.append(lambda: self._update(kept, facts, person))

    def keep_an_administrator(self) -> None:
        """A table may not lock everybody out."""
        if self._had_administrator and not self._administrators and self._plan.total:
            cells = Cells(_FILE_ROW, COLUMNS, self._plan.faults)
            cells.fault("role", "Phải còn ít nhất một quản trị viên đang hoạt động.")

    def finish(self) -> None:
        """Write what was created."""
        self._people.finish()

    def _read(self, cells: Cells) -> tuple[AccountFacts, PersonFacts | None, Office | None]:
        row = cells.row
        role = cells.read("role", lambda text: read_word(text, ROLE_WORDS), Role.DELEGATE)
        is_active = "is_active" not in self._columns or cells.read(
            "is_active", read_flag, otherwise=True
        )
        site_id = self._site_of(cells, role)
        facts = AccountFacts(
            username=row["username"].lower(),
            role=role,
            display_name=row["display_name"],
            site_id=site_id,
            is_active=is_active,
        )
        cells.faults_of(account_faults(facts))
        if role is Role.SITE:
            return facts, None, None
        person = PersonFacts(row["display_name"][:120], row["email"], row["phone"])
        cells.faults_of(people.person_faults(person), {"full_name": "display_name"})
        unit_id = self._people.units.get(row["unit_code"])
        if row["unit_code"] and unit_id is None:
            cells.fault("unit_code", f"Không có đơn vị nào mã {row['unit_code'][:40]}.")
        office = Office(row["title"] or "Cán bộ, công chức", unit_id)
        cells.faults_of(people.office_faults(office))
        return facts, person, office

    def _site_of(self, cells: Cells, role: Role) -> int | None:
        name = cells.row["site"]
        if not name:
            return None
        found = self._sites.get(fold(name), [])
        code = cells.row["unit_code"]
        if len(found) > 1 and code:
            found = [one for one in found if self._site_units.get(one) == code]
        if len(found) != 1:
            sentence = (
                f"Có {len(found)} điểm cầu tên này; nêu thêm mã đơn vị."
                if found
                else f"Không có điểm cầu nào tên “{name[:60]}”."
            )
            cells.fault("site", sentence)
            return None
        return found[0] if role is Role.SITE else None

    def _create(
        self, facts: AccountFacts, person: PersonFacts | None, office: Office | None
    ) -> None:
        self._session.add(
            Account(
                username=facts.username,
                password_hash="",
                password_link_hash="",
                role=facts.role,
                display_name=facts.display_name,
                site_id=facts.site_id,
                person=self._person(person, office) if person is not None else None,
                language="vi",
                is_active=facts.is_active,
                created_at=self._at,
            )
        )

    def _person(self, facts: PersonFacts, office: Office | None) -> Person:
        known = self._people.find(facts.full_name, facts.email, office.unit_id if office else None)
        if known is None:
            known = new_person(self._session, facts, office)
            self._people.add(known)
        return known

    def _update(self, kept: Account, facts: AccountFacts, person: PersonFacts | None) -> None:
        kept.role = facts.role
        kept.display_name = facts.display_name
        kept.is_active = facts.is_active
        if "site" in self._columns:
            kept.site_id = facts.site_id
        if kept.person is not None and person is not None:
            for name, value in self._contact(person).items():
                setattr(kept.person, name, value)

    def _differs(self, kept: Account, facts: AccountFacts, person: PersonFacts | None) -> bool:
        same_site = "site" not in self._columns or kept.site_id == facts.site_id
        same = (kept.role, kept.display_name, kept.is_active) == (
            facts.role, facts.display_name, facts.is_active,
        )  # fmt: skip
        if kept.person is None or person is None:
            return not (same and same_site)
        contact = self._contact(person)
        same_contact = all(getattr(kept.person, key) == value for key, value in contact.items())
        return not (same and same_site and same_contact)

    def _contact(self, person: PersonFacts) -> dict[str, str]:
        return {key: getattr(person, key) for key in ("email", "phone") if key in self._columns}


def _administers(role: Role, is_active: bool) -> bool:
    return is_active and role is Role.ADMINISTRATOR


def account_rows(session: Session) -> Iterable[Mapping[str, object]]:
    """All accounts as rows of `COLUMNS`."""
    query = select(Account).options(
        joinedload(Account.person).joinedload(Person.unit),
        joinedload(Account.site).joinedload(Site.unit),
    )
    for account in session.scalars(query.order_by(Account.username)):
        person = account.person
        unit = person.unit if person else account.site.unit if account.site else None
        yield {
            "username": account.username,
            "display_name": account.display_name,
            "role": ROLE_NAMES[account.role],
            "unit_code": unit.code if unit else "",
            "title": person.title if person else "",
            "site": account.site.name if account.site else "",
            "email": person.email if person else "",
            "phone": person.phone if person else "",
            "is_active": account.is_active,
        }
