"""What calendar programs answer, and what else arrives in a mailbox."""

import contextlib
from datetime import UTC, datetime

import pytest

from conference.replies import itip
from conference.replies.models import Answer
from tests.support.answers import calendar_text, mail

SITE = "diemcau.1@kontum.example"


@pytest.mark.parametrize("kind", ["outlook", "gmail", "file"])
def test_one_answer_is_read_from_every_way_of_packing(kind: str) -> None:
    found = itip.read(mail(SITE, calendar_text("u1", SITE.upper(), "ACCEPTED"), kind=kind))
    assert found.sender == SITE
    (answer,) = found.answers
    assert (answer.uid, answer.attendee, answer.answer) == ("u1", SITE, Answer.ACCEPTED)


@pytest.mark.parametrize("method", ["REQUEST", "CANCEL", "PUBLISH", "COUNTER", "ADD"])
def test_anything_but_a_reply_is_ignored(method: str) -> None:
    assert itip.read(mail(SITE, calendar_text("u", SITE, "ACCEPTED", method=method))).answers == ()


@pytest.mark.parametrize("partstat", ["NEEDS-ACTION", "DELEGATED", "", "X"])
def test_an_answer_that_is_none_is_ignored(partstat: str) -> None:
    assert itip.read(mail(SITE, calendar_text("u", SITE, partstat))).answers == ()


def test_a_reply_with_two_attendees_answers_for_nobody() -> None:
    more = f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:b{SITE}\r\n"
    assert itip.read(mail(SITE, calendar_text("u", SITE, "ACCEPTED", more=more))).answers == ()


def test_comment_sequence_and_occurrence_are_read() -> None:
    more = "COMMENT:Mất điện\\, xin vắng\r\nRECURRENCE-ID:20261217T010000Z\r\n"
    (answer,) = itip.read(
        mail(SITE, calendar_text("u", SITE, "DECLINED", sequence=3, more=more))
    ).answers
    assert answer.comment == "Mất điện, xin vắng"
    assert answer.sequence == 3
    assert answer.recurrence_at == datetime(2026, 12, 17, 1, tzinfo=UTC)


@pytest.mark.parametrize("content", [b"", b"\x00" * 10, b"A" * (itip.MAX_BYTES + 1), b"\r\n\r\n"])
def test_what_is_no_mail_answers_nothing(content: bytes) -> None:
    with contextlib.suppress(itip.MailError):
        assert itip.read(content).answers == ()
