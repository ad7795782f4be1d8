"""What people do with the schedule: one public function for each act.

Every function works inside the caller's transaction, writes the meeting, its log and the audit
entry, and announces the change through the port, so that all of it happens or none. Rights are
asked before (`conference.access.policy`); rules and states are asked here. Opening and ending are
acts of the live meeting: `conference.conduct.service`.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from conference.access.policy import Actor, Verb, may
from conference.directory import units
from conference.directory.models import Person, Site
from conference.directory.vietnamese import fold
from conference.errors import ConflictError, InvalidError
from conference.scheduling import journal, rules
from conference.scheduling.announcement import Announcement, Announcer
from conference.scheduling.context import Context, locked_meeting
from conference.scheduling.facts import meeting_facts
from conference.scheduling.invitees import place_for, present_sites, renumber, replace_sites
from conference.scheduling.journal import Kind
from conference.scheduling.lifecycle import Demand, Trigger, after, demands
from conference.scheduling.local_time import clock_text, date_text, local_day
from conference.scheduling.models import (
    ANNOUNCED,
    PLANNED,
    AgendaItem,
    CallOffGround,
    InvitedSite,
    Meeting,
    Scope,
    Status,
)
from conference.scheduling.planning import thresholds_of
from conference.scheduling.rules import MeetingDraft
from conference.sentences import say

MAX_REASON: Final = 1000
APPROVAL_FIRST: Final = "Cuộc họp phải được duyệt trước khi gửi lời mời. Hãy trình duyệt."


class EditClashError(ConflictError):
    """Somebody else saved this meeting after the editor had opened it."""

    def __init__(self, meeting: Meeting, editor: str, changed_at: datetime) -> None:
        self.version = meeting.version
        self.editor = editor
        self.changed_at = changed_at
        moment = f"{clock_text(changed_at)} {date_text(local_day(changed_at))}"
        sentence = say("%(name)s vừa sửa lúc %(moment)s.", name=editor, moment=moment)
        super().__init__(sentence, code="edit_clash")


def create_meeting(
    session: Session,
    draft: MeetingDraft,
    *,
    actor: Actor,
    at: datetime,
    announcer: Announcer,
    is_inviting: bool = True,
    address: str = "",
) -> Meeting:
    """Store a new meeting; invite its sites at once unless it is to stay a draft.

    Raises InvalidError naming the fields at fault. A meeting whose content is marked as a state
    secret is refused there, and nothing of it is stored.
    """
    context = Context(session, actor, at, address, announcer)
    sites, host = _checked(session, draft, is_inviting=is_inviting)
    assert actor.account_id is not None  # only accounts may create meetings
    meeting = Meeting(
        room_name=f"hop-{secrets.token_hex(12)}",
        status=Status.DRAFT,
        ics_uid=f"{secrets.token_hex(16)}@diemcau",
        ics_sequence=0,
        status_reason="",
        version=1,
        not_secret_stated_by=actor.name,
        not_secret_stated_at=at,
        created_by_id=actor.account_id,
        created_at=at,
        ended_by="",
    )
    _write(meeting, draft, at)
    meeting.sites = [place_for(site) for site in sites]
    renumber(meeting.sites, sites, host)
    session.add(meeting)
    session.flush()
    context.record(meeting, Kind.CREATED, detail={"sites": len(sites)})
    if is_inviting:
        invite(context, meeting)
    return meeting


def edit_meeting(
    session: Session,
    meeting_id: int,
    draft: MeetingDraft,
    *,
    version: int,
    actor: Actor,
    at: datetime,
    announcer: Announcer,
    is_inviting: bool = False,
    address: str = "",
) -> Meeting:
    """Replace what was planned by ``draft``; tell those whom the change concerns.

    ``is_inviting`` sends a draft's invitations; a postponed meeting invites again once its start
    moves. Raises EditClashError if ``version`` is not the stored one, InvalidError for fields at
    fault, ConflictError if the meeting is over.
    """
    context = Context(session, actor, at, address, announcer)
    meeting = locked_meeting(session, meeting_id)
    following = after(meeting.status, Trigger.EDIT)
    _check_version(session, meeting, version)
    invites = is_inviting or meeting.status in ANNOUNCED | {Status.LIVE}
    sites, host = _checked(session, draft, is_inviting=invites)
    told_before = _told(meeting)
    start_before = meeting.starts_at
    _write(meeting, draft, at)
    added, removed = replace_sites(meeting, sites, host, at)
    session.flush()
    content_changed = _told(meeting) != told_before
    context.record(
        meeting, Kind.EDITED, detail={"sites_added": len(added), "sites_removed": len(removed)}
    )
    if meeting.status in PLANNED:
        if following is not meeting.status:  # what was approved has changed
            meeting.approved_by, meeting.approved_at = "", None
        meeting.status = following
        if is_inviting:
            invite(context, meeting)
    elif meeting.status is Status.POSTPONED:
        if meeting.starts_at != start_before:
            _invite_again(context, meeting)
    else:
        _announce_edit(context, meeting, added, removed, content_changed)
    return meeting


def postpone_meeting(
    session: Session,
    meeting_id: int,
    reason: str,
    *,
    ground: CallOffGround = CallOffGround.OTHER,
    actor: Actor,
    at: datetime,
    announcer: Announcer,
    address: str = "",
) -> Meeting:
    """Put the meeting off until a new time is set. Raises InvalidError without a reason."""
    context = Context(session, actor, at, address, announcer)
    return _call_off(context, meeting_id, Trigger.POSTPONE, Kind.POSTPONED, reason, ground)


def cancel_meeting(
    session: Session,
    meeting_id: int,
    reason: str,
    *,
    ground: CallOffGround = CallOffGround.OTHER,
    actor: Actor,
    at: datetime,
    announcer: Announcer,
    address: str = "",
) -> Meeting:
    """Call the meeting off for good. Raises InvalidError without a reason."""
    context = Context(session, actor, at, address, announcer)
    return _call_off(context, meeting_id, Trigger.CANCEL, Kind.CANCELLED, reason, ground)


# --- parts of the acts ---------------------------------------------------------------------------


def _checked(
    session: Session, draft: MeetingDraft, *, is_inviting: bool
) -> tuple[list[Site], int | None]:
    """Sites of ``draft`` in protocol order and the chair's unit; raises InvalidError."""
    found = rules.faults(draft)
    if is_inviting and not found.get("classification"):
        found |= rules.invitation_faults(draft)
    if rules.is_secret(draft):
        raise InvalidError(found, code="state_secret")
    chair = session.get(Person, draft.chair_id) if draft.chair_id is not None else None
    if draft.chair_id is not None and (chair is None or not chair.may_chair):
        found["chair"] = "Người này không có trong danh sách chủ trì."
    if draft.secretary_id is not None and session.get(Person, draft.secretary_id) is None:
        found["secretary"] = "Không tìm thấy người này."
    host = chair.unit_id if chair else None
    sites: list[Site] = []
    if draft.starts_at is not None:
        sites = units.sites_on(session, local_day(draft.starts_at), draft.site_ids)
        missing = len(set(draft.site_ids)) - len(sites)
        if missing:
            found["sites"] = say(
                "%(n)s điểm cầu không còn hiệu lực vào ngày họp; hãy chọn lại.", n=missing
            )
    if found:
        raise InvalidError(found)
    return units.in_protocol_order(sites, host), host


