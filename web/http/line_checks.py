"""The board of a meeting's line checks: who is ready, who is not, whom to call.

The table follows by itself: the page asks every two seconds what is newer than what it shows, and
lines are exchanged where they stand; the order changes only when asked for.
"""

from typing import Any, Final

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from conference.access import audit
from conference.access.policy import Verb
from conference.errors import ConflictError, InvalidError, NotFoundError
from conference.line_checks import board, reminders, service, wording
from conference.line_checks.board import Filter, Line
from conference.line_checks.models import LineCheck, Source
from conference.line_checks.verdict import Grade
from conference.scheduling.facts import meeting_facts
from conference.scheduling.models import InvitedSite, Meeting
from conference.scheduling.planning import thresholds_of
from web.display import number
from web.meeting_page import find_meeting, open_page
from web.services import client_address, now, require, services

blueprint = Blueprint("line_checks", __name__, url_prefix="/cuoc-hop/<int:meeting_id>/kiem-tra")

TAB: Final = "kiem-tra"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Page = str | Response | tuple[str, int]


@blueprint.get("")
def show(meeting_id: int) -> str:
    """The board: faults first, searched and filtered by the address."""
    at = now()
    with services().database.reading() as session:
        page = open_page(session, meeting_id, TAB, Verb.LINE_CHECK)
        meeting: Meeting = page["meeting"]
        limits = thresholds_of(session)
        lines = board.lines_of(session, meeting, limits)
        wanted = _wanted()
        query = request.args.get("q", "")[:100]
        return render_template(
            "line_checks/board.html",
            **page,
            **_words(),
            lines=board.faults_first(board.chosen(lines, wanted, query)),
            counts=(counts := _counts(meeting, lines)),
            summary=_summary(counts),
            newest=_newest(lines),
            wanted=wanted,
            query=query,
            filters=Filter,
            is_open=service.is_open(meeting, limits, at),
            opens_at=service.opens_at(meeting, limits),
            at=at,
        )


@blueprint.get("/thay-doi")
def changes(meeting_id: int) -> Response | tuple[str, int]:
    """Lines with a check newer than ``?sau=``, as rows, and the counts; 204 when there is none."""
    after = request.args.get("sau", 0, int)
    with services().database.reading() as session:
        meeting = find_meeting(session, meeting_id)
        who = require(Verb.LINE_CHECK, meeting_facts(meeting))
        limits = thresholds_of(session)
        lines = board.lines_of(session, meeting, limits)
        newest = _newest(lines)
        if newest <= after:
            return "", 204
        fresh = [line for line in lines if line.check and line.check.id > after]
        page = {"meeting": meeting, "actor": who, **_words()}
        page["is_open"] = service.is_open(meeting, limits, now())
        rows = {
            line.site.id: render_template("line_checks/_changed.html", line=line, **page)
            for line in fresh
        }
        standing = _counts(meeting, lines)
        counts = render_template(
            "line_checks/_counts.html", counts=standing, filters=Filter, wanted=Filter.ALL, **page
        )
    document = {"newest": newest, "rows": rows, "counts": counts, "summary": _summary(standing)}
    return make_response(document)


def _summary(counts: service.Standing) -> str:
    done = _(
        "Đã kiểm tra %(n)s/%(of)s điểm cầu", n=number(counts.checked), of=number(counts.invited)
    )
    return f"{done} · {_('%(n)s có lỗi', n=number(counts.red))}" if counts.red else str(done)


def _newest(lines: list[Line]) -> int:
    return max((line.check.id for line in lines if line.check), default=0)


def _counts(meeting: Meeting, lines: list[Line]) -> service.Standing:
    return service.standing(meeting, {one.site.id: one.check for one in lines if one.check})


def _wanted() -> Filter:
    text = request.args.get("loc", "")
    return next((one for one in Filter if one.value == text), Filter.ALL)


def _words() -> dict[str, Any]:
    """Vocabulary of the templates."""
    return {
        "grade_words": wording.GRADE_WORDS,
        "device_words": wording.DEVICE_WORDS,
        "speaker_words": wording.SPEAKER_WORDS,
        "way_words": wording.WAY_WORDS,
        "route_words": wording.ROUTE_WORDS,
        "mbps": wording.mbps,
        "permille": wording.percent,
    }


