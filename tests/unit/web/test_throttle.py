from hypothesis import given
from hypothesis import strategies as st

from web.throttle import MAX_KEYS, WINDOW_S, Throttle


def test_the_fifth_failure_within_a_minute_closes_and_time_opens_again() -> None:
    throttle = Throttle(5)
    for second in range(5):
        assert throttle.wait_s("thuky", second) == 0
        throttle.failed("thuky", second)
    assert throttle.wait_s("thuky", 5) == WINDOW_S - 5
    assert throttle.wait_s("thuky", WINDOW_S - 0.1) > 0
    assert throttle.wait_s("thuky", WINDOW_S) == 0


def test_one_account_does_not_close_another() -> None:
    throttle = Throttle(1)
    throttle.failed("a", 0)
    assert throttle.wait_s("a", 1) > 0
    assert throttle.wait_s("b", 1) == 0


def test_success_forgives() -> None:
    throttle = Throttle(1)
    throttle.failed("a", 0)
    throttle.forget("a")
    assert throttle.wait_s("a", 0) == 0


def test_a_flood_of_names_does_not_grow_without_limit() -> None:
    throttle = Throttle(1)
    for number in range(MAX_KEYS + 10):
        throttle.failed(str(number), 0)
    assert throttle.wait_s("0", 1) == 0
    assert throttle.wait_s(str(MAX_KEYS + 9), 1) > 0


@given(st.lists(st.floats(0, 30), max_size=60))
def test_no_window_holds_more_than_the_limit(gaps: list[float]) -> None:
    throttle, now_s, allowed = Throttle(5), 0.0, []
    for gap in gaps:
        now_s += gap
        if throttle.wait_s("a", now_s) == 0:
            throttle.failed("a", now_s)
            allowed.append(now_s)
    for first in allowed:
        assert sum(first <= at < first + WINDOW_S for at in allowed) <= 5
