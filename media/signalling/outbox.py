"""Data on its way to one client: what waits for a channel, and what waits for a resume.

A reliable packet is never lost for want of a channel: until the client's channel is open it waits
here, up to a bound, and leaves first in order. While a client resumes, new packets wait until it
has said which it has, since a receiver drops what comes behind a newer number.
"""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from livekit.protocol import models

from media.core import data as packets
from media.transport.connection import Connection

WAITING_BYTES: Final = 100_000
"""Reliable data kept for a channel that is not open yet (LiveKit's cache)."""

RESUME_WAIT_S: Final = 3.0
"""A client that says nothing of its state within this time is sent what waits."""


class Outbox:
    """Messages for one client over ``connection``."""

    def __init__(self, connection: Connection, now_s: Callable[[], float]) -> None:
        self._connection = connection
        self._now_s = now_s
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._resumed_s: float | None = None

    def send(self, kind: models.DataPacket.Kind, encoded: bytes) -> None:
        """Send a packet, or keep it while it cannot go."""
        if kind != models.DataPacket.Kind.RELIABLE:
            self._connection.send_message(packets.LOSSY, encoded, is_reliable=False)
        elif self._is_held or not self._send_reliable(encoded):
            self._keep(encoded)

    def send_frame(self, data: bytes) -> None:
        """Send a packet of a data track; it is lost when there is no channel."""
        self._connection.send_message(packets.DATA_TRACK, data, is_reliable=False)

    def hold(self) -> None:
        """The client resumes: new packets wait for ``release``."""
        self._resumed_s = self._now_s()

    def release(self, missing: Iterable[bytes] = ()) -> None:
        """Send ``missing`` first, then what waited."""
        self._resumed_s = None
        first = list(missing)
        known = set(first)  # a packet may be missing and waiting
        waiting = [*first, *(one for one in self._waiting if one not in known)]
        self._waiting.clear()
        self._waiting_bytes = 0
        for encoded in waiting:
            if not self._send_reliable(encoded):
                self._keep(encoded)

    def release_overdue(self) -> None:
        """Give up waiting for a client that does not say what it has."""
        if self._resumed_s is not None and self._now_s() - self._resumed_s > RESUME_WAIT_S:
            self.release()

    def channel_opened(self) -> None:
        """The reliable channel is open: send what waited for it."""
        if not self._is_held:
            self.release()

    @property
    def _is_held(self) -> bool:
        return self._resumed_s is not None

    def _send_reliable(self, encoded: bytes) -> bool:
        return self._connection.send_message(packets.RELIABLE, encoded, is_reliable=True)

    def _keep(self, encoded: bytes) -> None:
        if self._waiting_bytes + len(encoded) <= WAITING_BYTES:
            self._waiting.append(encoded)
            self._waiting_bytes += len(encoded)
