"""What a site's browser reports of its line check, read strictly and within bounds.

The report holds facts, never a verdict: devices as `navigator.mediaDevices` gave them, each way to
the media node by name, and figures from ``RTCPeerConnection.getStats()``. Whatever is unknown,
out of range or contradicts itself is refused as a whole, so that nothing stored needs doubting.
Pure.
"""

import enum
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, TypeVar

from conference.errors import InvalidError

E = TypeVar("E", bound=enum.Enum)

MAX_KBPS: Final = 1_000_000
MAX_MS: Final = 60_000
MAX_PERMILLE: Final = 1000


class Device(enum.Enum):
    """How a camera or microphone answered; the words of the room app's ``failures.ts``."""

    OK = "ok"
    SILENT = "silent"
    """Microphones only: open for the whole check, and nothing was heard."""
    REFUSED = "refused"
    SYSTEM = "system"
    MISSING = "missing"
    BUSY = "busy"
    INSECURE = "insecure"
    UNKNOWN = "unknown"


class Speaker(enum.Enum):
    """What somebody at the site said of the test tone."""

    HEARD = "heard"
    NOT_HEARD = "not_heard"
    SKIPPED = "skipped"


class Route(enum.Enum):
    """A way to the media node, in the order in which meetings prefer them."""

    UDP = "udp"
    TCP = "tcp"
    TURN = "turn"


class Way(enum.Enum):
    """What became of an attempt to go one way."""

    OPEN = "open"
    BLOCKED = "blocked"
    ABSENT = "absent"
    """The node offers none of this kind."""
    UNTRIED = "untried"


@dataclass(frozen=True, slots=True)
class Rates:
    """Figures of real packets through the node for a few seconds."""

    up_kbps: int
    """Arrived at the node, of what the browser sent."""
    down_kbps: int
    """Arrived at the browser."""
    up_loss_permille: int
    down_loss_permille: int
    rtt_ms: int
    jitter_ms: int
    is_cpu_bound: bool = False
    """The machine could not encode as much as the line might have carried."""


@dataclass(frozen=True, slots=True)
class Report:
    """One line check as the browser saw it."""

    camera: Device
    microphone: Device
    speaker: Speaker
    is_node_reached: bool
    """Whether the media node answered the WebSocket at all."""
    udp: Way
    tcp: Way
    turn: Way
    via: Route | None
    """The way on which the figures were taken; None when no way was open."""
    rates: Rates | None
    """None when nothing could be measured."""

    def way(self, route: Route) -> Way:
        """What became of ``route``."""
        return {Route.UDP: self.udp, Route.TCP: self.tcp, Route.TURN: self.turn}[route]

    def to_json(self) -> dict[str, Any]:
        """Plain values; `read` of them gives the same report."""
        return {
            "camera": self.camera.value,
            "microphone": self.microphone.value,
            "speaker": self.speaker.value,
            "is_node_reached": self.is_node_reached,
            "udp": self.udp.value,
            "tcp": self.tcp.value,
            "turn": self.turn.value,
            "via": self.via.value if self.via else None,
            "rates": asdict(self.rates) if self.rates else None,
        }


_LIMITS: Final = {
    "up_kbps": MAX_KBPS, "down_kbps": MAX_KBPS, "up_loss_permille": MAX_PERMILLE,
    "down_loss_permille": MAX_PERMILLE, "rtt_ms": MAX_MS, "jitter_ms": MAX_MS,
}  # fmt: skip
WRONG: Final = "Kết quả kiểm tra không đọc được. Tải lại trang rồi kiểm tra lại."


def read(document: object) -> Report:
    """The report in ``document``. Raises InvalidError naming what is wrong."""
    if not isinstance(document, Mapping):
        raise InvalidError({"report": WRONG})
    made = Report(
        camera=_member(document, "camera", Device),
        microphone=_member(document, "microphone", Device),
        speaker=_member(document, "speaker", Speaker),
        is_node_reached=_flag(document, "is_node_reached"),
        udp=_member(document, "udp", Way),
        tcp=_member(document, "tcp", Way),
        turn=_member(document, "turn", Way),
        via=None if document.get("via") is None else _member(document, "via", Route),
        rates=_rates(document.get("rates")),
    )
    _agrees(made)
    return made


def _agrees(report: Report) -> None:
    """Refuse what cannot be: silent cameras, figures without a way, ways without a node."""
    if report.camera is Device.SILENT:
        raise InvalidError({"camera": WRONG})
    if report.via is not None and report.way(report.via) is not Way.OPEN:
        raise InvalidError({"via": WRONG})
    if report.rates is not None and report.via is None:
        raise InvalidError({"rates": WRONG})
    has_way = any(report.way(route) is Way.OPEN for route in Route)
    if has_way and not report.is_node_reached:
        raise InvalidError({"is_node_reached": WRONG})


def _rates(value: object) -> Rates | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise InvalidError({"rates": WRONG})
    figures = {}
    for name, most in _LIMITS.items():
        figure = value.get(name)
        if type(figure) is not int or not 0 <= figure <= most:
            raise InvalidError({name: WRONG})
        figures[name] = figure
    return Rates(**figures, is_cpu_bound=_flag(value, "is_cpu_bound"))


def _flag(document: Mapping[Any, Any], name: str) -> bool:
    value = document.get(name)
    if not isinstance(value, bool):
        raise InvalidError({name: WRONG})
    return value


def _member(document: Mapping[Any, Any], name: str, kind: type[E]) -> E:
    value = document.get(name)
    for member in kind:
        if isinstance(value, str) and member.value == value:
            return member
    raise InvalidError({name: WRONG})
