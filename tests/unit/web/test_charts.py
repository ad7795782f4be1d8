"""Bars are as long as their figures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web import charts


@given(st.integers(0, 10**7))
def test_an_axis_ends_at_a_round_number_that_is_large_enough(value: int) -> None:
    top = charts.ceiling(value)
    assert top >= value
    assert str(top).strip("0") in {"1", "2", "5"}
    assert value <= 1 or top <= value * 2.5


@given(st.lists(st.tuples(st.integers(0, 90), st.integers(0, 90)), min_size=1, max_size=60))
def test_columns_stand_apart_and_are_as_high_as_their_figures(
    values: list[tuple[int, int]],
) -> None:
    stacks = [(str(n), {"a": a, "b": b}) for n, (a, b) in enumerate(values)]
    chart = charts.columns(stacks, (("a", "một"), ("b", "hai")))
    heights: dict[float, float] = {}
    for bar in chart.bars:
        assert bar.y >= 0
        assert bar.x + bar.width <= chart.width
        heights[bar.x] = heights.get(bar.x, 0) + bar.height
    top = charts.ceiling(max(a + b for a, b in values))
    wanted = [200 * (a + b) / top for a, b in values if a + b]
    assert list(heights.values()) == pytest.approx(wanted, abs=0.02)
    assert len(chart.across) <= 13
