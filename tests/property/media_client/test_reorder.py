"""Properties of media.client.reorder."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from media.client.reorder import ReorderBuffer

WAIT_S = 0.5


def drain(buffer: ReorderBuffer[int], now_s: float) -> list[tuple[int, int]]:
    return [(ext_seq, missing) for ext_seq, missing, _ in buffer.pop(now_s)]


@given(order=st.permutations(range(40)), lost=st.sets(st.integers(1, 39)))
def test_output_ascends_and_every_gap_is_declared(order: list[int], lost: set[int]) -> None:
    buffer: ReorderBuffer[int] = ReorderBuffer(WAIT_S)
    out = []
    for number, seq in enumerate(order):
        if seq not in lost:
            buffer.push(seq, seq, number * 0.001)
            out += drain(buffer, number * 0.001)
    out += drain(buffer, 10.0)
    numbers = [seq for seq, _ in out]
    assert numbers == sorted(set(numbers))
    for (before, _), (after, missing) in pairwise(out):
        assert missing == after - before - 1


@given(shift=st.lists(st.integers(0, 5), min_size=30, max_size=30))
def test_reordering_within_the_wait_loses_nothing(shift: list[int]) -> None:
    buffer: ReorderBuffer[int] = ReorderBuffer(WAIT_S)
    arrivals = sorted((seq + 1 + delay, seq) for seq, delay in enumerate(shift))
    buffer.push(-1, -1, 0.0)
    out = drain(buffer, 0.0)
    for at, seq in arrivals:
        buffer.push(seq, seq, at * 0.01)
        out += drain(buffer, at * 0.01)
    assert out == [(seq, 0) for seq in range(-1, 30)]


def test_a_gap_is_given_up_after_the_wait_and_not_before() -> None:
    buffer: ReorderBuffer[int] = ReorderBuffer(WAIT_S)
    buffer.push(1, 1, 0.0)
    assert drain(buffer, 0.0) == [(1, 0)]
    buffer.push(4, 4, 0.1)
    assert drain(buffer, 0.1 + WAIT_S - 0.01) == []
    assert buffer.deadline_s == 0.1 + WAIT_S
    assert drain(buffer, 0.1 + WAIT_S) == [(4, 2)]
    assert not buffer.push(2, 2, 0.7)
    assert buffer.deadline_s is None


def test_a_duplicate_is_refused() -> None:
    buffer: ReorderBuffer[int] = ReorderBuffer(WAIT_S)
    assert buffer.push(7, 7, 0.0)
    assert not buffer.push(7, 7, 0.0)
