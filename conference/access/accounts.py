"""Accounts: logging in, who an account acts as, keeping accounts, and links to set a password.

Nobody is told a password. A new account has none; its owner gets a link with a secret of 256 bits
that works once and for some days, and chooses a password there. Only the secret's SHA-256 is
stored, which is enough for a secret that cannot be guessed.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, joinedload

from conference.access.models import Account, Role
from conference.access.passwords import decoy_hash, hash_password, is_correct
from conference.access.policy import Actor
from conference.directory.models import Person, Site
from conference.directory.people import LOWEST_RANK
from conference.directory.vietnamese import fold
from conference.errors import ConflictError, InvalidError, NotFoundError

LINK_LIFE: Final = timedelta(days=14)
"""How long a link to set a password works."""
MIN_PASSWORD: Final = 12
MAX_PASSWORD: Final = 1024
_MIN_DIFFERENT: Final = 5
_STAFF: Final = (Role.SECRETARY, Role.OFFICE_CHIEF, Role.CLERK)
_USERNAME: Final = re.compile(r"[a-z0-9][a-z0-9._@-]{1,79}")


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What may be said about an account."""

    username: str
    role: Role
    display_name: str
    person_id: int | None = None
    site_id: int | None = None
    is_active: bool = True


def authenticate(session: Session, username: str, password: str) -> Account | None:
    """The active account with these credentials, or None.

    The effort is the same whether the name is unknown, the account is switched off, has no
    password yet or the password is wrong, so that names cannot be guessed by timing.
    """
    account = session.scalar(select(Account).where(Account.username == username.strip().lower()))
    known = account if account is not None and account.password_hash else None
    fits = is_correct(known.password_hash if known else decoy_hash(), password)
    return known if fits and known is not None and known.is_active else None


def actor_of(account: Account, *, invited_site_id: int | None = None) -> Actor:
    """Who ``account`` is before the policy; ``invited_site_id`` is its place in the meeting."""
    return Actor(
        account_id=account.id,
        role=account.role,
        name=account.display_name,
        person_id=account.person_id,
        site_id=account.site_id,
        invited_site_id=invited_site_id,
    )


def find_account(session: Session, account_id: int) -> Account:
    """The account with its person and site. Raises NotFoundError."""
    options = [joinedload(Account.person), joinedload(Account.site)]
    account = session.get(Account, account_id, options=options)
    if account is None:
        raise NotFoundError
    return account


def search(
    session: Session, text: str, role: Role | None, *, limit: int, offset: int = 0
) -> tuple[list[Account], int]:
    """Accounts by name of login, and how many there are; all words in login or shown name."""
    query = select(Account)
    if role is not None:
        query = query.where(Account.role == role)
    for word in fold(text).split()[:8]:
        query = query.where(
            or_(
                Account.name_folded.contains(word, autoescape=True),
                Account.username.contains(word, autoescape=True),
            )
        )
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    page = query.order_by(Account.username).limit(limit).offset(offset)
    return list(session.scalars(page)), total


def secretaries(session: Session) -> list[Person]:
    """Who may keep minutes: staff of the office by their account, and whoever has a rank."""
    staff = select(Account.person_id).where(Account.role.in_(_STAFF), Account.is_active)
    query = (
        select(Person)
        .where(or_(Person.protocol_order < LOWEST_RANK, Person.id.in_(staff)))
        .order_by(Person.may_chair, Person.protocol_order, Person.sort_key)
    )
    return list(session.scalars(query))


def create_account(session: Session, facts: AccountFacts, at: datetime) -> Account:
    """Store a new account without a password. Raises InvalidError."""
    faults = account_faults(facts)
    if "username" not in faults and _is_taken(session, facts.username):
        faults["username"] = "Tên đăng nhập này đã có."
    faults |= _reference_faults(session, facts)
    if faults:
        raise InvalidError(faults)
    account = Account(
        username=facts.username, password_hash="", password_link_hash="",
        language="vi", created_at=at,
    )  # fmt: skip
    _write(account, facts)
    session.add(account)
    session.flush()
    return account


def update_account(
    session: Session, account_id: int, facts: AccountFacts
) -> dict[str, list[object]]:
    """Write ``facts`` (the login name stays); what changed. Raises InvalidError, ConflictError."""
    account = find_account(session, account_id)
    faults = account_faults(facts)
    faults |= _reference_faults(session, facts)
    if faults:
        raise InvalidError(faults)
    loses = account.role is Role.ADMINISTRATOR and (
        facts.role is not Role.ADMINISTRATOR or not facts.is_active
    )
    if loses and _other_administrators(session, account_id) == 0:
        raise ConflictError("Phải còn ít nhất một quản trị viên đang hoạt động.")
    before = _shown(account)
    _write(account, facts)
    after = _shown(account)
    session.flush()
    return {name: [before[name], after[name]] for name in after if before[name] != after[name]}


