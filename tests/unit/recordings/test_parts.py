"""Cutting a film into parts that are encoded beside each other."""

from hypothesis import given
from hypothesis import strategies as st

from recordings.compose.parts import LEAST_S, PART_S, PART_SCENES, split
from recordings.compose.timeline import FPS, Scene


def scenes_of(lengths: list[int]) -> list[Scene]:
    found, at = [], 0
    for length in lengths:
        found.append(Scene(at, at + length, None))
        at += length
    return found


@given(lengths=st.lists(st.integers(1, 20_000), min_size=1, max_size=90))
def test_parts_together_show_every_frame_once_and_none_is_too_large(lengths: list[int]) -> None:
    scenes = scenes_of(lengths)
    parts = split(scenes)
    shown = [stretch.shown for part in parts for stretch in part]
    assert [f for s in shown for f in (s.from_frame, s.to_frame)] == sorted(
        f for s in shown for f in (s.from_frame, s.to_frame)
    )
    assert shown[0].from_frame == 0
    assert shown[-1].to_frame == sum(lengths)
    assert sum(scene.frames for scene in shown) == sum(lengths)
    assert all(1 <= len(part) <= PART_SCENES for part in parts)
    assert all(sum(s.shown.frames for s in part) <= PART_S * FPS for part in parts)
    for stretch in (one for part in parts for one in part):
        assert stretch.whole.from_frame <= stretch.shown.from_frame
        assert stretch.shown.to_frame <= stretch.whole.to_frame


def test_a_film_of_one_scene_gives_two_processors_work() -> None:
    (scene,) = scenes_of([60 * FPS])
    assert [len(part) for part in split([scene])] == [1, 1]


def test_a_short_film_is_one_part() -> None:
    assert len(split(scenes_of([int(2 * LEAST_S * FPS) - 1]))) == 1
