"""Transport-wide feedback tells every arrival, in time, and is read back as written."""

from hypothesis import given
from hypothesis import strategies as st

from media.core.sequence import unwrap
from media.core.transport_cc import Arrivals, FeedbackRecorder, parse_feedback, write_body


@given(
    base=st.integers(0, 0xFFFF),
    lost=st.integers(0, 20),
    first=st.integers(0, 2**23 * 256 - 1),
    steps=st.lists(st.none() | st.integers(-0x8000, 0x7FFF), max_size=600),
)
def test_written_feedback_is_read_back(
    base: int, lost: int, first: int, steps: list[int | None]
) -> None:
    ticks: list[int | None] = [*[None] * lost, first]
    last = first
    for step in steps:
        last += step or 0
        ticks.append(None if step is None else last)
    arrivals = Arrivals(base, 3, tuple(ticks))
    assert parse_feedback(write_body(arrivals)) == arrivals


@given(
    first=st.integers(0, 0xFFFF),
    fates=st.lists(
        st.tuples(st.booleans(), st.integers(0, 3), st.floats(0, 0.03)), min_size=1, max_size=300
    ),
)
def test_every_arrival_is_told_within_the_interval(
    first: int, fates: list[tuple[bool, int, float]]
) -> None:
    recorder = FeedbackRecorder()
    now_s = 1000.0
    told: dict[int, float] = {}
    sent: dict[int, float] = {}
    order = sorted(
        (index + delay, index) for index, (arrives, delay, _) in enumerate(fates) if arrives
    )
    for _, index in order:
        now_s += fates[index][2]
        recorder.record(first + index & 0xFFFF, 5, now_s)
        sent[index] = now_s
        assert recorder.due_s <= now_s + 0.05
        _collect(recorder, now_s, first, told)
    _collect(recorder, now_s + 1, first, told)
    assert told.keys() == sent.keys()
    for index, at in sent.items():
        assert abs(told[index] - at) <= 0.0005


def _collect(recorder: FeedbackRecorder, now_s: float, first: int, told: dict[int, float]) -> None:
    for message in recorder.take(1, now_s):
        arrivals = parse_feedback(message.body)
        for offset, tick in enumerate(arrivals.ticks):
            if tick is not None:
                index = unwrap(arrivals.base_seq + offset - first, 150, 16)
                told[index] = tick * 0.00025


@given(st.lists(st.tuples(st.binary(max_size=3), st.floats(0, 100)), max_size=200))
def test_wild_numbers_never_break_the_recorder(records: list[tuple[bytes, float]]) -> None:
    recorder = FeedbackRecorder()
    now_s = 0.0
    for value, wait_s in records:
        now_s += wait_s
        recorder.record(int.from_bytes(value, "big"), 1, now_s)
        for message in recorder.take(1, now_s):
            assert len(message.body) < 1500
            parse_feedback(message.body)
