"""Benchmarks report what was measured, and no more."""

from xml.etree import ElementTree as ET

import pytest

from benchmarks.__main__ import beside, names, quick_names, table
from benchmarks.peers.figures import spread
from benchmarks.peers.plot import Line, draw
from benchmarks.rooms import lag_p99_ms


def test_a_spread_is_the_median_with_its_range() -> None:
    assert spread([3.0, 1.0, 2.0]) == {"median": 2.0, "min": 1.0, "max": 3.0}


def test_a_table_has_the_ratio_to_the_lines_that_were_named_and_measured() -> None:
    result = {
        "ratio_to": ["the_other", "absent"],
        "first": spread([2.0]),
        "the_other": spread([4.0]),
        "deep": {"second": spread([3.0])},
        "lost": 7,
    }
    lines = table(result)
    assert lines[0] == "| | median | range | × the other |"
    assert lines[2:] == [
        "| first | 2 | 2–2 | 0.50 |",
        "| the other | 4 | 4–4 | 1.00 |",
        "| deep · second | 3 | 3–3 | 0.75 |",
    ]
    assert beside(result) == "Besides: lost 7."


def test_a_table_of_figures_that_compare_with_nothing_has_no_ratio() -> None:
    assert table({"share": spread([2.0])})[2:] == ["| share | 2 | 2–2 |"]
    assert beside({"share": spread([2.0])}) == ""


def test_long_benchmarks_run_only_when_named() -> None:
    assert set(names()) - set(quick_names()) == {"churn", "gallery", "growth", "real_lines"}


def test_a_plot_is_well_formed_and_has_every_point() -> None:
    line = Line("Rooms", [(1.0, 2.0), (5.0, 11.0), (10.0, 19.0)])
    root = ET.fromstring(draw([line, line], "%"))
    circles = [one for one in root.iter() if one.tag.endswith("circle")]
    assert len(circles) == 6


@pytest.mark.parametrize(("late", "expected"), [(0, 1.0), (5, 100.0)])
def test_the_99th_percentile_of_lag_is_that_of_the_time_between_two_readings(
    late: int, expected: float
) -> None:
    before = {0.001: 0.0, 0.1: 1000.0, float("inf"): 1000.0}
    after = {0.001: 100.0 - late, 0.1: 1100.0, float("inf"): 1100.0}
    assert lag_p99_ms(before, after) == expected
