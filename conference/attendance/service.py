"""The attendance sheet of a meeting: what the log suggests, what a person has marked.

Reading derives everything anew from the evidence. Marking is the only thing that is written, one
row for each site and delegate, and who marked it is named; the evidence itself is never edited, so
what the log suggests and what a person decided are both kept. A signed sheet is locked
(`conference.attendance.versions`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from conference.attendance import delegates, summary, versions
from conference.attendance.evidence import load
from conference.attendance.intervals import MERGE_GAP, Interval, derive
from conference.attendance.models import AttendanceMark, AttendanceStatus, Delegate
from conference.attendance.summary import Counted, Presence, Totals
from conference.conduct.participants import find_participant
from conference.errors import InvalidError, NotFoundError
from conference.scheduling.models import InvitedSite, Meeting

LATE_AFTER: Final = timedelta(minutes=10)
MAX_NOTE_LENGTH: Final = 500
MAX_DELEGATES: Final = 2000

STATUS_WORDS: Final = {
    AttendanceStatus.IN_PERSON: "Có mặt trực tiếp",
    AttendanceStatus.PRESENT: "Có mặt trực tuyến",
    AttendanceStatus.SUBSTITUTE: "Dự thay",
    AttendanceStatus.LATE: "Đến muộn",
    AttendanceStatus.LEFT_EARLY: "Về sớm",
    AttendanceStatus.EXCUSED: "Vắng có lý do",
    AttendanceStatus.ABSENT: "Vắng",
    AttendanceStatus.UNMARKED: "Chưa điểm danh",
}
"""The office's word for each status, in the order in which they are offered."""

LEAVE_WORDS: Final = {
    "": "",
    "client_initiated": "Rời họp",
    "duplicate_identity": "Vào ở thiết bị khác",
    "participant_removed": "Được mời ra",
    "room_deleted": "Cuộc họp kết thúc",
    "room_closed": "Cuộc họp kết thúc",
    "meeting_ended": "Cuộc họp kết thúc",
    "server_shutdown": "Máy chủ dừng",
    "state_mismatch": "Mất kết nối",
    "signal_close": "Mất kết nối",
    "join_failure": "Mất kết nối",
    "connection_timeout": "Mất kết nối",
    "media_failure": "Mất kết nối",
    "lost": "Mất kết nối",
}
"""Why somebody left, in the office's words; LiveKit's DisconnectReason in lower case."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How presence is judged; from the settings, printed under the sheet."""

    merge_gap: timedelta = MERGE_GAP
    late_after: timedelta = LATE_AFTER


@dataclass(frozen=True, slots=True)
class SiteLine:
    """One site on the sheet."""

    number: int
    site: InvitedSite
    intervals: tuple[Interval, ...]
    presence: Presence
    mark: AttendanceMark | None

    @property
    def status(self) -> AttendanceStatus:
        """What a person marked; unmarked until then."""
        return self.mark.status if self.mark else AttendanceStatus.UNMARKED

    @property
    def counted_as(self) -> AttendanceStatus:
        """What the totals count: the mark, else the suggestion."""
        is_marked = self.status is not AttendanceStatus.UNMARKED
        return self.status if is_marked else self.presence.suggestion

    @property
    def note(self) -> str:
        """What the secretary wrote."""
        return self.mark.note if self.mark else ""


@dataclass(frozen=True, slots=True)
class DelegateLine:
    """One named delegate; times are those of the site, or of the delegate's own account."""

    number: int
    delegate: Delegate
    place: str
    """Name of the site, empty for somebody who joins alone."""
    presence: Presence
    suggestion: AttendanceStatus

    @property
    def status(self) -> AttendanceStatus:
        """What a person marked; unmarked until then."""
        return self.delegate.status

    @property
    def counted_as(self) -> AttendanceStatus:
        """What the totals count: the mark, else the suggestion."""
        is_marked = self.status is not AttendanceStatus.UNMARKED
        return self.status if is_marked else self.suggestion


@dataclass(frozen=True, slots=True)
class UnitLine:
    """Expected against actual of one invited unit."""

    unit: str
    status: AttendanceStatus
    expected: int
    came: int
    headcount: int | None


@dataclass(frozen=True, slots=True)
class PersonLine:
    """Somebody with an account who was in the room; neither a site nor a named delegate."""

    name: str
    unit: str
    intervals: tuple[Interval, ...]
    presence: Presence


