"""Shares of a narrow line: within the budget, never more than wanted, never less than needed."""

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from media.core.bandwidth import Demand, DownlinkBudget, allocate, next_step_bps
from media.core.simulcast import Quality

demands = st.lists(
    st.builds(
        Demand,
        wanted=st.sampled_from(Quality),
        rates_bps=st.lists(st.integers(1, 10**6), max_size=3).map(
            lambda rates: dict(zip(Quality, sorted(rates), strict=False))
        ),
    ),
    max_size=12,
)


def total(wanted: list[Demand], given_: list[Quality | None]) -> float:
    return sum(
        demand.rates_bps[quality]
        for demand, quality in zip(wanted, given_, strict=True)
        if quality is not None
    )


@given(wanted=demands, budget=st.integers(0, 10**7))
def test_the_budget_is_kept_above_the_smallest_layers(wanted: list[Demand], budget: int) -> None:
    chosen = allocate(budget, wanted)
    assert total(wanted, chosen) <= max(budget, total(wanted, allocate(0, wanted)))
    for demand, quality in zip(wanted, chosen, strict=True):
        assert (quality is None) == (not demand.rates_bps)
        assert quality is None or quality in demand.choices()


@given(wanted=demands)
def test_without_limit_everybody_gets_what_is_wanted(wanted: list[Demand]) -> None:
    chosen = allocate(inf, wanted)
    assert chosen == [demand.choices()[-1] if demand.rates_bps else None for demand in wanted]
    assert next_step_bps(wanted, chosen) is None


@given(wanted=demands, budget=st.integers(0, 10**7), more=st.integers(0, 10**6))
def test_a_step_up_needs_no_more_than_it_says(wanted: list[Demand], budget: int, more: int) -> None:
    chosen = allocate(budget, wanted)
    needed = next_step_bps(wanted, chosen)
    if needed is not None:
        assert needed >= total(wanted, chosen)
        assert total(wanted, allocate(needed + more, wanted)) > total(wanted, chosen) or (
            needed == total(wanted, chosen)
        )


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


def test_a_layer_its_publisher_has_just_stopped_needs_no_step() -> None:
    demand = Demand(Quality.HIGH, {Quality.LOW: 100_000.0})
    assert next_step_bps([demand], [Quality.HIGH]) is None
