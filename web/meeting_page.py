"""The frame of a meeting's page: who may see it, its head, its tabs and what can be done.

Every tab's view calls `open_page` and renders a template that extends ``meetings/layout.html``
with what it returns. Tabs without rights, or whose page does not exist, are absent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, selectinload
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from conference.access.policy import ANONYMOUS, Actor, Verb, may
from conference.errors import NotFoundError
from conference.scheduling.facts import meeting_facts
from conference.scheduling.invitees import present_sites
from conference.scheduling.lifecycle import Trigger, allows
from conference.scheduling.models import InvitedSite, Meeting, Paper, Status
from web.services import LoginRequiredError, actor, require


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab: the last part of its address and what it needs."""

    path: str
    label: str
    verb: Verb


TABS: Final = (
    Tab("tong-quan", "Tổng quan", Verb.MEETING_VIEW),
    Tab("thanh-phan", "Thành phần", Verb.MEETING_VIEW),
    Tab("tai-lieu", "Tài liệu", Verb.PAPER_READ),
    Tab("giay-moi", "Giấy mời", Verb.INVITATION_VIEW),
    Tab("diem-danh", "Điểm danh", Verb.ATTENDANCE_VIEW),
    Tab("ban-ghi", "Bản ghi", Verb.RECORDING_VIEW),
    Tab("bien-ban", "Biên bản", Verb.MINUTES_VIEW),
    Tab("ket-luan", "Kết luận", Verb.MINUTES_VIEW),
    Tab("nhat-ky", "Nhật ký", Verb.LOG_VIEW),
)
STEPS: Final = (
    (Status.DRAFT, "Nháp"),
    (Status.INVITED, "Đã mời"),
    (Status.LIVE, "Đang họp"),
    (Status.ENDED, "Đã họp"),
)


def find_meeting(session: Session, meeting_id: int) -> Meeting:
    """The meeting with what every page of it shows, in a fixed number of queries.

    Raises LoginRequiredError or NotFoundError; a stranger does not learn which numbers exist.
    """
    meeting = session.get(
        Meeting,
        meeting_id,
        options=[
            joinedload(Meeting.chair),
            joinedload(Meeting.secretary),
            joinedload(Meeting.created_by),
            selectinload(Meeting.sites),
            selectinload(Meeting.agenda),
        ],
    )
    if meeting is None:
        raise LoginRequiredError if actor() is ANONYMOUS else NotFoundError
    return meeting


def open_page(session: Session, meeting_id: int, tab: str, verb: Verb) -> dict[str, Any]:
    """What ``meetings/layout.html`` needs, after asking whether the actor may ``verb``."""
    meeting = find_meeting(session, meeting_id)
    who = require(verb, meeting_facts(meeting))
    sites = present_sites(meeting)
    return {
        "meeting": meeting,
        "sites": sites,
        "tabs": tabs_of(session, meeting, who, tab, len(sites)),
        "steps": STEPS,
        "can": rights(meeting, who),
        "actor": who,
    }


def tabs_of(
    session: Session, meeting: Meeting, who: Actor, current: str, sites_count: int
) -> list[dict[str, Any]]:
    """Tabs ``who`` may open, for the macro ``tabs``."""
    facts = meeting_facts(meeting)
    papers = session.scalar(
        select(func.count()).select_from(Paper).where(Paper.meeting_id == meeting.id)
    )
    counts = {"thanh-phan": sites_count, "tai-lieu": papers}
    return [
        {
            "href": f"/cuoc-hop/{meeting.id}/{tab.path}",
            "label": _(tab.label),
            "count": counts.get(tab.path),
            "is_current": tab.path == current,
        }
        for tab in TABS
        if may(who, tab.verb, facts) and _exists(f"/cuoc-hop/{meeting.id}/{tab.path}")
    ]


def _exists(path: str) -> bool:
    try:
        current_app.url_map.bind("localhost").match(path)
    except RequestRedirect:
        return True
    except HTTPException:
        return False
    return True


def rights(meeting: Meeting, who: Actor) -> dict[str, bool]:
    """What the head of the page offers: rights of the actor and the meeting's state together."""
    facts = meeting_facts(meeting)
    is_over = meeting.status in {Status.ENDED, Status.CANCELLED}
    return {
        "edit": may(who, Verb.MEETING_EDIT, facts) and allows(meeting.status, Trigger.EDIT),
        "postpone": may(who, Verb.MEETING_CANCEL, facts)
        and allows(meeting.status, Trigger.POSTPONE),
        "cancel": may(who, Verb.MEETING_CANCEL, facts) and allows(meeting.status, Trigger.CANCEL),
        "join": may(who, Verb.ROOM_JOIN, facts)
        and meeting.status in {Status.INVITED, Status.LIVE, Status.DRAFT},
        "see_links": may(who, Verb.INVITATION_VIEW, facts),
        "upload": may(who, Verb.PAPER_UPLOAD, facts) and meeting.status is not Status.CANCELLED,
        "resend": may(who, Verb.MEETING_EDIT, facts)
        and not is_over
        and meeting.status is not Status.DRAFT,
        "create": may(who, Verb.MEETING_CREATE),
    }


def withdrawn_sites(meeting: Meeting) -> Sequence[InvitedSite]:
    """Sites taken off the list after they had been invited."""
    gone = [site for site in meeting.sites if site.withdrawn_at is not None]
    return sorted(gone, key=lambda site: site.position)
