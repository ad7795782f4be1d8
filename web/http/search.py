"""Searching through the files of all meetings: titles, people, units, papers, minutes."""

from flask import Blueprint, render_template, request
from flask_babel import gettext as _

from conference.access.policy import Verb
from conference.archive.search import Place, search
from web.services import require, services

blueprint = Blueprint("search", __name__)

MAX_QUERY_LENGTH = 200


@blueprint.get("/tim-kiem")
def index() -> str:
    """Meetings whose file holds every word; where it was found is shown."""
    actor = require(Verb.MEETING_LIST)
    query = request.args.get("q", "")[:MAX_QUERY_LENGTH].strip()
    places = {
        Place.TITLE: _("Tên cuộc họp"),
        Place.PEOPLE: _("Chủ trì, thư ký"),
        Place.UNIT: _("Thành phần"),
        Place.PAPER: _("Tài liệu"),
        Place.MINUTES: _("Biên bản"),
    }
    tabs = {
        Place.UNIT: "thanh-phan",
        Place.PAPER: "tai-lieu",
        Place.MINUTES: "bien-ban",
    }
    with services().database.reading() as session:
        hits = search(session, query, actor=actor)
        return render_template(
            "search/index.html", query=query, hits=hits, places=places, tabs=tabs
        )
