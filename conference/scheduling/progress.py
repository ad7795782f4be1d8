"""The steps of a meeting's life that are neither planning nor the live meeting itself.

Before it: submitted, returned, approved, invited, declared ready. After it: minutes signed,
conclusions issued, archived. One function for each, in the caller's transaction; rights were asked
before, states and demands are asked here. Whoever keeps minutes and archive calls `step` with the
trigger when the paper is there.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from conference.errors import ConflictError, InvalidError
from conference.scheduling import journal, rules, service
from conference.scheduling.advice import Advice
from conference.scheduling.context import Context, locked_meeting
from conference.scheduling.journal import Kind
from conference.scheduling.lifecycle import Demand, Trigger, after, allows, demands
from conference.scheduling.models import Meeting, Scope

KINDS: Final[Mapping[Trigger, Kind]] = {
    Trigger.SUBMIT: Kind.SUBMITTED,
    Trigger.RETURN: Kind.RETURNED,
    Trigger.APPROVE: Kind.APPROVED,
    Trigger.CHECK: Kind.CHECKED,
    Trigger.DECLARE_READY: Kind.DECLARED_READY,
    Trigger.SIGN_MINUTES: Kind.MINUTES_SIGNED,
    Trigger.ISSUE_CONCLUSION: Kind.CONCLUSION_ISSUED,
    Trigger.ARCHIVE: Kind.ARCHIVED,
}
ONLY_CENTRAL: Final = "Cuộc họp nội tỉnh phải có kết luận trước khi lưu trữ."
REASON_MISSING: Final = "Nêu lý do vẫn giữ dù còn cảnh báo."
COMMENT_MISSING: Final = "Ghi ý kiến để người lập biết cần sửa gì."


def step(context: Context, meeting_id: int, trigger: Trigger, *, note: str = "") -> Meeting:
    """Move the meeting on by ``trigger``, noting what was said or which paper it rests on.

    Raises ConflictError if its state does not allow it, InvalidError if a demand is not met.
    """
    meeting = locked_meeting(context.session, meeting_id)
    following = after(meeting.status, trigger)
    needed = demands(meeting.status, trigger)
    if Demand.CENTRAL in needed and meeting.scope is not Scope.CENTRAL:
        raise ConflictError(ONLY_CENTRAL, code="conclusion_first")
    if Demand.COMMENT in needed:
        note = service.checked_reason(note, COMMENT_MISSING)
    elif rules.is_marked_secret(note):
        raise InvalidError({"reason": rules.REFUSAL}, code="state_secret")
    meeting.status = following
    meeting.updated_at = context.at
    _remember(context, meeting, trigger, note)
    context.record(meeting, KINDS[trigger], note=note.strip()[: service.MAX_REASON])
    return meeting


def _remember(context: Context, meeting: Meeting, trigger: Trigger, note: str) -> None:
    name, at = context.actor.name, context.at
    if trigger is Trigger.SUBMIT:
        meeting.requested_by, meeting.requested_at = name, at
        meeting.status_reason = ""
    elif trigger is Trigger.APPROVE:
        meeting.approved_by, meeting.approved_at = name, at
    elif trigger is Trigger.RETURN:
        meeting.approved_by, meeting.approved_at = "", None
        meeting.status_reason = note


def send_invitations(context: Context, meeting_id: int) -> Meeting:
    """Invite the sites of an approved (or freely invited) meeting."""
    meeting = locked_meeting(context.session, meeting_id)
    service.invite(context, meeting)
    meeting.updated_at = context.at
    return meeting


def keep_warnings(context: Context, meeting: Meeting, found: Sequence[Advice], reason: str) -> None:
    """Note why the meeting goes on although the warnings ``found`` stand.

    Raises InvalidError without a reason.
    """
    reason = service.checked_reason(reason, REASON_MISSING)
    detail = {"codes": [one.code for one in found], "grounds": [one.ground for one in found]}
    context.record(meeting, Kind.WARNINGS_KEPT, note=reason, detail=detail)


def paper_arrived(
    session: Session, meeting_id: int, trigger: Trigger, *, by: str, at: datetime
) -> None:
    """Move the meeting on because its signed or issued paper is in the file.

    Where the table has no such step (the meeting is further already, or was never held), the paper
    is filed all the same and the state stays.
    """
    meeting = locked_meeting(session, meeting_id)
    if allows(meeting.status, trigger) and not demands(meeting.status, trigger):
        meeting.status = after(meeting.status, trigger)
        meeting.updated_at = at
        journal.note(session, meeting_id, KINDS[trigger], at=at, actor=by, subject=meeting.title)
        session.flush()


def begin_checks(context: Context, meeting_id: int) -> None:
    """The first line check moves an invited meeting on; later ones change nothing."""
    meeting = locked_meeting(context.session, meeting_id)
    if allows(meeting.status, Trigger.CHECK):
        step(context, meeting_id, Trigger.CHECK)