def _check_version(session: Session, meeting: Meeting, version: int) -> None:
    if meeting.version == version:
        return
    change = journal.last_change(session, meeting.id)
    editor = change.actor if change else "Hệ thống"
    raise EditClashError(meeting, editor, change.at if change else meeting.updated_at)


def _write(meeting: Meeting, draft: MeetingDraft, at: datetime) -> None:
    """Take over the fields of a draft that has no faults."""
    assert draft.scope is not None
    assert draft.starts_at is not None
    assert draft.ends_at is not None
    assert draft.chair_id is not None
    meeting.title = " ".join(draft.title.split())
    meeting.title_folded = fold(draft.title)[: rules.MAX_TITLE]
    meeting.scope = draft.scope
    meeting.starts_at = draft.starts_at
    meeting.ends_at = draft.ends_at
    meeting.chair_id = draft.chair_id
    meeting.secretary_id = draft.secretary_id
    meeting.location = draft.location
    meeting.description = draft.description
    meeting.room_preset = draft.room_preset
    meeting.external_host = draft.external_host
    meeting.external_reference = draft.external_reference
    meeting.relay_mode = draft.relay_mode
    meeting.kind = draft.kind
    meeting.form = draft.form
    meeting.is_ad_hoc = draft.is_ad_hoc
    meeting.ad_hoc_reason = draft.ad_hoc_reason
    meeting.is_not_prohibited = draft.is_not_prohibited
    meeting.updated_at = at  # also moves the version on when only agenda or sites changed
    if _agenda(meeting) != [(i.title, i.presenter, i.minutes) for i in draft.agenda]:
        meeting.agenda = [
            AgendaItem(
                position=place, title=item.title, presenter=item.presenter, minutes=item.minutes
            )
            for place, item in enumerate(draft.agenda, start=1)
        ]


