"""Answers to an invitation: the site's own page, the secretariat's overview, substitutes."""

from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import BooleanField, IntegerField, RadioField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional

from conference.access import audit
from conference.access.policy import Actor, Verb, may
from conference.errors import ConflictError, InvalidError, NotFoundError
from conference.invitations.service import MailAnnouncer
from conference.replies import service
from conference.replies.models import Answer, Consent, IncomingMessage, Source
from conference.replies.service import ANSWER_WORDS, ReplyDraft
from conference.scheduling.facts import meeting_facts
from conference.scheduling.invitees import place_by_code
from conference.scheduling.models import InvitedSite, Meeting
from web.forms import PageForm
from web.meeting_page import find_meeting, open_page
from web.services import client_address, now, require, services

blueprint = Blueprint("replies", __name__)

_FILTERS: Final = ("chua", "du", "chua-chac", "khong", "dong-y")
Page = str | Response | tuple[str, int]


class ReplyForm(PageForm):
    """One site's answer."""

    answer = RadioField(
        _l("Trả lời"),
        choices=[SelectChoice(one.value, words) for one, words in ANSWER_WORDS.items()],
        validators=[Optional()],
    )
    headcount = IntegerField(_l("Số người dự"), [Optional()])
    names = TextAreaField(_l("Danh sách đại biểu"), render_kw={"rows": 5})
    absent = StringField(_l("Người vắng mặt"))
    substitute = StringField(_l("Người dự thay"))
    substitute_title = StringField(_l("Chức vụ người dự thay"))
    note = TextAreaField(_l("Ghi chú, lý do"), render_kw={"rows": 2})
    is_for_series = BooleanField(_l("Trả lời như vậy cho cả các cuộc sau của chuỗi"))

    def draft(self) -> ReplyDraft:
        """What was typed."""
        known = {one.value: one for one in Answer}
        return ReplyDraft(
            answer=known.get(self.answer.data or ""),
            headcount=self.headcount.data,
            names=self.names.data or "",
            note=self.note.data or "",
            absent=(self.absent.data or "").strip(),
            substitute=(self.substitute.data or "").strip(),
            substitute_title=(self.substitute_title.data or "").strip(),
        )


@blueprint.route("/tra-loi/<code>", methods=["GET", "POST"])
def by_link(code: str) -> Page:
    """A site answers with the link of its letter."""
    with services().database.reading() as session:
        site = place_by_code(session, code, now())
        if site is None:
            raise NotFoundError(_("Đường dẫn không đúng hoặc đã thay đổi."))
        site_id, meeting_id, name = site.id, site.meeting_id, site.site_name
        if request.method == "GET" and code != site.join_code:  # a series: its next meeting
            return redirect(url_for("replies.by_link", code=site.join_code))
    who = Actor(account_id=None, role=None, name=name, invited_site_id=site_id)
    return _answer(meeting_id, site_id, who, Source.LINK, "replies/by_link.html")


@blueprint.route(
    "/cuoc-hop/<int:meeting_id>/tra-loi/<int:invited_site_id>", methods=["GET", "POST"]
)
def by_account(meeting_id: int, invited_site_id: int) -> Page:
    """A site answers with its account, or the secretariat writes down what it was told."""
    with services().database.reading() as session:
        meeting = find_meeting(session, meeting_id)
        who = require(Verb.REPLY_GIVE, meeting_facts(meeting))
        site = session.get(InvitedSite, invited_site_id)
        is_own = site is not None and who.site_id == site.site_id
        if (
            site is None
            or site.meeting_id != meeting_id
            or not (is_own or _is_office(who, meeting))
        ):
            raise NotFoundError
    source = Source.ACCOUNT if is_own else Source.SECRETARIAT
    return _answer(meeting_id, invited_site_id, who, source, "replies/by_account.html")


def _is_office(who: Actor, meeting: Meeting) -> bool:
    return may(who, Verb.REPLY_VIEW, meeting_facts(meeting))


def _answer(meeting_id: int, site_id: int, who: Actor, source: Source, template: str) -> Page:
    form = ReplyForm()
    faults: dict[str, str] = {}
    status = 200
    if form.is_submitted():
        status = 422
        if form.validate():
            try:
                with services().database.transaction() as session:
                    meeting, site = _both(session, meeting_id, site_id)
                    places = [(meeting, site)]
                    if form.is_for_series.data:
                        places += service.later_places(session, meeting, site, now())
                    for one, place in places:
                        service.give(
                            session, one, place, form.draft(), actor=who, source=source,
                            at=now(), address=client_address(),
                        )  # fmt: skip
            except InvalidError as error:
                faults = error.fields
            except ConflictError as error:
                faults, status = {"answer": error.message}, 409
            else:
                flash(_("Đã ghi nhận trả lời."), "ok")
                return redirect(_after(meeting_id, source), 303)
    with services().database.reading() as session:
        meeting, site = _both(session, meeting_id, site_id)
        reply = service.reply_of(session, site)
        substitution = service.substitution_of(session, site)
        if not form.is_submitted():
            form = ReplyForm(data=_values(session, site))
        for name, sentence in faults.items():
            form[name].errors = [sentence]
        page = render_template(
            template, form=form, meeting=meeting, site=site, reply=reply,
            substitution=substitution, is_open=service.is_open(meeting, now()),
            is_outdated=reply is not None and reply.ics_sequence < meeting.ics_sequence,
            answer_words=ANSWER_WORDS,
            later=len(service.later_places(session, meeting, site, now())),
        )  # fmt: skip
    return (page, status) if status != 200 else page


