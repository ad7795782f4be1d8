"""Run the three processes of the service as one: web, media node, recordings worker.

A process that ends is started again, at once the first time and within three seconds at most. On
SIGTERM or SIGINT all get SIGTERM together; what is left after `STOP_S` is killed with its whole
group, so that no ffmpeg or worker stays behind. Should the supervisor itself be killed, the kernel
sends SIGTERM to the children (PR_SET_PDEATHSIG, Linux).

Single-threaded on purpose: the parent-death signal follows the *thread* that started a child.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Final

STOP_S: Final = 4.0
"""Patience after SIGTERM; gunicorn's own is 3 s, the promise to the operator 5 s."""
HEALTHY_WITHIN_S: Final = 60.0
STEADY_S: Final = 30.0
"""A process that ran this long starts its next life without delay."""
SETTLED_S: Final = 1.0
"""A program without a health address counts as working after this time."""
LONGEST_DELAY_S: Final = 3.0
_EARLY_DEATHS: Final = 3
"""Ends before the service was ever healthy that make starting hopeless."""
_PR_SET_PDEATHSIG: Final = 1
_TICK_S: Final = 0.2


class StartError(Exception):
    """A process could not be brought up; the message is for the operator."""


@dataclass(frozen=True, slots=True)
class Program:
    """One process: how it is started, and how to see that it works."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    health_url: str | None = None
    """Answers 200 when it works; None: running for `SETTLED_S` is enough."""


@dataclass(slots=True)
class _Child:
    program: Program
    process: subprocess.Popen[bytes] | None = None
    started_s: float = 0.0
    restart_at_s: float = 0.0
    deaths: int = 0
    is_healthy: bool = False


def restart_delay_s(deaths: int) -> float:
    """Seconds to wait before the start that follows the ``deaths``-th end in a row (1-based)."""
    return min(LONGEST_DELAY_S, 0.5 * (deaths - 1) ** 2)


@dataclass(slots=True)
class Supervisor:
    """Starts, watches and ends programs; `run` is its whole life."""

    programs: Sequence[Program]
    on_healthy: Callable[[], None]
    log: IO[str] = field(default_factory=lambda: sys.stderr)
    _children: list[_Child] = field(default_factory=list)
    _stopping: bool = False
    _announced: bool = False

    def run(self) -> int:
        """Run until a signal asks to stop; the result is the exit status."""
        wake_read, wake_write = os.pipe()
        os.set_blocking(wake_write, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        self._children = [_Child(program) for program in self.programs]
        begun_s = time.monotonic()
        try:
            while not self._stopping:
                self._step(time.monotonic(), begun_s)
                ready, _, _ = select.select([wake_read], [], [], _TICK_S)
                if ready:
                    os.read(wake_read, 4096)
        except StartError as error:
            self._say(str(error))
            return 1
        finally:
            self._end_all()
        return 0

    def _stop(self, _number: int, _frame: object) -> None:
        self._stopping = True

    def _step(self, now_s: float, begun_s: float) -> None:
        for child in self._children:
            if child.process is None:
                if now_s >= child.restart_at_s:
                    self._start(child, now_s)
            elif (status := child.process.poll()) is not None:
                self._ended(child, status, now_s)
        if self._announced:
            return
        for child in self._children:
            child.is_healthy = child.is_healthy or _is_healthy(child, now_s)
        if all(child.is_healthy for child in self._children):
            self._announced = True
            self.on_healthy()
        elif now_s - begun_s > HEALTHY_WITHIN_S:
            waiting = ", ".join(c.program.name for c in self._children if not c.is_healthy)
            raise StartError(f"not ready after {HEALTHY_WITHIN_S:.0f} s: {waiting}")

    def _start(self, child: _Child, now_s: float) -> None:
        child.process = subprocess.Popen(  # noqa: S603 - our own modules with checked settings
            child.program.arguments,
            env=dict(child.program.environment),
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # a group of its own; Ctrl-C reaches it through us
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - there is only one thread
        )
        child.started_s = now_s

    def _ended(self, child: _Child, status: int, now_s: float) -> None:
        assert child.process is not None, "only a started child ends"
        _kill_group(child.process.pid)
        child.process = None
        if now_s - child.started_s > STEADY_S:
            child.deaths = 0
        child.deaths += 1
        if not self._announced and child.deaths >= _EARLY_DEATHS:
            raise StartError(f"{child.program.name} does not start (exit status {status})")
        delay_s = restart_delay_s(child.deaths)
        child.restart_at_s = now_s + delay_s
        self._say(f"{child.program.name} ended with status {status}; starts in {delay_s:g} s")

    def _end_all(self) -> None:
        running = [child.process for child in self._children if child.process is not None]
        for process in running:
            if process.poll() is None:
                process.terminate()
        deadline_s = time.monotonic() + STOP_S
        for process in running:
            try:
                process.wait(max(0.0, deadline_s - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._say(f"process {process.pid} is killed: it did not end in {STOP_S:g} s")
            _kill_group(process.pid)
            process.wait()

    def _say(self, text: str) -> None:
        self.log.write(f"diemcau: {text}\n")
        self.log.flush()


def _is_healthy(child: _Child, now_s: float) -> bool:
    if child.process is None:
        return False
    url = child.program.health_url
    if url is None:
        return now_s - child.started_s > SETTLED_S
    try:
        # health_url is http:// to one of our own ports
        with urllib.request.urlopen(url, timeout=1.0) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except OSError:
        return False


def _kill_group(leader: int) -> None:
    """Kill whatever is left of the group that ``leader`` led."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _die_with_parent() -> None:
    """In the child before exec: ask the kernel for SIGTERM when the parent ends."""
    parent = os.getppid()
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "prctl"):
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it ended in between
        os._exit(1)
