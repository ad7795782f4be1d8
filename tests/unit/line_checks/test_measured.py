"""Reports from browsers are read whole or refused whole."""

from typing import Any

import pytest

from conference.errors import InvalidError
from conference.line_checks.measured import Device, Route, Way, read
from tests.support.line_reports import report, unreachable


def test_a_good_report_is_read_and_written_back_unchanged() -> None:
    document = report()
    made = read(document)
    assert (made.camera, made.udp, made.via) == (Device.OK, Way.OPEN, Route.UDP)
    assert made.rates is not None
    assert made.rates.down_kbps == 2400
    assert made.to_json() == document
    assert read(unreachable()).to_json() == unreachable()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"camera": "broken"}, "camera"),
        ({"camera": "silent"}, "camera"),
        ({"microphone": None}, "microphone"),
        ({"microphone": ["ok"]}, "microphone"),
        ({"speaker": 1}, "speaker"),
        ({"is_node_reached": 1}, "is_node_reached"),
        ({"is_node_reached": False}, "is_node_reached"),
        ({"udp": "blocked"}, "via"),
        ({"via": "smoke"}, "via"),
        ({"via": None}, "rates"),
        ({"rates": []}, "rates"),
        ({"up_kbps": -1}, "up_kbps"),
        ({"down_kbps": 1_000_001}, "down_kbps"),
        ({"rtt_ms": 12.5}, "rtt_ms"),
        ({"jitter_ms": True}, "jitter_ms"),
        ({"down_loss_permille": 1001}, "down_loss_permille"),
        ({"is_cpu_bound": "no"}, "is_cpu_bound"),
    ],
)
def test_what_cannot_be_is_refused_by_name(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidError) as caught:
        read(report(**changes))
    assert list(caught.value.fields) == [field]


@pytest.mark.parametrize("document", [None, 7, "x", [], {}, {"camera": "ok"}])
def test_anything_else_is_refused(document: object) -> None:
    with pytest.raises(InvalidError):
        read(document)
