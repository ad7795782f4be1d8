"""A small line plot as SVG: one panel for each line, both axes from zero."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 360
HEIGHT: Final = 240
MARGIN: Final = 44


@dataclass(frozen=True)
class Line:
    """Points of one panel."""

    title: str
    points: Sequence[tuple[float, float]]


def draw(lines: Sequence[Line], y_name: str) -> str:
    """The plot. Each panel also has the straight line from zero that fits its points best."""
    panels = "".join(_panel(line, y_name, index * WIDTH) for index, line in enumerate(lines))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH * len(lines)} {HEIGHT}" '
        f'font-family="sans-serif" font-size="11">'
        f'<rect width="100%" height="100%" fill="white"/>{panels}</svg>\n'
    )


def _panel(line: Line, y_name: str, left: int) -> str:
    x_most = max(x for x, _ in line.points)
    y_most = 1.1 * max(y for _, y in line.points) or 1.0

    def at(x: float, y: float) -> str:
        across = left + MARGIN + x / x_most * (WIDTH - MARGIN - 20)
        down = HEIGHT - MARGIN - y / y_most * (HEIGHT - MARGIN - 30)
        return f"{across:.1f},{down:.1f}"

    slope = sum(x * y for x, y in line.points) / sum(x * x for x, _ in line.points)
    dots = "".join(
        '<circle cx="{}" cy="{}" r="3" fill="#1d4ed8"/>'.format(*at(x, y).split(","))
        for x, y in line.points
    )
    labels = "".join(
        '<text x="{}" y="{}" text-anchor="middle">{:g}</text>'.format(
            at(x, 0).split(",")[0], HEIGHT - MARGIN + 16, x
        )
        for x, _ in line.points
    )
    path = " ".join(at(x, y) for x, y in line.points)
    frame = f"{at(0, y_most)} {at(0, 0)} {at(x_most, 0)}"
    return (
        f'<text x="{left + WIDTH / 2}" y="18" text-anchor="middle">{line.title}</text>'
        f'<polyline points="{frame}" fill="none" stroke="#444"/>'
        f'<polyline points="{at(0, 0)} {at(x_most, slope * x_most)}" fill="none" stroke="#999" '
        f'stroke-dasharray="4 3"/>'
        f'<polyline points="{path}" fill="none" stroke="#1d4ed8"/>{dots}{labels}'
        f'<text x="{left + MARGIN - 4}" y="{at(0, y_most).split(",")[1]}" text-anchor="end">'
        f"{y_most:.0f}</text>"
        f'<text x="{left + 8}" y="{HEIGHT - 10}">{y_name}</text>'
    )
