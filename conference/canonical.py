"""One way to write a value as bytes, so that its digest means the value and not its spelling.

JSON with sorted keys, no spaces and plain UTF-8, close to RFC 8785; figures are integers or
strings, because programs disagree about the digits of fractions. Pure.
"""

import hashlib
import json
from typing import Any


def encode(value: Any) -> bytes:
    """The bytes of ``value``. Raises TypeError or ValueError for what JSON cannot hold."""
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode()


def digest(value: Any) -> str:
    """SHA-256 of the bytes, as 64 lower-case hexadecimal digits."""
    return hashlib.sha256(encode(value)).hexdigest()
