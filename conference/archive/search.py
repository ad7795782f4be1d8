"""Finding a meeting by anything that is in its file: title, people, units, papers, minutes.

Words are compared folded, so "giao ban", "giao bán" and "GIAO BAN" find the same; a hit with the
query's own marks comes first. Every word must occur somewhere in the meeting's file, the last one
as the beginning of a word. Rights stand in the query itself: what the actor may not read is neither
found nor counted.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    and_,
    case,
    column,
    func,
    intersect,
    literal_column,
    or_,
    select,
    table,
    text,
    true,
)
from sqlalchemy.orm import Session, joinedload

from conference.access.policy import Actor, Verb, may
from conference.archive import search_index as _kept  # noqa: F401 -- who searches also keeps the index
from conference.archive import search_words as words_of
from conference.archive.search_piece import Place, SearchPiece
from conference.scheduling.listing import permitted
from conference.scheduling.models import Meeting

PAGE_SIZE: Final = 25
READ_WITH: Final[Mapping[Place, Verb]] = {
    Place.TITLE: Verb.MEETING_VIEW,
    Place.PEOPLE: Verb.MEETING_VIEW,
    Place.UNIT: Verb.MEETING_VIEW,
    Place.AGENDA: Verb.MEETING_VIEW,
    Place.PAPER: Verb.PAPER_READ,
    Place.CONCLUSION: Verb.MINUTES_VIEW,
    Place.MINUTES: Verb.MINUTES_VIEW,
    Place.SPEAKER: Verb.MINUTES_VIEW,
}
"""What the policy must allow for a place to be looked at."""
_FTS: Final = table("search_words", column("rowid"))


@dataclass(frozen=True, slots=True)
class Hit:
    """One meeting that fits."""

    meeting: Meeting
    place: Place
    """Where most of the words were found."""
    snippet: str
    """The text around it."""
    parts: Sequence[tuple[str, bool]]
    """The same in parts, each with whether it is what was looked for."""
    is_exact: bool
    """The query stands there with its own marks."""


@dataclass(frozen=True, slots=True)
class Page:
    """A part of what was found."""

    hits: Sequence[Hit]
    total: int
    number: int

    @property
    def count(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // PAGE_SIZE))


@dataclass(frozen=True, slots=True)
class _Query:
    """A query's words, and how this database is asked for them."""

    folded: Sequence[str]
    marked: Sequence[str]
    is_sqlite: bool

    def one(self, number: int) -> ColumnElement[bool]:
        """Pieces with one of the words; only the last may be a beginning."""
        word = self.folded[number]
        if number == len(self.folded) - 1:
            return self._matches("folded", [word], words_of.sqlite_all, words_of.postgresql_all)
        return self._matches("folded", [word], lambda w: f'folded : "{w[0]}"', lambda w: w[0])

    def together(self) -> ColumnElement[bool]:
        """Pieces with all of the words."""
        return self._matches("folded", self.folded, words_of.sqlite_all, words_of.postgresql_all)

    def some(self) -> ColumnElement[bool]:
        """Pieces with at least one of the words."""
        return self._matches("folded", self.folded, words_of.sqlite_any, words_of.postgresql_any)

    def exactly(self) -> ColumnElement[bool]:
        """Pieces in which the query stands with its own marks."""
        return self._matches(
            "marked", self.marked, words_of.sqlite_exactly, words_of.postgresql_exactly
        )

    def _matches(
        self,
        kind: str,
        words: Sequence[str],
        sqlite: Callable[[Sequence[str]], str],
        postgresql: Callable[[Sequence[str]], str],
    ) -> ColumnElement[bool]:
        if self.is_sqlite:
            match = literal_column("search_words").op("MATCH")(sqlite(words))
            return SearchPiece.id.in_(select(_FTS.c.rowid).where(match))
        vector: ColumnElement[Any] = literal_column(f"search_piece.{kind}_words")
        return vector.bool_op("@@")(func.to_tsquery("simple", postgresql(words)))


def search(session: Session, query: str, *, actor: Actor, limit: int = PAGE_SIZE) -> list[Hit]:
    """The first meetings whose file holds every word of ``query``, best first."""
    return list(find(session, query, actor=actor).hits[:limit])


