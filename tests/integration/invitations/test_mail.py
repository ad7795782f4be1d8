"""Invitations through a real SMTP server, read back with other people's parsers."""

import email
import email.policy
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import cv2
import numpy as np
import pytest
import vobject
from aiosmtpd.controller import Controller
from sqlalchemy import func, select

from conference.directory.models import Site
from conference.invitations import worker
from conference.invitations.ledger import letters_of
from conference.invitations.message import Office
from conference.invitations.models import Delivery, OutboxMessage
from conference.invitations.service import MailAnnouncer
from conference.scheduling import service
from conference.scheduling.models import Meeting
from config.settings import Mail
from tests.support.province import AT, ENDS, STARTS, Province, counted_queries

LATER = AT + timedelta(hours=1)
ANNOUNCER = MailAnnouncer(
    Office("Văn phòng UBND tỉnh", "hop@kontum.example", "0260 3862 000"),
    "https://hop.kontum.example",
)


class Postbox:
    """An SMTP server's handler that keeps what arrives and can refuse."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, EmailMessage]] = []
        self.replies: dict[str, str] = {}

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if address in self.replies:
            return self.replies[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        message = email.message_from_bytes(envelope.content, policy=email.policy.SMTP)
        self.messages.append((envelope.rcpt_tos[0], message))
        return "250 OK"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def postbox() -> Postbox:
    return Postbox()


@pytest.fixture
def mail(postbox: Postbox) -> Iterator[Mail]:
    controller = Controller(postbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield Mail(host="127.0.0.1", port=controller.port, sender="hop@kontum.example")
    controller.stop()


def create(province: Province, **changes: Any) -> Meeting:
    with province.database.transaction() as session:
        return service.create_meeting(
            session, province.draft(**changes),
            actor=province.secretary, at=AT, announcer=ANNOUNCER,
        )  # fmt: skip


def change(province: Province, meeting: Meeting, **changes: Any) -> Meeting:
    with province.database.transaction() as session:
        stored = service.locked_meeting(session, meeting.id)
        return service.edit_meeting(
            session, meeting.id, province.draft(**changes), version=stored.version,
            actor=province.secretary, at=LATER, announcer=ANNOUNCER,
        )  # fmt: skip


def deliver(province: Province, mail: Mail, at: datetime = LATER, owner: str = "w1") -> int:
    total = 0
    while tried := worker.deliver_due(province.database, mail, owner=owner, clock=lambda: at):
        total += tried
    return total


def states(province: Province) -> list[Delivery]:
    with province.database.reading() as session:
        return list(session.scalars(select(OutboxMessage.state).order_by(OutboxMessage.id)))


def part(message: EmailMessage, content_type: str) -> EmailMessage:
    return next(p for p in message.walk() if p.get_content_type() == content_type)  # type: ignore[return-value]


def test_the_invitation_shows_eight_in_the_morning_in_vietnam(
    province: Province, mail: Mail, postbox: Postbox
) -> None:
    meeting = create(province)
    assert deliver(province, mail) == 3
    recipient, message = postbox.messages[0]
    assert recipient == "diemcau.62-s01@kontum.example"
    assert message["Subject"] == "Mời họp trực tuyến: Giao ban tháng 12/2026 (8:00 10/12/2026)"
    link = f"https://hop.kontum.example/vao/{meeting.sites[0].join_code}"
    assert link in part(message, "text/plain").get_content()
    assert f'href="{link}"' in part(message, "text/html").get_content()

    calendar_part = part(message, "text/calendar")
    assert calendar_part["Content-Type"].params["method"] == "REQUEST"
    attachment = part(message, "application/ics")
    assert attachment.get_filename() == "lich-hop.ics"
    calendar = vobject.readOne(attachment.get_content().decode())
    assert calendar.method.value == "REQUEST"
    assert calendar.vtimezone.tzid.value == "Asia/Ho_Chi_Minh"
    start = calendar.vevent.dtstart
    assert b"DTSTART;TZID=Asia/Ho_Chi_Minh:20261210T080000\r\n" in attachment.get_content()
    assert start.value.strftime("%Y-%m-%d %H:%M") == "2026-12-10 08:00"
    assert start.value.utcoffset() == timedelta(hours=7)
    assert start.value.astimezone(UTC) == STARTS
    assert calendar.vevent.dtend.value.astimezone(UTC) == ENDS
    assert calendar.vevent.uid.value == meeting.ics_uid
    assert calendar.vevent.sequence.value == "0"
    assert calendar.vevent.organizer.value == "mailto:hop@kontum.example"
    assert calendar.vevent.attendee.value == f"mailto:{recipient}"
    assert link in calendar.vevent.description.value


def test_the_picture_in_the_letter_is_the_links_qr_code(
    province: Province, mail: Mail, postbox: Postbox
) -> None:
    meeting = create(province)
    deliver(province, mail)
    by_address = {
        f"diemcau.{unit}@kontum.example": site
        for unit, site in zip(("62-s01", "62-s02", "62-s03"), meeting.sites, strict=True)
    }
    for recipient, message in postbox.messages:
        picture = part(message, "image/png")
        content_id = picture["Content-ID"].strip("<>")
        assert f"cid:{content_id}" in part(message, "text/html").get_content()
        pixels = np.frombuffer(picture.get_content(), dtype=np.uint8)
        text, *_ = cv2.QRCodeDetector().detectAndDecode(cv2.imdecode(pixels, cv2.IMREAD_GRAYSCALE))
        code = by_address[recipient].join_code
        assert text == f"https://hop.kontum.example/vao/{code}"


def test_a_change_keeps_the_uid_and_counts_the_sequence_up(
    province: Province, mail: Mail, postbox: Postbox
) -> None:
    meeting = create(province)
    change(province, meeting, starts_at=STARTS + timedelta(hours=1))
    assert deliver(province, mail) == 6
    first, last = (
        [m for r, m in postbox.messages if r == "diemcau.62-s01@kontum.example"][i] for i in (0, -1)
    )
    assert last["Subject"].startswith("Thay đổi cuộc họp: ")
    old, new = (
        vobject.readOne(part(m, "text/calendar").get_content()).vevent for m in (first, last)
    )
    assert old.uid.value == new.uid.value
    assert (old.sequence.value, new.sequence.value) == ("0", "1")
    assert new.dtstart.value.strftime("%H:%M") == "09:00"


def test_a_cancellation_says_why_and_takes_the_event_back(
    province: Province, mail: Mail, postbox: Postbox
) -> None:
    meeting = create(province)
    with province.database.transaction() as session:
        service.cancel_meeting(
            session, meeting.id, "Tránh bão số 12",
            actor=province.secretary, at=LATER, announcer=ANNOUNCER,
        )  # fmt: skip
    deliver(province, mail)
    _, message = postbox.messages[-1]
    assert message["Subject"].startswith("Hủy họp: ")
    assert "Tránh bão số 12" in part(message, "text/plain").get_content()
    assert "/vao/" not in part(message, "text/html").get_content()
    calendar = vobject.readOne(part(message, "text/calendar").get_content())
    assert calendar.method.value == "CANCEL"
    assert part(message, "text/calendar")["Content-Type"].params["method"] == "CANCEL"
    assert calendar.vevent.status.value == "CANCELLED"
    assert calendar.vevent.sequence.value == "1"


def test_a_site_added_later_is_invited_and_a_removed_one_called_off(
    province: Province, mail: Mail, postbox: Postbox
) -> None:
    first, second, third, fourth = province.site_ids[:4]
    meeting = create(province, sites=[first, second, third])
    deliver(province, mail)
    postbox.messages.clear()
    change(province, meeting, sites=[first, second, fourth])
    deliver(province, mail)
    said = {
        recipient: part(message, "text/calendar")["Content-Type"].params["method"]
        for recipient, message in postbox.messages
    }
    assert said == {
        "diemcau.62-s04@kontum.example": "REQUEST",
        "diemcau.62-s03@kontum.example": "CANCEL",
    }


def test_a_mail_server_that_is_down_loses_nothing(province: Province, postbox: Postbox) -> None:
    create(province)
    port = free_port()
    mail = Mail(host="127.0.0.1", port=port, sender="hop@kontum.example")
    assert deliver(province, mail) == 3
    assert states(province) == [Delivery.WAITING] * 3
    with province.database.reading() as session:
        row = session.scalars(select(OutboxMessage)).first()
        assert row is not None
        assert row.attempts == 1
        assert "Không kết nối được máy chủ thư" in row.last_error
        again_at = row.next_attempt_at
    assert deliver(province, mail, LATER + timedelta(seconds=1)) == 0, "it waits before trying"
    controller = Controller(postbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        assert deliver(province, mail, again_at) == 3
    finally:
        controller.stop()
    assert states(province) == [Delivery.SENT] * 3
    assert len(postbox.messages) == 3


def test_a_refused_address_fails_with_the_servers_words_and_can_be_sent_again(
    province: Province, mail: Mail, postbox: Postbox
) -> None:
    meeting = create(province)
    postbox.replies["diemcau.62-s02@kontum.example"] = "550 5.1.1 no such user"
    postbox.replies["diemcau.62-s03@kontum.example"] = "451 4.3.0 try later"
    deliver(province, mail)
    assert states(province) == [Delivery.SENT, Delivery.FAILED, Delivery.WAITING]
    with province.database.transaction() as session:
        failed = next(m for m in letters_of(session, meeting.id) if m.state is Delivery.FAILED)
        assert "550 5.1.1 no such user" in failed.last_error
        site = session.get(Site, failed.invited_site.site_id)
        assert site is not None
        site.email = "so.moi@kontum.example"
        ANNOUNCER.resend(session, meeting.id, [failed.id], actor=province.secretary, at=LATER)
    postbox.replies.clear()
    deliver(province, mail, LATER + timedelta(hours=1))
    assert "so.moi@kontum.example" in [recipient for recipient, _ in postbox.messages]
    assert states(province).count(Delivery.SENT) == 3


def test_a_site_without_an_address_is_shown_as_failed(province: Province, mail: Mail) -> None:
    with province.database.transaction() as session:
        site = session.get(Site, province.site_ids[0])
        assert site is not None
        site.email = "không có"
    create(province)
    assert states(province) == [Delivery.FAILED, Delivery.WAITING, Delivery.WAITING]
    assert deliver(province, mail) == 2


def test_two_workers_send_every_letter_once(
    province: Province, mail: Mail, postbox: Postbox
) -> None:
    create(province, sites=province.site_ids[:30])
    sent = 0
    for turn in range(8):
        owner = f"w{turn % 2}"
        sent += worker.deliver_due(province.database, mail, owner=owner, clock=lambda: LATER)
    assert sent == 30
    assert len({recipient for recipient, _ in postbox.messages}) == len(postbox.messages) == 30


def test_the_letters_of_a_dead_worker_are_taken_over(
    province: Province, mail: Mail, postbox: Postbox
) -> None:
    from conference.invitations import delivery  # noqa: PLC0415

    create(province)
    with province.database.transaction() as session:
        assert len(delivery.claim(session, owner="dead", at=LATER)) == 3
    assert deliver(province, mail, LATER + delivery.LEASE / 2, owner="alive") == 0
    after = LATER + delivery.LEASE
    assert deliver(province, mail, after, owner="alive") == 3
    with province.database.transaction() as session:
        row = session.scalars(select(OutboxMessage)).first()
        assert row is not None
        late = delivery.settle(
            session, row.id, delivery.Deferred("late"), owner="dead", at=after, max_attempts=40
        )
        assert late is False
    assert states(province) == [Delivery.SENT] * 3


def test_the_worker_thread_empties_the_outbox_and_stops(
    province: Province, mail: Mail, postbox: Postbox
) -> None:
    from config.settings import Settings  # noqa: PLC0415

    class Process:
        settings = replace(Settings(), mail=mail)
        database = province.database

        @staticmethod
        def clock() -> datetime:
            return LATER

    create(province)
    stop = worker.start_mail_worker(Process())
    try:
        deadline = time.monotonic() + 20
        while len(postbox.messages) < 3 and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        stop()
    assert len(postbox.messages) == 3


def test_letters_wait_when_no_server_is_configured(province: Province) -> None:
    from config.settings import Settings  # noqa: PLC0415

    class Process:
        settings = Settings()
        database = province.database

        @staticmethod
        def clock() -> datetime:
            return LATER

    create(province)
    worker.start_mail_worker(Process())()
    assert states(province) == [Delivery.WAITING] * 3


def test_inviting_all_134_sites_reads_little(province: Province) -> None:
    with counted_queries(province.database) as statements:
        create(province, sites=province.site_ids)
    assert (
        len([text for text in statements if text.startswith("SELECT")]) < 20
    )  # few for all, not one each
    with province.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(OutboxMessage)) == 134
