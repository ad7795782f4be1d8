"""Properties of the letters: whatever people type, the message keeps its shape."""

import email
import email.policy
from datetime import UTC, datetime, timedelta

import icalendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conference.invitations.message import (
    AgendaLine,
    Event,
    Letter,
    Office,
    Reason,
    compose,
    mail_address,
    one_line,
)

AT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
texts = st.text(min_size=0, max_size=120)
instants = st.datetimes(
    min_value=datetime(2020, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(2090, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


def a_letter(
    reason: Reason = Reason.INVITED,
    title: str = "Giao ban",
    site: str = "Xã Ia Tơi",
    location: str = "",
    note: str = "",
    starts_at: datetime = AT,
    recipient: str = "xa@kontum.example",
) -> Letter:
    event = Event(
        title=title, scope_words="Nội tỉnh", starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=3), chair="Nguyễn Văn An", location=location,
        description=note, external="", agenda=[AgendaLine(title, note, 10)], uid="u@diemcau",
        sequence=2, explanation=note,
    )  # fmt: skip
    return Letter(
        reason=reason, event=event, office=Office("Văn phòng", "hop@kontum.example", "0260"),
        recipient=recipient, site_name=site, unit_name=site,
        link="https://hop.example/vao/abc", message_id="<m@kontum.example>", at=AT,
    )  # fmt: skip


@settings(max_examples=60)
@given(st.sampled_from(Reason), texts, texts, texts, texts)
def test_nothing_typed_can_add_a_header_or_break_the_structure(
    reason: Reason, title: str, site: str, location: str, note: str
) -> None:
    content = compose(a_letter(reason, title, site, location, note))
    assert content.isascii()
    assert "\n" not in content.replace("\r\n", "")
    message = email.message_from_string(content, policy=email.policy.SMTP)
    assert sorted(message.keys()) == sorted({*message.keys()})  # none twice
    assert set(message.keys()) == {
        "Content-Type", "MIME-Version", "From", "To", "Subject", "Date", "Message-ID",
        "Auto-Submitted", "Content-Language",
    }  # fmt: skip
    types = [part.get_content_type() for part in message.walk()]
    held = reason in {Reason.INVITED, Reason.CHANGED, Reason.REMINDED}
    assert types == [
        "multipart/mixed", "multipart/alternative", "text/plain",
        *(["multipart/related", "text/html", "image/png"] if held else ["text/html"]),
        "text/calendar", "application/ics",
    ]  # fmt: skip
    assert message["To"].addresses[0].addr_spec == "xa@kontum.example"


@settings(max_examples=60)
@given(st.sampled_from(Reason), texts, texts, instants)
def test_the_calendar_part_reads_back_what_was_meant(
    reason: Reason, title: str, location: str, starts_at: datetime
) -> None:
    starts_at = starts_at.replace(microsecond=0)
    message = email.message_from_string(
        compose(a_letter(reason, title, location=location, starts_at=starts_at)),
        policy=email.policy.SMTP,
    )
    part = next(p for p in message.walk() if p.get_content_type() == "text/calendar")
    calendar = icalendar.Calendar.from_ical(part.get_content())
    [event] = calendar.walk("VEVENT")
    assert part["Content-Type"].params["method"] == calendar["METHOD"] == reason.method.value
    assert event["DTSTART"].dt == starts_at
    assert event["SEQUENCE"] == 2
    assert event["UID"] == "u@diemcau"
    assert str(event["SUMMARY"]) == one_line(title)
    assert all(len(line.encode()) <= 75 for line in calendar.to_ical().decode().split("\r\n"))


@given(st.text())
def test_any_text_is_an_address_or_none(text: str) -> None:
    found = mail_address(text)
    assert found is None or (found == text and text.isascii() and not set("\r\n ,;<>") & set(text))


@pytest.mark.parametrize(
    ("text", "is_usable"),
    [
        ("ubnd.xa@kontum.gov.vn", True),
        ("a@b", False),
        ("", False),
        ("a@b.vn\r\nBcc: c@d.vn", False),
        ("một@kontum.vn", False),
        ("a@b@c.vn", False),
    ],
)
def test_addresses_that_smtp_cannot_carry_are_told_apart(text: str, is_usable: bool) -> None:
    assert (mail_address(text) is not None) is is_usable


def test_a_title_with_a_line_break_stays_in_the_subject() -> None:
    content = compose(a_letter(title="Họp\r\nBcc: kẻ lạ@x.vn"))
    message = email.message_from_string(content, policy=email.policy.SMTP)
    assert message["Bcc"] is None
    assert "Họp Bcc:" in message["Subject"]


def test_markup_in_a_title_is_shown_as_text() -> None:
    message = email.message_from_string(
        compose(a_letter(title="<script>alert(1)</script>")), policy=email.policy.SMTP
    )
    html = next(p for p in message.walk() if p.get_content_type() == "text/html").get_content()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
