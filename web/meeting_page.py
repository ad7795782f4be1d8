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
from conference.archive.models import ImportedFile
from conference.errors import NotFoundError
from conference.line_checks.service import CHECKED
from conference.scheduling.facts import meeting_facts
from conference.scheduling.invitees import present_sites
from conference.scheduling.lifecycle import STATUS_WORDS, Demand, Trigger, allows, demands
from conference.scheduling.models import (
    PLANNED,
    CallOffGround,
    InvitedSite,
    Meeting,
    Paper,
    Scope,
    Status,
)
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
    Tab("tra-loi", "Trả lời", Verb.REPLY_VIEW),
    Tab("kiem-tra", "Kiểm tra", Verb.LINE_CHECK),
    Tab("diem-danh", "Điểm danh", Verb.ATTENDANCE_VIEW),
    Tab("ban-ghi", "Bản ghi", Verb.RECORDING_VIEW),
    Tab("bien-ban", "Biên bản", Verb.MINUTES_VIEW),
    Tab("ket-luan", "Kết luận", Verb.MINUTES_VIEW),
    Tab("nhat-ky", "Nhật ký", Verb.LOG_VIEW),
)
CENTRAL_SKIPS: Final = frozenset(
    {Status.REQUESTED, Status.APPROVED, Status.MINUTES_SIGNED, Status.CONCLUSION_ISSUED}
)
"""A central meeting is approved, minuted and concluded by the centre."""
GROUND_WORDS: Final = {
    CallOffGround.FORCE_MAJEURE: "Bất khả kháng",
    CallOffGround.SUPERIOR_ORDER: "Theo yêu cầu của cấp trên",
    CallOffGround.NOT_READY: "Nội dung hoặc điều kiện chưa sẵn sàng",
    CallOffGround.OTHER: "Lý do khác",
}
"""R12: grounds on which QĐ 45/2018 lets a meeting be put off, and the rest."""
LATER: Final = (
    (Trigger.DECLARE_READY, "san-sang", "Ghi nhận sẵn sàng", Verb.LINE_CHECK),
    (Trigger.SIGN_MINUTES, "ky-bien-ban", "Ghi nhận biên bản đã ký", Verb.MINUTES_EDIT),
    (Trigger.ISSUE_CONCLUSION, "ket-luan", "Ghi nhận đã ban hành kết luận", Verb.MINUTES_EDIT),
    (Trigger.ARCHIVE, "luu-tru", "Đưa vào lưu trữ", Verb.MINUTES_EDIT),
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
        "provenance": _provenance(session, meeting),
        "sites": sites,
        "tabs": tabs_of(session, meeting, who, tab, len(sites)),
        "steps": steps_of(meeting),
        "ground_words": GROUND_WORDS,
        "can": rights(meeting, who),
        "actor": who,
    }


def _provenance(session: Session, meeting: Meeting) -> ImportedFile | None:
    if not meeting.is_imported:
        return None
    return session.scalars(
        select(ImportedFile).where(ImportedFile.meeting_id == meeting.id)
    ).first()


def steps_of(meeting: Meeting) -> list[tuple[Status, str]]:
    """The line of progress: states that lie on this meeting's way, in order."""
    off_the_way = {Status.POSTPONED, Status.CANCELLED}
    if meeting.scope is Scope.CENTRAL:
        off_the_way |= CENTRAL_SKIPS - {meeting.status}
    return [(status, STATUS_WORDS[status]) for status in Status if status not in off_the_way]


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


def rights(meeting: Meeting, who: Actor) -> dict[str, Any]:
    """What the head of the page offers: rights of the actor and the meeting's state together."""
    facts = meeting_facts(meeting)
    is_over = meeting.is_over or meeting.status is Status.CANCELLED

    def can(trigger: Trigger, verb: Verb) -> bool:
        return may(who, verb, facts) and allows(meeting.status, trigger)

    return {
        "edit": may(who, Verb.MEETING_EDIT, facts) and allows(meeting.status, Trigger.EDIT),
        "postpone": may(who, Verb.MEETING_CANCEL, facts)
        and allows(meeting.status, Trigger.POSTPONE),
        "cancel": may(who, Verb.MEETING_CANCEL, facts) and allows(meeting.status, Trigger.CANCEL),
        "join": may(who, Verb.ROOM_JOIN, facts)
        and not is_over
        and meeting.status is not Status.POSTPONED,
        "write_paper": may(who, Verb.INVITATION_WRITE, facts),
        "reply_as": _own_site(meeting, who) if meeting.is_announced else 0,
        "test": may(who, Verb.LINE_TEST, facts) and meeting.status in CHECKED,
        "see_links": may(who, Verb.INVITATION_VIEW, facts),
        "upload": may(who, Verb.PAPER_UPLOAD, facts) and meeting.status is not Status.CANCELLED,
        "resend": may(who, Verb.MEETING_EDIT, facts)
        and not is_over
        and meeting.status not in PLANNED,
        "create": may(who, Verb.MEETING_CREATE),
        "submit": can(Trigger.SUBMIT, Verb.MEETING_EDIT) and meeting.scope is Scope.INTRA,
        "approve": can(Trigger.APPROVE, Verb.MEETING_APPROVE),
        "return": can(Trigger.RETURN, Verb.MEETING_APPROVE),
        "invite": can(Trigger.INVITE, Verb.MEETING_EDIT) and bool(present_sites(meeting)),
        "later": [
            (path, words)
            for trigger, path, words, verb in LATER
            if can(trigger, verb)
            and (
                Demand.CENTRAL not in demands(meeting.status, trigger)
                or meeting.scope is Scope.CENTRAL
            )
        ],
    }


def _own_site(meeting: Meeting, who: Actor) -> int:
    """The invitation of the actor's own site, or 0."""
    if who.site_id is None:
        return 0
    return next((one.id for one in present_sites(meeting) if one.site_id == who.site_id), 0)


def withdrawn_sites(meeting: Meeting) -> Sequence[InvitedSite]:
    """Sites taken off the list after they had been invited."""
    gone = [site for site in meeting.sites if site.withdrawn_at is not None]
    return sorted(gone, key=lambda site: site.position)
