"""Firefox joins, sends and receives."""

from pathlib import Path

import pytest

from media.transport.udp import local_addresses
from tests.conformance import chromium
from tests.conformance.conftest import Guest, token, until
from tests.conformance.firefox import firefox_tab, program
from tests.conformance.servers import own_node

pytestmark = [pytest.mark.media, pytest.mark.timeout(240)]


async def test_firefox_and_the_sdk_decode_each_other(tmp_path: Path) -> None:
    executable = program()
    if executable is None or not chromium.is_installed():
        pytest.skip("Firefox or the room app's packages are not installed")
    # Firefox gathers no loopback address, so the node is advertised at another one.
    address = next((one for one in local_addresses() if not one.startswith("127.")), None)
    if address is None:
        pytest.skip("this machine has no address but loopback")
    sdk = Guest()
    with own_node(node_ip=address) as server:
        try:
            await sdk.room.connect(server.url, token("sdk", "firefox"))
            await sdk.show_picture(size=(320, 180))
            async with firefox_tab(executable, tmp_path) as tab:
                for path, single in (("v1", True), ("v0", False)):
                    me = f"firefox {path}"
                    options = {"singlePeerConnection": single}
                    await tab.call("join", server.url, token(me, "firefox"), options)
                    await tab.call("canvas", 320, 180)
                    await until(lambda me=me: sdk.frames.get(me, 0) > 25, f"{me} is not seen", 60)

                    async def decodes() -> bool:
                        got = await tab.call("received", "sdk")
                        return bool(got and got["frames"] > 25)

                    await until(decodes, f"{me} sees nothing", 60)
                    await tab.call("leave")
        finally:
            await sdk.leave()
