"""Still backgrounds of the composed picture, drawn with Pillow in Be Vietnam Pro.

Text is drawn here and not by ffmpeg's drawtext: some builds lack it, and no name can then be
read as a filter's option.
"""

from functools import lru_cache
from pathlib import Path
from typing import Final

import fontpkg_be_vietnam_pro
from PIL import Image, ImageDraw, ImageFont

from recordings.compose.layout import Box, Card

BACKGROUND: Final = "#10171f"
BLANK: Final = "#22303c"
BANNER: Final = "#0b5563"
INK: Final = "#f4f6f8"
QUIET: Final = "#b8c4ce"
_FONTS: Final = Path(fontpkg_be_vietnam_pro.ROOT) / "files"


def draw(card: Card, path: Path) -> None:
    """Write ``card`` as a PNG file."""
    image = Image.new("RGB", (card.width, card.height), BACKGROUND)
    pen = ImageDraw.Draw(image)
    for box, name in card.blanks:
        pen.rectangle((box.x, box.y, box.x + box.width - 1, box.y + box.height - 1), fill=BLANK)
        _write(pen, box, name, font="SemiBold", size=max(14, box.height // 10), ink=INK)
    for box, name in card.names:
        _write(pen, box, name, font="Medium", size=max(10, box.height * 6 // 10), ink=INK)
    if card.banner:
        box, text = card.banner
        pen.rectangle((box.x, box.y, box.x + box.width - 1, box.y + box.height - 1), fill=BANNER)
        _write(pen, box, text, font="SemiBold", size=box.height // 2, ink=INK)
    if card.message:
        whole = Box(0, 0, card.width, card.height)
        _write(pen, whole, card.message, font="Regular", size=card.height // 20, ink=QUIET)
    image.save(path, "PNG")


def _write(
    pen: ImageDraw.ImageDraw, box: Box, text: str, *, font: str, size: int, ink: str
) -> None:
    """One line in the middle of a box, shortened with an ellipsis if it is too long."""
    face = _font(font, size)
    line = " ".join(text.split())
    room = box.width * 0.94
    if pen.textlength(line, face) > room:
        while line and pen.textlength(line + "…", face) > room:
            line = line[:-1]
        line = line.rstrip() + "…"
    middle = (box.x + box.width / 2, box.y + box.height / 2)
    pen.text(middle, line, fill=ink, font=face, anchor="mm")


@lru_cache(maxsize=32)
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(_FONTS / f"BeVietnamPro-{name}.ttf", size)
