"""Sequence rewriting: no gap, no reuse, whatever is withheld, lost or reordered."""

from hypothesis import given
from hypothesis import strategies as st

from media.core.sequence import WINDOW_PACKETS, SeqRewriter, unwrap


@given(kept=st.lists(st.booleans(), max_size=3000))
def test_receiver_never_sees_a_gap(kept: list[bool]) -> None:
    rewriter = SeqRewriter()
    out = []
    for ext_seq, keep in enumerate(kept):
        if keep:
            out.append(rewriter.forward(ext_seq))
        else:
            assert rewriter.drop(ext_seq)
    assert out == list(range(len(out)))


@given(kept=st.lists(st.booleans(), min_size=1, max_size=500), data=st.data())
def test_retransmission_gets_its_first_number(kept: list[bool], data: st.DataObject) -> None:
    rewriter = SeqRewriter()
    sent = {s: rewriter.forward(s) for s, keep in enumerate(kept) if keep or not rewriter.drop(s)}
    if sent:
        ext_seq = data.draw(st.sampled_from(sorted(sent)))
        assert rewriter.forward(ext_seq) == sent[ext_seq]


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(("forward", "drop", "skip", "late")), st.integers(0, 60)),
        max_size=300,
    )
)
def test_numbers_grow_with_what_they_number(steps: list[tuple[str, int]]) -> None:
    rewriter = SeqRewriter()
    newest = 0
    numbers: dict[int, int] = {}
    for act, amount in steps:
        if act == "skip":
            newest += amount + 1
            rewriter.skip_to(newest)
        elif act == "drop":
            newest += 1
            rewriter.drop(newest)
        else:
            ext_seq = newest + amount + 1 if act == "forward" else max(0, newest - amount)
            newest = max(newest, ext_seq)
            number = rewriter.forward(ext_seq)
            if number is not None:
                assert numbers.setdefault(ext_seq, number) == number
    ordered = [numbers[ext_seq] for ext_seq in sorted(numbers)]
    assert ordered == sorted(set(ordered))


def test_cannot_drop_what_was_overtaken() -> None:
    rewriter = SeqRewriter()
    assert rewriter.forward(7) == 7
    assert not rewriter.drop(6)


def test_numbers_out_of_the_window_are_refused() -> None:
    rewriter = SeqRewriter()
    assert rewriter.forward(0) == 0
    assert rewriter.forward(WINDOW_PACKETS) == WINDOW_PACKETS
    assert rewriter.forward(0) is None


def test_a_jump_of_the_sender_is_closed() -> None:
    rewriter = SeqRewriter()
    assert rewriter.forward(10) == 10
    rewriter.skip_to(40_000)
    assert rewriter.forward(40_000) == 11
    assert rewriter.forward(39_999) is None


@given(near=st.integers(0, 2**40), distance=st.integers(-(2**15), 2**15 - 1))
def test_unwrapping_finds_the_nearest(near: int, distance: int) -> None:
    assert unwrap(near + distance & 0xFFFF, near, 16) == near + distance
