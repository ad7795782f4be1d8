"""The way to one client over its WebSocket: framing, order, and a bounded queue.

Frames leave in the order they were given. The encoding is the one the client used last
(binary protobuf, or protojson as text), binary at first. A client that lets more than
``MAX_QUEUED`` frames pile up is cut off: it has stopped reading.
"""

import asyncio
import logging
from typing import Final

from aiohttp import WSCloseCode, WSMsgType, web
from google.protobuf.json_format import MessageToJson, Parse, ParseError
from google.protobuf.message import DecodeError
from livekit.protocol import rtc

from media.core.errors import RemoteProtocolError

log = logging.getLogger(__name__)

MAX_QUEUED: Final = 2000
MAX_FRAME_BYTES: Final = 2 * 1024 * 1024
MAX_JSON_DEPTH: Final = 20
CLOSE_TIMEOUT_S: Final = 1.0


def read_frame(kind: WSMsgType, data: bytes | str) -> rtc.SignalRequest:
    """Parse one frame of a client. RemoteProtocolError when it is not a SignalRequest."""
    try:
        if kind is WSMsgType.TEXT:
            return Parse(
                data, rtc.SignalRequest(), ignore_unknown_fields=True,
                max_recursion_depth=MAX_JSON_DEPTH,
            )  # fmt: skip
        assert isinstance(data, bytes)
        return rtc.SignalRequest.FromString(data)
    except (DecodeError, ParseError, ValueError, RecursionError) as error:
        raise RemoteProtocolError("not a SignalRequest") from error


class SignalSink:
    """Send SignalResponses to one socket; ``run`` does the writing."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self._queue: asyncio.Queue[rtc.SignalResponse | None] = asyncio.Queue()
        self._is_closing = False
        self.is_text = False
        """True while the client talks JSON."""

    @property
    def is_open(self) -> bool:
        """True while frames can be sent."""
        return not self._is_closing and not self._socket.closed

    def send(self, response: rtc.SignalResponse) -> None:
        """Queue one frame; frames after ``close`` are lost."""
        if self._is_closing:
            return
        if self._queue.qsize() >= MAX_QUEUED:
            log.warning("a client does not read its signalling; closing its socket")
            self._is_closing = True
            while not self._queue.empty():
                self._queue.get_nowait()
            self._queue.put_nowait(None)
            return
        self._queue.put_nowait(response)

    def close(self) -> None:
        """Close the socket once everything queued has been sent."""
        if not self._is_closing:
            self._is_closing = True
            self._queue.put_nowait(None)

    async def run(self) -> None:
        """Write until closed or the client is gone."""
        try:
            while (response := await self._queue.get()) is not None:
                if self.is_text:
                    await self._socket.send_str(MessageToJson(response, indent=None))
                else:
                    await self._socket.send_bytes(response.SerializeToString())
        except (ConnectionError, RuntimeError):
            log.debug("the client's socket closed while writing")
        finally:
            self._is_closing = True
            await self._close_socket()

    async def _close_socket(self) -> None:
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._socket.close(code=WSCloseCode.OK)
        except (TimeoutError, ConnectionError):
            return
