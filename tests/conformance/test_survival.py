"""Whatever breaks, a call comes back: pictures flow, nobody is there twice, no track is lost.

How long that takes is measured by ``python -m benchmarks reconnect``, not asserted here.
"""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.conformance import chromium
from tests.conformance.survival import (
    BREAKS,
    DARK_S,
    JOIN_UNDER_LOSS,
    Stand,
    makers,
    stand,
    survive,
    talk_through,
)

pytestmark = [pytest.mark.media, pytest.mark.timeout(240)]
PAUSE_S = 2.5
"""Long, for this asks whether a call comes back on a machine that may be busy."""


@pytest.fixture(scope="module")
def stands() -> Iterator[list[Stand]]:
    """Four of them, for each kind of client on each path at once."""
    with ExitStack() as stack:
        yield [stack.enter_context(stand()) for _ in range(4)]


@pytest.mark.parametrize("name", [*BREAKS, JOIN_UNDER_LOSS])
async def test_a_call_comes_back_whole(stands: list[Stand], tabs: chromium.Tabs, name: str) -> None:
    kinds = [(maker, single) for maker in makers(tabs).values() for single in (True, False)]
    results = await asyncio.gather(
        *(
            survive(one, maker, name, is_single=single, pause_s=PAUSE_S)
            for one, (maker, single) in zip(stands, kinds, strict=True)
        )
    )
    assert all(result.is_whole for result in results), results
    if name == "media dark for 10 s":
        assert all(result.longest_s > DARK_S * 0.8 for result in results), "it was not dark"


@pytest.mark.parametrize("name", ["resume with ICE restart", "media dark for 10 s"])
async def test_reliable_data_comes_once_and_in_order_whatever_breaks(
    stands: list[Stand], tabs: chromium.Tabs, name: str
) -> None:
    kinds = [(maker, single) for maker in makers(tabs).values() for single in (True, False)]
    await asyncio.gather(
        *(
            talk_through(one, maker, name, is_single=single)
            for one, (maker, single) in zip(stands, kinds, strict=True)
        )
    )
