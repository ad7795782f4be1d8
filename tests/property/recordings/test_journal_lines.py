"""Journals survive being cut anywhere."""

import json

from hypothesis import given
from hypothesis import strategies as st

from recordings import journal

text = st.text(max_size=40)
number = st.floats(allow_nan=False, allow_infinity=False)
entries = st.one_of(
    st.builds(journal.SessionStarted, number, text, text),
    st.builds(journal.SessionStopped, number, text),
    st.builds(journal.TrackStarted, number, text, text, text, text, text, text),
    st.builds(journal.TrackStopped, number, text, text, st.integers(), st.integers()),
    st.builds(journal.Muted, number, text, text, st.booleans()),
    st.builds(journal.Speakers, number, st.lists(text, max_size=4).map(tuple)),
    st.builds(journal.ClockRead, number, text, number, number),
    st.builds(journal.MediaLost, number, text, number, number, text),
    st.builds(journal.KeyframeRequested, number, text),
)


@given(entries)
def test_what_is_written_is_read(entry: journal.Entry) -> None:
    line = journal.encode(entry)
    assert "\n" not in line
    assert journal.decode(line) == entry


@given(st.lists(entries, min_size=1, max_size=5), st.data())
def test_a_torn_last_line_costs_that_line_only(written: list[journal.Entry], data) -> None:
    whole = [journal.encode(entry) for entry in written]
    cut = data.draw(st.integers(0, len(whole[-1]) - 1))
    assert journal.read([*whole[:-1], whole[-1][:cut]]) == written[:-1]


@given(st.one_of(st.text(), st.binary().map(lambda raw: raw.decode(errors="replace"))))
def test_any_line_is_an_entry_or_nothing(line: str) -> None:
    journal.decode(line)


values = st.one_of(st.none(), st.integers(), st.text(max_size=3), st.lists(st.none()))


@given(
    st.sampled_from(["track_started", "speakers", "clock_read", "muted"]),
    st.dictionaries(st.sampled_from(["at", "file", "sid", "identities", "pts_s"]), values),
)
def test_an_entry_of_the_wrong_shape_is_nothing(kind: str, members: dict[str, object]) -> None:
    assert journal.decode(json.dumps({"kind": kind, **members})) in (
        None,
        journal.Speakers(members.get("at"), ()),
    )
