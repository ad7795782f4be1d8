"""Accounts: list, keep, links to set a password; and the pages where a password is set."""

import csv
import io
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user, login_user
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import BooleanField, PasswordField, SelectField, StringField
from wtforms.fields.choices import SelectChoice

from conference.access import accounts, audit
from conference.access.accounts import AccountFacts
from conference.access.models import Account, Role
from conference.access.policy import Actor, Verb, may
from conference.directory import people, units
from conference.directory.models import Person
from conference.directory.tables import cell_text
from conference.errors import ConflictError, InvalidError
from conference.scheduling.local_time import local_day
from web.directory_forms import line, with_none
from web.forms import PageForm
from web.http.people import page_number
from web.http.session import User
from web.meeting_form import Needed
from web.services import LoginRequiredError, client_address, now, require, services

blueprint = Blueprint("accounts", __name__)

Answer = str | Response | tuple[str, int]
PAGE: Final = 50

ROLE_WORDS: Final = {
    Role.ADMINISTRATOR: _l("Quản trị"),
    Role.SECRETARY: _l("Thư ký, chuyên viên"),
    Role.OFFICE_CHIEF: _l("Chánh Văn phòng"),
    Role.CHAIR: _l("Chủ trì"),
    Role.CLERK: _l("Văn thư"),
    Role.TECHNICIAN: _l("Kỹ thuật"),
    Role.SITE: _l("Điểm cầu"),
    Role.DELEGATE: _l("Đại biểu"),
    Role.LEADER: _l("Lãnh đạo (xem)"),
    Role.AUDITOR: _l("Kiểm tra"),
}


class AccountForm(PageForm):
    """An account."""

    username = StringField(_l("Tên đăng nhập"), [Needed()])
    display_name = StringField(_l("Tên hiển thị"), [Needed()])
    role = SelectField(
        _l("Vai trò"),
        choices=[SelectChoice(role.value, word) for role, word in ROLE_WORDS.items()],
        validate_choice=False,
    )
    person = StringField(_l("Họ và tên trong danh bạ"))
    site = SelectField(_l("Điểm cầu"), validate_choice=False)
    is_active = BooleanField(_l("Đang hoạt động"))


class PasswordForm(PageForm):
    """A new password, twice; the present one where somebody is logged in."""

    current = PasswordField(_l("Mật khẩu hiện tại"), render_kw={"autocomplete": "current-password"})
    password = PasswordField(
        _l("Mật khẩu mới"), [Needed()], render_kw={"autocomplete": "new-password"}
    )
    repeated = PasswordField(
        _l("Nhập lại mật khẩu mới"), [Needed()], render_kw={"autocomplete": "new-password"}
    )


