"""People of the sample province at their desks: a browser for each, over one served application."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from playwright.sync_api import Browser, BrowserContext, Page

from conference.access.sample import PASSWORD
from tests.support.browser import log_in, new_context
from tests.support.page_server import serve
from tests.support.province import Province

CHAIR: Final = "Nguyễn Văn An, Chủ tịch UBND tỉnh (mẫu)"
_THURSDAY: Final = 3


def thursday(weeks: int) -> date:
    """A Thursday at least ``weeks`` whole weeks from today."""
    today = datetime.now(ZoneInfo("Asia/Ho_Chi_Minh")).date()
    return today + timedelta(weeks=weeks, days=(_THURSDAY - today.weekday()) % 7)


def typed(day: date) -> str:
    """As people type it: 10/12/2026."""
    return f"{day:%d/%m/%Y}"


def week_of(day: date) -> str:
    """As addresses name it: 2026-W50."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


@dataclass
class Office:
    """The served application and its people."""

    url: str
    province: Province
    chromium: Browser
    _contexts: list[BrowserContext] = field(default_factory=list)
    _desks: dict[str, Page] = field(default_factory=dict)

    def desk(self, username: str) -> Page:
        """The page of somebody who is logged in; always the same one."""
        if username not in self._desks:
            page = self.stranger()
            log_in(page, username, PASSWORD)
            self._desks[username] = page
        return self._desks[username]

    def stranger(self) -> Page:
        """A page of somebody who is not logged in."""
        context = new_context(self.chromium, self.url)
        self._contexts.append(context)
        return context.new_page()

    def close(self) -> None:
        """Everybody goes home."""
        for context in self._contexts:
            context.close()
        self._contexts.clear()
        self._desks.clear()


@contextmanager
def opened(folder: Path, chromium: Browser) -> Iterator[Office]:
    """An office with the sample province."""
    province = Province(folder)
    with serve(province, folder) as url:
        office = Office(url, province, chromium)
        yield office
        office.close()
    province.database.dispose()


def classify(page: Page) -> None:
    """Begin a new meeting: nothing in it is a state secret."""
    page.goto("/cuoc-hop/tao")
    page.check("input[name=classification][value=khong]")


def fill_meeting(page: Page, title: str, day: date, *, starts: str = "8:00") -> None:
    """Everything a meeting of the ten districts and of Sở Y tế needs, but sending it."""
    classify(page)
    page.check("input[name=scope][value=intra]")
    page.fill("#title", title)
    page.fill("#day", typed(day))
    page.fill("#starts", starts)
    page.fill("#ends", f"{int(starts.partition(':')[0]) + 2}:00")
    page.select_option("#chair", label=CHAIR)
    page.fill("#tree-search", "so y te")
    page.get_by_label("Sở Y tế", exact=True).check()
    page.fill("#tree-search", "")
    page.click("[data-all=district]")
