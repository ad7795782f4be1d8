"""The tree of units on any day, one unit with its past and future, and keeping single units."""

from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload
from werkzeug.wrappers import Response

from conference.access import audit
from conference.access.policy import Actor, Verb, may
from conference.directory import keeping, people, tree, units
from conference.directory.keeping import UnitFacts
from conference.directory.models import FormerHolder, Site, Unit, UnitLevel
from conference.directory.reading import read_day
from conference.errors import InvalidError
from conference.scheduling.local_time import date_text, local_day
from web.directory_forms import CHANGE_WORDS, CODE_WORDS, LEVEL_WORDS, UnitForm, show_codes
from web.services import client_address, now, require, services

blueprint = Blueprint("directory", __name__)

Answer = str | Response | tuple[str, int]


def asked_day() -> date:
    """The day a page is to show, from ``?ngay=``; today if there is none or it is no day."""
    try:
        day = read_day(request.args.get("ngay", "").strip())
    except ValueError:
        day = None
    return day or local_day(now())


@blueprint.get("/quan-tri/co-cau")
def index() -> str:
    """The tree of units on a day, or what a search finds in it."""
    actor = require(Verb.DIRECTORY_VIEW)
    day = asked_day()
    query = request.args.get("q", "").strip()[:100]
    with services().database.reading() as session:
        roots = tree.tree_on(session, day) if not query else []
        found = tree.search(session, day, query) if query else []
    return render_template(
        "directory/index.html",
        roots=roots,
        found=found,
        query=query,
        day=day,
        day_text=date_text(day),
        total=sum(root.size for root in roots),
        sites=sum(map(_sites_below, roots)),
        is_today=day == local_day(now()),
        may_manage=may(actor, Verb.DIRECTORY_MANAGE),
    )


def _sites_below(node: tree.Node) -> int:
    return node.site_count + sum(map(_sites_below, node.children))


@blueprint.get("/quan-tri/don-vi/<int:unit_id>")
def unit(unit_id: int) -> str:
    """One unit: what it is, was and became, its rooms and people."""
    actor = require(Verb.DIRECTORY_VIEW)
    today = local_day(now())
    with services().database.reading() as session:
        life = tree.biography(session, unit_id, today)
        sites = session.scalars(select(Site).where(Site.unit_id == unit_id).order_by(Site.name))
        former = session.scalars(
            select(FormerHolder)
            .where(FormerHolder.unit_id == unit_id)
            .options(joinedload(FormerHolder.site))
            .order_by(FormerHolder.until_day)
        )
        return render_template(
            "directory/unit.html",
            life=life,
            unit=life.unit,
            sites=sites.all(),
            former=former.all(),
            offices=people.offices_of(session, unit_id),
            is_open=life.unit.valid_to is None,
            may_manage=may(actor, Verb.DIRECTORY_MANAGE),
            level_words=LEVEL_WORDS,
            change_words=CHANGE_WORDS,
            code_words=CODE_WORDS,
        )


@blueprint.route("/quan-tri/don-vi/tao", methods=["GET", "POST"])
def new_unit() -> Answer:
    """Add a unit that no other one preceded."""
    actor = require(Verb.DIRECTORY_MANAGE)
    given = {"parent": request.args.get("tren", ""), "level": UnitLevel.COMMUNE.value}
    form = UnitForm() if request.form else UnitForm(data=given)
    return _keep(form, actor, None)


@blueprint.route("/quan-tri/don-vi/<int:unit_id>/sua", methods=["GET", "POST"])
def edit_unit(unit_id: int) -> Answer:
    """Correct what was typed wrongly; a new name from a day on is a change."""
    actor = require(Verb.DIRECTORY_MANAGE)
    with services().database.reading() as session:
        kept = tree.biography(session, unit_id, local_day(now())).unit
        form = UnitForm() if request.form else UnitForm(data=_as_typed(kept))
    return _keep(form, actor, kept)


def _as_typed(kept: Unit) -> dict[str, Any]:
    return {
        "name": kept.name,
        "code": kept.code,
        "type": kept.type,
        "protocol_order": kept.protocol_order,
        "valid_from": kept.valid_from,
        "valid_to": kept.valid_to,
        "level": kept.level.value,
        "parent": str(kept.parent_id or ""),
        "codes": show_codes(kept),
    }


def _keep(form: UnitForm, actor: Actor, kept: Unit | None) -> Answer:
    with services().database.reading() as session:
        form.offer_parents(_possible_parents(session))
    if form.is_submitted() and form.validate():
        try:
            facts = form.facts()
            with services().database.transaction() as session:
                stored = _write(session, facts, actor, kept)
        except ValueError:
            form.level.errors = ["Chọn cấp của đơn vị."]
        except InvalidError as error:
            for name, sentence in error.fields.items():
                form[name].errors = [sentence]
        else:
            flash(_("Đã lưu %(name)s.", name=facts.name), "ok")
            return redirect(url_for("directory.unit", unit_id=stored))
    page = render_template("directory/unit_form.html", form=form, unit=kept)
    return (page, 422) if form.is_submitted() else page


def _possible_parents(session: Session) -> list[Unit]:
    above = [UnitLevel.PROVINCE, UnitLevel.PROVINCIAL_UNIT, UnitLevel.DISTRICT]
    return tree.in_order(session.scalars(select(Unit).where(Unit.level.in_(above))))


def _write(session: Session, facts: UnitFacts, actor: Actor, kept: Unit | None) -> int:
    if kept is None:
        stored = keeping.create_unit(session, facts).id
        told: dict[str, Any] = {"code": facts.code, "name": facts.name}
    else:
        stored = kept.id
        told = keeping.correct_unit(session, stored, facts)
    audit.record(
        session, at=now(), actor=actor,
        action="unit.created" if kept is None else "unit.corrected",
        object_type="unit", object_id=stored, address=client_address(), detail=told,
    )  # fmt: skip
    return stored


def units_for_choice(session: Session, day: date) -> list[Unit]:
    """Units in force on ``day``, for lists to choose from."""
    return tree.in_order(session.scalars(select(Unit).where(units.valid_on(day))))
