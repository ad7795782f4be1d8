"""Reports of line checks as the browser sends them."""

from typing import Any

GOOD_RATES: dict[str, Any] = {
    "up_kbps": 1200, "down_kbps": 2400, "up_loss_permille": 0, "down_loss_permille": 2,
    "rtt_ms": 18, "jitter_ms": 3, "is_cpu_bound": False,
}  # fmt: skip


def report(**changes: Any) -> dict[str, Any]:
    """A good check with ``changes``; those of figures by their own names."""
    figures = {name: changes.pop(name) for name in list(changes) if name in GOOD_RATES}
    made: dict[str, Any] = {
        "camera": "ok", "microphone": "ok", "speaker": "heard", "is_node_reached": True,
        "udp": "open", "tcp": "open", "turn": "absent", "via": "udp",
        "rates": GOOD_RATES | figures,
    }  # fmt: skip
    return made | changes


def unreachable(**changes: Any) -> dict[str, Any]:
    """The media node did not answer."""
    return report(
        is_node_reached=False, udp="untried", tcp="untried", turn="untried", via=None, rates=None
    ) | changes  # fmt: skip
