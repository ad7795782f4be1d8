"""media.core.quality: what bars a line deserves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol import models

from media.core import quality
from media.core.quality import BEST, DRY, WORST_HEARD, TrackScore, Window, judge, quality_of

EXCELLENT, GOOD = models.ConnectionQuality.EXCELLENT, models.ConnectionQuality.GOOD
POOR, LOST = models.ConnectionQuality.POOR, models.ConnectionQuality.LOST


def after(score: TrackScore, windows: int, **facts: float) -> float:
    """The score after that many equal windows of five seconds."""
    for _ in range(windows):
        score.update(Window(**({"packets": 500, "lost": 0, "seconds": 5.0} | facts)))  # type: ignore[arg-type]
    return score.score


@pytest.mark.parametrize(
    ("weight", "lost", "expected"),
    [
        (quality.LOSS_WEIGHT_VIDEO, 0, EXCELLENT),
        (quality.LOSS_WEIGHT_VIDEO, 5, EXCELLENT),
        (quality.LOSS_WEIGHT_VIDEO, 15, GOOD),
        (quality.LOSS_WEIGHT_VIDEO, 40, POOR),
        (quality.LOSS_WEIGHT_OPUS, 15, EXCELLENT),
        (quality.LOSS_WEIGHT_RED, 40, GOOD),
    ],
)
def test_loss_counts_as_much_as_it_is_noticed(weight: float, lost: int, expected: int) -> None:
    assert quality_of(after(TrackScore(weight), 6, lost=lost)) == expected


def test_a_slow_line_is_not_excellent() -> None:
    assert quality_of(after(TrackScore(10), 6, rtt_ms=1000)) == GOOD
    assert quality_of(after(TrackScore(10), 6, rtt_ms=100)) == EXCELLENT


@pytest.mark.parametrize(("missed", "expected"), [(0.0, EXCELLENT), (1.0, GOOD), (2.0, POOR)])
def test_each_layer_missed_costs_a_step(missed: float, expected: int) -> None:
    assert quality_of(after(TrackScore(10), 6, missed_layers=missed)) == expected


@pytest.mark.parametrize(
    ("share", "expected"), [(1.0, EXCELLENT), (0.5, EXCELLENT), (0.3, GOOD), (0.04, POOR)]
)
def test_fewer_bits_than_the_layer_takes_cost_quality(share: float, expected: int) -> None:
    score = after(TrackScore(10), 8, bits=1e6 * share, expected_bits=1e6)
    assert quality_of(score) == expected


def test_bits_nobody_expects_cost_nothing() -> None:
    assert after(TrackScore(10), 2, bits=0.0, expected_bits=0.0) == BEST


def test_a_score_falls_at_once_and_rises_slowly() -> None:
    score = TrackScore(10)
    assert quality_of(after(score, 1, lost=60)) == POOR
    assert quality_of(after(score, 1)) != EXCELLENT
    assert quality_of(after(score, 6)) == EXCELLENT


def test_a_track_that_should_send_and_does_not_is_poor() -> None:
    score = TrackScore(10)
    assert quality_of(score.update(Window(0, 0, 5.0))) == POOR
    score.pause()
    assert quality_of(score.score) == EXCELLENT


def test_loss_in_silence_counts_less() -> None:
    talking, silent = TrackScore(8), TrackScore(8)
    after(talking, 1, packets=250)
    after(silent, 1, packets=250)
    assert after(silent, 3, packets=12, lost=1) > after(talking, 3, packets=250, lost=21)


def test_the_worst_track_decides_and_nobody_heard_is_called_lost() -> None:
    assert judge([], unheard_s=0).quality == EXCELLENT
    assert judge([100, 50, 90], unheard_s=3).quality == GOOD
    assert judge([100], unheard_s=quality.SILENT_AFTER_S + 1).quality == LOST
    assert judge([DRY, WORST_HEARD], unheard_s=0).quality == POOR


windows = st.builds(
    Window,
    packets=st.integers(0, 5000),
    lost=st.integers(0, 5000),
    seconds=st.floats(0.1, 10),
    rtt_ms=st.floats(0, 1e5),
    jitter_ms=st.floats(0, 1e5),
    missed_layers=st.floats(0, 2),
)


@given(st.lists(windows, max_size=30))
def test_whatever_is_measured_the_score_stays_on_its_scale(history: list[Window]) -> None:
    score = TrackScore(10)
    for window in history:
        assert WORST_HEARD <= score.update(window) <= BEST
        verdict = judge([score.score], unheard_s=0)
        assert 1.0 <= verdict.score <= 4.5
        assert not verdict.is_lost
