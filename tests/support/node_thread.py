"""A media node behind a poor line, on a loop of its own beside a synchronous browser driver."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from livekit.api import AccessToken, VideoGrants

from media.api.server import MediaServer
from media.settings import RtcSettings, Settings
from tests.support.udp_proxy import UdpProxy

T = TypeVar("T")
KEY, SECRET = "devkey", "a-development-secret-of-32-bytes-or-more"


def token(identity: str, room: str, **grants: Any) -> str:
    """A token of the node's key."""
    issued = AccessToken(KEY, SECRET).with_identity(identity)
    return issued.with_grants(VideoGrants(room=room, room_join=True, **grants)).to_jwt()


class NodeThread:
    """The node binds UDP ports of its own and advertises those of the line."""

    def __init__(self, **rtc: Any) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="node")
        self._thread.start()
        self.server, self.proxy = self.run(self._start(rtc))
        self.url = f"ws://127.0.0.1:{self.server.port}"

    async def _start(self, rtc: dict[str, Any]) -> tuple[MediaServer, UdpProxy]:
        proxy = UdpProxy(seed=11)
        await proxy.start()
        server = MediaServer(
            Settings(
                keys={KEY: SECRET},
                host="127.0.0.1",
                port=0,
                rtc=RtcSettings(udp_port=0, node_ip=("127.0.0.1",), **rtc),
            )
        )
        await server.start()
        proxy.connect(server.node.udp_port)
        server.node._hub.port = proxy.port
        return server, proxy

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do ``work`` on the loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def call(self, work: Callable[[], T]) -> T:
        """Call a function on the loop."""

        async def called() -> T:
            return work()

        return self.run(called())

    def close(self) -> None:
        """End the node and the loop."""
        self.run(self.server.close())
        self.call(self.proxy.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
