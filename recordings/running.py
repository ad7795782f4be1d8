"""Run ffmpeg: at low priority, several at a time, with progress, so that it can be broken off.

A run that reports nothing for `STALLED_S` is ended. Each leaves its process number in the work
folder while it runs: a worker that was killed leaves ffmpegs behind, and who composes next ends
them before the folder is emptied.
"""

import os
import selectors
import signal
import subprocess
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Final

from recordings.compose.plan import Step

STALLED_S: Final = 180.0
MAX_AT_ONCE: Final = 4
"""Runs beside each other; each takes about one processor and 150 MB."""

_NICE: Final = 10
_POLL_S: Final = 0.5

Progress = Callable[[float], None]
"""Takes the share done, 0…1; may raise ComposeCancelledError."""


class ComposeError(Exception):
    """This try failed; the text says why. The raw media is as it was."""


class ComposeCancelledError(ComposeError):
    """Somebody else composes it by now, or the worker is stopping."""


class Runner:
    """Runs the steps of one composing in one work folder."""

    def __init__(self, program: str, work: Path, total_s: float, on_progress: Progress) -> None:
        """``total_s``: length of all that will be written; shares are of that."""
        self._program = program
        self._work = work
        self._total_s = max(total_s, 1e-3)
        self._on_progress = on_progress
        self._lock = threading.Lock()
        self._at_s: dict[str, float] = {}
        self._stop = threading.Event()

    def run(self, steps: Sequence[Step]) -> None:
        """Run ``steps``, as many at a time as there are processors. Raises ComposeError."""
        at_once = max(1, min(MAX_AT_ONCE, os.cpu_count() or 1))
        with ThreadPoolExecutor(at_once, thread_name_prefix="ffmpeg") as pool:
            runs = [pool.submit(self._run, step) for step in steps]
            try:
                done, _ = wait(runs, return_when=FIRST_EXCEPTION)
                failed = [error for one in done if (error := one.exception()) is not None]
                if failed:
                    raise failed[0]
            finally:
                self._stop.set()  # a failure, or this thread's end, ends all of them
                for one in runs:
                    one.cancel()
        self._stop.clear()

    def _run(self, step: Step) -> None:
        """Run one step. Raises ComposeError with ffmpeg's last words."""
        name = Path(step.output).name
        command = [
            self._program, "-hide_banner", "-nostdin", "-nostats", "-loglevel", "warning",
            "-progress", "pipe:1", "-y", *step.args,
        ]  # fmt: skip
        log = self._work / f"{name}.log"
        pid_file = self._work / f"{name}.pid"
        with (
            log.open("wb") as errors,
            subprocess.Popen(  # noqa: S603  (no shell; arguments are our own)
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
                cwd=self._work,
            ) as process,
        ):  # fmt: skip
            try:
                os.setpriority(os.PRIO_PROCESS, process.pid, _NICE)
                pid_file.write_text(str(process.pid))
                self._follow(process, name)
            except BaseException:
                process.kill()
                raise
        pid_file.unlink(missing_ok=True)
        if process.returncode != 0:
            words = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:]
            raise ComposeError(f"ffmpeg ended with {process.returncode}: {' | '.join(words)[:500]}")
        self._report(name, step.duration_s)

    def _follow(self, process: "subprocess.Popen[bytes]", name: str) -> None:
        """Read ``-progress`` output until it ends."""
        assert process.stdout is not None
        silent_s, at_s, text = 0.0, 0.0, b""
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while True:
                if not selector.select(_POLL_S):
                    silent_s += _POLL_S
                    if silent_s >= STALLED_S:
                        raise ComposeError("ffmpeg stalled")
                    self._report(name, at_s)
                    continue
                chunk = os.read(process.stdout.fileno(), 65_536)
                if not chunk:
                    return
                *lines, text = (text + chunk).split(b"\n")
                before_s, at_s = at_s, max([at_s, *map(_out_time_s, lines)])
                silent_s = 0.0 if at_s > before_s else silent_s + _POLL_S
                self._report(name, at_s)

    def _report(self, name: str, at_s: float) -> None:
        if self._stop.is_set():
            raise ComposeCancelledError("another run ended")
        with self._lock:
            self._at_s[name] = at_s
            self._on_progress(min(0.99, sum(self._at_s.values()) / self._total_s))


def _out_time_s(line: bytes) -> float:
    """Seconds written so far from one line of ``-progress`` output; 0 for any other line."""
    name, _, value = line.strip().partition(b"=")
    return int(value) / 1e6 if name == b"out_time_us" and value.isdigit() else 0.0


def end_orphans(work: Path) -> None:
    """End the ffmpegs of a worker that was killed; they are known by the folder they work in."""
    for pid_file in work.glob("*.pid"):
        try:
            pid = int(pid_file.read_text())
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            if str(work).encode() in command and b"-progress" in command:
                os.kill(pid, signal.SIGKILL)
        except (OSError, ValueError):
            continue
