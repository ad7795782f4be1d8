"""LiveKit's signalling socket: one binary protobuf message a frame.

What is asked for is in the address (``media.client.joining``); whether it is refused is known
before the WebSocket opens (HTTP status and a line of text). Pings are sent as the server's
JoinResponse asks; a server that stays silent for its ``ping_timeout`` counts as lost.
"""

import asyncio
import time
from contextlib import suppress
from typing import Final
from urllib.parse import urlencode, urlsplit, urlunsplit

import aiohttp
from google.protobuf.message import DecodeError
from livekit.protocol import rtc

MAX_MESSAGE_BYTES: Final = 4 << 20
PING_INTERVAL_S: Final = 5.0
PING_TIMEOUT_S: Final = 15.0
NO_ROOM: Final = "requested room does not exist"
"""How a 404 that is about the room reads; any other one means that the path is unknown."""


class ConnectError(Exception):
    """Joining failed. ``status`` is the HTTP status, 0 when the server was not reached."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status

    @property
    def is_final(self) -> bool:
        """Whether trying again with the same token is pointless."""
        return self.status in (400, 401, 403, 404)

    @property
    def is_unknown_path(self) -> bool:
        """Whether the server does not know this form of the protocol."""
        return self.status == 404 and NO_ROOM not in str(self)


class SignalLink:
    """An open signalling socket."""

    def __init__(self, session: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse):
        self._session = session
        self._socket = socket
        self._pings: asyncio.Task[None] | None = None
        self._ping_interval_s = PING_INTERVAL_S
        self._ping_timeout_s = PING_TIMEOUT_S

    @classmethod
    async def open(
        cls, url: str, token: str, path: str, query: dict[str, str], timeout_s: float
    ) -> "SignalLink":
        """Open the socket at ``path``. Raises :class:`ConnectError`."""
        session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None))
        headers = {"Authorization": f"Bearer {token}"}
        address = rtc_url(url, path, query)
        try:
            async with asyncio.timeout(timeout_s):
                socket = await session.ws_connect(
                    address, headers=headers, max_msg_size=MAX_MESSAGE_BYTES
                )
        except aiohttp.WSServerHandshakeError as error:
            validate = rtc_url(url, f"{path}/validate", query, "http")
            reason = await _refusal(session, validate, headers)
            await session.close()
            raise ConnectError(reason or error.message, error.status) from error
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            await session.close()
            raise ConnectError(f"{url}: {str(error) or type(error).__name__}") from error
        return cls(session, socket)

    def start_pings(self, interval_s: float, timeout_s: float) -> None:
        """Ping as the server asks; zero means its defaults."""
        self._ping_interval_s = interval_s or PING_INTERVAL_S
        self._ping_timeout_s = max(timeout_s or PING_TIMEOUT_S, 2 * self._ping_interval_s)
        if self._pings is None:
            self._pings = asyncio.create_task(self._ping(), name="signal pings")

    async def send(self, request: rtc.SignalRequest) -> None:
        """Send a message; a broken socket shows when reading."""
        with suppress(ConnectionError, aiohttp.ClientError, RuntimeError):
            await self._socket.send_bytes(request.SerializeToString())

    async def receive(self) -> rtc.SignalResponse | None:
        """The next message; None when the socket is gone or silent for too long."""
        while True:
            try:
                async with asyncio.timeout(self._ping_timeout_s):
                    frame = await self._socket.receive()
            except TimeoutError:
                return None
            if frame.type is not aiohttp.WSMsgType.BINARY:
                if frame.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.PONG):
                    continue
                return None
            try:
                return rtc.SignalResponse.FromString(frame.data)
            except DecodeError:
                continue

    def abort(self) -> None:
        """Make ``receive`` return None soon, without waiting for the server."""
        asyncio.get_running_loop().create_task(self._socket.close(), name="signal abort")

    async def close(self) -> None:
        """Close the socket; ``receive`` returns None from then on."""
        if self._pings is not None:
            self._pings.cancel()
            await asyncio.gather(self._pings, return_exceptions=True)
        with suppress(ConnectionError, aiohttp.ClientError, TimeoutError):
            async with asyncio.timeout(1):
                await self._socket.close()
        await self._session.close()

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(self._ping_interval_s)
            now_ms = int(time.time() * 1000)
            await self.send(rtc.SignalRequest(ping=now_ms))
            await self.send(rtc.SignalRequest(ping_req=rtc.Ping(timestamp=now_ms)))


def rtc_url(url: str, path: str, query: dict[str, str], scheme: str = "ws") -> str:
    """The address of a signalling path below ``url``, which may be ws(s) or http(s).

    Raises :class:`ConnectError` when ``url`` is neither.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("ws", "wss", "http", "https") or not parts.hostname:
        raise ConnectError(f"{url} is not a LiveKit address")
    secure = "s" if parts.scheme in ("wss", "https") else ""
    full_path = f"{parts.path.rstrip('/')}/{path}"
    return urlunsplit((scheme + secure, parts.netloc, full_path, urlencode(query), ""))


async def _refusal(session: aiohttp.ClientSession, url: str, headers: dict[str, str]) -> str:
    """The server's words for a refusal, which a failed WebSocket upgrade does not show."""
    try:
        async with asyncio.timeout(3), session.get(url, headers=headers) as response:
            return "" if response.status == 200 else (await response.text())[:300].strip()
    except (aiohttp.ClientError, OSError, TimeoutError):
        return ""
