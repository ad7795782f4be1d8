"""Rename, move, merge, split or dissolve units: typed, shown with its effects, then recorded."""

from typing import Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from conference.access import audit
from conference.access.policy import Actor, Verb
from conference.directory import changes, tree
from conference.directory.changes import ChangeDraft, Effects
from conference.directory.models import ChangeKind, Unit
from conference.errors import InvalidError
from conference.scheduling.local_time import local_day
from web.directory_forms import CHANGE_WORDS, ChangeForm, to_choose, with_none
from web.http.directory import units_for_choice
from web.services import client_address, now, require, services

blueprint = Blueprint("unit_changes", __name__)

Answer = str | Response | tuple[str, int]

KINDS: Final = {
    "doi-ten": ChangeKind.RENAMED,
    "chuyen": ChangeKind.MOVED,
    "sap-nhap": ChangeKind.MERGED,
    "chia-tach": ChangeKind.SPLIT,
    "giai-the": ChangeKind.ABOLISHED,
}
_FIELD: Final = {"opening": "name"}
"""Fields of the domain that one kind of form shows under another name."""


@blueprint.route("/quan-tri/don-vi/<int:unit_id>/thay-doi/<word>", methods=["GET", "POST"])
def change(unit_id: int, word: str) -> Answer:
    """One change, beginning with this unit: ``xem`` shows its effects, ``ghi`` records it."""
    actor = require(Verb.DIRECTORY_MANAGE)
    kind = KINDS.get(word)
    if kind is None:
        raise NotFound
    with services().database.reading() as session:
        unit = tree.biography(session, unit_id, local_day(now())).unit
        others = [one for one in units_for_choice(session, local_day(now())) if one.id != unit_id]
    given = {"name": unit.name, "code": unit.code, "type": unit.type}
    form = ChangeForm() if request.form else ChangeForm(data=given)
    form.units.choices = to_choose((one.id, one.name) for one in others if one.level is unit.level)
    form.parent.choices = with_none((one.id, one.name) for one in others)
    effects: Effects | None = None
    if form.is_submitted() and form.validate():
        try:
            draft = _draft(form, kind, unit_id)
            if "ghi" in request.form:
                with services().database.transaction() as session:
                    target = _record(session, draft, actor)
                flash(_("Đã ghi thay đổi của %(name)s.", name=unit.name), "ok")
                return redirect(url_for("directory.unit", unit_id=target))
            with services().database.reading() as session:
                effects = changes.effects(session, draft)
        except InvalidError as error:
            _show_faults(form, kind, error)
    page = _page(form, kind, unit, effects)
    return (page, 422) if form.errors else page


def _draft(form: ChangeForm, kind: ChangeKind, unit_id: int) -> ChangeDraft:
    if form.effective_on.data is None:
        raise InvalidError({"effective_on": "Nhập ngày hiệu lực."})
    others = form.units.data if kind is ChangeKind.MERGED else []
    parent = form.parent.data or ""
    return ChangeDraft(
        kind=kind,
        effective_on=form.effective_on.data,
        reference=" ".join((form.reference.data or "").split()),
        closing=(unit_id, *(int(one) for one in others or [] if one.isdecimal())),
        opening=form.opened(kind),
        parent_id=int(parent) if parent.isdecimal() else None,
    )


def _record(session: Session, draft: ChangeDraft, actor: Actor) -> int:
    """Record the change; the unit to look at next."""
    made = changes.record_change(session, draft, recorded_by=actor.name, at=now())
    audit.record(
        session, at=now(), actor=actor, action="unit.changed", object_type="unit",
        object_id=draft.closing[0], address=client_address(), note=draft.reference,
        detail={
            "kind": draft.kind.value,
            "effective_on": draft.effective_on.isoformat(),
            "closing": list(draft.closing),
            "opening": [new.name for new in draft.opening],
        },
    )  # fmt: skip
    return made.links[0].successor_id or draft.closing[0]


def _show_faults(form: ChangeForm, kind: ChangeKind, error: InvalidError) -> None:
    for name, sentence in error.fields.items():
        shown = "opening" if kind is ChangeKind.SPLIT else _FIELD.get(name, name)
        if name == "units" and kind is not ChangeKind.MERGED:
            shown = "opening" if kind is ChangeKind.SPLIT else "effective_on"
        elif name in {"effective_on", "reference", "units", "parent"}:
            shown = name
        form[shown].errors = [sentence]


def _page(form: ChangeForm, kind: ChangeKind, unit: Unit, effects: Effects | None) -> str:
    return render_template(
        "directory/change.html",
        form=form,
        kind=kind.value,
        kind_word=CHANGE_WORDS[kind],
        unit=unit,
        effects=effects,
    )