@blueprint.get("/quan-tri/tai-khoan")
def index() -> str:
    """Accounts by login name."""
    actor = require(Verb.ACCOUNT_MANAGE)
    query = request.args.get("q", "").strip()[:100]
    words = {role.value: role for role in Role}
    role = words.get(request.args.get("vai-tro", ""))
    page = page_number()
    with services().database.reading() as session:
        found, total = accounts.search(session, query, role, limit=PAGE, offset=(page - 1) * PAGE)
    return render_template(
        "directory/accounts.html",
        accounts=found,
        total=total,
        query=query,
        role=role,
        role_words=ROLE_WORDS,
        page=page,
        page_count=-(-total // PAGE),
        may_manage=may(actor, Verb.DIRECTORY_MANAGE),
    )


@blueprint.route("/quan-tri/tai-khoan/tao", methods=["GET", "POST"])
def new_account() -> Answer:
    """Add an account without a password."""
    actor = require(Verb.ACCOUNT_MANAGE)
    form = (
        AccountForm() if request.form else AccountForm(data={"is_active": True, "role": "delegate"})
    )
    return _keep(form, actor, None)


@blueprint.route("/quan-tri/tai-khoan/<int:account_id>", methods=["GET", "POST"])
def edit_account(account_id: int) -> Answer:
    """Change an account's role, person or site, or switch it off."""
    actor = require(Verb.ACCOUNT_MANAGE)
    with services().database.reading() as session:
        kept = accounts.find_account(session, account_id)
    given = {
        "username": kept.username,
        "display_name": kept.display_name,
        "is_active": kept.is_active,
        "role": kept.role.value,
        "person": kept.person.full_name if kept.person else "",
        "site": str(kept.site_id or ""),
    }
    form = AccountForm() if request.form else AccountForm(data=given)
    return _keep(form, actor, kept)


@blueprint.post("/quan-tri/tai-khoan/<int:account_id>/dat-mat-khau")
def issue_link(account_id: int) -> str:
    """A fresh link to set a password, shown this once."""
    actor = require(Verb.ACCOUNT_MANAGE)
    with services().database.transaction() as session:
        secret = accounts.issue_link(session, account_id, now())
        account = accounts.find_account(session, account_id)
        _note(session, actor, "account.link_issued", account_id, {})
    link = _link(secret)
    return render_template("directory/account_link.html", account=account, link=link)


@blueprint.post("/quan-tri/tai-khoan/dat-mat-khau.csv")
def issue_links() -> Response:
    """Links for everybody who has no password yet, as a file to hand out."""
    actor = require(Verb.ACCOUNT_MANAGE)
    with services().database.transaction() as session:
        issued = accounts.issue_links(session, now())
        _note(session, actor, "account.links_issued", "all", {"count": len(issued)})
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([_("Tên đăng nhập"), _("Tên hiển thị"), _("Đường dẫn đặt mật khẩu")])
    for account, secret in issued:
        writer.writerow([account.username, cell_text(account.display_name), _link(secret)])
    return Response(
        "\ufeff" + text.getvalue(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": "attachment; filename=dat-mat-khau.csv"},
    )


@blueprint.route("/mat-khau/<secret>", methods=["GET", "POST"])
def set_password(secret: str) -> Answer:
    """Where the owner of a new account chooses a password."""
    with services().database.reading() as session:
        account = accounts.account_of_link(session, secret, now())
    form = PasswordForm()
    del form.current
    if form.is_submitted() and form.validate() and _is_repeated(form):
        try:
            with services().database.transaction() as session:
                account = accounts.set_password_by_link(
                    session, secret, form.password.data or "", now()
                )
                actor = accounts.actor_of(account)
                _note(session, actor, "account.password_set", account.id, {})
        except InvalidError as error:
            form.password.errors = list(error.fields.values())
        else:
            flash(_("Đã đặt mật khẩu. Đăng nhập bằng mật khẩu mới."), "ok")
            return redirect(url_for("session.login"))
    page = render_template("directory/password.html", form=form, account=account)
    return (page, 422) if form.is_submitted() else page


@blueprint.route("/mat-khau", methods=["GET", "POST"])
def change_password() -> Answer:
    """Change one's own password; other sessions of the account end."""
    if not current_user.is_authenticated:
        raise LoginRequiredError
    actor: Actor = current_user.actor
    form = PasswordForm()
    with services().database.reading() as session:
        account = accounts.find_account(session, current_user.id)
    if form.is_submitted() and form.validate() and _is_repeated(form):
        try:
            with services().database.transaction() as session:
                account = accounts.change_password(
                    session, current_user.id, form.current.data or "", form.password.data or ""
                )
                _note(session, actor, "account.password_changed", account.id, {})
        except InvalidError as error:
            for name, sentence in error.fields.items():
                form[name].errors = [sentence]
        else:
            login_user(User(account))  # the cookie carries a mark of the password
            flash(_("Đã đổi mật khẩu."), "ok")
            return redirect(url_for("today.index"))
    page = render_template("directory/password.html", form=form, account=account)
    return (page, 422) if form.is_submitted() else page


def _is_repeated(form: PasswordForm) -> bool:
    if form.password.data == form.repeated.data:
        return True
    form.repeated.errors = ["Hai lần nhập không giống nhau."]
    return False


def _link(secret: str) -> str:
    return f"{services().settings.public_url}{url_for('accounts.set_password', secret=secret)}"


def _keep(form: AccountForm, actor: Actor, kept: Account | None) -> Answer:
    with services().database.reading() as session:
        sites = units.sites_on(session, local_day(now()), include_inactive=True)
        form.site.choices = with_none((site.id, site.name) for site in sites)
    problem = ""
    if form.is_submitted() and form.validate():
        try:
            with services().database.transaction() as session:
                facts = _facts(session, form, kept)
                account_id = _write(session, facts, actor, kept)
        except InvalidError as error:
            for name, sentence in error.fields.items():
                form[name].errors = [sentence]
        except ConflictError as error:
            problem = error.message
        else:
            flash(_("Đã lưu %(name)s.", name=facts.username), "ok")
            return redirect(url_for("accounts.edit_account", account_id=account_id))
    page = render_template(
        "directory/account.html", form=form, account=kept, problem=problem, now=now()
    )
    return (page, 422) if form.is_submitted() else page


def _facts(session: Session, form: AccountForm, kept: Account | None) -> AccountFacts:
    words = {role.value: role for role in Role}
    role = words.get(form.role.data or "")
    if role is None:
        raise InvalidError({"role": "Chọn vai trò."})
    site = form.site.data or ""
    return AccountFacts(
        username=kept.username if kept else line(form.username.data).lower(),
        role=role,
        display_name=line(form.display_name.data),
        person_id=_person_id(session, line(form.person.data), kept),
        site_id=int(site) if site.isdecimal() else None,
        is_active=bool(form.is_active.data),
    )


def _person_id(session: Session, typed: str, kept: Account | None) -> int | None:
    """Who is meant by a typed name; the present person if the name is unchanged."""
    if not typed:
        return None
    if kept is not None and kept.person is not None and kept.person.full_name == typed:
        return kept.person_id
    found = session.scalars(select(Person).where(Person.full_name == typed)).all()
    if not found:
        matching, _total = people.search(session, typed, limit=2)
        found = matching
    if len(found) != 1:
        sentence = "Có nhiều người cùng tên này." if found else "Không tìm thấy người này."
        raise InvalidError({"person": sentence})
    return found[0].id


def _write(session: Session, facts: AccountFacts, actor: Actor, kept: Account | None) -> int:
    if kept is None:
        account_id = accounts.create_account(session, facts, now()).id
        told: dict[str, Any] = {"username": facts.username, "role": facts.role.value}
        _note(session, actor, "account.created", account_id, told)
    else:
        account_id = kept.id
        told = accounts.update_account(session, account_id, facts)
        _note(session, actor, "account.updated", account_id, told)
    return account_id


def _note(
    session: Session, actor: Actor, action: str, account_id: int | str, detail: dict[str, Any]
) -> None:
    audit.record(
        session, at=now(), actor=actor, action=action, object_type="account",
        object_id=account_id, address=client_address(), detail=detail,
    )  # fmt: skip
