"""Close WebSockets that nobody was admitted on: they would hold a thread for nothing.

A client opens a WebSocket first and asks for its namespace afterwards. One that asks for nothing,
or stays after a refusal, is closed after `PATIENCE_S`.
"""

from collections.abc import Iterable
from typing import Any, Final

from flask_socketio import SocketIO

from web.realtime.hub import NAMESPACE

PATIENCE_S: Final = 10.0


class IdleSockets:
    """Remembers since when each socket has been without a namespace. One owner."""

    def __init__(self) -> None:
        self._since_s: dict[str, float] = {}

    def overdue(self, idle: Iterable[str], now_s: float) -> list[str]:
        """Sockets among ``idle`` that have been so for `PATIENCE_S` at ``now_s``."""
        self._since_s = {sid: self._since_s.get(sid, now_s) for sid in idle}
        return [sid for sid, since_s in self._since_s.items() if now_s - since_s >= PATIENCE_S]


def close_idle(socketio: SocketIO, idle: IdleSockets, now_s: float) -> int:
    """Close what is overdue; how many there were."""
    server: Any = socketio.server
    sockets = dict(server.eio.sockets)
    waiting = [sid for sid in sockets if server.manager.sid_from_eio_sid(sid, NAMESPACE) is None]
    overdue = idle.overdue(waiting, now_s)
    for sid in overdue:
        sockets[sid].close(wait=False)
    return len(overdue)
