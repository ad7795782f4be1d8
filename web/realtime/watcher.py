"""What this process looks after by itself while it serves: presence, rights and the REC light.

Every second, for meetings that have a socket here: has the recording's light or the meeting's
status changed in the rows (the recorder is another process, a page may cancel)? Sockets without
a namespace are closed. At start and every
``attendance.poll_s`` seconds, by one process at a time: ask the media engine who is in each room,
make that evidence, put out who has no place there, and let rights to publish follow from the rows
(an act may have been stored while the engine was away).

Threading: one daemon thread for each process; each step is safe to repeat.
"""

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final, cast

from flask import Flask
from sqlalchemy.orm import Session

from conference import lease
from conference.attendance import reconcile
from conference.attendance.reconcile import Watched
from conference.conduct import standing
from conference.conduct.acts import Act, carry_out
from conference.engine.client import Participant as Listed
from conference.errors import EngineUnavailableError
from conference.scheduling.models import Meeting
from conference.statistics import tallies
from web.realtime import documents
from web.realtime.idle import IdleSockets, close_idle
from web.realtime.server import Conduct, conduct
from web.services import Services

LIGHT_EVERY_S: Final = 1.0
LEASE: Final = "attendance"
MONTHS_AT_ONCE: Final = 12
"""Of past months whose sums are kept anew in one round; a few milliseconds each."""

_log = logging.getLogger(__name__)


class Watcher:
    """The thread and its two rounds; `look` and `poll` may be called alone, in tests."""

    def __init__(self, app: Flask) -> None:
        self._services = cast(Services, app.extensions["diemcau"])
        self._conduct: Conduct = conduct(app)
        self._owner = f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"
        self._shown: dict[tuple[int, str], dict[str, Any]] = {}
        self._is_engine_away = False
        self._idle = IdleSockets()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start watching; polls at once."""
        self._conduct.hub.start()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End within a second or two, and let another process take over at once."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=1)
        self._conduct.hub.stop()
        with self._services.database.transaction() as session:
            lease.release(session, LEASE, self._owner, self._services.clock())

    def _run(self) -> None:
        poll_s = self._services.settings.attendance.poll_s
        next_poll_s = time.monotonic()
        while not self._stop.is_set():
            self._guarded(self.look)
            self._guarded(self._close_idle)
            if time.monotonic() >= next_poll_s:
                next_poll_s = time.monotonic() + poll_s
                self._guarded(self.poll)
                self._guarded(self._keep_figures)
            self._stop.wait(LIGHT_EVERY_S)

    def _guarded(self, round_of_work: Any) -> None:
        try:
            round_of_work()
        except Exception:
            # boundary of the thread: the next round tries again
            _log.exception("watching meetings failed")

    # --- the light and the status --------------------------------------------------------------

    def look(self) -> None:
        """Tell sockets of this process what other processes have changed in the rows."""
        meetings = self._conduct.hub.meetings()
        self._shown = {key: seen for key, seen in self._shown.items() if key[0] in meetings}
        if not meetings:
            return
        at = self._services.clock()
        with self._services.database.reading() as session:
            found = [
                (meeting_id, name, document)
                for meeting_id in sorted(meetings)
                for name, document in self._seen(session, meeting_id, at)
            ]
        for meeting_id, name, document in found:
            # told at first sight too: it may have changed since the sockets' snapshots
            if self._shown.get((meeting_id, name)) != document:
                self._shown[meeting_id, name] = document
                self._conduct.hub.tell_all(meeting_id, name, document)

    @staticmethod
    def _seen(session: Session, meeting_id: int, at: Any) -> Sequence[tuple[str, dict[str, Any]]]:
        meeting = session.get(Meeting, meeting_id)
        if meeting is None:
            return ()
        return (
            ("recording", documents.recording_light(session, meeting_id, at)),
            ("meeting", documents.meeting_status(meeting)),
        )

    def _close_idle(self) -> None:
        close_idle(self._conduct.socketio, self._idle, time.monotonic())

    def _keep_figures(self) -> None:
        tallies.fill(self._services.database, self._services.clock(), most=MONTHS_AT_ONCE)

    # --- presence and rights -------------------------------------------------------------------

    def poll(self) -> None:
        """One round over all rooms, if this process holds the lease."""
        services = self._services
        at = services.clock()
        life = timedelta(seconds=services.settings.attendance.poll_s * 2)
        with services.database.transaction() as session:
            if not lease.hold(session, LEASE, self._owner, at, life):
                return
            rooms = reconcile.watched(session, at)
        for room in rooms:
            try:
                self._visit(room)
            except EngineUnavailableError as error:
                if not self._is_engine_away:
                    _log.warning("presence cannot be checked now: %s", error)
                self._is_engine_away = True
                return
        if rooms:
            self._is_engine_away = False

    def _visit(self, room: Watched) -> None:
        services = self._services
        asked_at = services.clock()
        listed = services.engine.list_participants(room.room_name)
        with services.database.transaction() as session:
            has_changed = reconcile.apply_list(
                session, room.meeting_id, listed, asked_at=asked_at, received_at=services.clock()
            )
            acts = self._due(session, room, listed)
        if has_changed:
            self._conduct.hub.changed_soon(room.meeting_id, "roster")
        carry_out(services.engine, room.room_name, acts)

    @staticmethod
    def _due(session: Session, room: Watched, listed: Sequence[Listed]) -> list[Act]:
        meeting = session.get_one(Meeting, room.meeting_id)
        return standing.acts_due(session, meeting, listed)


def start(app: Flask) -> Watcher:
    """Start watching in this process; whoever serves the application stops it."""
    watcher = Watcher(app)
    watcher.start()
    return watcher
