"""Put measured tables into docs/compatibility.md, between marks that name them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).parents[2] / "docs" / "compatibility.md"


def replace_part(name: str, lines: Sequence[str], page: Path = PAGE) -> None:
    """Replace what stands between the marks of ``name``; ValueError when there are none."""
    text = page.read_text(encoding="utf-8")
    begin, end = f"<!-- begin: {name} -->", f"<!-- end: {name} -->"
    if begin not in text or end not in text:
        raise ValueError(f"{page.name} has no part {name}")
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    page.write_text(f"{before}{begin}\n\n" + "\n".join(lines) + f"\n\n{end}{after}", "utf-8")
