"""Passwords, kept as Argon2id hashes (RFC 9106; argon2-cffi's defaults follow it)."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

_hasher = PasswordHasher()


def hash_password(password: str) -> str:
    """Salted hash to store; takes some tens of milliseconds on purpose."""
    return _hasher.hash(password)


def is_correct(password_hash: str, password: str) -> bool:
    """Whether ``password`` is the one that was hashed. A damaged hash is never correct."""
    try:
        return _hasher.verify(password_hash, password)
    except (Argon2Error, InvalidHashError):
        return False


@cache
def decoy_hash() -> str:
    """A hash nobody's password has, so that an unknown user name costs the same effort."""
    return _hasher.hash("no account has this password")
