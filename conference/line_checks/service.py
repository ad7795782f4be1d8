"""Keeping line checks: a result from the browser, a result told by telephone, and who has passed.

The first check of a meeting moves it to *checking* (`conference.scheduling.progress`). The newest
check of a site counts, whatever it says; older ones stay. A check older than the meeting's own
opening of line checks says nothing about it any more (the meeting was moved): it is history.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from conference.access import audit
from conference.access.policy import Actor
from conference.errors import ConflictError, InvalidError
from conference.line_checks import measured
from conference.line_checks.models import LineCheck, Source
from conference.line_checks.verdict import Finding, Grade, judge
from conference.scheduling import rules
from conference.scheduling.context import Context
from conference.scheduling.lifecycle import Trigger, allows
from conference.scheduling.models import ANNOUNCED, InvitedSite, Meeting, Status
from conference.scheduling.planning import thresholds_of
from conference.scheduling.progress import begin_checks
from conference.scheduling.thresholds import Thresholds
from conference.sentences import say

MAX_NOTE: Final = 500
MAX_BROWSER: Final = 300
MAX_CHECKS: Final = 200
"""Of one site for one meeting; more is a program that went mad."""
GRADE_MISSING: Final = "Chọn kết quả."
NOTE_MISSING: Final = "Ghi rõ đã kiểm tra thế nào, với ai."
CLOSED: Final = "Cuộc họp không còn nhận kết quả kiểm tra."
TOO_MANY: Final = "Điểm cầu đã kiểm tra quá nhiều lần. Gọi bộ phận hỗ trợ."
CHECKED: Final = frozenset(ANNOUNCED | {Status.LIVE})
"""States in which checks are taken."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a meeting's sites stand, as counts."""

    invited: int
    green: int
    amber: int
    red: int

    @property
    def passed(self) -> int:
        """Sites that can take part."""
        return self.green + self.amber

    @property
    def checked(self) -> int:
        """Sites with a check, whatever it said."""
        return self.passed + self.red

    @property
    def open(self) -> int:
        """Sites without a check."""
        return self.invited - self.checked


def opens_at(meeting: Meeting, limits: Thresholds) -> datetime:
    """From when on sites may check."""
    return meeting.starts_at - timedelta(hours=limits.check_hours)


def is_open(meeting: Meeting, limits: Thresholds, at: datetime) -> bool:
    """Whether sites may check now: from a day before until the meeting is over."""
    return (
        meeting.status in CHECKED
        and meeting.ended_at is None
        and opens_at(meeting, limits) <= at < meeting.ends_at
    )


@dataclass(frozen=True, slots=True)
class By:
    """Who brings a result, when and from where."""

    actor: Actor
    at: datetime
    address: str = ""
    browser: str = ""


def keep_result(session: Session, site: InvitedSite, document: object, by: By) -> LineCheck:
    """Judge and keep what a site's browser measured.

    Raises InvalidError for a report that cannot be, ConflictError when checks are closed.
    """
    limits = _may_keep(session, site, by.at)
    report = measured.read(document)
    verdict = judge(report, limits)
    row = _row(site, Source.BROWSER, verdict.grade, by)
    row.findings = [one.to_json() for one in verdict.findings]
    row.report, row.limits = report.to_json(), _check_limits(limits)
    return _add(session, site.meeting, row, by)


def keep_by_hand(
    session: Session, site: InvitedSite, grade: Grade | None, note: str, by: By
) -> LineCheck:
    """Keep what somebody was told by telephone. Raises InvalidError by field, ConflictError."""
    limits = _may_keep(session, site, by.at)
    faults: dict[str, str] = {}
    note = note.strip()
    if grade is None:
        faults["grade"] = GRADE_MISSING
    if not note:
        faults["note"] = NOTE_MISSING
    elif len(note) > MAX_NOTE:
        faults["note"] = say("Ghi chú dài quá %(n)s ký tự.", n=MAX_NOTE)
    elif rules.is_marked_secret(note):
        faults["note"] = rules.REFUSAL
    if faults or grade is None:
        raise InvalidError(faults)
    row = _row(site, Source.HAND, grade, by)
    row.note, row.limits = note, _check_limits(limits)
    return _add(session, site.meeting, row, by)


