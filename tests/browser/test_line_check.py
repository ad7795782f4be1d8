"""A site checks its line in a real browser, through the real node, and the board follows."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from conference.access.accounts import actor_of
from conference.access.models import Account
from conference.access.sample import PASSWORD
from conference.database import Database
from conference.directory.models import Person, Site
from conference.line_checks.models import LineCheck
from conference.scheduling import service as scheduling
from conference.scheduling.announcement import SilentAnnouncer
from conference.scheduling.models import PlanningSetting, Scope
from conference.scheduling.rules import Classification, MeetingDraft
from config.settings import Media, Settings
from tests.support.browser import FLAGS, executable, log_in, new_context, screenshot
from tests.support.page_server import page_server
from tests.support.service import Service, free_ports

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "web/room/node_modules/axe-core/axe.min.js"
RUN_AXE = """async () => {
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const found = await axe.run(document, {runOnly: {type: 'tag', values: tags}});
  return found.violations.map((one) => [one.impact, one.id, one.nodes[0].html].join(' | '));
}"""
WHOLE_CHECK_MS = 120_000
"""A check takes a quarter of a minute; a busy machine several times that."""


def plan(url: str, sites: int = 3) -> tuple[int, list[str]]:
    """A meeting in two hours; its number and the sites' join codes.

    The machine of the tests encodes and decodes at the same time and may be busy: what counts as
    enough is set low, so that the verdict is about the way and not about the processor.
    """
    database = Database(url)
    at = datetime.now(UTC).replace(microsecond=0)
    try:
        with database.transaction() as session:
            for name, value in (("check_down_kbps", 100), ("check_down_least_kbps", 50),
                                ("check_up_kbps", 50), ("check_up_least_kbps", 50),
                                ("check_rtt_ms", 5000), ("check_rtt_most_ms", 9000),
                                ("check_jitter_ms", 1000), ("check_loss_percent", 50),
                                ("check_loss_most_percent", 60)):  # fmt: skip
                session.merge(
                    PlanningSetting(name=name, value=str(value), changed_by="", changed_at=at)
                )
            account = session.scalars(select(Account).where(Account.username == "thuky")).one()
            chair = session.scalars(select(Person).where(Person.may_chair)).first()
            assert chair is not None
            ids = session.scalars(select(Site.id).order_by(Site.id).limit(sites)).all()
            draft = MeetingDraft(
                classification=Classification.NONE, scope=Scope.INTRA, title="Giao ban tuần",
                starts_at=at + timedelta(hours=2), ends_at=at + timedelta(hours=4),
                chair_id=chair.id, secretary_id=None, site_ids=tuple(ids),
            )  # fmt: skip
            made = scheduling.create_meeting(
                session, draft, actor=actor_of(account), at=at - timedelta(days=2),
                announcer=SilentAnnouncer(),
            )  # fmt: skip
            session.refresh(made, ["sites"])
            places = sorted(made.sites, key=lambda one: one.position)
            return made.id, [one.join_code for one in places]
    finally:
        database.dispose()


def checks_of(settings: Settings, meeting_id: int) -> list[LineCheck]:
    database = Database(settings.database_url)
    try:
        with database.reading() as session:
            query = select(LineCheck).where(LineCheck.meeting_id == meeting_id)
            return list(session.scalars(query.order_by(LineCheck.id)))
    finally:
        database.dispose()


def run_check(page: Page, code: str) -> None:
    """Open the page by the site's link, wait for the microphone, begin."""
    page.goto(f"/vao/{code}/kiem-tra")
    expect(page.get_by_text("Micro có tiếng.")).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Bắt đầu kiểm tra").click()
    page.get_by_role("button", name="Dừng kiểm tra").wait_for(timeout=1000)


def step(page: Page, name: str) -> str:
    return page.locator(".check-step", has_text=name).locator(".check-state").inner_text()


