"""Reading single cells of imported tables: days, numbers, yes and no, words of a list.

Every reader returns a value or raises ValueError with the sentence for the person. Pure.
"""

import enum
import re
from collections.abc import Mapping
from datetime import date
from typing import Final, TypeVar

from conference.directory.vietnamese import fold

_DAY: Final = re.compile(r"([0-9]{1,2})[/.\- ]([0-9]{1,2})[/.\- ]([0-9]{4})")
_ISO_DAY: Final = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[ T].*)?")
_YES: Final = frozenset({"x", "co", "1", "true", "yes", "dung"})
_NO: Final = frozenset({"", "khong", "0", "false", "no", "-"})

Word = TypeVar("Word", bound=enum.Enum)


def read_day(text: str) -> date | None:
    """A day such as ``01/07/2025`` or ``2025-07-01``; None for an empty cell."""
    if not text:
        return None
    found, iso = _DAY.fullmatch(text), _ISO_DAY.fullmatch(text)
    try:
        if found:
            return date(int(found[3]), int(found[2]), int(found[1]))
        if iso:
            return date(int(iso[1]), int(iso[2]), int(iso[3]))
    except ValueError:
        pass
    raise ValueError(f"“{text[:30]}” không phải là ngày; nhập như 01/07/2025.")


def read_number(text: str, lowest: int, highest: int) -> int | None:
    """A whole number in the range; None for an empty cell."""
    if not text:
        return None
    plain = text.replace(".", "") if re.fullmatch(r"[0-9]{1,3}(\.[0-9]{3})+", text) else text
    if not re.fullmatch(r"[0-9]{1,9}", plain) or not lowest <= int(plain) <= highest:
        raise ValueError(f"“{text[:30]}” không phải là số từ {lowest} đến {highest}.")
    return int(plain)


def read_flag(text: str) -> bool:
    """Yes (x, có, 1) or no (empty, không, 0)."""
    word = fold(text)
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise ValueError(f"“{text[:30]}” không rõ; ghi x hoặc để trống.")


def read_word(text: str, words: Mapping[str, Word]) -> Word:
    """One of a list's words, however marked or cased."""
    found = {fold(word): value for word, value in words.items()}.get(fold(text))
    if found is None:
        raise ValueError(f"“{text[:30]}” không có trong danh sách: {', '.join(words)}.")
    return found
