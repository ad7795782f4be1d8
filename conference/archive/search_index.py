"""Keeping the search index: a meeting's pieces change in the transaction that changes its file.

Every session notes which places of which meetings it touched and writes their pieces anew before
it commits, so no service has to remember it and a rollback takes the pieces with it. Statements
that go past the session (bulk imports, restored copies) are made good by `rebuild`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from sqlalchemy import delete, event, exists, insert, inspect, or_, select
from sqlalchemy.orm import Session

from conference.archive.search_piece import Place, SearchPiece
from conference.archive.search_words import folded_words, marked_words, plain
from conference.conclusions.models import Notice, Task
from conference.conduct.models import FloorRequest, FloorState
from conference.directory.models import Person
from conference.minutes.models import Minutes, MinutesAddendum
from conference.scheduling.models import AgendaItem, InvitedSite, Meeting, Paper

_TOUCHED: Final = "search: touched"
_TOUCHED_PEOPLE: Final = "search: touched people"

_SHOWN_IN: Final[Mapping[type[Any], tuple[tuple[Place, ...], tuple[str, ...]]]] = {
    Meeting: (
        (Place.TITLE, Place.PEOPLE),
        ("title", "description", "location", "chair_id", "secretary_id"),
    ),
    InvitedSite: ((Place.UNIT,), ("unit_name", "site_name", "withdrawn_at")),
    AgendaItem: ((Place.AGENDA,), ("title", "presenter")),
    Paper: ((Place.PAPER,), ("filename", "text")),
    Notice: ((Place.CONCLUSION,), ("number", "opening")),
    Task: ((Place.CONCLUSION,), ("text", "lead_unit_name")),
    Minutes: ((Place.MINUTES,), ("number", "course", "conclusion")),
    FloorRequest: ((Place.SPEAKER,), ("display_name", "state")),
}
"""For each model the places that show it, and what of it they show."""


# --- what a piece says ---------------------------------------------------------------------------


def _title(session: Session, meeting_id: int) -> list[str]:
    meeting = session.get_one(Meeting, meeting_id)
    return ["\n".join(filter(None, (meeting.title, meeting.description, meeting.location)))]


def _people(session: Session, meeting_id: int) -> list[str]:
    query = select(Person.full_name, Person.title).where(
        exists().where(
            Meeting.id == meeting_id,
            or_(Meeting.chair_id == Person.id, Meeting.secretary_id == Person.id),
        )
    )
    return ["\n".join(f"{name} {title}" for name, title in session.execute(query))]


def _units(session: Session, meeting_id: int) -> list[str]:
    query = (
        select(InvitedSite.unit_name, InvitedSite.site_name)
        .where(InvitedSite.meeting_id == meeting_id, InvitedSite.withdrawn_at.is_(None))
        .order_by(InvitedSite.position)
    )
    lines = [name for row in session.execute(query) for name in row]
    return ["\n".join(dict.fromkeys(lines))]


def _agenda(session: Session, meeting_id: int) -> list[str]:
    query = (
        select(AgendaItem.title, AgendaItem.presenter)
        .where(AgendaItem.meeting_id == meeting_id)
        .order_by(AgendaItem.position)
    )
    return ["\n".join(f"{title} {who}".strip() for title, who in session.execute(query))]


def _papers(session: Session, meeting_id: int) -> list[str]:
    query = select(Paper.filename, Paper.text).where(Paper.meeting_id == meeting_id)
    return [f"{name}\n{text}".rstrip() for name, text in session.execute(query.order_by(Paper.id))]


def _conclusions(session: Session, meeting_id: int) -> list[str]:
    notices = select(Notice.number, Notice.opening).where(Notice.meeting_id == meeting_id)
    tasks = select(Task.text, Task.lead_unit_name).where(Task.meeting_id == meeting_id)
    found = ["\n".join(filter(None, row)) for row in session.execute(notices)]
    return found + [" – ".join(row) for row in session.execute(tasks.order_by(Task.position))]


def _minutes(session: Session, meeting_id: int) -> list[str]:
    texts = select(Minutes.course, Minutes.conclusion, Minutes.number)
    found = [
        text
        for row in session.execute(texts.where(Minutes.meeting_id == meeting_id))
        for text in row
    ]
    addenda = select(MinutesAddendum.text).join(Minutes).where(Minutes.meeting_id == meeting_id)
    return found + list(session.scalars(addenda.order_by(MinutesAddendum.id)))


def _speakers(session: Session, meeting_id: int) -> list[str]:
    query = select(FloorRequest.display_name).where(
        FloorRequest.meeting_id == meeting_id,
        FloorRequest.state.in_([FloorState.SPEAKING, FloorState.DONE]),
    )
    return ["\n".join(dict.fromkeys(session.scalars(query.order_by(FloorRequest.id))))]


_TEXTS: Final[Mapping[Place, Callable[[Session, int], list[str]]]] = {
    Place.TITLE: _title,
    Place.PEOPLE: _people,
    Place.UNIT: _units,
    Place.AGENDA: _agenda,
    Place.PAPER: _papers,
    Place.CONCLUSION: _conclusions,
    Place.MINUTES: _minutes,
    Place.SPEAKER: _speakers,
}


# --- writing -------------------------------------------------------------------------------------


def index_meeting(session: Session, meeting_id: int, places: Iterable[Place] = Place) -> None:
    """Write the pieces of ``places`` anew where they differ; nothing for a meeting that is gone."""
    if session.get(Meeting, meeting_id) is None:
        return
    for place in places:
        wanted = [text for one in _TEXTS[place](session, meeting_id) if (text := plain(one))]
        fits = (SearchPiece.meeting_id == meeting_id) & (SearchPiece.place == place)
        kept = session.scalars(select(SearchPiece.shown).where(fits).order_by(SearchPiece.id))
        if list(kept) == wanted:
            continue
        gone = delete(SearchPiece).where(fits)
        session.execute(gone.execution_options(synchronize_session=False))
        rows = [
            {
                "meeting_id": meeting_id, "place": place, "shown": text,
                "marked": marked_words(text), "folded": folded_words(text),
            }
            for text in wanted
        ]  # fmt: skip
        if rows:
            session.execute(insert(SearchPiece), rows)


def rebuild(session: Session) -> int:
    """Write the whole index anew; how many meetings it holds."""
    session.flush()
    session.execute(delete(SearchPiece))
    meeting_ids = session.scalars(select(Meeting.id).order_by(Meeting.id)).all()
    for meeting_id in meeting_ids:
        index_meeting(session, meeting_id)
        session.expire_all()  # the texts of thousands of files need not stay in memory
    return len(meeting_ids)


def is_missing(session: Session) -> bool:
    """Whether there are meetings but no index, as after an upgrade from before there was one."""
    has_pieces = session.scalar(select(exists().where(SearchPiece.id.is_not(None))))
    return not has_pieces and bool(session.scalar(select(exists().where(Meeting.id.is_not(None)))))


# --- following sessions --------------------------------------------------------------------------


@event.listens_for(Session, "after_flush")
def _note_flushed(session: Session, _context: object) -> None:
    touched: dict[int, set[Place]] = session.info.setdefault(_TOUCHED, defaultdict(set))
    people: set[int] = session.info.setdefault(_TOUCHED_PEOPLE, set())
    changed = [one for one in session.dirty if session.is_modified(one)]
    for row in (*session.new, *session.deleted, *changed):
        if type(row) in _SHOWN_IN:
            places, names = _SHOWN_IN[type(row)]
            if row not in session.dirty or _differs(row, names):
                meeting_id = row.id if isinstance(row, Meeting) else row.meeting_id
                touched[meeting_id].update(places)
        elif isinstance(row, MinutesAddendum):
            minutes = session.get(Minutes, row.minutes_id)
            if minutes is not None:
                touched[minutes.meeting_id].add(Place.MINUTES)
        elif isinstance(row, Person) and _differs(row, ("full_name", "title")):
            people.add(row.id)


def _differs(row: object, names: Iterable[str]) -> bool:
    attributes = inspect(row, raiseerr=True).attrs
    return any(attributes[name].history.has_changes() for name in names)


@event.listens_for(Session, "before_commit")
def _write_touched(session: Session) -> None:
    session.flush()
    touched: dict[int, set[Place]] = session.info.pop(_TOUCHED, {})
    people: set[int] = session.info.pop(_TOUCHED_PEOPLE, set())
    if people:
        leads = or_(Meeting.chair_id.in_(people), Meeting.secretary_id.in_(people))
        for meeting_id in session.scalars(select(Meeting.id).where(leads)):
            touched.setdefault(meeting_id, set()).add(Place.PEOPLE)
    for meeting_id in sorted(touched):  # in one order, so that two writers do not wait in a ring
        index_meeting(session, meeting_id, [one for one in Place if one in touched[meeting_id]])


@event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    session.info.pop(_TOUCHED, None)
    session.info.pop(_TOUCHED_PEOPLE, None)
