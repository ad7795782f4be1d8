"""Whether this process works, for the supervisor, a proxy or a monitor."""

from flask import Blueprint
from sqlalchemy import text

from conference.archive import keeping
from web.services import services

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def health() -> dict[str, str]:
    """Answer 200 when the database answers; `web.errors` makes 503 of a failure.

    Where a bucket keeps recordings, ``storage`` says ``failing`` while recordings could not
    be carried there; they are safe in their folder, and the service itself works.
    """
    with services().database.reading() as session:
        session.execute(text("SELECT 1"))
        if services().bucket is None:
            return {"status": "ok"}
        is_failing = keeping.waiting(session) > 0
    return {"status": "ok", "storage": "failing" if is_failing else "ok"}
