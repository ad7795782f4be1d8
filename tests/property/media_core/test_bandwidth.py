"""The budget of a line without transport-wide feedback moves by repeated evidence only."""

from hypothesis import given
from hypothesis import strategies as st

from media.core.bandwidth import DownlinkBudget


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 10**7)), max_size=100))
def test_one_bad_report_changes_nothing(reports: list[tuple[float, int]]) -> None:
    budget = DownlinkBudget()
    heavy_before = False
    for second, (loss, sent_bps) in enumerate(reports):
        before = budget.budget_bps
        after = budget.update(loss, sent_bps, None, float(second))
        if after < before:
            assert heavy_before
            assert loss > 0.1
        heavy_before = loss > 0.1