def _agenda(meeting: Meeting) -> list[tuple[str, str, int | None]]:
    return [(item.title, item.presenter, item.minutes) for item in meeting.agenda]


def _told(meeting: Meeting) -> tuple[object, ...]:
    """What an invitation says; a change of it concerns everybody invited."""
    return (
        meeting.title, meeting.scope, meeting.starts_at, meeting.ends_at, meeting.location,
        meeting.description, meeting.chair_id, meeting.external_host,
        meeting.external_reference, _agenda(meeting),
    )  # fmt: skip


def invite(context: Context, meeting: Meeting) -> None:
    """Send the invitations of a meeting nobody was invited to yet.

    Raises InvalidError without sites, ConflictError where the office wants approval first. Who may
    approve invites without asking: that is the approval.
    """
    following = after(meeting.status, Trigger.INVITE)
    sites = present_sites(meeting)
    if not sites:
        raise InvalidError({"sites": rules.NO_SITES})
    if Demand.NO_APPROVAL_RULE in demands(meeting.status, Trigger.INVITE):
        _check_approval(context, meeting)
    meeting.status = following
    meeting.invited_at = context.at
    context.record(meeting, Kind.INVITED, detail={"sites": len(sites)})
    context.announce(meeting, Announcement(invited=sites))


def _check_approval(context: Context, meeting: Meeting) -> None:
    is_approver = may(context.actor, Verb.MEETING_APPROVE, meeting_facts(meeting))
    if is_approver:
        meeting.approved_by, meeting.approved_at = context.actor.name, context.at
        return
    wants_approval = thresholds_of(context.session).requires_approval
    if wants_approval and meeting.scope is Scope.INTRA:
        raise ConflictError(APPROVAL_FIRST, code="approval_first")


def _invite_again(context: Context, meeting: Meeting) -> None:
    """A postponed meeting has a new time: calendars dropped it, so everybody is invited anew."""
    meeting.status = after(meeting.status, Trigger.RESCHEDULE)
    meeting.status_reason = ""
    _revise(meeting)
    sites = present_sites(meeting)
    context.record(meeting, Kind.INVITED, detail={"sites": len(sites), "is_rescheduled": True})
    context.announce(meeting, Announcement(updated=sites))


def _announce_edit(
    context: Context,
    meeting: Meeting,
    added: Sequence[InvitedSite],
    removed: Sequence[InvitedSite],
    content_changed: bool,
) -> None:
    if content_changed or removed:
        _revise(meeting)
    new = {entry.id for entry in added}
    kept = [entry for entry in present_sites(meeting) if entry.id not in new]
    announcement = Announcement(
        invited=added, updated=kept if content_changed else (), called_off=removed
    )
    context.announce(meeting, announcement)


def _revise(meeting: Meeting) -> None:
    """Count the revision (RFC 5546 §2.1.4): each later one is higher, over a whole series."""
    series = meeting.series
    if series is None or not series.ics_uid:
        meeting.ics_sequence += 1
    else:
        series.ics_sequence += 1
        meeting.ics_sequence = series.ics_sequence


def checked_reason(reason: str, missing: str = "Nêu lý do.") -> str:
    """``reason`` trimmed. Raises InvalidError if it is missing, too long or marked secret."""
    reason = reason.strip()
    if not reason:
        raise InvalidError({"reason": missing})
    if len(reason) > MAX_REASON:
        raise InvalidError({"reason": say("Lý do dài quá %(n)s ký tự.", n=MAX_REASON)})
    if rules.is_marked_secret(reason):
        raise InvalidError({"reason": rules.REFUSAL}, code="state_secret")
    return reason


def _call_off(  # noqa: PLR0917 (what the two public acts differ in)
    context: Context,
    meeting_id: int,
    trigger: Trigger,
    kind: Kind,
    reason: str,
    ground: CallOffGround,
) -> Meeting:
    meeting = locked_meeting(context.session, meeting_id)
    following = after(meeting.status, trigger)
    reason = checked_reason(reason)
    # a draft invited nobody; a postponed meeting's sites are told again that it will not be held
    told = [] if meeting.status in PLANNED else present_sites(meeting)
    meeting.status = following
    meeting.status_reason = reason
    meeting.status_ground = ground
    meeting.updated_at = context.at
    _revise(meeting)
    context.record(meeting, kind, note=reason, detail={"ground": ground.value})
    context.announce(meeting, Announcement(called_off=told))
    return meeting
