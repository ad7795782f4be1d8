"""Logging in and out, the language of the pages, and the account behind ``current_user``.

The session is a signed cookie (HttpOnly, SameSite=Lax, Secure behind https). It names the account
with a fingerprint of its password hash, so a changed password or a switched-off account ends all
its sessions with the next request. Wrong passwords are slowed down by `web.throttle`.
"""

import hashlib
import hmac
import math
import time
from typing import Final, cast
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    Flask,
    current_app,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_babel import gettext as _
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from werkzeug.wrappers import Response
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from conference.access import accounts, audit
from conference.access.models import Account
from conference.access.policy import ANONYMOUS, Actor
from web.forms import PageForm
from web.services import client_address, now, services
from web.throttle import Throttle

FAILURES_PER_ACCOUNT: Final = 5
FAILURES_PER_ADDRESS: Final = 30
LANGUAGES: Final = ("vi", "en")
_FINGERPRINT_DIGITS: Final = 16

blueprint = Blueprint("session", __name__)


class User(UserMixin):
    """The account that is logged in, as plain values for the length of one request."""

    def __init__(self, account: Account) -> None:
        self.id = account.id
        self.actor: Actor = accounts.actor_of(account)
        self.name = account.display_name
        self.username = account.username
        self.role = account.role
        self.language = account.language
        self.person_id = account.person_id
        self.site_id = account.site_id
        self._fingerprint = _fingerprint(account)

    def get_id(self) -> str:
        """What the session cookie says."""
        return f"{self.id}.{self._fingerprint}"


class LoginForm(PageForm):
    """Name and password; ``next`` is where the person wanted to go."""

    username = StringField(
        "Tên đăng nhập",
        validators=[InputRequired("Nhập tên đăng nhập."), Length(max=80)],
        render_kw={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"},
    )
    password = PasswordField(
        "Mật khẩu",
        validators=[InputRequired("Nhập mật khẩu."), Length(max=1024)],
        render_kw={"autocomplete": "current-password"},
    )
    next = HiddenField()


def register(app: Flask) -> None:
    """Set up logins on ``app``."""
    manager = LoginManager(app)
    manager.user_loader(_load_user)
    manager.session_protection = None  # laptops change address between hall and office
    app.extensions["diemcau_throttles"] = (
        Throttle(FAILURES_PER_ACCOUNT),
        Throttle(FAILURES_PER_ADDRESS),
    )


def language() -> str:
    """Language of this request: chosen in this browser, else the account's, else Vietnamese."""
    chosen = session.get("language") or getattr(current_user, "language", None)
    return chosen if chosen in LANGUAGES else LANGUAGES[0]


def safe_next(target: str | None) -> str | None:
    """``target`` if it is a path of this site, else None: no login may send anybody elsewhere."""
    if not target or not target.startswith("/") or target.startswith("//") or "\\" in target:
        return None
    parts = urlsplit(target)
    return None if parts.scheme or parts.netloc or not target.isprintable() else target


@blueprint.route("/dang-nhap", methods=["GET", "POST"])
def login() -> str | Response | tuple[str, int]:
    """The login page."""
    if current_user.is_authenticated:
        return redirect(safe_next(request.args.get("next")) or url_for("today.index"))
    form = LoginForm(data={"next": request.args.get("next", "")} if not request.form else None)
    if not form.validate_on_submit():
        return render_template("session/login.html", form=form, problem="")
    name = (form.username.data or "").strip().lower()
    wait_s = _wait_s(name)
    if wait_s > 0:
        problem = _("Sai quá nhiều lần. Thử lại sau %(seconds)s giây.", seconds=math.ceil(wait_s))
        return render_template("session/login.html", form=form, problem=problem), 429
    user = _authenticate(name, form.password.data or "")
    if user is None:
        problem = _("Tên đăng nhập hoặc mật khẩu không đúng.")
        return render_template("session/login.html", form=form, problem=problem), 401
    kept = session.get("language")
    session.clear()
    if kept:
        session["language"] = kept
    session.permanent = True
    login_user(user)
    return redirect(safe_next(form.next.data) or url_for("today.index"))


@blueprint.post("/dang-xuat")
def logout() -> Response:
    """Forget everything this browser knew, the opened join link too."""
    if current_user.is_authenticated:
        _note("account.logged_out", current_user.actor, current_user.id)
    logout_user()
    kept = session.get("language")
    session.clear()
    if kept:
        session["language"] = kept
    return redirect(url_for("session.login"))


@blueprint.post("/ngon-ngu/<code>")
def choose_language(code: str) -> Response:
    """Show pages in another language and come back to the same page."""
    if code in LANGUAGES:
        session["language"] = code
    return redirect(safe_next(request.form.get("next")) or url_for("session.login"))


def _load_user(session_id: str) -> User | None:
    number, _dot, mark = session_id.partition(".")
    if not number.isdecimal():
        return None
    with services().database.reading() as database:
        account = database.get(Account, int(number))
        fits = (
            account is not None
            and account.is_active
            and hmac.compare_digest(mark.encode(), _fingerprint(account).encode())
        )
        return User(account) if fits and account is not None else None


def _fingerprint(account: Account) -> str:
    digest = hashlib.sha256(account.password_hash.encode()).hexdigest()
    return digest[:_FINGERPRINT_DIGITS]


def _throttles() -> tuple[Throttle, Throttle]:
    return cast(tuple[Throttle, Throttle], current_app.extensions["diemcau_throttles"])


def _wait_s(name: str) -> float:
    by_account, by_address = _throttles()
    now_s = time.monotonic()
    return max(by_account.wait_s(name, now_s), by_address.wait_s(client_address(), now_s))


def _authenticate(name: str, password: str) -> User | None:
    by_account, by_address = _throttles()
    with services().database.reading() as database:
        account = accounts.authenticate(database, name, password)
        user = User(account) if account is not None else None
    if user is None:
        now_s = time.monotonic()
        by_account.failed(name, now_s)
        by_address.failed(client_address(), now_s)
        _note("account.login_refused", ANONYMOUS, name[:40])
        return None
    by_account.forget(name)
    _note("account.logged_in", user.actor, user.id)
    return user


def _note(action: str, actor: Actor, object_id: int | str) -> None:
    with services().database.transaction() as database:
        audit.record(
            database,
            at=now(),
            actor=actor,
            action=action,
            object_type="account",
            object_id=object_id,
            address=client_address(),
        )
