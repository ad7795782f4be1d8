"""Who is connected to this process, and how documents reach them.

A meeting's sockets share one Socket.IO room, and each identity has its own inside it. Rosters and
counts of ballots change in bursts (134 sites come, or vote, within a minute), so they are asked
for here and sent at most twice a second for each meeting, built once for all. Other documents go
out at once.

Threading: every method may be called from any thread. Documents are built before they are sent;
no database work happens while sockets are served from a list.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from flask_socketio import SocketIO

from conference.conduct.participants import Participant
from web.realtime.limits import Bucket

NAMESPACE: Final = "/conduct"
MESSAGES_PER_S: Final = 20
ROSTER_EVERY_S: Final = 0.5
"""Shortest time between two rosters, or two counts of ballots, of one meeting."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Connection:
    """One admitted socket. The participant was derived from the session, never from the client."""

    sid: str
    meeting_id: int
    participant: Participant
    bucket: Bucket
    told: dict[str, Any] = field(default_factory=dict)


def meeting_room(meeting_id: int) -> str:
    """Socket.IO room of everybody in a meeting."""
    return f"meeting:{meeting_id}"


def identity_room(meeting_id: int, identity: str) -> str:
    """Socket.IO room of one participant's sockets."""
    return f"meeting:{meeting_id}:{identity}"


class Hub:
    """Connections of this process and sending to all processes' sockets."""

    def __init__(
        self,
        socketio: SocketIO,
        builders: Mapping[str, Callable[[int], dict[str, Any] | None]],
    ) -> None:
        """``builders`` make a meeting's bursty documents; None when there is no such meeting."""
        self._socketio = socketio
        self._builders = builders
        self._lock = threading.Condition()
        self._connections: dict[str, Connection] = {}
        # (meeting, document) → when it may go out (monotonic)
        self._dirty: dict[tuple[int, str], float] = {}
        self._sent_s: dict[tuple[int, str], float] = {}
        self._is_stopping = False
        self._thread: threading.Thread | None = None

    # --- connections ---------------------------------------------------------------------------

    def add(self, connection: Connection) -> None:
        """Remember an admitted socket."""
        with self._lock:
            self._connections[connection.sid] = connection

    def discard(self, sid: str) -> None:
        """Forget a socket; unknown ones are no error."""
        with self._lock:
            self._connections.pop(sid, None)

    def get(self, sid: str) -> Connection | None:
        """The connection of a socket, or None if it was not admitted."""
        with self._lock:
            return self._connections.get(sid)

    def meetings(self) -> set[int]:
        """Meetings that have a socket in this process."""
        with self._lock:
            return {connection.meeting_id for connection in self._connections.values()}

    def sids(self, meeting_id: int, identity: str) -> list[str]:
        """Sockets of one participant in this process."""
        with self._lock:
            return [
                connection.sid
                for connection in self._connections.values()
                if connection.meeting_id == meeting_id
                and connection.participant.identity == identity
            ]

    def __len__(self) -> int:
        """Number of admitted sockets."""
        with self._lock:
            return len(self._connections)

    # --- sending -------------------------------------------------------------------------------

    def tell_all(self, meeting_id: int, event: str, document: dict[str, Any]) -> None:
        """Send to everybody in a meeting."""
        self._socketio.emit(event, document, namespace=NAMESPACE, to=meeting_room(meeting_id))

    def tell(self, meeting_id: int, identity: str, event: str, document: dict[str, Any]) -> None:
        """Send to all sockets of one participant."""
        room = identity_room(meeting_id, identity)
        self._socketio.emit(event, document, namespace=NAMESPACE, to=room)

    def put_out(self, meeting_id: int, identity: str) -> None:
        """Close the sockets of one participant in this process."""
        for sid in self.sids(meeting_id, identity):
            self._socketio.server.disconnect(sid, namespace=NAMESPACE)

    # --- bursty documents, coalesced -----------------------------------------------------------

    def changed_soon(self, meeting_id: int, event: str) -> None:
        """Everybody gets the document soon; many changes within half a second are one message."""
        key = (meeting_id, event)
        with self._lock:
            if key not in self._dirty:
                self._dirty[key] = self._sent_s.get(key, float("-inf")) + ROSTER_EVERY_S
                self._lock.notify_all()

    def start(self) -> None:
        """Start the thread that sends bursty documents."""
        assert self._thread is None, "a hub is started once"
        self._thread = threading.Thread(target=self._run, name="hub", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; waits for the document being sent."""
        with self._lock:
            self._is_stopping = True
            self._lock.notify_all()
        if self._thread is not None:
            self._thread.join(timeout=1)
            self._thread = None

    def _run(self) -> None:
        while (due := self._next()) is not None:
            meeting_id, event = due
            try:
                document = self._builders[event](meeting_id)
                if document is not None:
                    self.tell_all(meeting_id, event, document)
            except Exception:
                # boundary of the thread: the next change or poll sends it again
                _log.exception("%s of meeting %s was not sent", event, meeting_id)

    def _next(self) -> tuple[int, str] | None:
        """The next document that is due, waiting for it; None to end."""
        with self._lock:
            while not self._is_stopping:
                now_s = time.monotonic()
                due = min(self._dirty, key=self._dirty.__getitem__, default=None)
                if due is None:
                    self._lock.wait()
                elif self._dirty[due] > now_s:
                    self._lock.wait(self._dirty[due] - now_s)
                else:
                    del self._dirty[due]
                    self._sent_s[due] = now_s
                    return due
            return None
