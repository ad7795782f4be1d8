"""The first page after logging in: what needs me now."""

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from conference.access.policy import Verb
from web.services import require

blueprint = Blueprint("today", __name__)


@blueprint.get("/")
def root() -> Response:
    """The bare address leads to today's page."""
    return redirect(url_for("today.index"))


@blueprint.get("/hom-nay")
def index() -> str:
    """Today's meetings by hour and what is to be done."""
    actor = require(Verb.MEETING_LIST)
    return render_template("today/index.html", actor=actor, meetings=[], chores=[])
