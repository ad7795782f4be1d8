"""A film in parts that can be encoded at the same time and joined without encoding again.

A part is at most `PART_SCENES` scenes, which bounds the files that one run of ffmpeg opens, and at
most `PART_S` long; a film longer than two times `LEAST_S` has two parts at least, so that two
processors have work. A scene that crosses an edge is shown in both parts.

Pure.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import ceil
from typing import Final, NamedTuple

from recordings.compose.timeline import FPS, Scene

PART_SCENES: Final = 30
PART_S: Final = 300.0
LEAST_S: Final = 5.0
"""A shorter part costs more to begin than it saves."""


class Stretch(NamedTuple):
    """The frames of ``whole`` that one part shows, as a scene of their own."""

    shown: Scene
    whole: Scene


def split(scenes: Sequence[Scene]) -> list[list[Stretch]]:
    """The scenes in order, cut into parts; together they show every frame once."""
    total = sum(scene.frames for scene in scenes)
    count = max(ceil(total / (PART_S * FPS)), 2 if total >= 2 * LEAST_S * FPS else 1)
    length = ceil(total / count)
    parts: list[list[Stretch]] = []
    room = 0
    for scene in scenes:
        rest = scene
        while rest.frames > 0:
            if not parts or room == 0 or len(parts[-1]) == PART_SCENES:
                parts.append([])
                room = length
            taken = min(room, rest.frames)
            edge = rest.from_frame + taken
            parts[-1].append(Stretch(replace(rest, to_frame=edge), scene))
            rest = replace(rest, from_frame=edge)
            room -= taken
    return parts