def issue_link(session: Session, account_id: int, at: datetime) -> str:
    """A fresh secret for the link to set a password; links issued earlier no longer work."""
    account = find_account(session, account_id)
    return _issue(account, at)


def issue_links(session: Session, at: datetime) -> list[tuple[Account, str]]:
    """Fresh secrets for all active accounts that have no password yet, by login name."""
    query = select(Account).where(Account.password_hash == "", Account.is_active)
    return [
        (account, _issue(account, at))
        for account in session.scalars(query.order_by(Account.username))
    ]


def _issue(account: Account, at: datetime) -> str:
    secret = secrets.token_urlsafe(32)
    account.password_link_hash = _digest(secret)
    account.password_link_until = at + LINK_LIFE
    return secret


def account_of_link(session: Session, secret: str, at: datetime) -> Account:
    """Whose password the link sets. Raises NotFoundError for one that is unknown, used or old."""
    query = select(Account).where(Account.password_link_hash == _digest(secret), Account.is_active)
    account = session.scalar(query)
    until = account.password_link_until if account is not None else None
    if account is None or until is None or until < at:
        raise NotFoundError("Đường dẫn không còn hiệu lực. Liên hệ quản trị để lấy đường dẫn mới.")
    return account


def set_password_by_link(session: Session, secret: str, password: str, at: datetime) -> Account:
    """Set the password and use the link up. Raises NotFoundError, InvalidError."""
    account = account_of_link(session, secret, at)
    _set_password(account, password)
    return account


def change_password(session: Session, account_id: int, current: str, new: str) -> Account:
    """Replace one's own password, knowing the present one. Raises InvalidError."""
    account = find_account(session, account_id)
    if not account.password_hash or not is_correct(account.password_hash, current):
        raise InvalidError({"current": "Mật khẩu hiện tại không đúng."})
    _set_password(account, new)
    return account


def _set_password(account: Account, password: str) -> None:
    fault = password_fault(password, account.username)
    if fault:
        raise InvalidError({"password": fault})
    account.password_hash = hash_password(password)
    account.password_link_hash = ""
    account.password_link_until = None


def password_fault(password: str, username: str) -> str:
    """Why ``password`` is too easy to guess; empty if it is not."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        return f"Mật khẩu cần ít nhất {MIN_PASSWORD} ký tự."
    lowered = password.lower()
    if username in lowered:
        return "Mật khẩu không được chứa tên đăng nhập."
    if len(set(lowered)) < _MIN_DIFFERENT or lowered in _SEQUENCES:
        return "Mật khẩu quá dễ đoán."
    return ""


_SEQUENCES: Final = frozenset(
    {"123456789012", "1234567890123", "qwertyuiop12", "qwertyuiop123", "matkhau12345",
     "matkhau123456", "password1234", "password12345", "abcdefghijkl", "vietnam12345"}
)  # fmt: skip


def account_faults(facts: AccountFacts) -> dict[str, str]:
    """What is wrong with an account's facts by themselves, by field."""
    found = {}
    if not _USERNAME.fullmatch(facts.username):
        found["username"] = "Tên đăng nhập gồm chữ thường không dấu, số, dấu . _ - @; 2–80 ký tự."
    if not facts.display_name:
        found["display_name"] = "Nhập tên hiển thị."
    elif len(facts.display_name) > 160:
        found["display_name"] = "Tên hiển thị dài quá 160 ký tự."
    if facts.role is Role.SITE and facts.site_id is None:
        found["site"] = "Tài khoản điểm cầu cần chọn điểm cầu."
    if facts.role is not Role.SITE and facts.site_id is not None:
        found["site"] = "Chỉ tài khoản điểm cầu mới gắn với điểm cầu."
    return found


def _reference_faults(session: Session, facts: AccountFacts) -> dict[str, str]:
    found = {}
    if facts.person_id is not None and session.get(Person, facts.person_id) is None:
        found["person"] = "Không tìm thấy người này."
    if facts.site_id is not None and session.get(Site, facts.site_id) is None:
        found["site"] = "Không tìm thấy điểm cầu này."
    return found


def _is_taken(session: Session, username: str) -> bool:
    return session.scalar(select(Account.id).where(Account.username == username)) is not None


def _other_administrators(session: Session, account_id: int) -> int:
    query = (
        select(func.count())
        .select_from(Account)
        .where(Account.role == Role.ADMINISTRATOR, Account.is_active, Account.id != account_id)
    )
    return session.scalar(query) or 0


def _write(account: Account, facts: AccountFacts) -> None:
    account.role = facts.role
    account.display_name = facts.display_name
    account.person_id = facts.person_id
    account.site_id = facts.site_id
    account.is_active = facts.is_active


def _shown(account: Account) -> dict[str, object]:
    return {
        "role": account.role.value,
        "display_name": account.display_name,
        "person_id": account.person_id,
        "site_id": account.site_id,
        "is_active": account.is_active,
    }


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
