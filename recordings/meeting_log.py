"""What the composed picture takes from the meeting's log: the floor, the agenda, votes."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from sqlalchemy.orm import Session

from conference.conduct import log
from conference.conduct.log import Kind
from conference.conduct.models import LogEntry
from conference.scheduling.models import Meeting
from recordings.compose.timeline import AgendaPoint, Conduct, Floor, VoteMark

_OF_VOTES: Final = {
    kind.value for kind in (Kind.VOTE_OPENED, Kind.VOTE_CLOSED, Kind.VOTE_PUBLISHED)
}


def read(session: Session, meeting: Meeting) -> Conduct:
    """The conduct of a meeting as far as it is logged."""
    return conduct_of(meeting.title, log.entries(session, meeting.id))


def conduct_of(title: str, entries: Sequence[LogEntry]) -> Conduct:
    """The conduct from log entries, oldest first.

    A floor ends when it is ended, given to somebody else, or the meeting ends; one that nothing
    ended lasts.
    """
    floors: list[Floor] = []
    agenda: list[AgendaPoint] = []
    open_floor: Floor | None = None
    for entry in entries:
        at_s = entry.at.timestamp()
        if entry.kind == Kind.AGENDA_SELECTED.value:
            agenda.append(AgendaPoint(at_s, entry.subject))
        if open_floor is not None and _ends(entry, open_floor):
            floors.append(Floor(open_floor.identity, open_floor.name, open_floor.from_s, at_s))
            open_floor = None
        if entry.kind == Kind.FLOOR_GIVEN.value:
            open_floor = Floor(entry.identity, entry.subject, at_s, float("inf"))
    if open_floor is not None:
        floors.append(open_floor)
    return Conduct(title, tuple(floors), tuple(agenda), tuple(_votes(entries)))


def _votes(entries: Sequence[LogEntry]) -> list[VoteMark]:
    """Votes in the order in which they were opened."""
    marks: dict[object, VoteMark] = {}
    for entry in (one for one in entries if one.kind in _OF_VOTES):
        key, at_s = entry.detail["vote_id"], entry.at.timestamp()
        if entry.kind == Kind.VOTE_OPENED.value:
            marks[key] = VoteMark(entry.subject, at_s, float("inf"))
        elif entry.kind == Kind.VOTE_CLOSED.value and key in marks:
            marks[key] = replace(marks[key], to_s=at_s)
        elif entry.kind == Kind.VOTE_PUBLISHED.value and key in marks:
            marks[key] = replace(marks[key], result=_result(entry), result_at_s=at_s)
    return list(marks.values())


def _result(entry: LogEntry) -> str:
    count = entry.detail.get
    return (
        f"tán thành {count('for', 0)}, không tán thành {count('against', 0)}, "
        f"không có ý kiến {count('abstain', 0)}"
    )


def _ends(entry: LogEntry, floor: Floor) -> bool:
    if entry.kind == Kind.FLOOR_ENDED.value:
        return entry.identity in {"", floor.identity}
    return entry.kind in {Kind.FLOOR_GIVEN.value, Kind.MEETING_ENDED.value}
