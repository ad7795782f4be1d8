"""People of the directory: search, one person, the offices over time."""

from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import BooleanField, EmailField, IntegerField, SelectField, StringField
from wtforms.validators import Optional

from conference.access import audit
from conference.access.policy import Actor, Verb, may
from conference.directory import people
from conference.directory.models import Appointment, Person
from conference.directory.people import Office, PersonFacts
from conference.errors import InvalidError
from conference.scheduling.local_time import local_day
from web.directory_forms import line, with_none
from web.forms import PageForm
from web.http.directory import units_for_choice
from web.meeting_form import DayField, Needed
from web.services import client_address, now, require, services

blueprint = Blueprint("people", __name__)

Answer = str | Response | tuple[str, int]
PAGE: Final = 50


class PersonForm(PageForm):
    """A person apart from offices."""

    full_name = StringField(_l("Họ và tên"), [Needed()])
    email = EmailField(_l("Thư điện tử"))
    phone = StringField(_l("Điện thoại"))
    sort_name = StringField(_l("Tên để sắp xếp"))

    def facts(self) -> PersonFacts:
        """What was typed."""
        return PersonFacts(
            line(self.full_name.data), line(self.email.data), line(self.phone.data),
            line(self.sort_name.data),
        )  # fmt: skip


class OfficeForm(PageForm):
    """An office to give to a person."""

    title = StringField(_l("Chức vụ"), [Needed()])
    unit = SelectField(_l("Đơn vị"), validate_choice=False)
    valid_from = DayField(_l("Từ ngày"))
    valid_to = DayField(_l("Đến hết ngày"))
    protocol_order = IntegerField(_l("Thứ tự nghi thức"), [Optional()])
    may_chair = BooleanField(_l("Được chủ trì cuộc họp"))

    def office(self) -> Office:
        """What was typed."""
        unit = self.unit.data or ""
        rank = self.protocol_order.data
        return Office(
            title=line(self.title.data),
            unit_id=int(unit) if unit.isdecimal() else None,
            protocol_order=people.LOWEST_RANK if rank is None else rank,
            may_chair=bool(self.may_chair.data),
            valid_from=self.valid_from.data,
            valid_to=self.valid_to.data,
        )


def page_number() -> int:
    """The page of a list that is asked for, from 1."""
    text = request.args.get("page", "1")
    return max(int(text), 1) if text.isdecimal() and len(text) < 6 else 1


@blueprint.get("/quan-tri/nguoi")
def index() -> str:
    """People by rank, given name and family name."""
    actor = require(Verb.DIRECTORY_VIEW)
    query = request.args.get("q", "").strip()[:100]
    page = page_number()
    with services().database.reading() as session:
        found, total = people.search(session, query, limit=PAGE, offset=(page - 1) * PAGE)
        return render_template(
            "directory/people.html",
            people=found,
            total=total,
            query=query,
            page=page,
            page_count=-(-total // PAGE),
            may_manage=may(actor, Verb.DIRECTORY_MANAGE),
        )


@blueprint.get("/quan-tri/nguoi/<int:person_id>")
def person(person_id: int) -> str:
    """One person with all offices."""
    actor = require(Verb.DIRECTORY_VIEW)
    return _show(person_id, actor, OfficeForm())


@blueprint.route("/quan-tri/nguoi/tao", methods=["GET", "POST"])
def new_person() -> Answer:
    """Add somebody."""
    return _keep(require(Verb.DIRECTORY_MANAGE), None)


@blueprint.route("/quan-tri/nguoi/<int:person_id>/sua", methods=["GET", "POST"])
def edit_person(person_id: int) -> Answer:
    """Change name or addresses."""
    actor = require(Verb.DIRECTORY_MANAGE)
    with services().database.reading() as session:
        kept = people.find_person(session, person_id)
    return _keep(actor, kept)


@blueprint.post("/quan-tri/nguoi/<int:person_id>/chuc-vu")
def appoint(person_id: int) -> Answer:
    """Give a person an office."""
    actor = require(Verb.DIRECTORY_MANAGE)
    form = OfficeForm()
    if form.validate():
        try:
            with services().database.transaction() as session:
                made = people.appoint(session, person_id, form.office(), local_day(now()))
                _note(session, actor, "person.appointed", person_id, {"title": made.title})
        except InvalidError as error:
            for name, sentence in error.fields.items():
                form[name].errors = [sentence]
        else:
            flash(_("Đã ghi chức vụ."), "ok")
            return redirect(url_for("people.person", person_id=person_id))
    return _show(person_id, actor, form), 422


@blueprint.post("/quan-tri/chuc-vu/<int:appointment_id>/thoi")
def dismiss(appointment_id: int) -> Answer:
    """End an office from today on."""
    actor = require(Verb.DIRECTORY_MANAGE)
    today = local_day(now())
    with services().database.transaction() as session:
        freed = people.dismiss(session, appointment_id, today, today)
        _note(session, actor, "person.dismissed", freed.id, {"appointment": appointment_id})
    flash(_("Đã ghi thôi giữ chức vụ."), "ok")
    return redirect(url_for("people.person", person_id=freed.id))


def _show(person_id: int, actor: Actor, form: OfficeForm) -> str:
    today = local_day(now())
    with services().database.reading() as session:
        kept = people.find_person(session, person_id)
        may_manage = may(actor, Verb.DIRECTORY_MANAGE)
        held = units_for_choice(session, today) if may_manage else []
        form.unit.choices = with_none((unit.id, unit.name) for unit in held)
        offices = sorted(kept.appointments, key=_newest_first)
    return render_template(
        "directory/person.html",
        person=kept,
        offices=offices,
        today=today,
        form=form,
        may_manage=may_manage,
    )


def _newest_first(office: Appointment) -> tuple[bool, int, int]:
    begun = office.valid_from.toordinal() if office.valid_from else 0
    return office.valid_to is not None, -begun, office.protocol_order


def _keep(actor: Actor, kept: Person | None) -> Answer:
    form = PersonForm() if request.form else PersonForm(obj=kept)
    if form.is_submitted() and form.validate():
        try:
            with services().database.transaction() as session:
                person_id = _write(session, form.facts(), actor, kept)
        except InvalidError as error:
            for name, sentence in error.fields.items():
                form[name].errors = [sentence]
        else:
            flash(_("Đã lưu %(name)s.", name=form.full_name.data), "ok")
            return redirect(url_for("people.person", person_id=person_id))
    page = render_template("directory/person_form.html", form=form, person=kept)
    return (page, 422) if form.is_submitted() else page


def _write(session: Session, facts: PersonFacts, actor: Actor, kept: Person | None) -> int:
    if kept is None:
        person_id = people.create_person(session, facts).id
        _note(session, actor, "person.created", person_id, {"full_name": facts.full_name})
    else:
        person_id = kept.id
        told = people.update_person(session, person_id, facts)
        _note(session, actor, "person.updated", person_id, told)
    return person_id


def _note(
    session: Session, actor: Actor, action: str, person_id: int, detail: dict[str, Any]
) -> None:
    audit.record(
        session, at=now(), actor=actor, action=action, object_type="person",
        object_id=person_id, address=client_address(), detail=detail,
    )  # fmt: skip
