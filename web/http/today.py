"""The first page after logging in: what needs me now.

Today's meetings by hour with one action for each, the next meetings, and what waits to be done.
The lists refresh themselves through the same address.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flask import Blueprint, redirect, render_template, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from conference.access.policy import Actor, Verb, may
from conference.attendance.service import sheet
from conference.conduct.participants import opens_at
from conference.overview.chores import Chore, Kind, chores
from conference.scheduling.facts import meeting_facts
from conference.scheduling.listing import MeetingRow, meetings_on, upcoming
from conference.scheduling.local_time import local_day
from conference.scheduling.models import ANNOUNCED, HELD, Meeting, Status
from web.services import now, require, services

blueprint = Blueprint("today", __name__)

CHORE_WORDS: Final = {
    Kind.APPROVE: "Duyệt",
    Kind.SEND_INVITATIONS: "Gửi giấy mời",
    Kind.REPAIR_LETTERS: "Thư không gửi được",
    Kind.WRITE_MINUTES: "Soạn biên bản",
    Kind.REPAIR_RECORDING: "Bản ghi lỗi",
    Kind.CHECK_LINE: "Kiểm tra đường truyền",
    Kind.WATCH_CHECKS: "Kiểm tra đường truyền",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One of today's meetings with what this person does next."""

    row: MeetingRow
    present: int | None
    """Sites that have come; None before the meeting."""
    action: str
    action_url: str
    is_primary: bool


@blueprint.get("/")
def root() -> Response:
    """The bare address leads to today's page."""
    return redirect(url_for("today.index"))


@blueprint.get("/hom-nay")
def index() -> str:
    """Today's meetings by hour and what is to be done."""
    actor = require(Verb.MEETING_LIST)
    at = now()
    with services().database.reading() as session:
        rows = meetings_on(session, local_day(at), actor=actor)
        today = [_line(session, row, actor, at) for row in rows]
        following = [
            row
            for row in upcoming(session, actor=actor, at=at, limit=6 + len(rows))
            if local_day(row.starts_at) > local_day(at)
        ]
        waiting: list[Chore] = chores(session, actor=actor, at=at)
    return render_template(
        "today/index.html",
        at=at,
        today=today,
        following=following[:6],
        chores=waiting,
        chore_words=CHORE_WORDS,
        may_create=may(actor, Verb.MEETING_CREATE),
    )


def _line(session: Session, row: MeetingRow, actor: Actor, at: datetime) -> Line:
    meeting = session.get_one(Meeting, row.id)
    facts = meeting_facts(meeting)
    present = None
    if row.status is Status.LIVE or row.status in HELD:
        present = sheet(session, meeting, at).totals.came
    is_open = row.status is Status.LIVE or (
        row.status in ANNOUNCED and opens_at(row.starts_at) <= at < row.ends_at
    )
    if is_open and may(actor, Verb.ROOM_JOIN, facts):
        return Line(row, present, _("Vào họp"), f"/phong/{row.id}", is_primary=True)
    if row.status is Status.ENDED and may(actor, Verb.MINUTES_EDIT, facts):
        url = f"/cuoc-hop/{row.id}/bien-ban"
        return Line(row, present, _("Soạn biên bản"), url, is_primary=False)
    return Line(row, present, _("Xem"), f"/cuoc-hop/{row.id}/tong-quan", is_primary=False)
