"""Words of a text and of a query, as the search index keeps them, and the expressions that ask it.

A word is a run of letters and digits. Both databases get texts that consist of such words and
single spaces, so that their own ideas of what a word is (host names, paths, numbers) never differ.
Pure.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final

from conference.directory.vietnamese import fold

MAX_CHARACTERS: Final = 150_000
"""Of one piece. PostgreSQL refuses a vector above 1 MiB; this many letters stay below it."""
MAX_WORD: Final = 80
MAX_WORDS: Final = 12
"""Words of a query; more are not looked at."""
SNIPPET: Final = 120
"""Characters around a hit in a long text."""
_WORD: Final = re.compile(r"[^\W_]+")


def plain(text: str) -> str:
    """``text`` as a database can keep it: no NUL and other control characters, no half pairs."""
    kept = "".join(c if c == "\n" or c.isprintable() else " " for c in text[:MAX_CHARACTERS])
    return kept.encode("utf-8", "ignore").decode()


def folded_words(text: str) -> str:
    """The words of ``text`` without marks and case, line by line as they stand there."""
    return _by_line(text, fold)


def marked_words(text: str) -> str:
    """The words of ``text`` in lower case with their marks, line by line."""
    return _by_line(text, _lower)


def _lower(text: str) -> str:
    return unicodedata.normalize("NFC", text).lower()


def _by_line(text: str, change: Callable[[str], str]) -> str:
    lines = (_WORD.findall(change(line)) for line in text.split("\n"))
    return "\n".join(" ".join(word[:MAX_WORD] for word in line) for line in lines)[:MAX_CHARACTERS]


def sqlite_all(words: Sequence[str]) -> str:
    """FTS5 expression: every one of the folded ``words``, the last as a beginning."""
    return f"folded : ({' AND '.join(_sqlite(words))})"


def sqlite_any(words: Sequence[str]) -> str:
    """FTS5 expression: at least one of them."""
    return f"folded : ({' OR '.join(_sqlite(words))})"


def sqlite_exactly(words: Sequence[str]) -> str:
    """FTS5 expression: the marked ``words`` in this order, the last as a beginning."""
    return f"marked : ({' + '.join(_sqlite(words))})"


def _sqlite(words: Sequence[str]) -> list[str]:
    return [f'"{word}"' for word in words[:-1]] + [f'"{words[-1]}" *']


def postgresql_all(words: Sequence[str]) -> str:
    """``tsquery``: every one of the folded ``words``, the last as a beginning."""
    return " & ".join(_postgresql(words))


def postgresql_any(words: Sequence[str]) -> str:
    """``tsquery``: at least one of them."""
    return " | ".join(_postgresql(words))


def postgresql_exactly(words: Sequence[str]) -> str:
    """``tsquery``: the marked ``words`` in this order, the last as a beginning."""
    return " <-> ".join(_postgresql(words))


def _postgresql(words: Sequence[str]) -> list[str]:
    return [*words[:-1], f"{words[-1]}:*"]


def holds(piece: str, words: Iterable[str]) -> int:
    """How many of ``words`` begin a word of ``piece``, words of an index or a line of them."""
    padded = f" {piece}".replace("\n", " ")
    return sum(f" {word}" in padded for word in words)


def best_line(shown: str, folded: str, words: Sequence[str]) -> str:
    """The first line of ``shown`` with most of the ``words``; ``folded`` are its folded words."""
    lines = folded.split("\n")
    counts = [holds(line, words) for line in lines]
    return shown.split("\n")[counts.index(max(counts))]


def snippet(text: str, words: Iterable[str]) -> str:
    """The part of ``text`` around the first of the folded ``words``, whole words, with ``…``."""
    wanted = tuple(words)
    tokens = text.split()
    first = next((n for n, token in enumerate(tokens) if holds(_folded(token), wanted)), 0)
    start = max(0, first - 8)
    chosen: list[str] = []
    for token in tokens[start:]:
        if sum(len(one) + 1 for one in chosen) + len(token) > SNIPPET and chosen:
            break
        chosen.append(token)
    before = "… " if start else ""
    after = " …" if start + len(chosen) < len(tokens) else ""
    return f"{before}{' '.join(chosen)}{after}"


def parts(text: str, words: Sequence[str]) -> list[tuple[str, bool]]:
    """``text`` cut into what is to be marked as found and what is not; together it is whole."""
    runs: list[tuple[int, int]] = []
    for match in _WORD.finditer(text):
        folded = _folded(match[0])
        if folded in words[:-1] or folded.startswith(words[-1]):
            is_next = bool(runs) and text[runs[-1][1] : match.start()].isspace()
            start = runs.pop()[0] if is_next else match.start()
            runs.append((start, match.end()))
    bounds = [0, *(bound for run in runs for bound in run), len(text)]
    cut = [(text[one:other], n % 2 == 1) for n, (one, other) in enumerate(pairwise(bounds))]
    return [part for part in cut if part[0]]


_folded = lru_cache(maxsize=20_000)(folded_words)
