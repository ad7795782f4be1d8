"""Pictures of figures as numbers for SVG: where each bar stands and how long it is.

A chart never stands alone: the page shows the same figures as a table. Colours come from classes,
because the content security policy refuses inline styles. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 520
HEIGHT: Final = 240
_LEFT: Final = 36
_TOP: Final = 12
_BOTTOM: Final = 28
_GAP_SHARE: Final = 0.32
_STEPS: Final = (1, 2, 5)
_MOST_LABELS: Final = 13


@dataclass(frozen=True, slots=True)
class Bar:
    """One rectangle."""

    x: float
    y: float
    width: float
    height: float
    series: str
    """Name of the series: the bar's class."""
    title: str
    """What a pointer that rests on it is told."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A word at an axis, with its line."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Columns:
    """Stacked columns, ready to be drawn."""

    width: int
    height: int
    left: float
    floor: float
    bars: tuple[Bar, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]


def columns(
    stacks: Sequence[tuple[str, Mapping[str, int]]], series: Sequence[tuple[str, str]]
) -> Columns:
    """One column for each of ``stacks`` (label, value by series); ``series`` are (name, words)."""
    top = ceiling(max((sum(values.values()) for _, values in stacks), default=0))
    floor = HEIGHT - _BOTTOM
    room = floor - _TOP
    slot = (WIDTH - _LEFT) / max(1, len(stacks))
    bars, across = [], []
    every = -(-len(stacks) // _MOST_LABELS)
    for number, (label, values) in enumerate(stacks):
        x = _LEFT + slot * (number + _GAP_SHARE / 2)
        y = float(floor)
        if number % every == 0:
            across.append(Tick(_LEFT + slot * (number + 0.5), label))
        for name, words in series:
            value = values.get(name, 0)
            if not value:
                continue
            height = room * value / top
            y -= height
            width = slot * (1 - _GAP_SHARE)
            bars.append(Bar(_r(x), _r(y), _r(width), _r(height), name, f"{label}: {words} {value}"))
    marks = sorted({0, top // 2 if top % 2 == 0 else 0, top})
    up = tuple(Tick(_r(floor - room * mark / top), str(mark)) for mark in marks)
    return Columns(WIDTH, HEIGHT, _LEFT, floor, tuple(bars), tuple(across), up)


def ceiling(value: int) -> int:
    """The round number an axis ends at: 1, 2 or 5 times a power of ten, at least ``value``."""
    power = 1
    while True:
        for step in _STEPS:
            if step * power >= value:
                return step * power
        power *= 10


def share_of(value: int, largest: int) -> float:
    """Length of a bar between 0 and 100."""
    return _r(100 * value / largest) if largest else 0


def _r(number: float) -> float:
    return round(number, 2)
