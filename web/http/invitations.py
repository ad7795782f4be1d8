"""The sites of a meeting with their links, and the letters that carry them."""

import io

import segno
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from conference.access.policy import Verb
from conference.errors import NotFoundError
from conference.invitations import ledger
from conference.invitations.links import join_link
from conference.invitations.models import Delivery
from conference.invitations.service import MailAnnouncer
from conference.scheduling.facts import meeting_facts
from web.meeting_page import find_meeting, open_page, withdrawn_sites
from web.services import client_address, now, require, services

blueprint = Blueprint("invitations", __name__)


@blueprint.get("/cuoc-hop/<int:meeting_id>/thanh-phan")
def sites(meeting_id: int) -> str:
    """Who is invited; join links for those who may see them."""
    with services().database.reading() as session:
        page = open_page(session, meeting_id, "thanh-phan", Verb.MEETING_VIEW)
        base = services().settings.public_url
        links = {}
        if page["can"]["see_links"]:
            links = {site.id: join_link(base, site.join_code) for site in page["sites"]}
        contacts = ledger.contacts_of(session, meeting_id) if links else {}
        return render_template(
            "meetings/sites.html",
            **page,
            links=links,
            contacts=contacts,
            withdrawn=withdrawn_sites(page["meeting"]),
        )


@blueprint.get("/cuoc-hop/<int:meeting_id>/thanh-phan/<int:invited_site_id>/qr.svg")
def qr(meeting_id: int, invited_site_id: int) -> Response:
    """The QR code of one join link."""
    with services().database.reading() as session:
        meeting = find_meeting(session, meeting_id)
        require(Verb.INVITATION_VIEW, meeting_facts(meeting))
        site = next(
            (s for s in meeting.sites if s.id == invited_site_id and s.withdrawn_at is None), None
        )
        if site is None:
            raise NotFoundError
        link = join_link(services().settings.public_url, site.join_code)
    picture = io.BytesIO()
    segno.make_qr(link, error="m").save(picture, kind="svg", scale=8, border=4, light="#fff")
    return Response(picture.getvalue(), mimetype="image/svg+xml")


@blueprint.get("/cuoc-hop/<int:meeting_id>/giay-moi")
def letters(meeting_id: int) -> str:
    """What was sent to whom, and what became of it."""
    with services().database.reading() as session:
        page = open_page(session, meeting_id, "giay-moi", Verb.INVITATION_VIEW)
        wanted = _one_of(request.args.get("trang-thai"))
        found = ledger.letters_of(session, meeting_id)
        is_part = request.headers.get("HX-Target") == "letters"
        return render_template(
            "meetings/_letters.html" if is_part else "meetings/letters.html",
            **page,
            letters=[letter for letter in found if wanted in {None, letter.state}],
            tally=ledger.tally(session, meeting_id),
            failed_now=len(ledger.last_failed(session, meeting_id)),
            wanted=wanted,
            has_server=bool(services().settings.mail.host),
            states=Delivery,
        )


@blueprint.post("/cuoc-hop/<int:meeting_id>/giay-moi/gui-lai")
def resend(meeting_id: int) -> Response:
    """Send chosen letters again, or all that failed."""
    with services().database.reading() as session:
        meeting = find_meeting(session, meeting_id)
        actor = require(Verb.MEETING_EDIT, meeting_facts(meeting))
        chosen = [int(text) for text in request.form.getlist("letter") if text.isdecimal()]
        if "failed" in request.form:
            chosen = ledger.last_failed(session, meeting_id)
    if chosen:
        with services().database.transaction() as session:
            count = MailAnnouncer.of(services().settings).resend(
                session, meeting_id, chosen, actor=actor, at=now(), address=client_address()
            )
        flash(_("%(count)s thư sẽ được gửi lại.", count=count), "ok")
    return redirect(url_for("invitations.letters", meeting_id=meeting_id))


def _one_of(text: str | None) -> Delivery | None:
    return next((state for state in Delivery if state.value == text), None)
