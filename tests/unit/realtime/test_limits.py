"""How often one socket may speak, and how long one may stay silent."""

from hypothesis import given
from hypothesis import strategies as st

from web.realtime.hub import MESSAGES_PER_S
from web.realtime.idle import PATIENCE_S, IdleSockets
from web.realtime.limits import Bucket


@given(st.lists(st.floats(0, 0.5), max_size=300))
def test_no_second_lets_more_than_the_burst_and_the_rate_through(pauses_s: list[float]) -> None:
    now_s, passed = 0.0, []
    bucket = Bucket(MESSAGES_PER_S, now_s)
    for pause_s in pauses_s:
        now_s += pause_s
        if bucket.take(now_s):
            passed.append(now_s)
    for first in passed:
        within = [one for one in passed if first <= one < first + 1]
        assert len(within) <= 2 * MESSAGES_PER_S


def test_a_steady_speaker_below_the_rate_is_never_refused() -> None:
    bucket = Bucket(MESSAGES_PER_S, 0.0)
    assert all(bucket.take(number / (MESSAGES_PER_S - 1)) for number in range(500))


def test_a_flood_is_refused_and_forgiven_after_a_second() -> None:
    bucket = Bucket(MESSAGES_PER_S, 0.0)
    assert [bucket.take(0.0) for _ in range(30)].count(True) == MESSAGES_PER_S
    assert [bucket.take(1.0) for _ in range(30)].count(True) == MESSAGES_PER_S


def test_a_clock_that_steps_back_gives_nothing_away() -> None:
    bucket = Bucket(MESSAGES_PER_S, 100.0)
    while bucket.take(100.0):
        pass
    assert not bucket.take(0.0)


def test_only_sockets_that_stay_without_a_namespace_are_overdue() -> None:
    idle = IdleSockets()
    assert idle.overdue(["a", "b"], 0.0) == []
    assert idle.overdue(["a"], 5.0) == []  # b was admitted
    assert idle.overdue(["a", "b"], PATIENCE_S) == ["a"]  # b is new again
    assert idle.overdue(["b"], 2 * PATIENCE_S) == ["b"]
