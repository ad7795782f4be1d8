"""Searching through the files of all meetings: titles, people, units, papers, minutes."""

from flask import Blueprint, render_template, request
from flask_babel import gettext as _

from conference.access.policy import Verb
from conference.archive.search import find
from conference.archive.search_piece import Place
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
        Place.AGENDA: _("Chương trình"),
        Place.PAPER: _("Tài liệu"),
        Place.CONCLUSION: _("Kết luận"),
        Place.MINUTES: _("Biên bản"),
        Place.SPEAKER: _("Người phát biểu"),
    }
    tabs = {
        Place.UNIT: "thanh-phan",
        Place.PAPER: "tai-lieu",
        Place.CONCLUSION: "ket-luan",
        Place.MINUTES: "bien-ban",
    }
    with services().database.reading() as session:
        page = request.args.get("page", 1, type=int)
        found = find(session, query, actor=actor, page=page)
        return render_template(
            "search/index.html", query=query, found=found, places=places, tabs=tabs
        )
