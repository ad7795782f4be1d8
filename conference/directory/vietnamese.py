"""Vietnamese text for searching and sorting.

Searching folds: marks and case fall away and ``đ`` becomes ``d``, so that "giao ban", "giao bán"
and "GIAO BAN" are the same words. Sorting does not fold: ``a ă â``, ``d đ``, ``e ê``, ``o ô ơ``
and ``u ư`` are different letters, and the six tones (ngang, huyền, hỏi, ngã, sắc, nặng) decide
only between words with the same letters (CLDR, collation ``vi``). A tone counts once for each
syllable, so both ways of placing it (hoà, hòa) sort alike.

Keys consist of ``0-9a-z`` alone and compare rightly under any database collation. Pure.
"""

import unicodedata
from typing import Final

_APOSTROPHES: Final = dict.fromkeys(map(ord, "'’‘ʼ`´"))
_D_BAR: Final = str.maketrans("đĐ", "dd")

_LETTERS: Final = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"
_SYMBOLS: Final = "3456789abcdefghijklmnopqrstuvwxyz"
_SEPARATOR: Final = "0"  # below every symbol: a shorter word sorts before its continuation
_DIGIT: Final = "1"
_OTHER: Final = "2"
_SYMBOL_OF: Final = dict(zip(_LETTERS, _SYMBOLS, strict=True))

# combining grave, hook above, tilde, acute, dot below
_TONES: Final = {"\u0300": "2", "\u0309": "3", "\u0303": "4", "\u0301": "5", "\u0323": "6"}
_LEVEL_TONE: Final = "1"


def fold(text: str) -> str:
    """``text`` for searching: no marks, no apostrophes, lower case, single spaces."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_APOSTROPHES))
    bare = "".join(c for c in decomposed if unicodedata.category(c) != "Mn")
    # lower-casing may decompose once more (İ), hence the second pass over marks
    lowered = unicodedata.normalize("NFKD", bare.translate(_D_BAR).lower())
    plain = "".join(c for c in lowered if unicodedata.category(c) != "Mn")
    return " ".join(plain.translate(_APOSTROPHES).split())


def has_words(query: str, text: str) -> bool:
    """Whether every folded word of ``query`` occurs somewhere in ``text``."""
    folded = fold(text)
    return all(word in folded for word in fold(query).split())


def has_exactly(query: str, text: str) -> bool:
    """Whether ``query`` occurs in ``text`` with its own marks; case and spacing do not count."""
    return _exact(query) in _exact(text)


def closeness(query: str, text: str) -> tuple[bool, bool, bool]:
    """Sorts what was found by ``query``: the same marks first, then beginnings, then whole words.

    Only among texts that match folded; the order of equals is left to the caller's sorting.
    """
    folded_query, folded = fold(query), fold(text)
    is_whole = f" {folded_query} " in f" {folded} "
    return not has_exactly(query, text), not folded.startswith(folded_query), not is_whole


def _exact(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).lower().split())


def sort_key(text: str) -> str:
    """Key that sorts ``text`` as a Vietnamese dictionary does: letters first, then tones."""
    syllables = [_syllable(word) for word in unicodedata.normalize("NFC", text).lower().split()]
    letters = _SEPARATOR.join(letters for letters, _ in syllables)
    tones = "".join(tone for _, tone in syllables)
    return f"{letters}{_SEPARATOR}{_SEPARATOR}{tones}"


def name_sort_key(full_name: str) -> str:
    """Key that sorts people by given name (tên), then family name (họ), then the middle (đệm).

    Names of one word, as some of the Central Highlands are, sort by that word.
    """
    family, *middle, given = _three_parts(full_name)
    parts = [sort_key(given), sort_key(family), sort_key(" ".join(middle))]
    return (_SEPARATOR * 3).join(parts)


def _three_parts(full_name: str) -> list[str]:
    words = full_name.split()
    if len(words) < 2:
        return ["", "".join(words)]
    return words


def _syllable(word: str) -> tuple[str, str]:
    """Sort symbols of a lower-case word's letters, and the digit of its tone."""
    decomposed = unicodedata.normalize("NFD", word)
    tone = max((_TONES[c] for c in decomposed if c in _TONES), default=_LEVEL_TONE)
    letters = unicodedata.normalize("NFC", "".join(c for c in decomposed if c not in _TONES))
    return "".join(map(_symbol, letters)), tone


def _symbol(letter: str) -> str:
    if letter in _SYMBOL_OF:
        return _SYMBOL_OF[letter]
    if letter.isdecimal():
        return f"{_DIGIT}{unicodedata.decimal(letter)}"
    return _OTHER
