"""Pages with ``livekit-client`` in Chromium, and what they wait for."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.support.sdk_page import LIBRARY, NAME, served

OpenPage = Callable[[], Page]


@pytest.fixture(scope="module")
def page_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if not (LIBRARY / NAME).exists():
        pytest.skip("the room app's packages are not installed")
    with served(tmp_path_factory.mktemp("page")) as url:
        yield url


@pytest.fixture
def open_page(chromium: Browser, page_url: str) -> Iterator[OpenPage]:
    contexts = []

    def opened() -> Page:
        context = chromium.new_context()
        context.grant_permissions(["camera", "microphone"])
        contexts.append(context)
        page = context.new_page()
        page.goto(page_url)
        return page

    yield opened
    for context in contexts:
        context.close()


def until(read: Callable[[], Any], accept: Callable[[Any], Any], within_s: float, what: str) -> Any:
    """The first value of ``read`` that is accepted."""
    deadline = time.monotonic() + within_s
    while not accept(value := read()):
        assert time.monotonic() < deadline, f"{what}: {value}"
        time.sleep(0.2)
    return value
