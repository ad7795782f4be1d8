"""Medians with ranges, and processor time of processes."""

import os
import statistics
from collections.abc import Iterable
from pathlib import Path


def spread(values: Iterable[float], digits: int = 2) -> dict[str, float]:
    """Median, smallest and largest."""
    found = list(values)
    return {
        "median": round(statistics.median(found), digits),
        "min": round(min(found), digits),
        "max": round(max(found), digits),
    }


def cpu_s(pid: int) -> float:
    """User and system time a process has used, children not included (Linux)."""
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
