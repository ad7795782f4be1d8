"""Chromium with fake camera and microphone, driven by Playwright."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

expect.set_options(timeout=20_000)
"""As patient as the other waits: a machine that is busy with something else is no fault."""

ARTIFACTS = Path(__file__).parents[1] / "artifacts"
"""Screenshots, for people to look at; not kept in the repository."""
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    # loopback addresses as ICE candidates instead of mDNS names, which need a network
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--allow-loopback-in-peer-connection",
)
SIZES = {"desktop": (1366, 768), "phone": (390, 844)}


def executable() -> str | None:
    """Path of the system's Chromium, or None to let Playwright choose its own."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser process for the length of the block."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def new_context(browser: Browser, url: str, size: str = "desktop") -> BrowserContext:
    """A person's browser: own cookies, Vietnamese, camera and microphone allowed."""
    width, height = SIZES[size]
    context = browser.new_context(
        base_url=url,
        locale="vi-VN",
        timezone_id="Asia/Ho_Chi_Minh",
        viewport={"width": width, "height": height},
        has_touch=size == "phone",
    )
    context.grant_permissions(["camera", "microphone"], origin=url)
    context.set_default_timeout(20_000)
    return context


def log_in(page: Page, username: str, password: str) -> None:
    """Log in through the page, as a person does."""
    page.goto("/dang-nhap")
    page.fill("input[name=username]", username)
    page.fill("input[name=password]", password)
    page.click("main button[type=submit]")
    page.wait_for_url(re.compile(r"/(?!dang-nhap)"))


def screenshot(page: Page, name: str) -> Path:
    """Keep a picture of the whole page in `ARTIFACTS`."""
    ARTIFACTS.mkdir(exist_ok=True)
    path = ARTIFACTS / f"{name}.png"
    page.screenshot(path=path, full_page=True)
    return path


def invite(page: Page) -> None:
    """Press the form's button that invites; where warnings stand, give a reason and go on."""
    page.click(".plan-actions button[name=invite]")
    page.wait_for_selector(".summary-question, .steps")
    if page.locator(".summary-question").count():
        page.fill("#warnings_reason", "Lãnh đạo yêu cầu")
        page.click(".summary-question button[name=invite]")
    page.wait_for_url("**/tong-quan")
