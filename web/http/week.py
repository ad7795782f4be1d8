"""The week schedule: internal and published versions, revisions, print, DOCX, RSS and iCalendar.

Addresses under ``/cong-khai`` need no login and show only what was published; the provincial
portal may read them as RSS or iCalendar.
"""

from datetime import date, timedelta
from email.utils import format_datetime
from typing import Any, Final

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from conference.access.policy import Verb, may
from conference.calendar_feeds.calendar import Entry, render
from conference.documents import pdf, word
from conference.errors import InvalidError, NotFoundError
from conference.scheduling.local_time import local_day
from conference.week import paper, schedule, service
from conference.week.models import WeekRevision
from web.services import client_address, issuer, now, require, services

blueprint = Blueprint("week", __name__)

AROUND: Final = timedelta(weeks=8)
_TYPES: Final = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
}


@blueprint.get("/lich-tuan")
@blueprint.get("/lich-tuan/<week>")
def show(week: str = "") -> str:
    """The week as planned now, or as published; leaders and rooms that are wanted twice."""
    who = require(Verb.WEEK_VIEW)
    monday = _monday(week)
    wants_public = request.args.get("ban") == "cong-khai"
    with services().database.reading() as session:
        revision = service.latest(session, monday)
        lines = _lines(session, monday, revision, wants_public=wants_public)
        waiting = service.pending(session, monday)
    leaders = sorted({name for line in lines for name in line.leaders})
    leader = request.args.get("lanh-dao", "")
    if leader in leaders:
        lines = [line for line in lines if leader in line.leaders]
    return render_template(
        "week/internal.html",
        **_page(monday, lines, revision),
        wants_public=wants_public,
        waiting=waiting,
        leaders=leaders,
        leader=leader if leader in leaders else "",
        may_publish=may(who, Verb.WEEK_PUBLISH),
        reason="",
        fault="",
    )


def _lines(
    session: Session, monday: date, revision: WeekRevision | None, *, wants_public: bool
) -> list[schedule.Line]:
    if wants_public:
        return schedule.from_stored(revision.lines) if revision else []
    return service.planned(session, monday, with_requests=True)


def _monday(week: str) -> date:
    if not week:
        return schedule.monday_of(local_day(now()))
    monday = schedule.parse_week(week)
    if monday is None:
        raise NotFoundError
    return monday


def _page(
    monday: date, lines: list[schedule.Line], revision: WeekRevision | None
) -> dict[str, Any]:
    found = schedule.days(monday, lines)
    step = timedelta(weeks=1)
    return {
        "monday": monday,
        "week": schedule.week_text(monday),
        "earlier": schedule.week_text(monday - step),
        "later": schedule.week_text(monday + step),
        "this_week": schedule.week_text(schedule.monday_of(local_day(now()))),
        "title": schedule.title(monday, revision.number if revision else 0),
        "revision": revision,
        "days": found,
        "clashes": sum(bool(row.clashes) for d in found for half in d.halves for row in half.rows),
        "count": len(lines),
    }


@blueprint.post("/lich-tuan/<week>/cong-bo")
def publish(week: str) -> Response | tuple[str, int]:
    """Publish the week, or an adjustment with its reason."""
    who = require(Verb.WEEK_PUBLISH)
    monday = _monday(week)
    reason = request.form.get("reason", "")
    try:
        with services().database.transaction() as session:
            row = service.publish(
                session, monday, reason, actor=who, at=now(), address=client_address()
            )
            number = row.number
    except InvalidError as error:
        with services().database.reading() as session:
            revision = service.latest(session, monday)
            lines = service.planned(session, monday, with_requests=True)
            waiting = service.pending(session, monday)
        page = render_template(
            "week/internal.html", **_page(monday, lines, revision), wants_public=False,
            waiting=waiting, leaders=[], leader="", may_publish=True, reason=reason,
            fault=error.fields["reason"],
        )  # fmt: skip
        return page, 422
    if number:
        flash(_("Đã công bố điều chỉnh lần %(n)s.", n=number), "ok")
    else:
        flash(_("Đã công bố lịch tuần."), "ok")
    return redirect(url_for("week.show", week=week), 303)


@blueprint.get("/lich-tuan/<week>/lich.<any(docx,pdf):kind>")
def paper_file(week: str, kind: str) -> Response:
    """The week as an official paper: what was published, else what is planned."""
    require(Verb.WEEK_VIEW)
    monday = _monday(week)
    with services().database.reading() as session:
        revision = service.latest(session, monday)
        lines = _lines(session, monday, revision, wants_public=revision is not None)
    at = revision.published_at if revision else now()
    made = paper.compose(
        issuer(), monday, revision.number if revision else 0, schedule.days(monday, lines), at
    )
    content = word.document(made, at) if kind == "docx" else pdf.document(made, at)
    answer = make_response(content)
    answer.mimetype = _TYPES[kind]
    answer.headers.set("Content-Disposition", "attachment", filename=f"lich-{week}.{kind}")
    return answer


# --- for everybody -------------------------------------------------------------------------------


@blueprint.get("/cong-khai/lich-tuan")
@blueprint.get("/cong-khai/lich-tuan/<week>")
def public(week: str = "") -> str:
    """What was published."""
    monday = _monday(week)
    with services().database.reading() as session:
        revision = service.latest(session, monday)
    lines = schedule.from_stored(revision.lines) if revision else []
    return render_template("week/public.html", **_page(monday, lines, revision))


@blueprint.get("/cong-khai/lich-tuan.rss")
def rss() -> Response:
    """Published weeks as RSS 2.0, newest revision first; one entry for each revision in force."""
    with services().database.reading() as session:
        rows = _published(session)
    base = services().settings.public_url
    items = [
        {
            "title": schedule.title(row.monday, row.number),
            "link": f"{base}/cong-khai/lich-tuan/{schedule.week_text(row.monday)}",
            "guid": f"{base}/cong-khai/lich-tuan/{schedule.week_text(row.monday)}#{row.number}",
            "at": format_datetime(row.published_at),
            "reason": row.reason,
            "lines": schedule.from_stored(row.lines),
        }
        for row in sorted(rows, key=lambda row: row.published_at, reverse=True)
    ]
    body = render_template("week/feed.xml", items=items, base=base)
    return Response(body, content_type="application/rss+xml; charset=utf-8")


@blueprint.get("/cong-khai/lich-tuan.ics")
def ics() -> Response:
    """Published weeks as iCalendar."""
    at = now()
    with services().database.reading() as session:
        rows = _published(session)
    entries = [
        Entry(
            uid=f"lich-tuan-{line.meeting_id}@diemcau", sequence=row.number,
            changed_at=row.published_at, starts_at=line.begins, ends_at=line.ends,
            title=line.title, location=line.location,
            description=f"Lãnh đạo dự: {'; '.join(line.leaders)}", link="", is_off=False,
        )
        for row in rows
        for line in schedule.from_stored(row.lines)
    ]  # fmt: skip
    name = f"Lịch công tác, {services().settings.office.province_name}"
    return Response(render(name, entries, at), content_type="text/calendar; charset=utf-8")


def _published(session: Session) -> list[WeekRevision]:
    today = schedule.monday_of(local_day(now()))
    return service.published(session, today - AROUND, today + AROUND)