@blueprint.get("/bang.xlsx")
def export_file(meeting_id: int) -> Response:
    """The board as a workbook, in protocol order."""
    with services().database.transaction() as session:
        meeting = find_meeting(session, meeting_id)
        who = require(Verb.LINE_CHECK, meeting_facts(meeting))
        content = board.workbook(meeting, board.lines_of(session, meeting, thresholds_of(session)))
        audit.record(
            session, at=now(), actor=who, action="line.export", object_type="meeting",
            object_id=meeting_id, address=client_address(),
        )  # fmt: skip
    answer = make_response(content)
    answer.headers["Content-Type"] = XLSX
    name = f"kiem-tra-{meeting_id}.xlsx"
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer


@blueprint.post("/nhac")
def remind(meeting_id: int) -> Response:
    """Write to one site (``site``) or to all that have not passed."""
    at = now()
    chosen = request.form.get("site", type=int)
    with services().database.transaction() as session:
        meeting = find_meeting(session, meeting_id)
        who = require(Verb.LINE_CHECK, meeting_facts(meeting))
        limits = thresholds_of(session)
        if not service.is_open(meeting, limits, at):
            raise ConflictError(_("Cuộc họp không còn nhận kết quả kiểm tra."))
        sites = reminders.not_passed(meeting, service.newest(session, meeting, limits))
        if chosen is not None:
            sites = [one for one in sites if one.id == chosen]
        writer = reminders.Reminder.of(services().settings)
        count = writer.remind(session, meeting, sites, at)
        audit.record(
            session, at=at, actor=who, action="line.reminded", object_type="meeting",
            object_id=meeting_id, address=client_address(), detail={"sites": count},
        )  # fmt: skip
    if count:
        flash(_("Đã gửi thư nhắc %(n)s điểm cầu.", n=count), "ok")
    else:
        flash(_("Không có điểm cầu nào cần nhắc thêm; thư trước đang chờ gửi hoặc đã đạt."), "info")
    return redirect(url_for("line_checks.show", meeting_id=meeting_id), 303)


@blueprint.get("/<int:invited_site_id>")
def site(meeting_id: int, invited_site_id: int) -> str:
    """One site: every check with its figures, and a form for what was told by telephone."""
    with services().database.reading() as session:
        page = open_page(session, meeting_id, TAB, Verb.LINE_CHECK)
        return _site_page(session, page, invited_site_id)


def _site_page(
    session: Session,
    page: dict[str, Any],
    invited_site_id: int,
    *,
    faults: dict[str, str] | None = None,
    typed: dict[str, str] | None = None,
) -> str:
    meeting: Meeting = page["meeting"]
    limits = thresholds_of(session)
    lines = board.lines_of(session, meeting, limits)
    line = next((one for one in lines if one.site.id == invited_site_id), None)
    if line is None:
        raise NotFoundError
    rows = service.history(session, meeting.id, invited_site_id)
    return render_template(
        "line_checks/site.html",
        **page,
        **_words(),
        line=line,
        checks=[_told(row) for row in rows],
        is_open=service.is_open(meeting, limits, now()),
        faults=faults or {},
        typed=typed or {},
        max_note=service.MAX_NOTE,
        opens_at=service.opens_at(meeting, limits),
    )


def _told(row: LineCheck) -> dict[str, Any]:
    return {
        "row": row,
        "report": service.report_of(row),
        "advice": [wording.advise(one) for one in service.findings_of(row)],
        "is_by_hand": row.source is Source.HAND,
    }


@blueprint.post("/<int:invited_site_id>/ghi")
def mark(meeting_id: int, invited_site_id: int) -> Page:
    """Write down what was told by telephone."""
    typed = {name: request.form.get(name, "") for name in ("grade", "note")}
    grade = {"green": Grade.GREEN, "red": Grade.RED}.get(typed["grade"])
    try:
        with services().database.transaction() as session:
            meeting = find_meeting(session, meeting_id)
            who = require(Verb.LINE_CHECK, meeting_facts(meeting))
            invited = session.get(InvitedSite, invited_site_id)
            if invited is None or invited.meeting_id != meeting_id:
                raise NotFoundError
            by = service.By(who, now(), client_address())
            service.keep_by_hand(session, invited, grade, typed["note"], by)
    except InvalidError as error:
        with services().database.reading() as session:
            page = open_page(session, meeting_id, TAB, Verb.LINE_CHECK)
            return _site_page(session, page, invited_site_id, faults=error.fields, typed=typed), 422
    flash(_("Đã ghi kết quả."), "ok")
    return redirect(url_for("line_checks.show", meeting_id=meeting_id), 303)