def test_a_site_checks_through_the_node_and_the_board_turns_green(
    service: Service, chromium: Browser
) -> None:
    meeting_id, codes = plan(service.settings.database_url)
    desk = new_context(chromium, service.url).new_page()
    log_in(desk, "thuky", PASSWORD)
    desk.goto(f"/cuoc-hop/{meeting_id}/kiem-tra")
    first = desk.locator("tbody tr").first
    name = first.locator(".row-title").inner_text()
    expect(first).to_contain_text("Chưa kiểm tra")
    first.locator(".row-title").focus()

    site = new_context(chromium, service.url, "phone").new_page()
    run_check(site, codes[0])
    heading = site.get_by_role("heading", name="Điểm cầu sẵn sàng cho cuộc họp")
    expect(heading).to_be_visible(timeout=WHOLE_CHECK_MS)
    assert [step(site, one) for one in ("UDP", "TCP", "TURN", "Tốc độ")] == [
        "Đạt", "Đạt", "Không cấu hình", "Đạt",
    ]  # fmt: skip
    expect(site.get_by_text("Kết quả đã gửi cho ban tổ chức.")).to_be_visible()
    screenshot(site, "line-check-green-phone")
    site.evaluate(AXE.read_text(encoding="utf-8"))
    assert site.evaluate(RUN_AXE) == []

    [row] = checks_of(service.settings, meeting_id)
    rates = row.report["rates"]
    assert (row.report["via"], row.report["microphone"]) == ("udp", "ok")
    assert min(rates["down_kbps"], rates["up_kbps"]) > 50

    expect(first).to_contain_text("Sẵn sàng", timeout=20_000)
    expect(desk.locator("#board-summary")).to_have_text("Đã kiểm tra 1/3 điểm cầu")
    assert first.locator(".row-title").inner_text() == name, "lines stay where they are"
    assert desk.evaluate("document.activeElement.textContent") == name, "so does the focus"
    site.context.close()
    desk.context.close()


@pytest.fixture
def without_udp(chromium: Browser) -> Iterator[Browser]:
    """A browser whose policy lets no datagram out."""
    policy = "--webrtc-ip-handling-policy=disable_non_proxied_udp"
    flags = [*FLAGS, policy, policy.replace("--", "--force-", 1)]
    browser = chromium.browser_type.launch(executable_path=executable(), args=flags)
    yield browser
    browser.close()


def test_a_network_without_udp_is_named_and_measured_by_tcp(
    service: Service, without_udp: Browser
) -> None:
    meeting_id, codes = plan(service.settings.database_url)
    site = new_context(without_udp, service.url).new_page()
    run_check(site, codes[1])
    expect(site.get_by_text("Mạng chặn UDP;")).to_be_visible(timeout=WHOLE_CHECK_MS)
    assert [step(site, one) for one in ("UDP", "TCP")] == ["Bị chặn", "Đạt"]
    screenshot(site, "line-check-amber-desktop")
    [row] = checks_of(service.settings, meeting_id)
    assert (row.grade.value, row.report["udp"], row.report["via"]) == ("amber", "blocked", "tcp")
    assert row.report["rates"]["down_kbps"] > 50
    site.context.close()


def test_a_node_that_does_not_answer_is_red_with_its_name(
    chromium: Browser, tmp_path: Path
) -> None:
    [port] = free_ports(1)
    with page_server(tmp_path, Media(port=port)) as url:
        settings = Settings(data_dir=tmp_path)
        meeting_id, codes = plan(settings.database_url)
        site = new_context(chromium, url).new_page()
        run_check(site, codes[0])
        told = site.get_by_text("Không nối được máy chủ hình ảnh, âm thanh.")
        expect(told).to_be_visible(timeout=WHOLE_CHECK_MS)
        expect(site.locator(".check-outcome")).to_be_focused()
        screenshot(site, "line-check-red-desktop")
        site.evaluate(AXE.read_text(encoding="utf-8"))
        assert site.evaluate(RUN_AXE) == []
        [row] = checks_of(settings, meeting_id)
        assert row.grade.value == "red"
        assert (row.report["is_node_reached"], row.report["via"]) == (False, None)
        site.keyboard.press("Tab")
        assert site.evaluate("document.activeElement.tagName") in {"BUTTON", "A"}
        site.context.close()
