"""Wire the web process together; the only place that knows all of its parts.

`create_app` builds the pages and the realtime namespace around one `Services`. It opens the
database, but creates nothing in it and starts no thread: that is done by whoever serves the
application (`web.serving`).
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from flask import Flask, current_app
from flask_babel import Babel
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from conference.archive.bucket import open_bucket
from conference.database import Database
from conference.engine.client import Engine
from config.settings import Settings
from web import assets, display, errors, navigation, security, template_words
from web.http import (
    accounts,
    api,
    api_keys,
    archive,
    archive_import,
    attendance,
    audit_log,
    calendar_feeds,
    conclusions,
    directory,
    engine_webhooks,
    health,
    invitation_papers,
    invitations,
    line_checks,
    line_tests,
    meetings_planning,
    meetings_rules,
    meetings_steps,
    minutes,
    papers,
    people,
    personal_data,
    recordings,
    replies,
    retention,
    room,
    search,
    session,
    signed_papers,
    sites,
    statistics,
    today,
    transfer,
    unit_changes,
    week,
)
from web.realtime import server as realtime
from web.services import EXTENSION, Services, actor, media_url
from web.words import translated

SESSION_LIFE: Final = timedelta(hours=12)
_MIB: Final = 1024 * 1024
_FORM_FIELDS: Final = 10_000
"""A meeting may invite several hundred sites, each a checkbox."""

BLUEPRINTS: Final = (
    health.blueprint,
    session.blueprint,
    today.blueprint,
    meetings_planning.blueprint,  # with what web.http.meetings adds to it
    meetings_steps.blueprint,
    meetings_rules.blueprint,
    invitations.blueprint,
    invitation_papers.blueprint,
    replies.blueprint,
    line_checks.blueprint,
    line_tests.blueprint,
    papers.blueprint,
    directory.blueprint,
    unit_changes.blueprint,
    sites.blueprint,
    people.blueprint,
    accounts.blueprint,
    transfer.blueprint,
    attendance.blueprint,
    recordings.blueprint,
    minutes.blueprint,
    conclusions.blueprint,
    signed_papers.blueprint,
    search.blueprint,
    audit_log.blueprint,
    archive.blueprint,
    archive_import.blueprint,
    retention.blueprint,
    personal_data.blueprint,
    room.blueprint,
    statistics.blueprint,
    week.blueprint,
    calendar_feeds.blueprint,
    api_keys.blueprint,
    api.blueprint,
    engine_webhooks.blueprint,
)

csrf = CSRFProtect()


def utc_now() -> datetime:
    """The time, aware, UTC."""
    return datetime.now(UTC)


def create_app(
    settings: Settings,
    *,
    database: Database | None = None,
    engine: Engine | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> Flask:
    """The web application of one installation."""
    app = Flask(__name__)
    app.extensions[EXTENSION] = Services(
        settings=settings,
        database=database or Database(settings.database_url),
        engine=engine
        or Engine(settings.media_api_url, settings.media.api_key, settings.media_secret()),
        clock=clock,
        bucket=open_bucket(settings.storage),
    )
    _configure(app, settings)
    csrf.init_app(app)
    Babel(app, locale_selector=session.language, default_locale="vi")
    template_words.register(app)
    session.register(app)
    display.register(app)
    assets.register(app)
    security.register(app)
    errors.register(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    csrf.exempt(engine_webhooks.blueprint)  # signed by the engine itself
    realtime.register(app)
    app.context_processor(_shell)
    proxies = settings.web.trusted_proxies
    if proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies
        )
    return app


def _configure(app: Flask, settings: Settings) -> None:
    is_https = settings.public_url.startswith("https://")
    app.config.update(
        SECRET_KEY=settings.session_secret(),
        SESSION_COOKIE_NAME="diemcau",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=is_https,
        PERMANENT_SESSION_LIFETIME=SESSION_LIFE,
        MAX_CONTENT_LENGTH=settings.web.max_upload_mib * _MIB,
        MAX_FORM_PARTS=_FORM_FIELDS,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: a form may stay open for hours
        BABEL_DEFAULT_TIMEZONE="Asia/Ho_Chi_Minh",
        BABEL_TRANSLATION_DIRECTORIES="translations",
    )
    # sentences of validators are written as Vietnamese constants and translated where shown
    app.add_template_filter(translated)
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True


def _shell() -> dict[str, object]:
    """What base.html needs on every page."""
    settings: Settings = current_app.extensions[EXTENSION].settings
    who = actor()
    return {
        "office": settings.office,
        "current_actor": who,
        "rail": navigation.rail(who),
        "language": session.language(),
        "media_url": media_url,
        "archive_parts": lambda: navigation.archive_parts(who),
        "has_endpoint": lambda endpoint: endpoint in current_app.view_functions,
    }
