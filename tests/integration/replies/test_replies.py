"""Sites answer by page, by account and by mail; the chair consents; gateways get short messages."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from conference.attendance.models import Delegate
from conference.directory.models import Site
from conference.invitations.gateway import SIGNATURE, GatewaySender, signature
from conference.invitations.message import Office
from conference.invitations.models import Channel, Delivery, OutboxMessage, Purpose
from conference.invitations.service import MailAnnouncer
from conference.invitations.worker import deliver_due
from conference.replies import mailbox, service, worker
from conference.replies.models import Answer, Consent, Handling, SiteReply, Substitution
from conference.scheduling import service as scheduling
from conference.scheduling.models import InvitedSite, Meeting
from config.settings import Gateway, Mail
from tests.integration.pages.conftest import Pages, pages
from tests.support import imap
from tests.support.answers import calendar_text, mail
from tests.support.province import AT, STARTS
from tests.support.service import free_ports

__all__ = ["pages"]
ANNOUNCER = MailAnnouncer(Office("VP", "hop@kontum.example", ""), "http://x", has_gateway=True)


@pytest.fixture
def meeting(pages: Pages) -> Iterator[Meeting]:
    """Invited: Văn phòng, Sở Nội vụ, Sở Y tế (the account diemcau1)."""
    with pages.province.database.transaction() as session:
        sites = session.scalars(select(Site).order_by(Site.id)).all()
        health = next(site for site in sites if site.name == "Sở Y tế")
        health.technician_phone = "0905 000 111"
        made = scheduling.create_meeting(
            session, pages.province.draft(sites=[sites[0].id, sites[1].id, health.id]),
            actor=pages.province.secretary, at=AT, announcer=ANNOUNCER,
        )  # fmt: skip
        session.refresh(made, ["sites"])
        for one in made.sites:
            session.refresh(one, ["site"])
    return made


def replies(pages: Pages) -> list[SiteReply]:
    with pages.province.database.reading() as session:
        return list(session.scalars(select(SiteReply).order_by(SiteReply.id)))


GOOD = {"answer": "accepted", "headcount": "12", "names": "1. Trần Văn A, Phó Giám đốc\nLê Thị B"}


def test_a_site_answers_with_its_link_and_changes_its_answer(
    pages: Pages, meeting: Meeting
) -> None:
    site = meeting.sites[1]
    browser = pages.browser(None)
    page = browser.get(f"/tra-loi/{site.join_code}")
    assert "Sở Nội vụ" in page.text
    assert browser.post(f"/tra-loi/{site.join_code}", data=GOOD).status_code == 303
    (reply,) = replies(pages)
    assert (reply.answer, reply.headcount) == (Answer.ACCEPTED, 12)
    shown = browser.get(f"/tra-loi/{site.join_code}").text
    assert "Trần Văn A, Phó Giám đốc" in shown
    declined = {"answer": "declined", "note": "Bão", "names": "Trần Văn A, Phó Giám đốc"}
    assert browser.post(f"/tra-loi/{site.join_code}", data=declined).status_code == 303
    with pages.province.database.reading() as session:
        assert session.scalars(select(Delegate)).all() == []
    assert [one.answer for one in replies(pages)] == [Answer.DECLINED]


@pytest.mark.parametrize(
    ("change", "field"),
    [({"answer": ""}, "answer"), ({"headcount": "1"}, "headcount"),
     ({"headcount": "x"}, "headcount"), ({"headcount": "5000"}, "headcount"),
     ({"names": "1."}, "names"),
     ({"absent": "Ông C"}, "substitute"),
     ({"answer": "declined"}, "note"), ({"names": "A\n" * 501}, "names")],
)  # fmt: skip
def test_a_faulty_answer_is_explained_and_kept(
    pages: Pages, meeting: Meeting, change: dict[str, str], field: str
) -> None:
    code = meeting.sites[0].join_code
    answer = pages.browser(None).post(f"/tra-loi/{code}", data={**GOOD, **change})
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert replies(pages) == []


def test_an_unknown_or_withdrawn_link_answers_nothing(pages: Pages, meeting: Meeting) -> None:
    browser = pages.browser(None)
    assert browser.get("/tra-loi/khong-co").status_code == 404
    with pages.province.database.transaction() as session:
        session.get_one(InvitedSite, meeting.sites[0].id).withdrawn_at = AT
    code = meeting.sites[0].join_code
    assert browser.post(f"/tra-loi/{code}", data=GOOD).status_code == 409


def test_an_account_answers_for_its_own_site_only(pages: Pages, meeting: Meeting) -> None:
    own = next(site for site in meeting.sites if site.site_name == "Sở Y tế")
    browser = pages.browser("diemcau1")
    address = f"/cuoc-hop/{meeting.id}/tra-loi"
    overview = browser.get(f"/cuoc-hop/{meeting.id}/tong-quan").text
    assert f'href="{address}/{own.id}"' in overview
    assert browser.post(f"{address}/{own.id}", data=GOOD).status_code == 303
    assert browser.post(f"{address}/{meeting.sites[0].id}", data=GOOD).status_code == 404
    assert browser.get(address).status_code == 403


def test_the_overview_counts_and_reminds_only_who_is_silent(pages: Pages, meeting: Meeting) -> None:
    pages.browser(None).post(f"/tra-loi/{meeting.sites[0].join_code}", data=GOOD)
    office = pages.browser("thuky")
    page = office.get(f"/cuoc-hop/{meeting.id}/tra-loi?loc=chua").text
    assert "Sở Y tế" in page
    assert page.count("Ghi trả lời") == 2
    assert office.post(f"/cuoc-hop/{meeting.id}/tra-loi/nhac").status_code == 303
    with pages.province.database.reading() as session:
        query = select(OutboxMessage).where(
            OutboxMessage.purpose == Purpose.REMINDER, OutboxMessage.channel == Channel.MAIL
        )
        reminded = {row.invited_site_id for row in session.scalars(query)}
    assert reminded == {meeting.sites[1].id, meeting.sites[2].id}


def test_reminders_go_out_by_themselves_once(pages: Pages, meeting: Meeting) -> None:
    at = STARTS - timedelta(hours=20)
    with pages.province.database.transaction() as session:
        assert worker.remind_due(session, ANNOUNCER, STARTS - timedelta(hours=30)) == 0
        assert worker.remind_due(session, ANNOUNCER, at) == 3
        session.flush()
        assert worker.remind_due(session, ANNOUNCER, at + timedelta(hours=1)) == 0


@pytest.mark.parametrize("names", ["", "Phạm D, PGĐ"])
def test_a_substitute_waits_for_the_chair(pages: Pages, meeting: Meeting, names: str) -> None:
    form = {
        **GOOD,
        "names": names,
        "absent": "Giám đốc",
        "substitute": "Phạm D",
        "substitute_title": "PGĐ",
    }
    code = meeting.sites[1].join_code
    pages.browser(None).post(f"/tra-loi/{code}", data=form)
    with pages.province.database.reading() as session:
        asked = session.scalars(select(Substitution)).one()
        assert not [one for one in session.scalars(select(Delegate)) if one.stands_in_for]
    address = f"/cuoc-hop/{meeting.id}/tra-loi/du-thay/{asked.id}"
    assert pages.browser("vanthu").post(address, data={"consent": "granted"}).status_code == 403
    assert pages.browser("chutoa").post(address, data={"consent": "granted"}).status_code == 303
    pages.browser(None).post(f"/tra-loi/{code}", data=form)  # once more, as before
    with pages.province.database.reading() as session:
        delegate = session.scalars(select(Delegate)).one()
        assert (delegate.full_name, delegate.stands_in_for) == ("Phạm D", "Giám đốc")
        assert session.scalars(select(Substitution)).one().consent is Consent.GRANTED


def site_mail(meeting: Meeting, number: int = 0) -> str:
    return meeting.sites[number].site.email


def test_a_mail_of_the_invited_address_is_an_answer(pages: Pages, meeting: Meeting) -> None:
    database, sender = pages.province.database, site_mail(meeting)
    content = mail(sender, calendar_text(meeting.ics_uid, sender, "TENTATIVE"), kind="gmail")
    assert mailbox.take(database, content, AT) is Handling.APPLIED
    assert mailbox.take(database, content, AT) is Handling.APPLIED
    assert [one.answer for one in replies(pages)] == [Answer.TENTATIVE]
    assert "qua thư" in pages.browser("thuky").get(f"/cuoc-hop/{meeting.id}/tra-loi").text


def test_strangers_and_old_answers_change_nothing(pages: Pages, meeting: Meeting) -> None:
    database, site = pages.province.database, site_mail(meeting)
    stranger = "x@evil.example"

    def take(sender: str, uid: str, attendee: str, number: int, sequence: int = 0) -> Handling:
        ics = calendar_text(uid, attendee, "DECLINED", sequence=sequence)
        return mailbox.take(database, mail(sender, ics, message_id=f"<{number}@x>"), AT)

    assert take(stranger, meeting.ics_uid, stranger, 1) is Handling.UNKNOWN_SENDER
    assert take(stranger, meeting.ics_uid, site, 2) is Handling.UNKNOWN_SENDER
    assert take(site, "another@event", site, 3) is Handling.UNKNOWN_MEETING
    assert mailbox.take(database, b"\xff" * 20, AT) in {Handling.NOT_A_REPLY, Handling.UNREADABLE}
    assert replies(pages) == []
    with database.transaction() as session:
        session.get_one(Meeting, meeting.id).ics_sequence = 4
    assert take(site, meeting.ics_uid, site, 4, sequence=4) is Handling.APPLIED
    assert take(site, meeting.ics_uid, site, 5, sequence=2) is Handling.OUTDATED


def test_the_pipe_takes_a_message(pages: Pages, meeting: Meeting) -> None:
    sender = site_mail(meeting)
    folder = Path(str(pages.province.database.engine.url.database)).parent
    told = subprocess.run(
        [sys.executable, "-m", "web.cli", "mail-in", "--data", str(folder)],
        input=mail(sender, calendar_text(meeting.ics_uid, sender, "ACCEPTED")),
        capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    assert told.stdout == b"applied\n"
    assert [one.answer for one in replies(pages)] == [Answer.ACCEPTED]


@pytest.mark.skipif(not imap.is_installed(), reason="Dovecot is not installed, or not run by root")
def test_a_real_mailbox_is_read_once(pages: Pages, meeting: Meeting) -> None:
    sender = site_mail(meeting)
    with imap.imap_server() as server:
        settings = Mail(
            imap_host="127.0.0.1", imap_port=server.port, imap_user=imap.USER,
            imap_password=imap.PASSWORD, imap_tls="none",
        )  # fmt: skip
        server.deliver(b"Subject: junk\r\n\r\nhello\r\n")
        server.deliver(mail(sender, calendar_text(meeting.ics_uid, sender, "ACCEPTED")))
        handled = mailbox.poll(pages.province.database, settings, lambda: AT)
        assert sorted(one.value for one in handled) == ["applied", "not_a_reply"]
        assert mailbox.poll(pages.province.database, settings, lambda: AT) == []
        wrong = Mail(imap_host="127.0.0.1", imap_port=server.port, imap_user=imap.USER,
                     imap_password="x", imap_tls="none")  # fmt: skip
        with pytest.raises(mailbox.MailboxError):
            mailbox.poll(pages.province.database, wrong, lambda: AT)
    with pytest.raises(mailbox.MailboxError):
        mailbox.poll(pages.province.database, settings, lambda: AT)
    assert [one.answer for one in replies(pages)] == [Answer.ACCEPTED]


# --- the gateway ---------------------------------------------------------------------------------


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[tuple[str, bytes]], list[int]]]:
    """A gateway: its address, what it got, the statuses it answers with (200 when used up)."""
    got: list[tuple[str, bytes]] = []
    answers: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.headers.get(SIGNATURE, ""), body))
            self.send_response(answers.pop(0) if answers else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/sms", got, answers
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_gateway_is_told_until_it_takes_the_message(
    pages: Pages, meeting: Meeting, receiver: tuple[str, list[tuple[str, bytes]], list[int]]
) -> None:
    address, got, answers = receiver
    settings = Gateway(url=address, secret="bi-mat")
    answers += [503, 200]

    def carry(at: Any) -> int:
        return deliver_due(
            pages.province.database, Mail(), owner="t", clock=lambda: at,
            mailer=lambda: GatewaySender(settings), channel=Channel.WEBHOOK,
        )  # fmt: skip

    assert carry(AT) == 1
    assert carry(AT + timedelta(seconds=5)) == 0
    assert carry(AT + timedelta(minutes=5)) == 1
    assert len(got) == 2
    assert got[0] == got[1]
    header, body = got[0]
    assert header == signature("bi-mat", body)
    told = json.loads(body)
    assert (told["to"], told["event"], told["site"]) == ("0905 000 111", "invited", "Sở Y tế")
    with pages.province.database.reading() as session:
        query = select(OutboxMessage).where(OutboxMessage.channel == Channel.WEBHOOK)
        assert session.scalars(query).one().state is Delivery.SENT


def test_a_refusal_of_the_gateway_is_final_and_shown(
    pages: Pages, meeting: Meeting, receiver: tuple[str, list[tuple[str, bytes]], list[int]]
) -> None:
    address, _got, answers = receiver
    answers += [422]
    with GatewaySender(Gateway(url=address)) as sender:
        outcome = sender.send("", "{}")
    assert type(outcome).__name__ == "Refused"
    with GatewaySender(Gateway(url="http://127.0.0.1:9/")) as sender:
        assert type(sender.send("", "{}")).__name__ == "Deferred"


def test_an_answer_of_another_revision_asks_for_a_new_one(pages: Pages, meeting: Meeting) -> None:
    code = meeting.sites[0].join_code
    pages.browser(None).post(f"/tra-loi/{code}", data=GOOD)
    with pages.province.database.transaction() as session:
        row = session.get_one(Meeting, meeting.id)
        row.ics_sequence += 1
        assert service.overview(session, row)[0].is_outdated
    assert "Đề nghị trả lời lại" in pages.browser(None).get(f"/tra-loi/{code}").text


def test_the_example_gateway_takes_what_is_signed_and_once(pages: Pages, meeting: Meeting) -> None:
    port = free_ports(1)[0]
    example = Path(__file__).parents[3] / "config/samples/sms_gateway.py"
    process = subprocess.Popen(
        [sys.executable, str(example), str(port)], stdout=subprocess.PIPE,
        env={**os.environ, "GATEWAY_SECRET": "bi-mat"},
    )  # fmt: skip
    try:
        with pages.province.database.reading() as session:
            query = select(OutboxMessage).where(OutboxMessage.channel == Channel.WEBHOOK)
            content = session.scalars(query).one().content
        url = f"http://127.0.0.1:{port}/"

        def send(secret: str) -> str:
            with GatewaySender(Gateway(url=url, secret=secret)) as sender:
                return type(sender.send("", content)).__name__

        for _ in range(100):
            if send("sai") != "Deferred":
                break
            time.sleep(0.1)  # until it listens
        assert send("sai") == "Refused"
        assert [send("bi-mat"), send("bi-mat")] == ["Accepted", "Accepted"]
    finally:
        process.terminate()
        printed = process.communicate(timeout=20)[0].decode()
    assert printed.count("0905 000 111: Mời họp trực tuyến: Giao ban tháng 12/2026") == 1
