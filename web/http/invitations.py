"""The sites of a meeting with their links, and the letters that carry them."""

import io
from collections.abc import Mapping

import segno
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response
from wtforms import RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice

from conference.access.policy import Verb, may
from conference.errors import InvalidError, NotFoundError
from conference.invitations import ledger
from conference.invitations.links import join_link
from conference.invitations.models import Delivery
from conference.invitations.service import MailAnnouncer
from conference.scheduling import sending
from conference.scheduling.context import Context
from conference.scheduling.facts import meeting_facts
from conference.scheduling.local_time import from_local, to_local
from conference.scheduling.sending import CHANNELS, PIECES, Sending
from web.forms import PageForm
from web.meeting_form import ClockField, DayField
from web.meeting_page import find_meeting, open_page, withdrawn_sites
from web.services import client_address, now, require, services

blueprint = Blueprint("invitations", __name__)


def _options(words: Mapping[str, str]) -> list[SelectChoice]:
    """Choices in the reader's language."""
    return [SelectChoice(value, _l(text)) for value, text in words.items()]


class SendingForm(PageForm):
    """A sending on a way that is not ours."""

    what = RadioField(_l("Đã gửi"), choices=_options(PIECES), validate_choice=False)
    channel = SelectField(_l("Cách gửi"), choices=_options(CHANNELS), validate_choice=False)
    day = DayField(_l("Ngày gửi"))
    clock = ClockField(_l("Giờ gửi"))
    note = StringField(_l("Số văn bản, nơi nhận, người cho phép"))

    def sending(self) -> Sending:
        """What was typed."""
        sent_at = None
        if self.day.data is not None and self.clock.data is not None:
            sent_at = from_local(self.day.data, self.clock.data)
        return Sending(self.what.data or "", self.channel.data or "", sent_at, self.note.data or "")


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
    at = to_local(now())
    return letters_page(meeting_id, SendingForm(data={
        "what": "invitation", "channel": "document_system", "day": at.date(), "clock": at.time(),
    }))  # fmt: skip


def letters_page(meeting_id: int, form: SendingForm) -> str:
    """The tab, with ``form`` for what went out otherwise."""
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
            form=form,
            sendings=sending.sendings_of(session, meeting_id),
            channels=CHANNELS,
            pieces=PIECES,
            may_note=may(page["actor"], Verb.INVITATION_WRITE, meeting_facts(page["meeting"])),
            has_server=bool(services().settings.mail.host),
            states=Delivery,
        )


@blueprint.post("/cuoc-hop/<int:meeting_id>/giay-moi/cach-khac")
def note_sending(meeting_id: int) -> Response | tuple[str, int]:
    """Put on record that the invitation or the papers went out on another way."""
    with services().database.reading() as session:
        meeting = find_meeting(session, meeting_id)
        actor = require(Verb.INVITATION_WRITE, meeting_facts(meeting))
    form = SendingForm()
    if form.validate():
        try:
            with services().database.transaction() as session:
                sending.note_sending(
                    Context(session, actor, now(), client_address()), meeting_id, form.sending()
                )  # fmt: skip
        except InvalidError as error:
            for name, sentence in error.fields.items():
                form["day" if name == "sent_at" else name].errors = [sentence]
        else:
            flash(_("Đã ghi nhận."), "ok")
            return redirect(url_for("invitations.letters", meeting_id=meeting_id), 303)
    return letters_page(meeting_id, form), 422


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
