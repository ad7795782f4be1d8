"""What the composed picture takes from the meeting's log: who had the floor, and the agenda."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from conference.conduct import log
from conference.conduct.log import Kind
from conference.conduct.models import LogEntry
from conference.scheduling.models import Meeting
from recordings.compose.timeline import AgendaPoint, Conduct, Floor


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
    return Conduct(title, tuple(floors), tuple(agenda))


def _ends(entry: LogEntry, floor: Floor) -> bool:
    if entry.kind == Kind.FLOOR_ENDED.value:
        return entry.identity in {"", floor.identity}
    return entry.kind in {Kind.FLOOR_GIVEN.value, Kind.MEETING_ENDED.value}
