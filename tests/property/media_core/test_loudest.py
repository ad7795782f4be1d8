"""Open microphones: never more forwarded than allowed, never the floor holder left out."""

from hypothesis import given
from hypothesis import strategies as st

from media.core.loudest import AUDIBLE, LOUDER, Loudest

names = st.sampled_from("abcdefgh")
moments = st.lists(
    st.tuples(
        st.floats(0.01, 2.0), st.dictionaries(names, st.floats(0, 1), max_size=8), st.sets(names)
    ),
    max_size=30,
)


@given(moments, st.integers(0, 4))
def test_the_choice_keeps_its_promises(
    given_: list[tuple[float, dict[str, float], set[str]]], limit: int
) -> None:
    loudest, now_s = Loudest(limit), 0.0
    for pause_s, powers, always in given_:
        now_s += pause_s
        heard = loudest.choose(powers, now_s, always)
        assert heard <= powers.keys(), "only open microphones"
        assert always & powers.keys() <= heard
        if not limit or len(powers) <= limit:
            assert heard == powers.keys()
        else:
            assert len(heard - always) <= limit
            candidates = powers.keys() - always
            assert len(heard - always) >= min(limit, len(candidates)), "a place stays empty"


def test_a_cough_changes_nothing_and_a_speaker_comes_in() -> None:
    loudest = Loudest(2)
    talk = {"a": 0.01, "b": 0.004, "c": 0.0}
    assert loudest.choose(talk, 0.0) == {"a", "b"}
    assert loudest.choose({**talk, "c": 0.004 * LOUDER}, 5.0) == {"a", "b"}
    assert loudest.choose({**talk, "c": 0.02}, 5.1) == {"a", "c"}
    assert loudest.choose({"a": 0.01, "b": 0.5, "c": 0.005}, 5.2) == {"a", "c"}, "c just came"
    assert loudest.choose({"a": 0.01, "b": 0.5, "c": 0.005}, 6.2) == {"a", "b"}


def test_silence_displaces_nobody() -> None:
    loudest = Loudest(1)
    assert loudest.choose({"a": 0.01, "b": 0.0}, 0.0) == {"a"}
    assert loudest.choose({"a": 0.0, "b": AUDIBLE / 2}, 9.0) == {"a"}


def test_the_floor_holder_is_heard_besides() -> None:
    loudest = Loudest(1)
    powers = {"a": 0.5, "floor": 0.0, "c": 0.1}
    assert loudest.choose(powers, 0.0, {"floor"}) == {"a", "floor"}
