"""From the facts of a line check to red, amber or green, and what to do about it.

Red: the site cannot take part as it should (nobody hears it, it hears nobody, no way in, too
little line). Amber: it can, with something to put right in time. Green: nothing was found. The
grade is that of the worst finding; a better figure never gives a worse grade. The numbers are the
office's (`conference.scheduling.thresholds`), their defaults from the design: 1,5 Mb/s down, less
than 3 % loss, less than 300 ms round trip pass. Pure.
"""

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from conference.line_checks.measured import Device, Rates, Report, Route, Speaker, Way
from conference.scheduling.thresholds import Thresholds


class Grade(enum.Enum):
    """How a site stands, worst first."""

    RED = "red"
    AMBER = "amber"
    GREEN = "green"

    @property
    def is_passed(self) -> bool:
        """Whether the site can take part."""
        return self is not Grade.RED


class Code(enum.Enum):
    """What was found; the value is stored and has its sentence in `wording`."""

    NODE_UNREACHABLE = "node_unreachable"
    NO_WAY = "no_way"
    NO_PACKETS = "no_packets"
    UDP_BLOCKED = "udp_blocked"
    MICROPHONE = "microphone"
    MICROPHONE_SILENT = "microphone_silent"
    CAMERA = "camera"
    SPEAKER = "speaker"
    DOWN_LOW = "down_low"
    UP_LOW = "up_low"
    LOSS_HIGH = "loss_high"
    RTT_HIGH = "rtt_high"
    JITTER_HIGH = "jitter_high"
    CPU_BOUND = "cpu_bound"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be."""

    code: Code
    grade: Grade
    figure: int = 0
    """What was measured: kbit/s, permille or milliseconds, as the code says; else 0."""
    device: str = ""
    """How a device answered, for `Code.MICROPHONE` and `Code.CAMERA`."""

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "code": self.code.value, "grade": self.grade.value, "figure": self.figure,
            "device": self.device,
        }  # fmt: skip

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Finding":
        """What `to_json` wrote."""
        return cls(
            Code(value["code"]), Grade(value["grade"]), int(value["figure"]), str(value["device"])
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """The grade and why."""

    grade: Grade
    findings: tuple[Finding, ...]
    """Worst first, in the order in which they are to be put right."""


_BADNESS: Final = {Grade.RED: 0, Grade.AMBER: 1, Grade.GREEN: 2}


def judge(report: Report, limits: Thresholds) -> Verdict:
    """What ``report`` means under an office's ``limits``."""
    found = [*_ways(report), *_devices(report)]
    if report.rates is not None:
        found += _figures(report.rates, limits)
    found.sort(key=lambda one: _BADNESS[one.grade])  # stable: the order above stays within a grade
    grade = found[0].grade if found else Grade.GREEN
    return Verdict(grade, tuple(found))


def _ways(report: Report) -> Iterator[Finding]:
    if not report.is_node_reached:
        yield Finding(Code.NODE_UNREACHABLE, Grade.RED)
        return
    if not any(report.way(route) is Way.OPEN for route in Route):
        yield Finding(Code.NO_WAY, Grade.RED)
        return
    if report.rates is None:
        yield Finding(Code.NO_PACKETS, Grade.RED)
    if report.udp is Way.BLOCKED:
        yield Finding(Code.UDP_BLOCKED, Grade.AMBER)


def _devices(report: Report) -> Iterator[Finding]:
    if report.microphone is Device.SILENT:
        yield Finding(Code.MICROPHONE_SILENT, Grade.RED)
    elif report.microphone is not Device.OK:
        yield Finding(Code.MICROPHONE, Grade.RED, device=report.microphone.value)
    if report.speaker is Speaker.NOT_HEARD:
        yield Finding(Code.SPEAKER, Grade.RED)
    if report.camera is not Device.OK:  # sound comes before picture: a site can do without
        yield Finding(Code.CAMERA, Grade.AMBER, device=report.camera.value)


def _figures(rates: Rates, limits: Thresholds) -> Iterator[Finding]:
    loss = max(rates.up_loss_permille, rates.down_loss_permille)
    graded = (
        (Code.DOWN_LOW, rates.down_kbps, _at_least(rates.down_kbps, limits.check_down_kbps,
                                                   limits.check_down_least_kbps)),
        (Code.UP_LOW, rates.up_kbps, _at_least(rates.up_kbps, limits.check_up_kbps,
                                               limits.check_up_least_kbps)),
        (Code.LOSS_HIGH, loss, _below(loss, limits.check_loss_percent * 10,
                                      limits.check_loss_most_percent * 10)),
        (Code.RTT_HIGH, rates.rtt_ms, _below(rates.rtt_ms, limits.check_rtt_ms,
                                             limits.check_rtt_most_ms)),
        (Code.JITTER_HIGH, rates.jitter_ms, _below(rates.jitter_ms, limits.check_jitter_ms, None)),
    )  # fmt: skip
    for code, figure, grade in graded:
        if grade is not Grade.GREEN:
            yield Finding(code, grade, figure)
    if rates.is_cpu_bound:
        yield Finding(Code.CPU_BOUND, Grade.AMBER)


def _at_least(figure: int, good: int, least: int) -> Grade:
    """Green from ``good`` on, red below ``least``; when an office mixes them up, red wins."""
    if figure < least:
        return Grade.RED
    return Grade.GREEN if figure >= good else Grade.AMBER


def _below(figure: int, good: int, most: int | None) -> Grade:
    """Green below ``good``, red from ``most`` on, if there is such a limit."""
    if most is not None and figure >= most:
        return Grade.RED
    return Grade.GREEN if figure < good else Grade.AMBER
