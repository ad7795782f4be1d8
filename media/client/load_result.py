"""What a load run found, and the table it prints."""

import os
import resource
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class LoadResult:
    """What came of a load run."""

    join_s: list[float] = field(default_factory=list)
    """Time each client took to connect."""
    first_packet_s: list[float] = field(default_factory=list)
    """Time from the beginning of a subscriber's connect to its first media packet."""
    delay_s: list[float] = field(default_factory=list)
    """Time of packets from the publisher's socket to that of a probe, through the server."""
    failures: list[str] = field(default_factory=list)
    """Why subscribers could not join."""
    subscribers: int = 0
    tracks_expected: int = 0
    tracks_received: int = 0
    packets_sent: int = 0
    """By all publishers, in the measured time."""
    packets: int = 0
    """By all subscribers, in the measured time."""
    octets: int = 0
    lost: int = 0
    recovered: int = 0
    duration_s: float = 0.0
    client_cpu_s: float = 0.0
    server_cpu_s: float | None = None

    @property
    def server_us_per_packet(self) -> float | None:
        """CPU time of the server for each packet a subscriber got."""
        if self.server_cpu_s is None or not self.packets:
            return None
        return self.server_cpu_s / self.packets * 1e6

    @property
    def server_share(self) -> float | None:
        """Share of one core that the server took."""
        if self.server_cpu_s is None or not self.duration_s:
            return None
        return self.server_cpu_s / self.duration_s

    @property
    def lost_share(self) -> float:
        """Packets lost for good, of all that should have arrived."""
        total = self.packets + self.lost
        return self.lost / total if total else 0.0

    def rows(self) -> Iterator[tuple[str, str]]:
        """Name and value of each figure, for people."""
        yield "clients joined", f"{len(self.join_s)}"
        if self.failures:
            yield "joins failed", f"{len(self.failures)}, the first: {self.failures[0]}"
        yield from _seconds("join", self.join_s)
        yield from _seconds("first packet", self.first_packet_s)
        yield "tracks received", f"{self.tracks_received} of {self.tracks_expected}"
        yield "packets sent / received", f"{self.packets_sent} / {self.packets}"
        yield "lost for good", f"{self.lost} ({self.lost_share:.3%}), {self.recovered} repaired"
        yield "received", f"{self.octets * 8 / self.duration_s / 1e6:.2f} Mb/s"
        yield from _seconds("delay", self.delay_s)
        yield "client CPU", f"{self.client_cpu_s / self.duration_s:.1%} of a core"
        if self.server_share is not None:
            yield "server CPU", f"{self.server_share:.1%} of a core"
        if self.server_us_per_packet is not None:
            yield "server CPU per packet", f"{self.server_us_per_packet:.1f} µs"


def _seconds(name: str, values: Sequence[float]) -> Iterator[tuple[str, str]]:
    if values:
        parts = {
            "median": statistics.median(values),
            "p95": share_of(values, 0.95),
            "p99": share_of(values, 0.99),
            "max": max(values),
        }
        yield name, ", ".join(f"{text} {value:.4f} s" for text, value in parts.items())


def share_of(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` of all lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def own_cpu_s() -> float:
    """CPU seconds of this process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def process_cpu_s(pid: int | None) -> float | None:
    """CPU seconds a process has used, by Linux' /proc; None without one."""
    if pid is None:
        return None
    try:
        ran_ns = 0
        for task in Path(f"/proc/{pid}/task").iterdir():
            ran_ns += int((task / "schedstat").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return _ticked_cpu_s(pid)
    return ran_ns / 1e9


def _ticked_cpu_s(pid: int) -> float | None:
    """The same in clock ticks, where the scheduler keeps no finer account."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def table(rows: Mapping[str, str] | Iterator[tuple[str, str]]) -> str:
    """Figures as two columns."""
    pairs = list(rows.items() if isinstance(rows, Mapping) else rows)
    width = max(len(name) for name, _ in pairs)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in pairs)
