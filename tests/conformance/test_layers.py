"""Simulcast between two Chromiums and the Python SDK: layers follow what is asked for.

How fast they do is measured by ``python -m benchmarks layers``.
"""

from collections.abc import Callable

import pytest

from tests.conformance.conftest import Join, until
from tests.conformance.layers import HIGH, LOW, OpenTab, watch_switches

pytestmark = pytest.mark.media
Own = Callable[[str], str]


@pytest.mark.parametrize("single", [True, False], ids=["v1", "v0"])
async def test_layers_switch_on_request_and_stop_when_nobody_watches(
    join: Join, own: Own, open_tab: OpenTab, single: bool
) -> None:
    speaker = await open_tab("speaker", single=single)
    viewer = await open_tab("viewer", single=single)
    await speaker.call("camera", 1280, 720)
    switches = await watch_switches(viewer, own("speaker"), [LOW, HIGH])
    assert [one.width for one in switches] == [320, 1280]
    assert not any(one.freezes for one in switches)

    async def active() -> set[str]:
        return {rid for rid, one in (await speaker.call("sending")).items() if one["active"]}

    await viewer.call("quality", own("speaker"), LOW)

    async def only_the_lowest() -> bool:
        return await active() == {"q"}

    await until(only_the_lowest, "layers nobody watches are still sent", 40)
    sdk = await join("sdk", is_single=single)
    await until(
        lambda: sdk.sizes.get(own("speaker"), (0, 0))[0] == 1280,
        "the layer somebody watches again does not come",
        40,
    )
    assert "f" in await active()
