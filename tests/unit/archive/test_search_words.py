"""Words of the search index: cutting, folding, marking."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.archive.search_words import (
    MAX_CHARACTERS,
    best_line,
    folded_words,
    holds,
    marked_words,
    parts,
    plain,
    snippet,
)


def test_marks_and_case_fall_away_in_one_form_and_stay_in_the_other() -> None:
    assert folded_words("Giao BÁN, đường Đắk-Rơ.Nga\n07/BB-VPUBND") == (
        "giao ban duong dak ro nga\n07 bb vpubnd"
    )
    assert marked_words("Giao BÁN, Đắk-Rơ") == "giao bán đắk rơ"


def test_both_ways_of_writing_a_letter_are_one() -> None:
    assert marked_words("Đắk Lắk") == marked_words("Đắk Lắk")


def test_found_words_that_stand_together_are_marked_together() -> None:
    assert parts("Xã Đăk Rơ Nga thiếu nước", ["dak", "ro", "ng"]) == [
        ("Xã ", False),
        ("Đăk Rơ Nga", True),
        (" thiếu nước", False),
    ]


def test_only_the_last_word_may_be_a_beginning() -> None:
    assert parts("bandung ban", ["ban", "x"]) == [("bandung ", False), ("ban", True)]
    assert parts("bandung ban", ["ban"]) == [("bandung ban", True)]


@given(st.text(max_size=60), st.lists(st.text("abđ", min_size=1, max_size=2), min_size=1))
def test_marking_loses_no_letter(text: str, words: list[str]) -> None:
    assert "".join(part for part, _ in parts(text, words)) == text


@given(st.text(max_size=200))
def test_what_is_kept_can_be_stored_and_stands_line_by_line(text: str) -> None:
    kept = plain(text)
    kept.encode()
    assert "\0" not in kept
    assert folded_words(kept).count("\n") == kept.count("\n")


def test_the_line_with_most_words_is_shown() -> None:
    text = "Mở đầu\nGiao ban\nGiao ban quý bốn"
    assert best_line(text, folded_words(text), ["giao", "ban", "quy"]) == "Giao ban quý bốn"


def test_a_long_text_is_cut_around_the_hit() -> None:
    text = "Mở đầu. " * 40 + "Đăk Rơ Nga thiếu nước. " + "Hết. " * 40
    shown = snippet(text, ["dak"])
    assert shown.startswith("… ")
    assert shown.endswith(" …")
    assert "Đăk Rơ Nga thiếu nước." in shown


@pytest.mark.parametrize(("words", "number"), [(["giao"], 1), (["ao"], 0), (["giao", "b"], 2)])
def test_words_are_found_from_their_beginning(words: list[str], number: int) -> None:
    assert holds("giao ban", words) == number


def test_texts_without_end_are_cut() -> None:
    assert len(plain("a" * (MAX_CHARACTERS + 5))) == MAX_CHARACTERS
    assert len(folded_words("ﷺ " * 20_000)) <= MAX_CHARACTERS
