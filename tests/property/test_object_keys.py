"""Names of objects, whatever is asked for."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conference.archive.object_keys import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    folder_key,
    key_of,
    pause_after,
)

ODD = st.text(alphabet="ab.1/_-\\% é\x00", max_size=12)
PART = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,8}", fullmatch=True)
PATH = st.lists(PART, min_size=1, max_size=3).map("/".join)


@settings(max_examples=300)
@given(ODD, ODD, ODD)
def test_no_key_leads_out_of_its_recording(prefix: str, folder: str, path: str) -> None:
    try:
        key = key_of(prefix, folder, path)
    except ValueError:
        return
    assert key.startswith(folder_key(prefix, folder))
    assert not {"", ".", ".."} & set(key.split("/"))
    assert key.isascii()
    assert "\\" not in key


@settings(max_examples=100)
@given(PATH, PATH, PATH, PATH)
def test_two_files_never_share_a_key(prefix: str, folder: str, one: str, other: str) -> None:
    is_same = key_of(prefix, folder, one) == key_of(prefix, folder, other)
    assert is_same == (one == other)


@pytest.mark.parametrize(
    "path", ["../x", "a/../b", "/a", "a/", "", ".", "a//b", "a\\b", ".draft", "a" * 1100]
)
def test_odd_names_are_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"name|long"):
        key_of("tinh", "meeting-1-recording-2", path)


@given(st.integers(0, 10_000))
def test_pauses_grow_and_have_an_end(attempts: int) -> None:
    assert FIRST_PAUSE <= pause_after(attempts) <= pause_after(attempts + 1) <= LONGEST_PAUSE
    assert pause_after(2) == timedelta(minutes=1)
