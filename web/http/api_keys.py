"""The keys of other systems: make one, see which are used, revoke (administrators)."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response
from wtforms import SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.widgets import CheckboxInput, ListWidget

from conference.access.policy import Verb
from conference.api_keys import service
from conference.api_keys.models import Scope
from conference.errors import InvalidError
from web.forms import PageForm
from web.services import client_address, now, require, services

blueprint = Blueprint("api_keys", __name__, url_prefix="/quan-tri/khoa-api")

SCOPE_WORDS = {
    Scope.STATISTICS: _l("Số liệu thống kê"),
    Scope.MEETINGS: _l("Danh sách cuộc họp đã kết thúc"),
    Scope.UNITS: _l("Danh sách đơn vị"),
}


class KeyForm(PageForm):
    """A new key."""

    name = StringField(_l("Hệ thống dùng khóa"))
    scopes = SelectMultipleField(
        _l("Được đọc"),
        choices=[SelectChoice(scope.value, words) for scope, words in SCOPE_WORDS.items()],
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
    )


@blueprint.get("")
def index() -> str:
    """All keys, and the form for another one."""
    require(Verb.API_KEY_MANAGE)
    return _page(KeyForm())


@blueprint.post("")
def create() -> str | tuple[str, int]:
    """Make a key; its secret is on this answer and nowhere else."""
    actor = require(Verb.API_KEY_MANAGE)
    form = KeyForm()
    faults: dict[str, str] = {}
    secret = ""
    if form.validate():
        try:
            with services().database.transaction() as session:
                _row, secret = service.create(
                    session, form.name.data or "", [Scope(one) for one in form.scopes.data or ()],
                    actor=actor, at=now(), address=client_address(),
                )  # fmt: skip
        except InvalidError as error:
            faults = error.fields
    for name, sentence in faults.items():
        form[name].errors = [sentence]
    if secret:
        return _page(KeyForm(formdata=None), secret)
    return _page(form), 422


@blueprint.post("/<int:key_id>/thu-hoi")
def revoke(key_id: int) -> Response:
    """End a key."""
    actor = require(Verb.API_KEY_MANAGE)
    with services().database.transaction() as session:
        row = service.revoke(session, key_id, actor=actor, at=now(), address=client_address())
        name = row.name
    flash(_("Đã thu hồi khóa của %(name)s.", name=name), "ok")
    return redirect(url_for("api_keys.index"), 303)


def _page(form: KeyForm, secret: str = "") -> str:
    with services().database.reading() as session:
        rows = service.all_keys(session)
    words = {scope.value: text for scope, text in SCOPE_WORDS.items()}
    return render_template(
        "api_keys/index.html", form=form, rows=rows, secret=secret, scope_words=words
    )
