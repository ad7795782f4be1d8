"""A client that speaks signalling only, frame by frame: what no SDK can be made to send."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from google.protobuf.json_format import MessageToJson, Parse
from livekit.protocol import rtc


class RawClient:
    """One socket; frames are kept in the order they came."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, *, is_json: bool) -> None:
        self.socket = socket
        self.frames: list[rtc.SignalResponse] = []
        self.kinds: list[str] = []
        self._is_json = is_json

    async def send(self, **message: Any) -> None:
        """Send one SignalRequest."""
        request = rtc.SignalRequest(**message)
        if self._is_json:
            await self.socket.send_str(MessageToJson(request))
        else:
            await self.socket.send_bytes(request.SerializeToString())

    async def next(self, kind: str, within_s: float = 10.0) -> Any:
        """The next frame of that kind; frames before it are kept in ``frames``."""
        async with asyncio.timeout(within_s):
            while True:
                response = await self.receive()
                assert response is not None, f"closed before {kind}; came: {self.kinds}"
                if response.WhichOneof("message") == kind:
                    return getattr(response, kind)

    async def receive(self) -> rtc.SignalResponse | None:
        """The next frame; None when the socket is closed."""
        message = await self.socket.receive()
        if message.type is aiohttp.WSMsgType.TEXT:
            json.loads(message.data)
            response = Parse(message.data, rtc.SignalResponse())
        elif message.type is aiohttp.WSMsgType.BINARY:
            response = rtc.SignalResponse.FromString(message.data)
        else:
            return None
        self.frames.append(response)
        self.kinds.append(str(response.WhichOneof("message")))
        return response


@asynccontextmanager
async def raw_client(
    url: str, token: str, *, is_json: bool = False, **query: str
) -> AsyncIterator[RawClient]:
    """Open ``/rtc`` with the query's options."""
    options = {"access_token": token, "protocol": "16", **query}
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{url}/rtc", params=options) as socket,
    ):
        yield RawClient(socket, is_json=is_json)
