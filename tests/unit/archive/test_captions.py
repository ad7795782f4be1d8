"""Captions from outside, chapters from the row: clean WebVTT or a clear refusal."""

import io
import string

import pytest
import webvtt
from hypothesis import given
from hypothesis import strategies as st

from conference.archive import captions
from conference.errors import InvalidError

SRT = "1\n00:00:01,500 --> 00:00:03,000\nKính thưa đồng chí\n\n"


def test_subrip_becomes_webvtt() -> None:
    assert captions.read_captions(SRT.encode()) == (
        "WEBVTT\n\n00:00:01.500 --> 00:00:03.000\nKính thưa đồng chí\n"
    )


def test_cues_are_put_in_order_and_markup_is_text() -> None:
    given = (
        "WEBVTT\n\n00:05.000 --> 00:06.000\nsau\n\n"
        "00:01.000 --> 00:02.000\n<script>alert(1)</script> & <b>đậm</b>\n"
    )
    text = captions.read_captions(given.encode())
    assert text.index("alert") < text.index("sau")
    assert "<script" not in text
    assert "<b" not in text


@pytest.mark.parametrize(
    "content",
    [b"", b"WEBVTT", b"hello", b"\xff\xfe\x00", b"WEBVTT\n\n00:09 --> 00:01\nx", b"PK\x03\x04",
     b"WEBVTT\n\n99:99:99.999 -> 1\n", "1\n00:00:01,000\nthiếu".encode()],
)  # fmt: skip
def test_what_holds_no_caption_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidError):
        captions.read_captions(content)


def test_too_much_is_refused() -> None:
    with pytest.raises(InvalidError):
        captions.read_captions(SRT.encode() * (captions.MAX_BYTES // 40))


@given(st.binary(max_size=300))
def test_no_bytes_do_more_than_be_refused(content: bytes) -> None:
    try:
        text = captions.read_captions(b"WEBVTT\n\n" + content)
    except InvalidError:
        return
    assert captions.read_captions(text.encode()) == text


titles = st.text(alphabet=string.printable + "ạữ<>&→", min_size=1, max_size=40).filter(str.strip)


@given(st.lists(st.tuples(st.floats(0, 7000), titles), max_size=8))
def test_every_chapter_that_lasts_reads_back(marks: list[tuple[float, str]]) -> None:
    given = [{"at_s": at_s, "title": title, "identity": ""} for at_s, title in marks]
    text = captions.chapters(given, 7200.0)
    read = list(webvtt.from_buffer(io.StringIO(text)))
    starts = sorted(at_s for at_s, _ in marks)
    lasting = [a for a, b in zip(starts, [*starts[1:], 7200.0], strict=False) if b > a]
    assert len(read) == len(lasting)
