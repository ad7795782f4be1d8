"""Finding a meeting by anything that is in its file: title, people, units, papers, minutes.

Words are compared folded, so "giao ban", "giao bán" and "GIAO BAN" find the same; a hit with the
query's own marks comes first. Every word must occur somewhere in the meeting's file. Only meetings
that the actor may see are looked at, and minutes only where the actor may read them.
"""

import enum
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from sqlalchemy import ScalarSelect, select
from sqlalchemy.orm import Session, joinedload

from conference.access.policy import Actor, Verb, may
from conference.directory.vietnamese import fold, has_exactly
from conference.minutes.models import Minutes
from conference.scheduling.facts import meeting_facts
from conference.scheduling.listing import visible_to
from conference.scheduling.models import InvitedSite, Meeting, Paper

MAX_WORDS: Final = 12
MAX_UNIT_WORDS: Final = 6
"""Words of a query that are looked for in names of units one by one."""
SNIPPET: Final = 120
"""Characters around a hit in a long text."""


class Place(enum.Enum):
    """Where in the file a word was found, best place first."""

    TITLE = "title"
    PEOPLE = "people"
    UNIT = "unit"
    PAPER = "paper"
    MINUTES = "minutes"


@dataclass(frozen=True, slots=True)
class Hit:
    """One meeting that fits."""

    meeting: Meeting
    place: Place
    """Where most of the words were found."""
    snippet: str
    """The text around it."""
    is_exact: bool
    """The query stands there with its own marks."""


def search(session: Session, query: str, *, actor: Actor, limit: int = 50) -> list[Hit]:
    """Meetings whose file holds every word of ``query``, best first; empty for an empty query."""
    words = fold(query).split()[:MAX_WORDS]
    if not words:
        return []
    statement = (
        select(Meeting)
        .where(visible_to(actor))
        .options(joinedload(Meeting.chair), joinedload(Meeting.secretary))
        .order_by(Meeting.starts_at.desc())
    )
    meetings = {meeting.id: meeting for meeting in session.scalars(statement)}
    texts = _texts(session, meetings.values(), actor, words)
    hits = [
        hit
        for meeting in meetings.values()
        if (hit := _hit(meeting, texts[meeting.id], words, query)) is not None
    ]
    order = list(Place)
    hits.sort(key=lambda hit: (not hit.is_exact, order.index(hit.place)))
    return [replace(hit, snippet=snippet(hit.snippet, words)) for hit in hits[:limit]]


def _texts(
    session: Session, meetings: Iterable[Meeting], actor: Actor, words: Sequence[str]
) -> dict[int, list[tuple[Place, str]]]:
    """The texts of each file, best place first; of its units only those with one of ``words``."""
    found: dict[int, list[tuple[Place, str]]] = defaultdict(list)
    readable = set()
    for meeting in meetings:
        people = [meeting.chair, meeting.secretary]
        named = ", ".join(f"{one.full_name} {one.title}" for one in people if one is not None)
        found[meeting.id] += [(Place.TITLE, meeting.title), (Place.PEOPLE, named)]
        if may(actor, Verb.MINUTES_VIEW) or may(actor, Verb.MINUTES_VIEW, meeting_facts(meeting)):
            readable.add(meeting.id)
    for meeting_id, text in _unit_names(session, words):
        if meeting_id in found:
            found[meeting_id].append((Place.UNIT, text))
    for meeting_id, text in session.execute(select(Paper.meeting_id, Paper.filename)):
        if meeting_id in found:
            found[meeting_id].append((Place.PAPER, text))
    minutes = select(Minutes.meeting_id, Minutes.course, Minutes.conclusion, Minutes.number)
    for meeting_id, *parts in session.execute(minutes):
        if meeting_id in readable:
            found[meeting_id] += [(Place.MINUTES, text) for text in parts if text]
    return found


def _unit_names(session: Session, words: Sequence[str]) -> Iterable[tuple[int, str]]:
    """For each meeting a unit's name with all of ``words``, else one for each of the words.

    Ten years hold 130,000 invitations but a few hundred names, so the names are looked at first.
    """
    names = session.scalars(select(InvitedSite.unit_name).distinct()).all()
    found: list[tuple[int, str]] = []
    by_word = [[name for name in names if word in _folded(name)] for word in words[:MAX_UNIT_WORDS]]
    whole = [name for name in names if all(word in _folded(name) for word in words)]
    chosen = [whole] if whole else [matching for matching in by_word if matching]
    if not chosen:
        return found
    columns = [_first_name(matching).label(f"name{n}") for n, matching in enumerate(chosen)]
    for meeting_id, *texts in session.execute(select(Meeting.id, *columns)):
        found += [(meeting_id, text) for text in dict.fromkeys(texts) if text is not None]
    return found


def _first_name(names: Sequence[str]) -> ScalarSelect[str]:
    """One of ``names`` that a meeting invited; stops at the first, so it costs one look-up."""
    query = select(InvitedSite.unit_name).where(
        InvitedSite.meeting_id == Meeting.id,
        InvitedSite.unit_name.in_(names),
        InvitedSite.withdrawn_at.is_(None),
    )
    return query.limit(1).correlate(Meeting).scalar_subquery()


_folded = lru_cache(maxsize=20_000)(fold)
"""Folding costs more than anything else here, and the same texts are searched again and again."""


def _hit(
    meeting: Meeting, texts: list[tuple[Place, str]], words: list[str], query: str
) -> Hit | None:
    """How a meeting fits, with the whole text for a snippet; None if a word is missing."""
    missing = set(words)
    found: list[tuple[bool, int, Place, str]] = []
    for place, text in texts:
        folded = _folded(text)
        here = {word for word in words if word in folded}
        missing -= here
        if here:
            found.append((has_exactly(query, text), len(here), place, text))
    if missing or not found:
        return None
    # the text that holds most of the query; of equals the first, which is the better place
    is_exact, _, place, text = max(found, key=lambda one: one[:2])
    return Hit(meeting, place, text, is_exact)


def snippet(text: str, words: Iterable[str]) -> str:
    """The part of ``text`` around the first of the folded ``words``, whole words, with ``…``."""
    tokens = text.split()
    first = next(
        (n for n, token in enumerate(tokens) if any(word in fold(token) for word in words)), 0
    )
    start = max(0, first - 8)
    chosen: list[str] = []
    for token in tokens[start:]:
        if sum(len(one) + 1 for one in chosen) + len(token) > SNIPPET and chosen:
            break
        chosen.append(token)
    before = "… " if start else ""
    after = " …" if start + len(chosen) < len(tokens) else ""
    return f"{before}{' '.join(chosen)}{after}"
