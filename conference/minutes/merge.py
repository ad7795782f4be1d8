"""Two people's edits of one text, put together so that no word of either is lost.

Three-way: what each changed since the text both began with. Paragraphs that one of them left alone
take the other's change; a paragraph both changed is merged word by word; where even the same words
were changed in two ways, both wordings stay side by side for a person to choose. A deletion never
takes away what the other has edited meanwhile. After Khanna, Kunal and Pierce, "A formal
investigation of diff3" (FSTTCS 2007). Pure.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

_LINES: Final = re.compile(r"[^\n]*\n|[^\n]+")
_WORDS: Final = re.compile(r"\s+|[^\s]+")

Tokens = Sequence[str]
Resolve = Callable[[Tokens, Tokens, Tokens], list[str]]


@dataclass(frozen=True, slots=True)
class Merged:
    """The text of both. ``clashes`` counts the places where both wordings stand."""

    text: str
    clashes: int


def merge(base: str, mine: str, theirs: str) -> Merged:
    """``mine`` and ``theirs``, both written from ``base``, as one text; mine first where both."""
    if mine in {base, theirs}:
        return Merged(theirs, 0)
    if theirs == base:
        return Merged(mine, 0)
    clashes = 0

    def words(_base: Tokens, mine: Tokens, theirs: Tokens) -> list[str]:
        nonlocal clashes
        if not mine or not theirs:
            return [*mine, *theirs]  # deleted here, edited there: the edit stays
        clashes += 1
        gap = "" if mine[-1].isspace() or theirs[0].isspace() else " "
        return [*mine, gap, *theirs]

    def paragraphs(base: Tokens, mine: Tokens, theirs: Tokens) -> list[str]:
        if not base:
            return [_ended(mine), *theirs]  # two new paragraphs at one place
        parts = ["".join(one) for one in (base, mine, theirs)]
        tokens = [_WORDS.findall(part) for part in parts]
        return ["".join(_merge(*tokens, resolve=words))]

    lines = [_LINES.findall(one) for one in (base, mine, theirs)]
    merged = "".join(_merge(*lines, resolve=paragraphs))
    return Merged(merged, clashes)


def _ended(tokens: Tokens) -> str:
    text = "".join(tokens)
    return text if not text or text.endswith("\n") else f"{text}\n"


def _merge(base: Tokens, mine: Tokens, theirs: Tokens, *, resolve: Resolve) -> list[str]:
    merged: list[str] = []
    for old, my, their in _pieces(base, mine, theirs):
        if my == old:
            merged += their
        elif their in (old, my):
            merged += my
        else:
            merged += resolve(old, my, their)
    return merged


def _pieces(
    base: Tokens, mine: Tokens, theirs: Tokens
) -> Iterator[tuple[list[str], list[str], list[str]]]:
    """The three texts cut at every token that all of them kept."""
    in_mine, in_theirs = _kept(base, mine), _kept(base, theirs)
    at = my_at = their_at = 0
    for place in range(len(base)):
        if place not in in_mine or place not in in_theirs:
            continue
        my_place, their_place = in_mine[place], in_theirs[place]
        yield (
            list(base[at:place]), list(mine[my_at:my_place]), list(theirs[their_at:their_place])
        )  # fmt: skip
        same = [base[place]]
        yield same, same, same
        at, my_at, their_at = place + 1, my_place + 1, their_place + 1
    yield list(base[at:]), list(mine[my_at:]), list(theirs[their_at:])


def _kept(base: Tokens, other: Tokens) -> dict[int, int]:
    """Place in ``base`` → place in ``other`` of the tokens both have, ascending in both."""
    matcher = SequenceMatcher(None, base, other, autojunk=False)
    return {
        block.a + step: block.b + step
        for block in matcher.get_matching_blocks()
        for step in range(block.size)
    }
