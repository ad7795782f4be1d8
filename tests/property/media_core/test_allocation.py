"""Shares of a narrow line: within the budget, by rank, never more than wanted."""

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from media.core.allocation import Demand, allocate, next_step_bps, total_bps
from media.core.simulcast import Quality

rates = st.lists(st.integers(1, 10**6), max_size=3).map(
    lambda values: dict(zip(Quality, sorted(values), strict=False))
)
demands = st.lists(
    st.builds(
        Demand,
        wanted=st.sampled_from(Quality),
        rates_bps=rates,
        rank=st.tuples(st.integers(0, 1), st.just(0), st.integers(-3, 0)),
        given=st.none() | st.sampled_from(Quality),
    ),
    max_size=12,
)
budgets = st.integers(0, 10**7)
headrooms = st.sampled_from((1.0, 1.1, 1.5))


@given(demands, budgets, headrooms)
def test_the_budget_is_kept(wanted: list[Demand], budget: int, headroom: float) -> None:
    strict = allocate(budget, wanted, headroom=headroom, may_withhold=True)
    assert total_bps(wanted, strict) <= budget
    mild = allocate(budget, wanted, headroom=headroom)
    least = total_bps(wanted, allocate(0, wanted))
    assert total_bps(wanted, mild) <= max(budget, least)
    for demand, quality in zip(wanted, mild, strict=True):
        assert (quality is None) == (not demand.rates_bps), "nothing is withheld unasked"
        assert quality is None or quality in demand.choices()


@given(demands)
def test_without_limit_everybody_gets_what_is_wanted(wanted: list[Demand]) -> None:
    chosen = allocate(inf, wanted, may_withhold=True)
    assert chosen == [demand.choices()[-1] if demand.rates_bps else None for demand in wanted]
    assert next_step_bps(wanted, chosen) is None


@given(demands, budgets, headrooms)
def test_what_is_given_stays_given_at_the_same_budget(
    wanted: list[Demand], budget: int, headroom: float
) -> None:
    """No oscillation: the outcome, taken as what is given, has itself as outcome."""
    first = allocate(budget, wanted, headroom=headroom, may_withhold=True)
    settled = [
        Demand(demand.wanted, demand.rates_bps, demand.rank, quality)
        for demand, quality in zip(wanted, first, strict=True)
    ]
    again = allocate(budget, settled, headroom=headroom, may_withhold=True)
    for demand, before, after in zip(settled, first, again, strict=True):
        kept = before is None or (after is not None and after >= before)
        assert kept or any(
            other.rank <= demand.rank and other is not demand for other in settled
        ), "only somebody of higher rank may take it away"


@given(rates, rates, budgets)
def test_a_shared_screen_is_served_before_a_camera(
    screen: dict[Quality, int], camera: dict[Quality, int], budget: int
) -> None:
    wanted = [
        Demand(Quality.HIGH, camera, (1, 0, -(10**6))),
        Demand(Quality.HIGH, screen, (0, 0, 0)),
    ]
    shared, alone = (allocate(budget, who, may_withhold=True) for who in (wanted, [wanted[1]]))
    least = min(camera.values(), default=0)
    with_room = allocate(max(0, budget - 2 * least), [wanted[1]], may_withhold=True)
    screen_given = -1 if shared[1] is None else int(shared[1])
    assert screen_given <= (-1 if alone[0] is None else int(alone[0]))
    assert screen_given >= (-1 if with_room[0] is None else int(with_room[0]))


@given(demands, budgets)
def test_a_step_up_costs_something(wanted: list[Demand], budget: int) -> None:
    chosen = allocate(budget, wanted)
    needed = next_step_bps(wanted, chosen)
    if needed is not None:
        assert needed >= total_bps(wanted, chosen)


def test_a_layer_its_publisher_has_just_stopped_needs_no_step() -> None:
    demand = Demand(Quality.HIGH, {Quality.LOW: 100_000.0})
    assert next_step_bps([demand], [Quality.HIGH]) is None
