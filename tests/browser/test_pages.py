"""Every page, on a desk and on a phone: nothing foreign, nothing sideways, no serious fault.

Each page is opened by somebody who may see it, photographed into ``tests/artifacts`` for people to
look at, and examined by axe-core.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from conference.access.sample import PASSWORD
from config.settings import load
from tests.support.browser import SIZES, log_in, new_context, screenshot
from tests.support.hoso import Hoso, fill
from tests.support.looking import AXE, RUN_AXE
from tests.support.service import Service
from web.app import create_app

pytestmark = pytest.mark.browser

NOBODY = ""


@dataclass(frozen=True)
class Case:
    """A page as somebody opens it."""

    name: str
    path: str
    username: str = "thuky"
    status: int = 200


CASES = (
    Case("login", "/dang-nhap", NOBODY),
    Case("today", "/hom-nay"),
    Case("today-site", "/hom-nay", "diemcau1"),
    Case("meetings", "/cuoc-hop"),
    Case("meetings-none", "/cuoc-hop?q=khong+co+cuoc+hop+nay"),
    Case("meeting-new", "/cuoc-hop/tao"),
    Case("meeting-edit", "/cuoc-hop/{upcoming}/sua"),
    Case("meeting-live", "/cuoc-hop/{live}/tong-quan"),
    Case("meeting-ended", "/cuoc-hop/{ended}/tong-quan"),
    Case("meeting-draft", "/cuoc-hop/{draft}/tong-quan"),
    Case("meeting-cancelled", "/cuoc-hop/{cancelled}/tong-quan"),
    Case("meeting-postponed", "/cuoc-hop/{postponed}/tong-quan"),
    Case("sites", "/cuoc-hop/{upcoming}/thanh-phan"),
    Case("papers", "/cuoc-hop/{upcoming}/tai-lieu"),
    Case("letters", "/cuoc-hop/{upcoming}/giay-moi"),
    Case("invitation-paper", "/cuoc-hop/{upcoming}/giay-moi/van-ban"),
    Case("paper-templates", "/quan-tri/mau-van-ban", "quantri"),
    Case("replies", "/cuoc-hop/{upcoming}/tra-loi"),
    Case("reply-for-site", "/cuoc-hop/{live}/tra-loi/{live_site}"),
    Case("reply-by-link", "/tra-loi/{join_code}", NOBODY),
    Case("line-board", "/cuoc-hop/{live}/kiem-tra"),
    Case("line-board-closed", "/cuoc-hop/{upcoming}/kiem-tra"),
    Case("line-board-search", "/cuoc-hop/{live}/kiem-tra?q=khong+co+noi+nay"),
    Case("line-site", "/cuoc-hop/{live}/kiem-tra/{live_site}"),
    Case("line-test", "/vao/{join_code}/kiem-tra", NOBODY),
    Case("line-test-technician", "/cuoc-hop/{live}/kiem-tra/{live_site}/thu", "kythuat"),
    Case("line-test-closed", "/vao/{cancelled_code}/kiem-tra", NOBODY),
    Case("attendance", "/cuoc-hop/{ended}/diem-danh"),
    Case("attendance-delegates", "/cuoc-hop/{ended}/diem-danh?xem=dai-bieu"),
    Case("attendance-units", "/cuoc-hop/{ended}/diem-danh?xem=don-vi"),
    Case("attendance-delegate", "/cuoc-hop/{ended}/diem-danh/dai-bieu/{delegate}"),
    Case("attendance-live", "/cuoc-hop/{live}/diem-danh"),
    Case("recordings", "/cuoc-hop/{ended}/ban-ghi"),
    Case("recordings-none", "/cuoc-hop/{upcoming}/ban-ghi"),
    Case("minutes", "/cuoc-hop/{ended}/bien-ban"),
    Case("minutes-none", "/cuoc-hop/{live}/bien-ban"),
    Case("minutes-revision", "/cuoc-hop/{ended}/bien-ban/lich-su/1"),
    Case("minutes-compare", "/cuoc-hop/{ended}/bien-ban/so-sanh?tu=1&den=1"),
    Case("audit", "/nhat-ky", "quantri"),
    Case("retention", "/luu-tru", "vanthu"),
    Case("retention-file", "/luu-tru/ho-so/{ended}", "vanthu"),
    Case("retention-schedule", "/luu-tru/thoi-han", "vanthu"),
    Case("destructions", "/luu-tru/tieu-huy", "vanthu"),
    Case("destruction", "/luu-tru/tieu-huy/{destruction}", "vanthu"),
    Case("personal-data", "/luu-tru/ca-nhan?q=an", "vanthu"),
    Case("personal-data-person", "/luu-tru/ca-nhan/1", "vanthu"),
    Case("archive-import", "/luu-tru/nhap", "quantri"),
    Case("conclusions", "/cuoc-hop/{ended}/ket-luan"),
    Case("tasks", "/nhiem-vu"),
    Case("tasks-site", "/nhiem-vu", "diemcau1"),
    Case("attendance-edit", "/cuoc-hop/{ended}/diem-danh/{invited_site}"),
    Case("log", "/cuoc-hop/{ended}/nhat-ky"),
    Case("days-off", "/quan-tri/ngay-nghi?nam=2026", "quantri"),
    Case("planning-rules", "/quan-tri/quy-tac", "quantri"),
    Case("search", "/tim-kiem?q=giao+ban"),
    Case("search-empty", "/tim-kiem"),
    Case("directory", "/quan-tri/co-cau", "quantri"),
    Case("directory-read", "/quan-tri/co-cau?q=dak"),
    Case("unit", "/quan-tri/don-vi/1", "quantri"),
    Case("unit-new", "/quan-tri/don-vi/tao", "quantri"),
    Case("unit-edit", "/quan-tri/don-vi/2/sua", "quantri"),
    Case("unit-merge", "/quan-tri/don-vi/2/thay-doi/sap-nhap", "quantri"),
    Case("directory-sites", "/quan-tri/diem-cau", "quantri"),
    Case("directory-site-new", "/quan-tri/diem-cau/tao", "quantri"),
    Case("people", "/quan-tri/nguoi", "quantri"),
    Case("person", "/quan-tri/nguoi/1", "quantri"),
    Case("person-new", "/quan-tri/nguoi/tao", "quantri"),
    Case("person-edit", "/quan-tri/nguoi/1/sua", "quantri"),
    Case("accounts", "/quan-tri/tai-khoan", "quantri"),
    Case("account", "/quan-tri/tai-khoan/1", "quantri"),
    Case("account-new", "/quan-tri/tai-khoan/tao", "quantri"),
    Case("transfer", "/quan-tri/nhap", "quantri"),
    Case("password", "/mat-khau", "thuky"),
    Case("password-link", "/mat-khau/khong-con-hieu-luc", NOBODY, 404),
    Case("directory-site", "/quan-tri/diem-cau/{site}", "quantri"),
    Case("directory-site-calendar", "/quan-tri/diem-cau/{site}/lich", "quantri"),
    Case("week", "/lich-tuan"),
    Case("week-empty", "/lich-tuan/2031-W02", "chutoa"),
    Case("week-public", "/cong-khai/lich-tuan", NOBODY),
    Case("my-calendar", "/lich-cua-toi"),
    Case("statistics", "/thong-ke?tu=2020-01-01&den=2020-12-31"),
    Case("statistics-empty", "/thong-ke?tu=2010-01-01&den=2010-12-31", "chutoa"),
    Case("statistics-fault", "/thong-ke?tu=31/02/2020&den=31/12/2020", "thuky", 422),
    Case("statistics-wall", "/thong-ke?tu=2020-01-01&den=2020-12-31&man-hinh=1"),
    Case("statistics-meetings", "/thong-ke/cuoc-hop?tu=2020-01-01&den=2020-12-31&loc=noi-tinh"),
    Case("statistics-method", "/thong-ke/cach-tinh", "quantri"),
    Case("api-keys", "/quan-tri/khoa-api", "quantri"),
    Case("refused", "/quan-tri/co-cau", "diemcau1", 403),
    Case("not-found", "/khong-co-trang-nay", "thuky", 404),
    Case("prejoin", "/vao/{join_code}", NOBODY),
    Case("prejoin-chair", "/phong/{live}", "chutoa"),
    Case("prejoin-cancelled", "/vao/{cancelled_code}", NOBODY),
    Case("prejoin-unknown", "/vao/khong-co-ma-nay", NOBODY, 404),
)


NOT_PAGES = {
    "/", "/healthz", "/api/v1/statistics", "/api/v1/meetings", "/api/v1/units",
    "/cuoc-hop/<int:meeting_id>/kiem-tra/thay-doi",  # asked by the board's script
    "/lich-tuan/<week>", "/cong-khai/lich-tuan/<week>",  # shown without a week
    "/static/<path:filename>", "/cuoc-hop/<int:meeting_id>",  # leads to overview
}  # fmt: skip
FILES = (".ics", ".zip", ".vtt", ".m4a", ".rss", ".docx", ".mp4", ".json", ".xlsx", ".pdf", ".svg")


def test_every_page_is_looked_at(tmp_path: Path) -> None:
    app = create_app(load(tmp_path, environment={"": ""}))
    routes = {str(rule) for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    adapter = app.url_map.bind("x")
    sample = dict.fromkeys(Hoso.__dataclass_fields__, "1")
    seen = set()
    for case in CASES:
        if case.status != 404 or "/vao/" in case.path or "/mat-khau/" in case.path:
            path = case.path.format(**sample).partition("?")[0]
            rule, _ = adapter.match(path, return_rule=True)
            seen.add(str(rule))
    files = {route for route in routes if route.endswith(FILES) or "<any(" in route}
    papers = {one for one in routes if one.endswith(("<int:paper_id>", "/nguon/<int:number>"))}
    assert routes - files - papers - NOT_PAGES - seen == set()


@pytest.fixture(scope="module")
def hoso(service: Service) -> Hoso:
    return fill(service.settings)


@pytest.fixture(scope="module")
def people(service: Service, chromium: Browser) -> Iterator[dict[tuple[str, str], BrowserContext]]:
    """Browsers by (username, size), logged in; made when first asked for."""

    class People(dict[tuple[str, str], BrowserContext]):
        def __missing__(self, key: tuple[str, str]) -> BrowserContext:
            username, size = key
            context = self[key] = new_context(chromium, service.url, size)
            if username:
                page = context.new_page()
                log_in(page, username, PASSWORD)
                page.close()
            return context

    known = People()
    yield known
    for context in known.values():
        context.close()


class Watch:
    """What a page asked for, and what the browser complained about."""

    def __init__(self, page: Page, host: str) -> None:
        self.foreign: list[str] = []
        self.complaints: list[str] = []
        self._host = host
        page.on("request", lambda request: self._asked(request.url))
        page.on("websocket", lambda socket: self._asked(socket.url))
        page.on("console", lambda line: self._said(line.type, line.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _asked(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"data", "blob"} and parts.hostname != self._host:
            self.foreign.append(url)

    def _said(self, kind: str, text: str) -> None:
        # a page that is itself the answer 403 or 404 is reported as a failed resource
        if kind == "error" and "Failed to load resource" not in text:
            self.complaints.append(text)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_page(
    case: Case,
    size: str,
    people: dict[tuple[str, str], BrowserContext],
    hoso: Hoso,
    service: Service,
) -> None:
    page = people[case.username, size].new_page()
    watch = Watch(page, urlsplit(service.url).hostname or "")
    answer = page.goto(case.path.format(**vars(hoso)))
    assert answer is not None
    assert answer.status == case.status
    page.wait_for_load_state("load")
    page.evaluate("document.fonts.ready.then(() => null)")
    screenshot(page, f"{case.name}-{size}")
    assert watch.foreign == []
    assert watch.complaints == []
    sideways = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert sideways <= 0
    # as tall as its content: what lies under a bar that stays in place is not out of reach
    height = int(page.evaluate("document.documentElement.scrollHeight"))
    page.set_viewport_size({"width": SIZES[size][0], "height": height})
    page.evaluate(AXE.read_text(encoding="utf-8"))
    assert page.evaluate(RUN_AXE) == []
    assert page.evaluate("document.documentElement.lang") == "vi"
    page.close()


def test_pages_are_whole_at_320_pixels(
    people: dict[tuple[str, str], BrowserContext], hoso: Hoso
) -> None:
    page = people["thuky", "phone"].new_page()
    page.set_viewport_size({"width": 320, "height": 640})
    too_wide = []
    for case in CASES:
        if case.username != "thuky":
            continue
        page.goto(case.path.format(**vars(hoso)))
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            too_wide.append(case.name)
    page.close()
    assert too_wide == []


def test_the_help_line_never_moves(
    people: dict[tuple[str, str], BrowserContext], hoso: Hoso
) -> None:
    page = people["thuky", "desktop"].new_page()
    places = set()
    for case in CASES:
        if case.username == "thuky":
            page.goto(case.path.format(**vars(hoso)))
            box = page.locator(".hotline").bounding_box()
            assert box is not None
            places.add((round(box["x"]), round(box["y"])))
    page.close()
    assert len(places) == 1


def test_english_is_complete_where_it_is_chosen(
    service: Service, chromium: Browser, hoso: Hoso
) -> None:
    context = new_context(chromium, service.url)
    page = context.new_page()
    log_in(page, "thuky", PASSWORD)
    page.click(".language button[lang=en]")
    page.wait_for_selector("html[lang=en]")
    assert page.locator("h1").inner_text() == "Today"
    page.goto(f"/cuoc-hop/{hoso.ended}/diem-danh")
    assert page.locator("nav.tabs [aria-current]").first.inner_text().startswith("Attendance")
    screenshot(page, "attendance-english-desktop")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    assert page.evaluate(RUN_AXE) == []
    context.close()


def test_tab_reaches_every_control_and_shows_where_it_is(
    people: dict[tuple[str, str], BrowserContext], hoso: Hoso
) -> None:
    page = people["thuky", "desktop"].new_page()
    page.goto("/hom-nay")
    wanted = page.evaluate(
        "[...document.querySelectorAll('a[href], button, input, select, summary')]"
        ".filter((one) => one.checkVisibility()).length"
    )
    seen = set()
    for _ in range(wanted + 5):
        page.keyboard.press("Tab")
        state = page.evaluate(
            "(() => { const one = document.activeElement; if (one === document.body) return null;"
            "const box = one.getBoundingClientRect();"
            "const all = [...document.querySelectorAll('*')];"
            "return [all.indexOf(one), getComputedStyle(one).outlineStyle, box.height]; })()"
        )
        if state is None:
            continue
        index, outline, _height = state
        assert outline != "none"
        seen.add(index)
    assert len(seen) >= wanted - 1  # the skip link is only visible while it has the focus
    page.close()


def test_a_click_is_answered_before_the_server_answers(
    people: dict[tuple[str, str], BrowserContext], hoso: Hoso
) -> None:
    page = people["thuky", "desktop"].new_page()
    page.goto(f"/cuoc-hop/{hoso.upcoming}/sua")
    # the answer never comes: the submit event has passed the page's own script when this stops it
    page.evaluate("window.addEventListener('submit', (event) => event.preventDefault())")
    page.get_by_role("button", name="Lưu thay đổi").click()
    page.locator("button.is-busy[aria-disabled=true]").wait_for(timeout=1000)
    page.close()
