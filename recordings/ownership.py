"""Names of workers in leases, and which of them are dead.

A name is ``host/pid/start``: with the process's start time no later process of the same number is
taken for it. A worker that starts on a host gives up the claims of dead ones there, so that a
restart need not wait for a lease to run out. Other hosts' claims run out by themselves.
"""

import os
import socket
from collections.abc import Iterable
from pathlib import Path


def own_name() -> str:
    """Name of this process."""
    pid = os.getpid()
    return f"{socket.gethostname()[:40]}/{pid}/{_started(pid)}"


def dead(owners: Iterable[str]) -> list[str]:
    """Those of ``owners`` that lived on this host and do no longer."""
    host = socket.gethostname()[:40]
    found = []
    for owner in owners:
        parts = owner.split("/")
        is_ours = len(parts) == 3 and parts[0] == host and parts[1].isdigit()
        if is_ours and _started(int(parts[1])) != parts[2]:
            found.append(owner)
    return found


def _started(pid: int) -> str:
    """Start time of a process in clock ticks since boot; empty if there is none (proc(5))."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
