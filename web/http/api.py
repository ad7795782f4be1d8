"""Figures for other systems: JSON and CSV for whoever presents a key with the right scope.

``Authorization: Bearer dck_…``; nothing else is looked at, least of all a browser's cookies, so a
page elsewhere cannot read figures with somebody's login. `web.api_description` says what is
answered.
"""

from collections.abc import Sequence
from datetime import date
from importlib.metadata import version

from flask import Blueprint, jsonify, request
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from conference.api_keys import service as keys
from conference.api_keys.models import Scope
from conference.documents.spreadsheet import Value, csv_text
from conference.scheduling.local_time import local_day
from conference.statistics import gather, periods, tallies
from conference.statistics.periods import Period, PeriodError
from conference.statistics.service import overview
from web import api_documents as documents
from web.api_description import PAGE_SIZE, document
from web.errors import error_document
from web.services import now, services

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")

MOST_PAGES = 10_000


class RefusedError(Exception):
    """The request is answered with ``status`` and the error document."""

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status, self.code, self.message = status, code, message
        super().__init__(message)


@blueprint.errorhandler(RefusedError)
def _refused(error: RefusedError) -> tuple[Response, int, dict[str, str]]:
    challenge = {"WWW-Authenticate": 'Bearer realm="diemcau"'} if error.status == 401 else {}
    return jsonify(error_document(error.code, error.message)), error.status, challenge


@blueprint.get("/openapi.json")
def description() -> Response:
    """The OpenAPI document; for everybody, it holds no figures."""
    return jsonify(document(services().settings.public_url, version("diemcau")))


@blueprint.get("/statistics")
def statistics() -> Response:
    """Figures of a period."""
    _authorise(Scope.STATISTICS)
    arguments = _known({"from", "to", "format"})
    is_csv, period = _wants_csv(arguments), _period(arguments)
    with services().database.reading() as session:
        found = overview(session, period, now())
    if is_csv:
        rows = documents.statistics_rows(found)
        return _csv("statistics", documents.STATISTICS_COLUMNS, rows)
    return jsonify(documents.statistics(found))


@blueprint.get("/meetings")
def meetings() -> Response:
    """Meetings held in a period, oldest first; CSV holds all of them, JSON a page."""
    _authorise(Scope.MEETINGS)
    arguments = _known({"from", "to", "page", "format"})
    is_csv, period, page = _wants_csv(arguments), _period(arguments), _page(arguments)
    with services().database.reading() as session:
        found = tallies.held_meetings(session, period)
    if is_csv:
        rows = [documents.meeting_row(one) for one in found]
        return _csv("meetings", documents.MEETING_COLUMNS, rows)
    shown, following = documents.page_of(found, page, PAGE_SIZE)
    items = [documents.meeting(one) for one in shown]
    return jsonify({"items": items, "total": len(found), "next_page": following})


@blueprint.get("/units")
def unit_list() -> Response:
    """Units that exist on a day, today unless one is named."""
    _authorise(Scope.UNITS)
    arguments = _known({"day", "format"})
    is_csv, day = _wants_csv(arguments), local_day(now())
    if "day" in arguments:
        day = _day(arguments, "day")
    with services().database.reading() as session:
        found = gather.units_on(session, day)
        if is_csv:
            rows = [documents.unit_row(one) for one in found]
            return _csv("units", documents.UNIT_COLUMNS, rows)
        return jsonify({"items": [documents.unit(one) for one in found], "total": len(found)})


# --- parts ---------------------------------------------------------------------------------------


def _authorise(scope: Scope) -> None:
    """Raises RefusedError unless the request carries a key in force with ``scope``."""
    scheme, _space, secret = request.headers.get("Authorization", "").partition(" ")
    at = now()
    grant = None
    if scheme.lower() == "bearer" and secret.strip():
        with services().database.reading() as session:
            grant = keys.grant_of(session, secret.strip(), at)
    if grant is None:
        raise RefusedError(401, "unauthenticated", _("Khóa không có hoặc không còn hiệu lực."))
    if scope not in grant.scopes:
        raise RefusedError(403, "forbidden", _("Khóa không có quyền %(scope)s.", scope=scope.value))
    if grant.is_use_due:
        with services().database.transaction() as session:
            keys.note_use(session, grant.key_id, at)


def _known(names: set[str]) -> MultiDict[str, str]:
    """The query, which holds only ``names``, each once. A misspelt filter must not pass."""
    for name in request.args:
        if name not in names:
            raise _bad(name, _("không có tham số này"))
        if len(request.args.getlist(name)) > 1:
            raise _bad(name, _("chỉ ghi một lần"))
    return request.args


def _bad(name: str, reason: str) -> RefusedError:
    return RefusedError(400, "invalid", f"{name}: {reason}")


def _wants_csv(arguments: MultiDict[str, str]) -> bool:
    wanted = arguments.get("format", "json")
    if wanted not in {"json", "csv"}:
        raise _bad("format", _("chỉ nhận json hoặc csv"))
    return wanted == "csv"


def _day(arguments: MultiDict[str, str], name: str) -> date:
    text = arguments.get(name, "")
    day = periods.parse_day(text) if "-" in text and text == text.strip() else None
    if day is None:
        raise _bad(name, _("cần ngày dạng 2020-12-31"))
    return day


def _period(arguments: MultiDict[str, str]) -> Period:
    first, last = _day(arguments, "from"), _day(arguments, "to")
    try:
        return periods.checked(first, last)
    except PeriodError as error:
        raise _bad("from, to", _(str(error))) from error


def _page(arguments: MultiDict[str, str]) -> int:
    text = arguments.get("page", "1")
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:6]) <= MOST_PAGES):
        raise _bad("page", _("cần số từ 1 đến %(most)s", most=MOST_PAGES))
    return int(text)


def _csv(name: str, columns: Sequence[str], rows: Sequence[Sequence[Value]]) -> Response:
    answer = Response(csv_text(columns, rows), content_type="text/csv; charset=utf-8")
    answer.headers.set("Content-Disposition", "attachment", filename=f"{name}.csv")
    return answer
