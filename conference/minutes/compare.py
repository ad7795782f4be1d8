"""Two versions of a text side by side, as runs of words that stayed, went or came. Pure."""

import enum
import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

_WORDS: Final = re.compile(r"\s+|[^\s]+")


class Change(enum.Enum):
    """What became of a run of words."""

    SAME = "same"
    REMOVED = "removed"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Run:
    """Words that share one fate."""

    change: Change
    text: str


def compare(before: str, after: str) -> list[Run]:
    """The runs in reading order; what went stands before what came in its place."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    runs: list[Run] = []
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            runs.append(Run(Change.SAME, "".join(old[a:b])))
            continue
        if b > a:
            runs.append(Run(Change.REMOVED, "".join(old[a:b])))
        if d > c:
            runs.append(Run(Change.ADDED, "".join(new[c:d])))
    return runs
