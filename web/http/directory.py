"""The units with their sites, and keeping a site's facts (administrators)."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import BooleanField, EmailField, IntegerField, StringField
from wtforms.validators import Length, Optional

from conference.access import audit
from conference.access.policy import Verb
from conference.directory import sites, units
from conference.directory.models import Site
from conference.directory.sites import SiteFacts
from conference.errors import InvalidError
from conference.scheduling.local_time import local_day
from web.services import client_address, now, require, services

blueprint = Blueprint("directory", __name__)

Answer = str | Response | tuple[str, int]


class SiteForm(FlaskForm):
    """The facts of one site."""

    name = StringField(_l("Tên điểm cầu"), [Length(max=200)])
    room = StringField(_l("Phòng họp"), [Length(max=200)])
    email = EmailField(_l("Thư điện tử"), [Length(max=254)])
    capacity = IntegerField(_l("Số chỗ"), [Optional()])
    technician_name = StringField(_l("Cán bộ kỹ thuật"), [Length(max=120)])
    technician_phone = StringField(_l("Điện thoại"), [Length(max=40)])
    is_active = BooleanField(_l("Đang hoạt động"))

    def facts(self) -> SiteFacts:
        """What was typed."""
        return SiteFacts(
            name=_line(self.name.data),
            room=_line(self.room.data),
            email=_line(self.email.data),
            capacity=self.capacity.data,
            technician_name=_line(self.technician_name.data),
            technician_phone=_line(self.technician_phone.data),
            is_active=bool(self.is_active.data),
        )


def _line(text: str | None) -> str:
    return " ".join((text or "").split())


@blueprint.get("/quan-tri/co-cau")
def index() -> str:
    """All units that exist today, with their sites."""
    require(Verb.DIRECTORY_MANAGE)
    with services().database.reading() as session:
        found = units.sites_on(session, local_day(now()), include_inactive=True)
        return render_template("directory/index.html", sites=found)


@blueprint.route("/quan-tri/diem-cau/<int:site_id>", methods=["GET", "POST"])
def edit_site(site_id: int) -> Answer:
    """Change a site's facts."""
    actor = require(Verb.DIRECTORY_MANAGE)
    form = SiteForm()
    with services().database.reading() as session:
        site = sites.find_site(session, site_id)
    if not form.is_submitted():
        return _show(SiteForm(obj=site), site)
    faults: dict[str, str] = {}
    if form.validate():
        try:
            with services().database.transaction() as session:
                _update(session, site_id, form.facts(), actor)
        except InvalidError as error:
            faults = error.fields
        else:
            flash(_("Đã lưu %(name)s.", name=form.name.data), "ok")
            return redirect(url_for("directory.index"))
    for name, sentence in faults.items():
        form[name].errors = [sentence]
    return _show(form, site), 422


def _update(session: Session, site_id: int, facts: SiteFacts, actor: Any) -> None:
    changes = sites.update_site(session, site_id, facts)
    audit.record(
        session, at=now(), actor=actor, action="site.updated", object_type="site",
        object_id=site_id, address=client_address(), detail=changes,
    )  # fmt: skip


def _show(form: SiteForm, site: Site) -> str:
    return render_template("directory/site.html", form=form, site=site)
