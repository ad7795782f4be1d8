"""Places in the picture."""

import pytest

from recordings.compose.layout import Box, arrange, frame_size
from recordings.compose.pieces import Piece
from recordings.compose.timeline import MAX_TILES, Scene, Tile

PIECE = Piece("p", "A", "A", "camera", 0.0, 1.0, ())


def tile(name: str, *, has_picture: bool = True) -> Tile:
    return Tile(name, name, PIECE if has_picture else None)


def overlap(a: Box, b: Box) -> bool:
    beside = a.x + a.width <= b.x or b.x + b.width <= a.x
    above = a.y + a.height <= b.y or b.y + b.height <= a.y
    return not (beside or above)


@pytest.mark.parametrize("height", [360, 480, 720, 1080])
@pytest.mark.parametrize("count", range(MAX_TILES + 1))
@pytest.mark.parametrize("banner", ["", "Biểu quyết: Thông qua"])
def test_pictures_and_names_fit_the_frame_and_cover_nothing(
    height: int, count: int, banner: str
) -> None:
    tiles = tuple(tile(str(n)) for n in range(count))
    scene = Scene(0, 25, tile("L"), tiles, banner=banner)
    layout = arrange(scene, height)
    width = frame_size(height)[0]
    boxes = [box for place in layout.places for box in (place.picture, place.caption)]
    assert len(layout.places) == count + 1
    if layout.card.banner:
        boxes.append(layout.card.banner[0])
    assert (layout.card.banner is not None) is bool(banner)
    for index, box in enumerate(boxes):
        assert box.x >= 0
        assert box.y >= 0
        assert box.x + box.width <= width
        assert box.y + box.height <= height
        assert (box.x | box.y | box.width | box.height) % 2 == 0
        assert not any(overlap(box, other) for other in boxes[index + 1 :])


def test_the_large_picture_is_the_larger() -> None:
    layout = arrange(Scene(0, 25, tile("L"), (tile("a"), tile("b"))), 720)
    large, *beside = (place.picture for place in layout.places)
    assert all(large.width > 3 * box.width for box in beside)
    assert large.width / large.height == pytest.approx(16 / 9, rel=0.01)


def test_who_has_no_picture_stands_by_name() -> None:
    layout = arrange(Scene(0, 25, tile("Ông A", has_picture=False), (tile("b"),)), 720)
    assert [place.tile.name for place in layout.places] == ["b"]
    assert [name for _, name in layout.card.blanks] == ["Ông A"]
    assert [name for _, name in layout.card.names] == ["Ông A", "b"]


def test_gap_and_emptiness_say_what_they_are() -> None:
    assert "gián đoạn 9 giây" in arrange(Scene(0, 225, None, (), True), 720).card.message
    assert arrange(Scene(0, 25, None), 720).card.message == "Không có hình"


def test_the_same_stage_needs_one_card_only() -> None:
    first = arrange(Scene(0, 25, tile("L"), (tile("a"),)), 720)
    later = arrange(Scene(50, 99, tile("L"), (tile("a"),)), 720)
    assert first.card == later.card
