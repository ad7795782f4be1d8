"""Whether this process works, for the supervisor, a proxy or a monitor."""

from flask import Blueprint
from sqlalchemy import text

from web.services import services

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def health() -> dict[str, str]:
    """Answer 200 when the database answers; `web.errors` makes 503 of a failure."""
    with services().database.reading() as session:
        session.execute(text("SELECT 1"))
    return {"status": "ok"}
