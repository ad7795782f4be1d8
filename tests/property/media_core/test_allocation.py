"""Shares of a narrow line: within the budget, by rank, never more than wanted."""

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from media.core.allocation import Demand, Step, allocate, next_step_bps, total_bps
from media.core.simulcast import Quality

whole_rates = st.lists(st.integers(1, 10**6), max_size=3).map(
    lambda values: {
        Step(quality): rate for quality, rate in zip(Quality, sorted(values), strict=False)
    }
)


@st.composite
def thinned(draw: st.DrawFn) -> dict[Step, int]:
    """Rates of the layers of a track, some of which can be had with fewer pictures."""
    rates = draw(whole_rates)
    for step, rate in list(rates.items()):
        for top in draw(st.sets(st.integers(0, 2))):
            rates[Step(step.quality, top)] = draw(st.integers(1, max(1, rate)))
    return rates


rates = whole_rates | thinned()
steps = st.builds(Step, st.sampled_from(Quality), st.sampled_from((0, 1, 7)))
demands = st.lists(
    st.builds(
        Demand,
        wanted=st.sampled_from(Quality),
        rates_bps=rates,
        rank=st.tuples(st.integers(0, 1), st.just(0), st.integers(-3, 0)),
        given=st.none() | steps,
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
    for demand, step in zip(wanted, mild, strict=True):
        assert (step is None) == (not demand.rates_bps), "nothing is withheld unasked"
        assert step is None or step in demand.choices()


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
        Demand(demand.wanted, demand.rates_bps, demand.rank, step)
        for demand, step in zip(wanted, first, strict=True)
    ]
    again = allocate(budget, settled, headroom=headroom, may_withhold=True)
    for demand, before, after in zip(settled, first, again, strict=True):
        kept = before is None or (after is not None and after >= before)
        assert kept or any(
            other.rank <= demand.rank and other is not demand for other in settled
        ), "only somebody of higher rank may take it away"


@given(whole_rates, whole_rates, budgets)
def test_a_shared_screen_is_served_before_a_camera(
    screen: dict[Step, int], camera: dict[Step, int], budget: int
) -> None:
    wanted = [
        Demand(Quality.HIGH, camera, (1, 0, -(10**6))),
        Demand(Quality.HIGH, screen, (0, 0, 0)),
    ]
    shared, alone = (allocate(budget, who, may_withhold=True) for who in (wanted, [wanted[1]]))
    least = min(camera.values(), default=0)
    with_room = allocate(max(0, budget - 2 * least), [wanted[1]], may_withhold=True)
    screen_given, at_most, at_least = (
        -1 if step is None else int(step.quality) for step in (shared[1], alone[0], with_room[0])
    )
    assert at_least <= screen_given <= at_most


@given(demands, budgets)
def test_a_step_up_costs_something(wanted: list[Demand], budget: int) -> None:
    chosen = allocate(budget, wanted)
    needed = next_step_bps(wanted, chosen)
    if needed is not None:
        assert needed >= total_bps(wanted, chosen)


def test_a_layer_its_publisher_has_just_stopped_needs_no_step() -> None:
    demand = Demand(Quality.HIGH, {Step(Quality.LOW): 100_000.0})
    assert next_step_bps([demand], [Step(Quality.HIGH)]) is None


LARGE, LARGE_SLOW, SMALL = Step(Quality.HIGH), Step(Quality.HIGH, 1), Step(Quality.LOW)
RATES = {SMALL: 150_000, LARGE_SLOW: 900_000, LARGE: 1_500_000}


def test_half_the_pictures_come_before_a_smaller_picture_but_not_instead_of_one() -> None:
    def given_with(budget: int, now: Step | None) -> Step | None:
        demand = Demand(Quality.HIGH, RATES, given=now)
        return allocate(budget, [demand], may_withhold=True)[0]

    assert given_with(1_000_000, LARGE) == LARGE_SLOW, "half the pictures first"
    assert given_with(1_000_000, SMALL) == SMALL, "too little room for a larger one to begin"
    assert given_with(1_300_000, SMALL) == LARGE_SLOW
    assert given_with(1_700_000, LARGE_SLOW) == LARGE
    assert given_with(800_000, LARGE_SLOW) == SMALL
    assert given_with(100_000, SMALL) is None
    assert next_step_bps([Demand(Quality.HIGH, RATES)], [SMALL]) == 1_500_000, "probes ask for all"
    costly = {**RATES, LARGE_SLOW: 1_500_000}
    assert Demand(Quality.HIGH, costly).choices() == [SMALL, LARGE], "it would save nothing"