@dataclass(frozen=True, slots=True)
class Sheet:
    """The whole sheet at one moment."""

    at: datetime
    sites: tuple[SiteLine, ...]
    people: tuple[PersonLine, ...]
    totals: Totals
    marked: int
    rule: Rule
    delegates: tuple[DelegateLine, ...] = ()
    delegate_totals: Totals = summary.NOBODY
    units: tuple[UnitLine, ...] = ()


def sheet(session: Session, meeting: Meeting, at: datetime, rule: Rule | None = None) -> Sheet:
    """The attendance sheet of ``meeting`` as of ``at``."""
    rule = rule or Rule()
    intervals = derive(
        load(session, meeting.id), now=at, ended_at=meeting.ended_at, merge_gap=rule.merge_gap
    )
    held = summary.Session.of(meeting.starts_at, meeting.opened_at, meeting.ended_at)
    marks = _marks(session, meeting.id)
    invited = [site for site in meeting.sites if site.withdrawn_at is None]
    lines = []
    for number, site in enumerate(invited, 1):
        own = intervals.pop(f"site:{site.id}", [])
        found = summary.presence(own, held, now=at, late_after=rule.late_after)
        lines.append(SiteLine(number, site, tuple(own), found, marks.get(site.id)))
    named = _delegates(session, meeting, lines, intervals, held, at, rule)
    people = [
        line
        for identity, own in intervals.items()
        if (line := _person(session, meeting, identity, own, held, at, rule)) is not None
    ]
    counted = (Counted(line.counted_as, line.site.delegates_count) for line in lines)
    return Sheet(
        at=at,
        sites=tuple(lines),
        people=tuple(sorted(people, key=lambda line: line.intervals[0].start)),
        totals=summary.totals(counted),
        marked=sum(line.status is not AttendanceStatus.UNMARKED for line in lines),
        rule=rule,
        delegates=tuple(named),
        delegate_totals=summary.totals(Counted(line.counted_as) for line in named),
        units=tuple(_units(lines, named)),
    )


def _delegates(  # noqa: PLR0917 (the values of one call above)
    session: Session,
    meeting: Meeting,
    sites: Sequence[SiteLine],
    intervals: dict[str, list[Interval]],
    held: summary.Session,
    at: datetime,
    rule: Rule,
) -> list[DelegateLine]:
    """Lines of named delegates; intervals of their own accounts are taken out of ``intervals``."""
    by_site = {line.site.id: line for line in sites}
    lines: list[DelegateLine] = []
    for row in delegates.of_meeting(session, meeting.id):
        own = intervals.pop(f"person:{row.account_id}", None) if row.account_id else None
        site = by_site.get(row.invited_site_id) if row.invited_site_id else None
        if row.invited_site_id is not None and site is None:
            continue  # the site was taken off the list
        if own is not None or site is None:
            found = summary.presence(own or [], held, now=at, late_after=rule.late_after)
            suggestion = found.suggestion
        else:
            found, suggestion = site.presence, site.counted_as
        place = site.site.site_name if site else ""
        lines.append(DelegateLine(len(lines) + 1, row, place, found, suggestion))
    return lines


def _units(sites: Sequence[SiteLine], named: Sequence[DelegateLine]) -> list[UnitLine]:
    came: dict[int | None, list[bool]] = {}
    for line in named:
        came.setdefault(line.delegate.invited_site_id, []).append(line.counted_as in summary.CAME)
    return [
        UnitLine(
            line.site.unit_name, line.counted_as, len(came.get(line.site.id, ())),
            sum(came.get(line.site.id, ())), line.site.delegates_count,
        )
        for line in sites
    ]  # fmt: skip


def _person(  # noqa: PLR0917 (the values of one call above)
    session: Session,
    meeting: Meeting,
    identity: str,
    own: list[Interval],
    held: summary.Session,
    at: datetime,
    rule: Rule,
) -> PersonLine | None:
    if not identity.startswith("person:"):
        return None  # a site that was taken off the list
    try:
        who = find_participant(session, meeting, identity)
    except NotFoundError:
        return None
    found = summary.presence(own, held, now=at, late_after=rule.late_after)
    return PersonLine(who.name, who.unit, tuple(own), found)


def _marks(session: Session, meeting_id: int) -> dict[int, AttendanceMark]:
    query = select(AttendanceMark).where(AttendanceMark.meeting_id == meeting_id)
    return {mark.invited_site_id: mark for mark in session.scalars(query)}


