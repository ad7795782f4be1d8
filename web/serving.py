"""Serve the pages and the realtime namespace: gunicorn, embedded, one worker with threads.

One worker because Socket.IO connections live in its memory; several are possible with Redis and a
proxy in front. Each open WebSocket holds one thread of the pool for as long as it lasts
(`web.realtime.server` refuses politely above the limit). Background work that belongs to the web
process (outgoing mail, reconciliation of attendance) is started once, in the worker.

On SIGTERM the worker first closes its WebSockets: they would otherwise keep their threads until
gunicorn's patience ends. Requests that are under way are finished.
"""

import logging
import signal
import threading
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any, Final

from flask import Flask
from gunicorn.app.base import BaseApplication

from conference.invitations.worker import start_mail_worker
from conference.replies.worker import start_correspondence
from config.settings import Settings
from web.app import create_app
from web.realtime import watcher
from web.services import EXTENSION

GRACE_S: Final = 3
"""How long requests under way may take after SIGTERM; the whole service ends within 5 s."""
STOP_S: Final = 0.8
"""How long background work may take to end once the requests are done."""
_KEPT_CONNECTIONS: Final = 600
"""Idle keep-alive connections beyond the threads; they cost a file descriptor each."""

Stopper = Callable[[], None]
Starter = Callable[[Flask], Stopper]

_log = logging.getLogger(__name__)


class Server(BaseApplication):
    """gunicorn, configured by our settings instead of a command line."""

    def __init__(self, settings: Settings, starters: Sequence[Starter]) -> None:
        self._settings = settings
        self._starters = starters
        self._stoppers: list[Stopper] = []
        super().__init__()

    def load_config(self) -> None:
        """Configure gunicorn; called by it."""
        web = self._settings.web
        host = f"[{web.host}]" if ":" in web.host else web.host
        options: dict[str, Any] = {
            "bind": f"{host}:{web.port}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": web.threads,
            "worker_connections": web.threads + _KEPT_CONNECTIONS,
            "graceful_timeout": GRACE_S,
            "timeout": 60,
            "keepalive": 15,
            "backlog": 1024,
            "loglevel": "warning",
            "control_socket_disable": True,
            "forwarded_allow_ips": "127.0.0.1,::1",
            "post_worker_init": self._worker_started,
            "worker_exit": self._worker_ends,
            "proc_name": "diemcau-web",
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Make the application, inside the worker; called by gunicorn."""
        self._app = create_app(self._settings)
        return self._app

    def _worker_started(self, _worker: object) -> None:
        self._stoppers = [start(self._app) for start in self._starters]
        _close_sockets_on_sigterm(self._app)

    def _worker_ends(self, _arbiter: object, _worker: object) -> None:
        # Each in a thread and all within one patience: what is unfinished is a row under a lease.
        threads = [threading.Thread(target=stop, daemon=True) for stop in self._stoppers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(STOP_S / len(threads))


def _close_sockets_on_sigterm(app: Flask) -> None:
    graceful = signal.getsignal(signal.SIGTERM)
    assert callable(graceful), "gunicorn has installed its handler"

    def stop(number: int, frame: FrameType | None) -> None:
        graceful(number, frame)
        # not in the handler itself: closing takes locks that the main thread may hold
        threading.Thread(target=close_sockets, args=(app,), daemon=True).start()

    signal.signal(signal.SIGTERM, stop)


def close_sockets(app: Flask) -> None:
    """Close every WebSocket of ``app`` without waiting for the other side."""
    socketio = app.extensions.get("socketio")
    if socketio is None:
        return
    for connection in list(socketio.server.eio.sockets.values()):
        try:
            connection.close(wait=False)
        except Exception:  # boundary: one broken socket must not keep the others open
            _log.exception("a WebSocket could not be closed")


def background_work() -> Sequence[Starter]:
    """What runs beside the requests, in the order of starting."""
    return (_start_watcher, _start_mail, _start_correspondence)


def _start_watcher(app: Flask) -> Stopper:
    return watcher.start(app).stop


def _start_mail(app: Flask) -> Stopper:
    return start_mail_worker(app.extensions[EXTENSION])


def _start_correspondence(app: Flask) -> Stopper:
    return start_correspondence(app.extensions[EXTENSION])


def serve(settings: Settings) -> None:
    """Serve until SIGTERM; never returns (gunicorn ends the process)."""
    Server(settings, background_work()).run()
