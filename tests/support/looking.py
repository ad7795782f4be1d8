"""Looking at a page as people do: pictures at both sizes, axe-core, nothing sideways."""

from pathlib import Path
from typing import Final

from playwright.sync_api import Page

from tests.support.browser import SIZES, screenshot

AXE: Final = Path(__file__).parents[2] / "web/room/node_modules/axe-core/axe.min.js"
RUN_AXE: Final = """async () => {
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const found = await axe.run(document, {runOnly: {type: 'tag', values: tags}});
  return found.violations
    .filter((one) => ['serious', 'critical'].includes(one.impact))
    .map((one) => [one.id, one.help, ...one.nodes.map((n) => n.target.join(' '))].join(' | '));
}"""
_SIDEWAYS: Final = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def look(page: Page, name: str, *sizes: str) -> None:
    """A picture of the page for people, and no fault in it, at each size; the desk's stays."""
    for size in sizes or tuple(SIZES):
        width, height = SIZES[size]
        page.set_viewport_size({"width": width, "height": height})
        screenshot(page, f"{name}-{size}")
        assert page.evaluate(_SIDEWAYS) <= 0, f"{name} is wider than a {size}"
        # as tall as its content: what lies under a bar that stays in place is not out of reach
        tall = max(height, int(page.evaluate("document.documentElement.scrollHeight")))
        page.set_viewport_size({"width": width, "height": tall})
        page.evaluate(AXE.read_text(encoding="utf-8"))
        assert page.evaluate(RUN_AXE) == [], name
    width, height = SIZES["desktop"]
    page.set_viewport_size({"width": width, "height": height})