def mark(
    session: Session,
    meeting: Meeting,
    invited_site_id: int,
    *,
    status: AttendanceStatus,
    note: str,
    delegates_count: int | None,
    by: str,
    at: datetime,
) -> None:
    """A person decides about one site.

    Raises NotFoundError for a site that is not invited, InvalidError for a note or a number that
    cannot be, ConflictError once the sheet is signed.
    """
    versions.require_open(session, meeting.id)
    site = session.get(InvitedSite, invited_site_id)
    if site is None or site.meeting_id != meeting.id or site.withdrawn_at is not None:
        raise NotFoundError
    note = note.strip()
    if len(note) > MAX_NOTE_LENGTH:
        raise InvalidError({"note": f"Ghi chú dài quá {MAX_NOTE_LENGTH} ký tự."})
    if delegates_count is not None and not 0 <= delegates_count <= MAX_DELEGATES:
        raise InvalidError({"delegates_count": f"Số người từ 0 đến {MAX_DELEGATES}."})
    site.delegates_count = delegates_count
    _write(session, meeting.id, {site.id: (status, note)}, by=by, at=at)


def confirm_suggestions(
    session: Session,
    meeting: Meeting,
    statuses: Iterable[AttendanceStatus],
    *,
    by: str,
    at: datetime,
    rule: Rule | None = None,
) -> int:
    """Mark every unmarked site and delegate whose suggestion is one of ``statuses``; how many.

    The number is that of the sites. Raises ConflictError once the sheet is signed.
    """
    versions.require_open(session, meeting.id)
    wanted = frozenset(statuses)
    made = sheet(session, meeting, at, rule)
    for named in made.delegates:
        if named.status is AttendanceStatus.UNMARKED and named.suggestion in wanted:
            delegates.mark(
                named.delegate, status=named.suggestion, note=named.delegate.note,
                stands_in_for=named.delegate.stands_in_for, by=by, at=at,
            )  # fmt: skip
    confirmed = {
        line.site.id: (line.presence.suggestion, line.note)
        for line in made.sites
        if line.status is AttendanceStatus.UNMARKED and line.presence.suggestion in wanted
    }
    _write(session, meeting.id, confirmed, by=by, at=at)
    return len(confirmed)


REST: Final = frozenset(
    {AttendanceStatus.IN_PERSON, AttendanceStatus.PRESENT, AttendanceStatus.ABSENT}
)
"""What may be said of many sites at once; late, early and excused are one site's own matter."""


def mark_rest(
    session: Session, meeting: Meeting, status: AttendanceStatus, *, by: str, at: datetime
) -> int:
    """Mark every site that nobody marked; how many.

    Raises InvalidError for a status that is not of `REST`, ConflictError once the sheet is signed.
    """
    versions.require_open(session, meeting.id)
    if status not in REST:
        raise InvalidError({"status": "Chọn trạng thái ghi cho nhiều điểm cầu."})
    kept = _marks(session, meeting.id)
    decided = {
        site.id: (status, kept[site.id].note if site.id in kept else "")
        for site in meeting.sites
        if site.withdrawn_at is None
        and (site.id not in kept or kept[site.id].status is AttendanceStatus.UNMARKED)
    }
    _write(session, meeting.id, decided, by=by, at=at)
    return len(decided)


def undo_rest(session: Session, meeting: Meeting, *, by: str, at: datetime) -> int:
    """Take back what `mark_rest` wrote at ``at`` for the same person; how many.

    A site that somebody marked again meanwhile keeps that mark.
    """
    versions.require_open(session, meeting.id)
    made = [
        row
        for row in _marks(session, meeting.id).values()
        if row.marked_at == at and row.marked_by == by
    ]
    for row in made:
        if row.note:
            row.status = AttendanceStatus.UNMARKED
        else:
            session.delete(row)
    session.flush()
    return len(made)


def _write(
    session: Session,
    meeting_id: int,
    decided: Mapping[int, tuple[AttendanceStatus, str]],
    *,
    by: str,
    at: datetime,
) -> None:
    """Store status and note by invited site; two statements however many sites there are."""
    query = select(AttendanceMark).where(
        AttendanceMark.meeting_id == meeting_id, AttendanceMark.invited_site_id.in_(decided)
    )
    kept = {row.invited_site_id: row for row in session.scalars(query)}
    for invited_site_id, (status, note) in decided.items():
        row = kept.get(invited_site_id)
        if row is None:
            row = AttendanceMark(meeting_id=meeting_id, invited_site_id=invited_site_id)
            session.add(row)
        row.status = status
        row.note = note
        row.marked_by = by
        row.marked_at = at
    session.flush()