def _after(meeting_id: int, source: Source) -> str:
    if source is Source.SECRETARIAT:
        return url_for("replies.index", meeting_id=meeting_id)
    return request.path


def _both(session: Session, meeting_id: int, site_id: int) -> tuple[Meeting, InvitedSite]:
    meeting, site = session.get(Meeting, meeting_id), session.get(InvitedSite, site_id)
    assert meeting is not None  # found a moment ago; meetings are never removed
    assert site is not None
    return meeting, site


def _values(session: Session, site: InvitedSite) -> dict[str, Any]:
    reply = service.reply_of(session, site)
    substitution = service.substitution_of(session, site)
    return {
        "answer": reply.answer.value if reply else None,
        "headcount": reply.headcount if reply else None,
        "names": "\n".join(service.names_of(session, site)),
        "note": reply.note if reply else "",
        "absent": substitution.absent if substitution else "",
        "substitute": substitution.substitute if substitution else "",
        "substitute_title": substitution.substitute_title if substitution else "",
    }


@blueprint.get("/cuoc-hop/<int:meeting_id>/tra-loi")
def index(meeting_id: int) -> str:
    """Who answered what; a site sees and changes its own answer."""
    with services().database.reading() as session:
        page = open_page(session, meeting_id, "tra-loi", Verb.REPLY_VIEW)
        meeting: Meeting = page["meeting"]
        lines = service.overview(session, meeting)
        wanted = request.args.get("loc", "")
        facts = meeting_facts(meeting)
        mails = session.scalars(
            select(IncomingMessage)
            .where(IncomingMessage.meeting_id == meeting_id)
            .order_by(IncomingMessage.id.desc())
            .limit(20)
        ).all()
        return render_template(
            "replies/index.html",
            **page,
            lines=[line for line in lines if _fits(line, wanted)],
            tally=service.tally(lines),
            waiting_consent=sum(_asks(line) for line in lines),
            wanted=wanted if wanted in _FILTERS else "",
            answer_words=ANSWER_WORDS,
            is_open=service.is_open(meeting, now()),
            may_give=may(page["actor"], Verb.REPLY_GIVE, facts),
            may_decide=may(page["actor"], Verb.SUBSTITUTE_DECIDE, facts),
            mails=mails,
        )


def _asks(line: service.Line) -> bool:
    return line.substitution is not None and line.substitution.consent is Consent.ASKED


def _fits(line: service.Line, wanted: str) -> bool:
    answer = line.reply.answer if line.reply else None
    return {
        "chua": answer is None,
        "du": answer is Answer.ACCEPTED,
        "chua-chac": answer is Answer.TENTATIVE,
        "khong": answer is Answer.DECLINED,
        "dong-y": _asks(line),
    }.get(wanted, True)


@blueprint.post("/cuoc-hop/<int:meeting_id>/tra-loi/nhac")
def remind(meeting_id: int) -> Response:
    """Remind every site that has not answered."""
    at = now()
    with services().database.transaction() as session:
        meeting = find_meeting(session, meeting_id)
        who = require(Verb.MEETING_EDIT, meeting_facts(meeting))
        if not service.is_open(meeting, at):
            raise ConflictError(_("Cuộc họp không còn nhận trả lời."))
        sites = service.unanswered(session, meeting)
        count = MailAnnouncer.of(services().settings).remind(session, meeting, sites, at)
        audit.record(
            session, at=at, actor=who, action="reply.reminded", object_type="meeting",
            object_id=meeting_id, address=client_address(), detail={"sites": count},
        )  # fmt: skip
    flash(_("Đã gửi thư nhắc %(n)s điểm cầu.", n=count), "ok")
    return redirect(url_for("replies.index", meeting_id=meeting_id), 303)


@blueprint.post("/cuoc-hop/<int:meeting_id>/tra-loi/du-thay/<int:substitution_id>")
def decide(meeting_id: int, substitution_id: int) -> Response:
    """The chair's consent to a substitute, or its refusal."""
    consent = Consent.GRANTED if request.form.get("consent") == "granted" else Consent.REFUSED
    with services().database.transaction() as session:
        meeting = find_meeting(session, meeting_id)
        who = require(Verb.SUBSTITUTE_DECIDE, meeting_facts(meeting))
        row = service.decide(
            session, meeting, substitution_id, consent, actor=who, at=now(),
            address=client_address(),
        )  # fmt: skip
        name = row.substitute
    words = (
        _("Đã đồng ý %(name)s dự thay.")
        if consent is Consent.GRANTED
        else _("Đã không đồng ý %(name)s dự thay.")
    )
    flash(words % {"name": name}, "ok")
    return redirect(url_for("replies.index", meeting_id=meeting_id), 303)
