"""Any bytes give answers or MailError, nothing else."""

import contextlib

from hypothesis import example, given, settings
from hypothesis import strategies as st

from conference.replies import itip
from tests.support.answers import calendar_text, mail

GOOD = mail("a@b.example", calendar_text("u", "a@b.example", "ACCEPTED"), kind="file")


@settings(max_examples=60)
@given(st.binary(max_size=400))
@example(b"Content-Type: multipart/mixed; boundary=\n\n--\n")
def test_any_bytes(content: bytes) -> None:
    with contextlib.suppress(itip.MailError):
        itip.read(content)


@settings(max_examples=60)
@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=12))
def test_a_damaged_answer(place: int, junk: bytes) -> None:
    with contextlib.suppress(itip.MailError):
        itip.read(GOOD[:place] + junk + GOOD[place + len(junk) :])


@settings(max_examples=60)
@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=20))
def test_any_text_in_the_fields(uid: str, attendee: str, comment: str) -> None:
    ics = calendar_text(uid, attendee, "ACCEPTED", more=f"COMMENT:{comment}\r\n")
    try:
        for answer in itip.read(mail("a@b.example", ics)).answers:
            assert len(answer.uid) <= 120
            assert "\x00" not in answer.comment
    except itip.MailError:
        pass
