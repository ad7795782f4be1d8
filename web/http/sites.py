"""Sites: the list of rooms, and the facts of one."""

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from conference.access import audit
from conference.access.policy import Actor, Verb, may
from conference.calendar_feeds import service as calendar_feeds
from conference.directory import people, sites, units
from conference.directory.models import Site
from conference.directory.sites import SiteFacts
from conference.errors import InvalidError
from conference.scheduling.local_time import date_text, local_day
from web.directory_forms import SiteForm, to_choose, with_none
from web.http.directory import asked_day, units_for_choice
from web.services import client_address, now, require, services

blueprint = Blueprint("sites", __name__)

Answer = str | Response | tuple[str, int]


@blueprint.get("/quan-tri/diem-cau")
def index() -> str:
    """All sites of the units of a day."""
    actor = require(Verb.DIRECTORY_VIEW)
    day = asked_day()
    with services().database.reading() as session:
        found = units.sites_on(session, day, include_inactive=True)
        return render_template(
            "directory/sites.html",
            sites=found,
            day_text=date_text(day),
            is_today=day == local_day(now()),
            may_manage=may(actor, Verb.DIRECTORY_MANAGE),
            may_give_feed=may(actor, Verb.SITE_FEED_MANAGE),
        )


@blueprint.route("/quan-tri/diem-cau/tao", methods=["GET", "POST"])
def new_site() -> Answer:
    """Add a room of a unit."""
    actor = require(Verb.DIRECTORY_MANAGE)
    given = {"unit": request.args.get("don-vi", ""), "is_active": True}
    form = SiteForm() if request.form else SiteForm(data=given)
    return _keep(form, actor, None)


@blueprint.route("/quan-tri/diem-cau/<int:site_id>", methods=["GET", "POST"])
def edit_site(site_id: int) -> Answer:
    """Change a site's facts."""
    actor = require(Verb.DIRECTORY_MANAGE)
    with services().database.reading() as session:
        site = sites.find_site(session, site_id)
    plain = ("name", "room", "email", "capacity", "line_mbps", "equipment", "technician_name",
             "technician_phone", "is_active")  # fmt: skip
    given = {name: getattr(site, name) for name in plain}
    given |= {"unit": str(site.unit_id), "technician": str(site.technician_id or "")}
    form = SiteForm() if request.form else SiteForm(data=given)
    return _keep(form, actor, site)


@blueprint.post("/quan-tri/diem-cau/<int:site_id>/lich")
def issue_feed(site_id: int) -> Answer:
    """Make the site's calendar address; it is on this answer and nowhere else."""
    actor = require(Verb.SITE_FEED_MANAGE)
    with services().database.transaction() as session:
        sites.find_site(session, site_id)
        secret = calendar_feeds.issue_for_site(
            session, site_id, actor=actor, at=now(), address=client_address()
        )
    return _feed_page(site_id, f"{services().settings.public_url}/lich/{secret}.ics")


@blueprint.post("/quan-tri/diem-cau/<int:site_id>/lich/thu-hoi")
def revoke_feed(site_id: int) -> Response:
    """End the site's calendar address."""
    actor = require(Verb.SITE_FEED_MANAGE)
    with services().database.transaction() as session:
        sites.find_site(session, site_id)
        calendar_feeds.revoke_for_site(
            session, site_id, actor=actor, at=now(), address=client_address()
        )
    flash(_("Đã thu hồi đường dẫn lịch."), "ok")
    return redirect(url_for("sites.feed", site_id=site_id), 303)


@blueprint.get("/quan-tri/diem-cau/<int:site_id>/lich")
def feed(site_id: int) -> str:
    """The calendar address of a unit that has no account."""
    require(Verb.SITE_FEED_MANAGE)
    return _feed_page(site_id)


def _feed_page(site_id: int, address: str = "") -> str:
    with services().database.reading() as session:
        site = sites.find_site(session, site_id)
        row = calendar_feeds.feed_of_site(session, site_id)
        webcal = f"webcal://{urlsplit(address).netloc}{urlsplit(address).path}" if address else ""
        return render_template(
            "calendar_feeds/show.html", row=row, address=address, webcal=webcal, site=site
        )


def _keep(form: SiteForm, actor: Actor, site: Site | None) -> Answer:
    today = local_day(now())
    with services().database.reading() as session:
        holders = units_for_choice(session, today)
        if site is not None and site.unit_id not in {one.id for one in holders}:
            holders.insert(0, site.unit)
        form.unit.choices = to_choose((one.id, one.name) for one in holders)
        technicians = people.technicians(session)
    form.technician.choices = with_none((one.id, one.full_name) for one in technicians)
    if form.is_submitted() and form.validate():
        try:
            with services().database.transaction() as session:
                _write(session, form.facts(), actor, site)
        except InvalidError as error:
            for name, sentence in error.fields.items():
                form[name].errors = [sentence]
        else:
            flash(_("Đã lưu %(name)s.", name=form.name.data), "ok")
            return redirect(url_for("sites.index"))
    page = render_template("directory/site.html", form=form, site=site)
    return (page, 422) if form.is_submitted() else page


def _write(session: Session, facts: SiteFacts, actor: Actor, site: Site | None) -> None:
    told: dict[str, Any]
    if site is None:
        site_id = sites.create_site(session, facts).id
        told = {"name": facts.name, "unit_id": facts.unit_id}
    else:
        site_id = site.id
        told = sites.update_site(session, site_id, facts, today=local_day(now()))
    audit.record(
        session, at=now(), actor=actor,
        action="site.created" if site is None else "site.updated",
        object_type="site", object_id=site_id, address=client_address(), detail=told,
    )  # fmt: skip
