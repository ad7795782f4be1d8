"""Properties of conference.directory.vietnamese."""

import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.directory.vietnamese import (
    fold,
    has_exactly,
    has_words,
    name_sort_key,
    sort_key,
)

ALPHABET = "aăâbcdđeêghiklmnoôơpqrstuưvxy"
TONES = ["", "\u0300", "\u0309", "\u0303", "\u0301", "\u0323"]

words = st.builds(
    lambda letters, tone: unicodedata.normalize("NFC", letters + tone),
    st.text(ALPHABET, min_size=1, max_size=6),
    st.sampled_from(TONES),
)
phrases = st.lists(words, min_size=1, max_size=5).map(" ".join)


@given(st.text())
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(phrases)
def test_folded_vietnamese_is_plain_ascii(text: str) -> None:
    assert set(fold(text)) <= set(string.ascii_lowercase + " ")


@given(phrases)
def test_composed_and_decomposed_text_fold_and_sort_alike(text: str) -> None:
    decomposed = unicodedata.normalize("NFD", text)
    assert fold(decomposed) == fold(text)
    assert sort_key(decomposed) == sort_key(text)
    assert has_exactly(decomposed, text)


@given(phrases)
def test_a_text_is_found_by_itself_without_marks_and_in_capitals(text: str) -> None:
    assert has_words(fold(text), text)
    assert has_words(text.upper(), text)


@given(words, words)
def test_letters_decide_before_tones(first: str, second: str) -> None:
    def letters(word: str) -> list[int]:
        bare = "".join(c for c in unicodedata.normalize("NFD", word) if c not in TONES)
        return [ALPHABET.index(c) for c in unicodedata.normalize("NFC", bare)]

    if letters(first) != letters(second):
        assert (letters(first) < letters(second)) == (sort_key(first) < sort_key(second))


@given(st.text())
def test_keys_use_only_characters_that_every_collation_orders_alike(text: str) -> None:
    allowed = set(string.digits + string.ascii_lowercase)
    assert set(sort_key(text)) <= allowed
    assert set(name_sort_key(text)) <= allowed


@given(st.text(ALPHABET, min_size=1, max_size=5))
def test_tones_follow_the_order_of_the_dictionary(letters: str) -> None:
    keys = [sort_key(letters + tone) for tone in TONES]
    assert keys == sorted(set(keys))


def test_the_letters_follow_the_alphabet() -> None:
    assert sorted("yưuơôoêeđdâăa", key=sort_key) == list("aăâdđeêoôơuưy")


def test_both_placements_of_a_tone_sort_alike() -> None:
    assert sort_key("hoà") == sort_key("hòa")
    assert sort_key("thuỷ") == sort_key("thủy")


def test_people_sort_by_given_name_then_family_then_middle() -> None:
    names = ["Trần Văn An", "Lê Thị Hòa", "Y Mửi", "Lê Văn An", "Lê Thị An", "Nguyễn Hoa", "Kring"]
    assert sorted(names, key=name_sort_key) == [
        "Lê Thị An", "Lê Văn An", "Trần Văn An", "Nguyễn Hoa", "Lê Thị Hòa", "Kring", "Y Mửi",
    ]  # fmt: skip


@pytest.mark.parametrize("query", ["giao ban", "giao bán", "GIAO BAN", "ban  giao"])
def test_a_meeting_is_found_however_it_is_typed(query: str) -> None:
    assert has_words(query, "Họp giao ban tháng 12")


@pytest.mark.parametrize("query", ["ia h'drai", "Ia H’Drai", "hdrai"])
def test_apostrophes_do_not_matter(query: str) -> None:
    assert has_words(query, "Ủy ban nhân dân huyện Ia H' Drai".replace("' ", "'"))
