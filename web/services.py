"""What every view and every realtime event stands on: the services of this process, and who asks.

A view does four things: parse, `require` a right, call one function of `conference` inside
``services().database.transaction()``, render. Nothing here decides: rights are
`conference.access.policy`, failures become answers in `web.errors`.

Threading: one `Services` for the process, shared by all threads; `actor` reads the request.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast
from urllib.parse import urlsplit

from flask import current_app, request, session
from flask_login import current_user

from conference.access.policy import ANONYMOUS, Actor, MeetingFacts, Verb, may
from conference.archive.bucket import Bucket
from conference.archive.files import Store
from conference.database import Database
from conference.documents.paper import Issuer
from conference.engine.client import Engine
from conference.errors import ForbiddenError
from config.settings import Settings

EXTENSION: Final = "diemcau"
"""Key of the `Services` in ``app.extensions``."""
SESSION_SITE_ID: Final = "invited_site_id"
SESSION_SITE_NAME: Final = "invited_site_name"


class LoginRequiredError(Exception):
    """Nobody is logged in; `web.errors` sends pages to the login and answers programs with 401."""


@dataclass(frozen=True, slots=True)
class Services:
    """One of each for the process."""

    settings: Settings
    database: Database
    engine: Engine
    clock: Callable[[], datetime]
    """The time now, aware, UTC; services of the domain take it as ``at``."""
    bucket: Bucket | None = None
    """Where finished recordings are kept; None = in their folder."""

    @property
    def recordings(self) -> Store:
        """Where recordings are kept."""
        return Store(self.settings.recordings_dir, self.bucket)


def services() -> Services:
    """The services of the application that handles this request or event."""
    return cast(Services, current_app.extensions[EXTENSION])


def now() -> datetime:
    """The time of this request, aware, UTC."""
    return services().clock()


def remember_invitation(invited_site_id: int, name: str) -> None:
    """Let this browser act as an invited site from now on; called when a join link is opened."""
    session[SESSION_SITE_ID] = invited_site_id
    session[SESSION_SITE_NAME] = name


def visitor() -> Actor | None:
    """The invited site whose link this browser opened last, or None."""
    invited_site_id = session.get(SESSION_SITE_ID)
    if not isinstance(invited_site_id, int):
        return None
    name = str(session.get(SESSION_SITE_NAME, ""))
    return Actor(account_id=None, role=None, name=name, invited_site_id=invited_site_id)


def actor() -> Actor:
    """Who asks: the account that is logged in, else the holder of a join link, else nobody."""
    if current_user.is_authenticated:
        return cast(Actor, current_user.actor)
    return visitor() or ANONYMOUS


def require(verb: Verb, meeting: MeetingFacts | None = None) -> Actor:
    """The actor, who may do ``verb``.

    Raises LoginRequiredError when nobody is known (a login may help), ForbiddenError otherwise.
    """
    who = actor()
    if may(who, verb, meeting):
        return who
    if who is ANONYMOUS:
        raise LoginRequiredError
    raise ForbiddenError


def client_address() -> str:
    """Address of the asking machine, for the audit log and the login throttle."""
    return request.remote_addr or ""


def media_url() -> str:
    """WebSocket address of the media engine for this browser.

    A configured ``media.url`` as it is; else our own node on the host the page came from, so
    that the same service answers on loopback and on the office's network.
    """
    settings = services().settings
    if settings.media.url:
        return settings.media.url
    host = urlsplit(f"//{request.host}").hostname or "127.0.0.1"
    scheme = "wss" if request.is_secure else "ws"
    bracketed = f"[{host}]" if ":" in host else host
    return f"{scheme}://{bracketed}:{settings.media.port}"


def issuer() -> Issuer:
    """The office that issues official papers here."""
    office = services().settings.office
    parent = office.parent_name or office.province_name
    return Issuer(parent, office.name, office.document_symbol, office.place)
