"""A subscription address for calendar programs: get, replace, end it; the calendar itself."""

from urllib.parse import urlsplit

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from conference.access.policy import Verb
from conference.calendar_feeds import service
from conference.calendar_feeds.calendar import render
from conference.errors import NotFoundError
from web.services import client_address, now, require, services

blueprint = Blueprint("calendar_feeds", __name__)


@blueprint.get("/lich-cua-toi")
def show() -> str:
    """Whether there is an address, and what it is for."""
    return _page()


@blueprint.post("/lich-cua-toi")
def issue() -> str:
    """A new address; it is on this answer and nowhere else."""
    actor = require(Verb.MEETING_LIST)
    with services().database.transaction() as session:
        secret = service.issue(session, actor=actor, at=now(), address=client_address())
    return _page(f"{services().settings.public_url}/lich/{secret}.ics")


@blueprint.post("/lich-cua-toi/thu-hoi")
def revoke() -> Response:
    """End the address."""
    actor = require(Verb.MEETING_LIST)
    with services().database.transaction() as session:
        service.revoke(session, actor=actor, at=now(), address=client_address())
    flash(_("Đã thu hồi đường dẫn lịch."), "ok")
    return redirect(url_for("calendar_feeds.show"), 303)


def _page(address: str = "") -> str:
    actor = require(Verb.MEETING_LIST)
    with services().database.reading() as session:
        row = service.feed_of(session, actor.account_id) if actor.account_id is not None else None
    webcal = f"webcal://{urlsplit(address).netloc}{urlsplit(address).path}" if address else ""
    return render_template("calendar_feeds/show.html", row=row, address=address, webcal=webcal)


@blueprint.get("/lich/<secret>.ics")
def calendar(secret: str) -> Response:
    """The meetings of whoever holds the address."""
    at = now()
    with services().database.transaction() as session:
        actor = service.subscriber(session, secret, at)
        if actor is None:
            raise NotFoundError(_("Đường dẫn lịch không đúng hoặc đã thu hồi."))
        entries = service.entries(session, actor, services().settings.public_url, at)
    name = f"{_('Họp trực tuyến')} · {actor.name}"
    return Response(render(name, entries, at), content_type="text/calendar; charset=utf-8")
