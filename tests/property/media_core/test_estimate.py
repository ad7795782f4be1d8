"""The estimate of a line, whatever its feedback says."""

from hypothesis import given, settings
from hypothesis import strategies as st

from media.core.estimate import MAX_BPS, MIN_BPS, START_BPS, Fate, LineEstimate
from media.core.probing import ANSWER_S, TRAIN_S, Prober

times = st.floats(-1e6, 1e6) | st.floats(0, 10)
fates = st.lists(st.tuples(st.integers(1, 1500), times, st.none() | times), max_size=20)


@given(st.lists(st.tuples(st.floats(0, 5), fates), max_size=30))
def test_no_feedback_takes_the_estimate_out_of_bounds(
    messages: list[tuple[float, list[Fate]]],
) -> None:
    estimate, prober, now_s = LineEstimate(), Prober(), 0.0
    for pause_s, message in messages:
        now_s += pause_s
        if prober.target_bps is None:
            prober.begin(1e6, now_s)
        passed_bps = prober.handle(message, now_s)
        if passed_bps is not None:
            assert passed_bps >= 0
        estimate.handle(message, now_s)
        assert MIN_BPS <= estimate.bps <= MAX_BPS
        assert 0 <= estimate.inherent_loss <= 1
        assert estimate.queue_s >= 0


def steady(now_s: float, rate_bps: float, delay_s: float, lost_each: int = 0) -> list[Fate]:
    """A tenth of a second of packets of 1,000 bytes, each ``lost_each``-th of them lost."""
    count = round(rate_bps * 0.1 / 8000)
    return [
        (1000, sent_s := now_s - 0.1 + index * 0.1 / count,
         None if lost_each and index % lost_each == 0 else sent_s + delay_s)
        for index in range(count)
    ]  # fmt: skip


@given(st.floats(0, 0.5), st.integers(5, 40))
@settings(max_examples=25)
def test_a_calm_line_is_never_lowered_and_grows_when_it_is_filled(
    delay_s: float, packets: int
) -> None:
    estimate = LineEstimate()
    for step in range(100):
        before_bps = estimate.bps
        estimate.handle(steady(step * 0.1, packets * 80_000, delay_s), step * 0.1)
        assert estimate.bps >= before_bps
    assert not estimate.has_proof
    assert estimate.bps >= max(START_BPS, 0.9 * packets * 80_000)


@given(st.floats(0.5, 0.95), st.floats(-1000, 1000))
@settings(max_examples=25)
def test_a_growing_queue_lowers_it_to_what_passes_within_two_seconds(
    share: float, clocks_s: float
) -> None:
    """More is sent than leaves: the delay grows without end."""
    estimate = LineEstimate()
    rate_bps = 1_600_000.0
    for step in range(50):
        estimate.handle(steady(step * 0.1, rate_bps, clocks_s), step * 0.1)
    for step in range(50, 70 + round(2 / (1 - share))):
        late_s = (step - 50) * 0.1 * (1 / share - 1)
        passed = steady(step * 0.1, share * rate_bps, clocks_s + late_s)
        estimate.handle(passed, step * 0.1)
    assert estimate.has_proof
    assert estimate.bps < 0.95 * share * rate_bps


def test_loss_that_less_traffic_does_not_cure_is_borne() -> None:
    estimate, rate_bps = LineEstimate(), 1_600_000.0
    estimate.raise_to(2_000_000)
    lowest_bps = estimate.bps
    for step in range(300):
        now_s = step * 0.1
        estimate.handle(steady(now_s, min(rate_bps, 0.7 * estimate.bps), 0.05, 5), now_s)
        lowest_bps = min(lowest_bps, estimate.bps)
    assert lowest_bps < 1_500_000, "heavy loss is first taken for a full line"
    assert estimate.inherent_loss > 0.15
    assert estimate.bps > 1_900_000
    assert not estimate.has_proof


def test_a_train_without_answer_is_forgotten_and_asked_less_often() -> None:
    prober, waits = Prober(), []
    now_s = 0.0
    for _ in range(6):
        prober.begin(1e6, now_s)
        assert prober.missing_bytes(0, now_s + 0.05) > 6000
        assert prober.missing_bytes(0, now_s + TRAIN_S) == 0
        now_s += ANSWER_S + 0.1
        assert prober.handle([], now_s) is None
        assert prober.target_bps is None
        waits.append(prober.next_s - now_s)
        now_s = prober.next_s
    assert waits == sorted(waits)
    assert waits[0] < waits[-1] <= 5.0
