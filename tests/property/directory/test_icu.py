"""Our sort keys against ICU's collation ``vi``, where the system has ICU's library.

ICU is asked through its C interface, so no headers and no binding are needed; PostgreSQL on Debian
brings the library along. Without it the test is skipped, and says so.
"""

import ctypes
import ctypes.util
import re
import unicodedata
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conference.directory.vietnamese import name_sort_key, sort_key

ONSETS = ["", "b", "c", "ch", "d", "đ", "g", "gh", "h", "kh", "l", "m", "n", "ng", "ngh", "nh", "p",
          "ph", "q", "r", "s", "t", "th", "tr", "v", "x"]  # fmt: skip
NUCLEI = ["a", "ă", "â", "e", "ê", "i", "o", "ô", "ơ", "u", "ư", "y", "oa", "oe", "uy", "ươ", "iê"]
CODAS = ["", "c", "ch", "m", "n", "ng", "nh", "p", "t"]
TONES = ["", "\u0300", "\u0309", "\u0303", "\u0301", "\u0323"]


class Icu:
    """A collator of the system's ICU."""

    def __init__(self, path: str) -> None:
        library = ctypes.CDLL(path)
        found = re.search(r"\.so\.(\d+)", path)
        ending = f"_{found[1]}" if found else ""
        status = ctypes.c_int(0)
        opening = getattr(library, f"ucol_open{ending}")
        opening.restype = ctypes.c_void_p
        self._collator = ctypes.c_void_p(opening(b"vi", ctypes.byref(status)))
        assert status.value <= 0, "ICU has no collation for Vietnamese"
        self._compare = getattr(library, f"ucol_strcoll{ending}")
        self._compare.argtypes = [
            ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int32, ctypes.c_char_p, ctypes.c_int32,
        ]  # fmt: skip

    def compare(self, first: str, second: str) -> int:
        """-1, 0 or 1."""
        one, other = first.encode("utf-16-le"), second.encode("utf-16-le")
        return int(self._compare(self._collator, one, len(one) // 2, other, len(other) // 2))


@cache
def icu() -> Icu:
    path = ctypes.util.find_library("icui18n")
    if path is None:
        pytest.skip("the system has no ICU library (libicu)")
    return Icu(path)


def syllable(onset: str, nucleus: str, coda: str, tone: str) -> str:
    return unicodedata.normalize("NFC", f"{onset}{nucleus[0]}{tone}{nucleus[1:]}{coda}")


syllables = st.builds(
    syllable, *(st.sampled_from(parts) for parts in (ONSETS, NUCLEI, CODAS, TONES))
)
names = st.lists(syllables, min_size=1, max_size=4).map(" ".join)


def sign(first: str, second: str) -> int:
    return (first > second) - (first < second)


@given(syllables, syllables)
@settings(max_examples=1500)
def test_syllables_sort_as_icu_sorts_them(first: str, second: str) -> None:
    assert sign(sort_key(first), sort_key(second)) == icu().compare(first, second)


@given(names, names)
@settings(max_examples=1000)
def test_names_of_equal_length_sort_as_icu_sorts_them(first: str, second: str) -> None:
    assert sign(sort_key(first), sort_key(second)) == icu().compare(first, second)


@given(names, names)
@settings(max_examples=500)
def test_people_sort_by_given_name_as_icu_would(first: str, second: str) -> None:
    last, other = first.rsplit(maxsplit=1)[-1], second.rsplit(maxsplit=1)[-1]
    order = icu().compare(last, other)
    if order:
        assert sign(name_sort_key(first), name_sort_key(second)) == order
