"""The tool that makes lines poor does what it says, and nothing else."""

from collections import Counter
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.line import Burst, Line

packets = st.lists(st.tuples(st.floats(0.0, 0.05), st.integers(20, 1400)), min_size=1, max_size=150)
"""Pauses between packets, and sizes."""
shares = st.sampled_from((0.0, 0.1, 0.5))
END_S = 1e6


def sent(line: Line, given_: list[tuple[float, int]]) -> list[tuple[float, bytes]]:
    """Send numbered packets; when each was sent."""
    now_s, out = 0.0, []
    for number, (pause_s, size) in enumerate(given_):
        now_s += pause_s
        data = number.to_bytes(4, "big") + bytes(size - 4)
        line.send(data, now_s)
        out.append((now_s, data))
    return out


def received(line: Line) -> list[tuple[float, bytes]]:
    """Everything that comes out, with its time."""
    out = []
    while line.due_s < END_S:
        due_s = line.due_s
        out += [(due_s, data) for data in line.arrivals(due_s)]
    return out


@given(packets, st.integers(0, 99), shares, shares, shares, shares)
def test_nothing_is_invented_and_everything_accounted_for(
    given_: list[tuple[float, int]],
    seed: int,
    loss: float,
    jitter_s: float,
    reorder: float,
    duplicate: float,
) -> None:
    line = Line(seed, loss=loss, jitter_s=jitter_s, reorder=reorder, duplicate=duplicate)
    before = sent(line, given_)
    after = received(line)
    times = {data: at_s for at_s, data in before}
    copies = Counter(data for _, data in after)
    assert all(at_s >= times[data] + line.delay_s for at_s, data in after)
    assert max(copies.values(), default=0) <= (2 if duplicate else 1)
    assert len(copies) == line.sent - line.lost
    assert line.lost == 0 or loss
    if not reorder:
        order = [data for _, data in after]
        assert order == sorted(order)


@given(packets, st.sampled_from((50_000.0, 1_000_000.0)), st.sampled_from((0.0, 0.15, 1.0)))
def test_a_bottleneck_keeps_its_rate_and_the_length_of_its_queue(
    given_: list[tuple[float, int]], rate_bps: float, queue_s: float
) -> None:
    line = Line(1, rate_bps=rate_bps, queue_s=queue_s, delay_s=0.0)
    times = {data: at_s for at_s, data in sent(line, given_)}
    free_s = 0.0
    for at_s, data in received(line):
        own_s = len(data) * 8 / rate_bps
        assert at_s >= free_s + own_s - 1e-9, "faster than the line"
        assert at_s <= times[data] + queue_s + own_s + 1e-9, "longer in the queue than it holds"
        free_s = at_s


@given(packets, st.integers(0, 99))
def test_the_same_seed_gives_the_same_fate(given_: list[tuple[float, int]], seed: int) -> None:
    ends = []
    for _ in range(2):
        line = Line(
            seed, burst=Burst(0.1, 0.3), jitter_s=0.1, reorder=0.1, duplicate=0.1, corrupt=0.1
        )
        sent(line, given_)
        ends.append(received(line))
    assert ends[0] == ends[1]


@given(st.integers(0, 10_000))
@settings(max_examples=20)
def test_losses_come_in_bursts_of_the_length_asked_for(seed: int) -> None:
    line = Line(seed, burst=Burst(enter=0.01, leave=0.1), delay_s=0.0)
    sent(line, [(0.001, 20)] * 20_000)
    numbers = [int.from_bytes(data[:4], "big") for _, data in received(line)]
    gaps = [b - a - 1 for a, b in pairwise(numbers) if b > a + 1]
    assert 0.05 < line.lost / line.sent < 0.15  # 0.01 / (0.01 + 0.1) = 9 %
    assert 6 < sum(gaps) / len(gaps) < 15


def test_darkness_swallows_and_a_turned_bit_is_one_bit() -> None:
    line = Line(3, corrupt=1.0)
    line.send(bytes(100), 0.0)
    (arrived,) = line.arrivals(1.0)
    assert sum(byte.bit_count() for byte in arrived) == 1
    line.is_dark = True
    line.send(bytes(100), 1.0)
    assert line.due_s == float("inf")
