"""Names of objects in the bucket, and when a failed upload is tried again: pure decisions.

A key is ``<prefix>/<folder of the recording>/<path of the file in it>``. All three come from this
service, and still each part is checked: a key never leads out of its recording, whatever a row
says.
"""

import re
from datetime import timedelta
from typing import Final

MAX_KEY_BYTES: Final = 1024
"""Longest key that S3 takes (Amazon S3 User Guide, "Naming objects")."""
FIRST_PAUSE: Final = timedelta(seconds=30)
LONGEST_PAUSE: Final = timedelta(hours=1)
_PART: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*\Z")


def key_of(prefix: str, folder: str, path: str) -> str:
    """Key of one file. Raises ValueError for names that this service does not make."""
    key = folder_key(prefix, folder) + _joined(path)
    if len(key) > MAX_KEY_BYTES:
        raise ValueError(f"too long for a key: {len(key)} bytes")
    return key


def folder_key(prefix: str, folder: str) -> str:
    """What the keys of one recording begin with, slash included. Raises ValueError."""
    outer = prefix.strip("/")
    return f"{_joined(outer)}/{_joined(folder)}/" if outer else f"{_joined(folder)}/"


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many failures in a row: doubled each time, at most an hour."""
    doublings = min(max(attempts - 1, 0), 12)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)


def _joined(path: str) -> str:
    parts = path.split("/")
    if not all(_PART.match(part) for part in parts):
        raise ValueError(f"not a name of this store: {path!r}")
    return path
