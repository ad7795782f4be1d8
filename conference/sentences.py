"""Sentences with facts in them that can be said in another language.

A service says what is wrong in Vietnamese; a page in English needs the sentence without its facts
to look it up. A `Sentence` is the Vietnamese text, so everybody may treat it as ``str``, and
remembers its pattern and facts for those who translate. Facts may be sentences themselves.
"""

from typing import Any


class Sentence(str):
    """A finished Vietnamese sentence with its pattern (``%(name)s``) and its facts."""

    __slots__ = ("facts", "pattern")

    pattern: str
    facts: dict[str, Any]


def say(pattern: str, **facts: Any) -> Sentence:
    """``pattern`` with ``facts`` filled in. Raises KeyError if one is missing."""
    sentence = Sentence(pattern % facts if facts else pattern)
    sentence.pattern = pattern
    sentence.facts = facts
    return sentence
