"""Where everybody stands in the picture: the large one left, up to five beside, names below.

The frame is 16:9. Names stand in a strip *under* each picture, never on it, so that nothing of a
slide or a face is covered, and one still background carries all texts of a scene. A banner takes
its rows from the pictures' height.

Pure.
"""

from dataclasses import dataclass
from typing import Final

from recordings.compose.timeline import Scene, Tile

MARGIN: Final = 8
"""Pixels around pictures at a height of 720; everything scales with the height."""

STRIP: Final = 34
TILE_STRIP: Final = 24
TILE_ROWS: Final = 4
BANNER: Final = 52


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels; sides are even, as 4:2:0 pictures need."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Place:
    """A tile of the scene, where its picture goes, and where its name goes."""

    tile: Tile
    picture: Box
    caption: Box


@dataclass(frozen=True, slots=True)
class Card:
    """The still background of a scene: what is written where."""

    width: int
    height: int
    names: tuple[tuple[Box, str], ...] = ()
    """Captions."""
    blanks: tuple[tuple[Box, str], ...] = ()
    """Places without a picture: the name stands in their middle."""
    message: str = ""
    """Text in the middle of an otherwise empty frame."""
    banner: tuple[Box, str] | None = None
    """A line across the foot of the frame."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A scene in pixels."""

    card: Card
    places: tuple[Place, ...]
    """Only those with a picture."""


def frame_size(height: int) -> tuple[int, int]:
    """Width and height of the composed picture, both even."""
    return _even(height * 16 / 9), _even(height)


def arrange(scene: Scene, height: int) -> Layout:
    """Place a scene in a frame of ``height`` rows."""
    width, height = frame_size(height)
    if scene.is_gap:
        seconds = f"{scene.frames / 25:.0f}"
        message = f"Bản ghi bị gián đoạn {seconds} giây"
        return Layout(Card(width, height, message=message), ())
    foot = _even(BANNER * height / 720) if scene.banner else 0
    banner = (Box(0, height - foot, width, foot), scene.banner) if foot else None
    if scene.large is None:
        return Layout(Card(width, height, message="Không có hình", banner=banner), ())
    places = _places(scene.large, scene.tiles, width, height - foot, unit=height / 720)
    return Layout(
        Card(
            width,
            height,
            tuple((place.caption, place.tile.name) for place in places),
            tuple((p.picture, p.tile.name) for p in places if p.tile.piece is None),
            banner=banner,
        ),
        tuple(place for place in places if place.tile.piece is not None),
    )


def _places(
    large: Tile, tiles: tuple[Tile, ...], width: int, height: int, *, unit: float
) -> list[Place]:
    margin, strip, tile_strip = (_even(n * unit) for n in (MARGIN, STRIP, TILE_STRIP))
    column = 0
    rows = max(TILE_ROWS, len(tiles))
    if tiles:
        row_height = (height - margin) // rows
        column = min(_even((row_height - margin - tile_strip) * 16 / 9), _even(width / 4))
    main_width = _even(width - 2 * margin - (column + margin if tiles else 0))
    main_height = min(_even(height - 2 * margin - strip), _even(main_width * 9 / 16))
    top = _even((height - main_height - strip) / 2)
    places = [
        Place(
            large,
            Box(margin, top, main_width, main_height),
            Box(margin, top + main_height, main_width, strip),
        )
    ]
    left = margin + main_width + margin
    tile_height = _even(column * 9 / 16)
    for row, tile in enumerate(tiles):
        y = _even(margin + row * (tile_height + tile_strip + margin))
        places.append(
            Place(
                tile,
                Box(left, y, column, tile_height),
                Box(left, y + tile_height, column, tile_strip),
            )
        )
    return places


def _even(value: float) -> int:
    return int(value) // 2 * 2
