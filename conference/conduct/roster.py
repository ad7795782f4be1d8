"""Who is there: invited sites and people merged with who is connected now.

Every invited site has a line whether it came or not; other people have one while they are there,
and the chair and the secretary always. Sites come in protocol order. Withdrawn sites have none.

Pure: plain values in, plain values out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from conference.conduct.participants import Part, Participant


@dataclass(frozen=True, slots=True)
class Invited:
    """Somebody who has a line in the roster even when absent."""

    participant: Participant
    delegates_count: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the roster."""

    participant: Participant
    is_present: bool
    since: datetime | None
    delegates_count: int | None


@dataclass(frozen=True, slots=True)
class Roster:
    """All lines, and the two figures on every screen; both count sites, not people."""

    lines: tuple[Line, ...]
    present_count: int
    invited_count: int


def merge(
    invited: Iterable[Invited],
    present: Mapping[str, datetime],
    others: Iterable[Participant] = (),
) -> Roster:
    """The roster. ``present`` maps identities to since when; ``others`` are uninvited people.

    Somebody in ``present`` who is neither invited nor among ``others`` has no line.
    """
    lines: dict[str, Line] = {}
    for one in invited:
        identity = one.participant.identity
        since = present.get(identity)
        lines[identity] = Line(one.participant, since is not None, since, one.delegates_count)
    for other in others:
        since = present.get(other.identity)
        if since is not None and other.identity not in lines:
            lines[other.identity] = Line(other, is_present=True, since=since, delegates_count=None)
    ordered = sorted(lines.values(), key=_rank)
    sites = [line for line in ordered if line.participant.is_site]
    return Roster(
        lines=tuple(ordered),
        present_count=sum(line.is_present for line in sites),
        invited_count=len(sites),
    )


def _rank(line: Line) -> tuple[bool, int, str]:
    who = line.participant
    return (who.part is not Part.CHAIR, who.protocol_order, who.identity)