def find(session: Session, query: str, *, actor: Actor, page: int = 1) -> Page:
    """The ``page``-th part (from 1) of the meetings that fit; nothing for an empty query."""
    asked = _read(session, query)
    if asked is None:
        return Page([], 0, 1)
    if not asked.is_sqlite and _reads_everything(actor):
        # Reading the table from end to end looks cheap to the planner, which does not count that
        # every vector lies outside its row: 220 ms instead of 20 ms for frequent words.
        session.execute(text("SET LOCAL enable_seqscan = off"))
    ids = _ranked(session, asked, actor)
    number = min(max(page, 1), max(1, -(-len(ids) // PAGE_SIZE)))
    shown = ids[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
    return Page(_hits(session, asked, actor, shown), len(ids), number)


def _read(session: Session, query: str) -> _Query | None:
    folded = words_of.folded_words(query).split()[: words_of.MAX_WORDS]
    marked = words_of.marked_words(query).split()[: words_of.MAX_WORDS]
    if not folded or not marked:
        return None
    return _Query(folded, marked, session.get_bind().dialect.name == "sqlite")


def _reads_everything(actor: Actor) -> bool:
    """Whether the policy lets ``actor`` look at every place of every meeting."""
    return all(may(actor, verb) for verb in set(READ_WITH.values()))


def _readable(actor: Actor) -> ColumnElement[bool]:
    """SQL condition: ``actor`` may read the piece."""
    by_verb: dict[Verb, list[Place]] = {}
    for place, verb in READ_WITH.items():
        by_verb.setdefault(verb, []).append(place)
    if _reads_everything(actor):
        return true()  # asked for every word; spares a look-up of each piece's meeting
    allowed = [
        SearchPiece.place.in_(places)
        & SearchPiece.meeting_id.in_(select(Meeting.id).where(permitted(actor, verb)))
        for verb, places in by_verb.items()
    ]
    return or_(*allowed)


def _ranked(session: Session, asked: _Query, actor: Actor) -> list[int]:
    """Meetings that fit: exact marks first, then all words in one good place, then the newest."""
    readable = _readable(actor)
    found = [
        select(SearchPiece.meeting_id).where(asked.one(number), readable)
        for number in range(len(asked.folded))
    ]
    fits = intersect(*found) if len(found) > 1 else found[0]
    rows = session.execute(
        select(Meeting.id)
        .where(Meeting.id.in_(fits), permitted(actor, Verb.MEETING_VIEW))
        .order_by(Meeting.starts_at.desc(), Meeting.id.desc())
    )
    ids = [row.id for row in rows]
    exact = _best_places(session, and_(asked.exactly(), readable))
    together = _best_places(session, and_(asked.together(), readable))
    last = len(Place)
    ids.sort(key=lambda one: (one not in exact, exact.get(one, together.get(one, last))))
    return ids


def _best_places(session: Session, condition: ColumnElement[bool]) -> dict[int, int]:
    """For each meeting with such a piece the rank of its best place."""
    rank = case(*((SearchPiece.place == place, n) for n, place in enumerate(Place)))
    query = select(SearchPiece.meeting_id, func.min(rank)).where(condition)
    rows = session.execute(query.group_by(SearchPiece.meeting_id))
    return {row[0]: row[1] for row in rows}


def _hits(session: Session, asked: _Query, actor: Actor, ids: Sequence[int]) -> list[Hit]:
    query = (
        select(Meeting)
        .where(Meeting.id.in_(ids))
        .options(joinedload(Meeting.chair), joinedload(Meeting.secretary))
    )
    meetings = {meeting.id: meeting for meeting in session.scalars(query)}
    pieces = session.scalars(
        select(SearchPiece)
        .where(SearchPiece.meeting_id.in_(ids), asked.some(), _readable(actor))
        .order_by(SearchPiece.id)
    )
    found: dict[int, list[SearchPiece]] = {}
    for piece in pieces:
        found.setdefault(piece.meeting_id, []).append(piece)
    return [_hit(meetings[one], found[one], asked) for one in ids]


def _hit(meeting: Meeting, pieces: Sequence[SearchPiece], asked: _Query) -> Hit:
    order = list(Place)

    def value(one: SearchPiece) -> tuple[bool, int, int]:
        is_exact = bool(words_of.holds(one.marked, [" ".join(asked.marked)]))
        return is_exact, words_of.holds(one.folded, asked.folded), -order.index(one.place)

    best = max(pieces, key=value)
    line = words_of.best_line(best.shown, best.folded, asked.folded)
    shown = words_of.snippet(line, asked.folded)
    return Hit(meeting, best.place, shown, words_of.parts(shown, asked.folded), value(best)[0])
