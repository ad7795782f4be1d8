"""Answers as calendar programs send them, built by hand after what each is known to send."""

from email.message import EmailMessage


def calendar_text(
    uid: str,
    attendee: str,
    partstat: str,
    *,
    sequence: int = 0,
    method: str = "REPLY",
    more: str = "",
) -> str:
    """A VCALENDAR with one event."""
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n"
        f"METHOD:{method}\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nSEQUENCE:{sequence}\r\n"
        "DTSTAMP:20261123T040000Z\r\nDTSTART:20261210T010000Z\r\n"
        f"ATTENDEE;PARTSTAT={partstat};CN=Site:mailto:{attendee}\r\n{more}"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    )


def mail(sender: str, ics: str, *, kind: str = "outlook", message_id: str = "<1@site>") -> bytes:
    """The message around it: inline part (outlook), alternative with text (gmail), a file only."""
    message = EmailMessage()
    message["From"] = f"Điểm cầu <{sender}>"
    message["To"] = "hop@example.invalid"
    message["Subject"] = "Chấp nhận: Giao ban"
    message["Message-ID"] = message_id
    if kind == "outlook":
        message.set_content(ics, subtype="calendar", charset="utf-8", params={"method": "REPLY"})
    elif kind == "gmail":
        message.set_content("Đã chấp nhận.")
        message.add_alternative(ics, subtype="calendar", params={"method": "REPLY"})
        message.add_attachment(ics.encode(), "application", "ics", filename="invite.ics")
    else:
        message.set_content("Xem tệp.")
        message.add_attachment(ics.encode(), "application", "octet-stream", filename="reply.ics")
    return message.as_bytes()
