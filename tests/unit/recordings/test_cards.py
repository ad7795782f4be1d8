"""Texts on the cards."""

from pathlib import Path

import pytest
from PIL import Image

from recordings.cards import draw
from recordings.compose.layout import Box, Card

LETTERS = "ĂÂĐÊÔƠƯăâđêôơưẤẦẨẪẬắằẳẵặẾỀỂỄỆốồổỗộỚỜỞỠỢứừửữựỲỴỶỸý"


def ink_in(path: Path, box: Box) -> int:
    with Image.open(path) as image:
        part = image.convert("L").crop((box.x, box.y, box.x + box.width, box.y + box.height))
    return sum(part.histogram()[128:])


def test_a_name_is_written_in_its_box_and_nowhere_else(tmp_path: Path) -> None:
    box = Box(40, 300, 600, 34)
    draw(Card(1280, 720, ((box, "Điểm cầu Đăk Pxi"),)), tmp_path / "card.png")
    assert ink_in(tmp_path / "card.png", box) > 100
    assert ink_in(tmp_path / "card.png", box) == ink_in(tmp_path / "card.png", Box(0, 0, 1280, 720))


@pytest.mark.parametrize("letter", LETTERS)
def test_the_typeface_has_every_vietnamese_letter(letter: str, tmp_path: Path) -> None:
    box = Box(0, 0, 100, 60)
    draw(Card(100, 60, ((box, letter),)), tmp_path / "letter.png")
    draw(Card(100, 60, ((box, "\ue000"),)), tmp_path / "missing.png")
    letter_bytes = (tmp_path / "letter.png").read_bytes()
    assert letter_bytes != (tmp_path / "missing.png").read_bytes()
    assert ink_in(tmp_path / "letter.png", box) > 10


def test_a_name_that_is_too_long_stays_in_its_box(tmp_path: Path) -> None:
    box = Box(100, 100, 120, 24)
    draw(Card(640, 360, ((box, "Ủy ban nhân dân xã " * 9),)), tmp_path / "card.png")
    assert ink_in(tmp_path / "card.png", box) == ink_in(tmp_path / "card.png", Box(0, 0, 640, 360))
