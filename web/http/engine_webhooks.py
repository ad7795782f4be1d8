"""What the media engine reports: ``POST /engine/webhook``, signed by the engine itself.

The signature, the body's digest and the age (at most five minutes) are checked before anything is
read. The engine repeats a report until it gets a 2xx, so a repeated one is answered alike and
changes nothing; a database that is down is a 503, and the report comes again.
"""

import logging
from typing import Final

from flask import Blueprint, request
from sqlalchemy.exc import IntegrityError

from conference.attendance import webhooks as presence
from conference.engine.webhooks import Event, InvalidSignatureError, verify
from web.realtime.server import conduct
from web.services import now, services

MAX_BODY_BYTES: Final = 256 * 1024

_log = logging.getLogger(__name__)
blueprint = Blueprint("engine_webhooks", __name__)


@blueprint.post("/engine/webhook")
def receive() -> tuple[str, int]:
    """Verify one report, store what it says of presence, let rosters follow."""
    if (request.content_length or 0) > MAX_BODY_BYTES:
        return "too large", 413
    settings = services().settings
    try:
        event = verify(
            request.get_data(),
            request.headers.get("Authorization", ""),
            settings.media.api_key,
            settings.media_secret(),
            now(),
        )
    except InvalidSignatureError as error:
        _log.warning("webhook refused: %s", error)
        return "invalid signature", 401
    _apply(event)
    return "ok", 200


def _apply(event: Event) -> None:
    try:
        with services().database.transaction() as session:
            meeting_id = presence.apply(session, event, now())
    except IntegrityError:
        return  # the same report was stored by another thread in this moment
    if meeting_id is not None:
        conduct().hub.changed_soon(meeting_id, "roster")