def _may_keep(session: Session, site: InvitedSite, at: datetime) -> Thresholds:
    meeting, limits = site.meeting, thresholds_of(session)
    if not is_open(meeting, limits, at) or site.withdrawn_at is not None:
        raise ConflictError(CLOSED, code="closed")
    count = session.scalar(
        select(func.count()).where(
            LineCheck.meeting_id == meeting.id, LineCheck.invited_site_id == site.id
        )
    )
    if (count or 0) >= MAX_CHECKS:
        raise ConflictError(TOO_MANY, code="too_many")
    return limits


def _row(site: InvitedSite, source: Source, grade: Grade, by: By) -> LineCheck:
    return LineCheck(
        meeting_id=site.meeting_id, invited_site_id=site.id, source=source, grade=grade,
        findings=[], report={}, limits={}, note="", checked_by=by.actor.name or site.site_name,
        checked_at=by.at, browser=by.browser[:MAX_BROWSER],
    )  # fmt: skip


def _add(session: Session, meeting: Meeting, row: LineCheck, by: By) -> LineCheck:
    session.add(row)
    session.flush()
    audit.record(
        session, at=by.at, actor=by.actor, action="line.checked", object_type="meeting",
        object_id=meeting.id, address=by.address, note=row.note,
        detail={"site": row.invited_site_id, "grade": row.grade.value, "source": row.source.value},
    )  # fmt: skip
    if allows(meeting.status, Trigger.CHECK):
        begin_checks(Context(session, by.actor, by.at, by.address), meeting.id)
    return row


def _check_limits(limits: Thresholds) -> dict[str, Any]:
    return {name: value for name, value in asdict(limits).items() if name.startswith("check_")}


def newest(session: Session, meeting: Meeting, limits: Thresholds) -> dict[int, LineCheck]:
    """The check that counts by `InvitedSite` id; sites without one are absent."""
    return newest_of(session, [meeting], limits)


def newest_of(
    session: Session, meetings: Sequence[Meeting], limits: Thresholds
) -> dict[int, LineCheck]:
    """The same over several meetings, in one statement."""
    opened = {meeting.id: opens_at(meeting, limits) for meeting in meetings}
    last = (
        select(func.max(LineCheck.id))
        .where(LineCheck.meeting_id.in_(opened))
        .group_by(LineCheck.invited_site_id)
    )
    rows = session.scalars(select(LineCheck).where(LineCheck.id.in_(last)))
    return {row.invited_site_id: row for row in rows if row.checked_at >= opened[row.meeting_id]}


def history(session: Session, meeting_id: int, invited_site_id: int) -> list[LineCheck]:
    """Every check of one site, newest first."""
    query = select(LineCheck).where(
        LineCheck.meeting_id == meeting_id, LineCheck.invited_site_id == invited_site_id
    )
    return list(session.scalars(query.order_by(LineCheck.id.desc())))


def all_of(session: Session, meeting_id: int) -> list[LineCheck]:
    """Every check of a meeting, oldest first."""
    query = select(LineCheck).where(LineCheck.meeting_id == meeting_id)
    return list(session.scalars(query.order_by(LineCheck.id)))


def standing(meeting: Meeting, checks: Mapping[int, LineCheck]) -> Standing:
    """Counts over the sites that are still invited."""
    present = [site.id for site in meeting.sites if site.withdrawn_at is None]
    grades = [checks[number].grade for number in present if number in checks]
    return Standing(
        invited=len(present),
        green=grades.count(Grade.GREEN),
        amber=grades.count(Grade.AMBER),
        red=grades.count(Grade.RED),
    )


def standing_of(session: Session, meeting: Meeting) -> Standing:
    """The same, read from the rows."""
    return standing(meeting, newest(session, meeting, thresholds_of(session)))


def findings_of(row: LineCheck) -> list[Finding]:
    """What was found, worst first."""
    return [Finding.from_json(one) for one in row.findings]


def report_of(row: LineCheck) -> measured.Report | None:
    """What was measured; None for a check written by hand."""
    return measured.read(row.report) if row.source is Source.BROWSER else None
