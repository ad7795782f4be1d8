"""Logging in, and who an account acts as."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from conference.access.models import Account
from conference.access.passwords import decoy_hash, is_correct
from conference.access.policy import Actor


def authenticate(session: Session, username: str, password: str) -> Account | None:
    """The active account with these credentials, or None.

    The effort is the same whether the name is unknown, the account is switched off or the
    password is wrong, so that names cannot be guessed by timing.
    """
    account = session.scalar(select(Account).where(Account.username == username.strip().lower()))
    stored = account.password_hash if account is not None else decoy_hash()
    fits = is_correct(stored, password)
    return account if fits and account is not None and account.is_active else None


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
