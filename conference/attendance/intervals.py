"""Presence intervals, derived from evidence by a pure and repeatable rule.

A *session* is one connection to the media engine (one participant sid). It runs from its JOINED,
or else from the first evidence of it, to its LEFT. A LEFT that the engine itself reported is
final. A LEFT that was only concluded from a missing name in a list is taken back by later
evidence. Without a LEFT a session is open while its evidence is fresh; afterwards it ended with
its last evidence and the end is *estimated*: the moment somebody noticed is never the end.

Somebody's presence is the union of the sessions (two devices do not count twice), with gaps of at
most ``merge_gap`` closed: a reconnection is one presence. Only minima and maxima of times enter, so
order and repetition of the evidence change nothing, and a clock that steps back can make an
interval short, never negative.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from conference.attendance.models import EvidenceKind, EvidenceSource

MERGE_GAP: Final = timedelta(seconds=30)
"""A reconnection within this time is one presence (setting ``attendance.merge_gap_s``)."""
FRESH_FOR: Final = timedelta(seconds=60)
"""Evidence this old no longer shows that a session without LEFT is still there: four polls."""
LOST: Final = "lost"
"""Reason of an end that nobody reported."""
MEETING_ENDED: Final = "meeting_ended"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One observation; the few values of a `PresenceEvidence` row that the rule needs."""

    identity: str
    session: str
    kind: EvidenceKind
    source: EvidenceSource
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Interval:
    """One presence. ``end`` is None while it lasts."""

    start: datetime
    end: datetime | None
    reason: str = ""
    """Why it ended, as the engine said (LiveKit DisconnectReason, lower case), or `LOST`."""
    is_estimated: bool = False
    """The end is the last evidence, not a report."""
    reconnections: int = 0
    """Gaps inside that were closed."""

    def length(self, now: datetime) -> timedelta:
        """How long it lasted, until ``now`` if it still does."""
        return max((self.end or now) - self.start, timedelta())


def derive(
    evidence: Iterable[Evidence],
    *,
    now: datetime,
    ended_at: datetime | None = None,
    merge_gap: timedelta = MERGE_GAP,
) -> dict[str, list[Interval]]:
    """Intervals of each identity: disjoint, ascending, the last one open if it still lasts.

    ``ended_at`` is the end of the meeting: nobody is present after it.
    """
    by_session: dict[tuple[str, str], list[Evidence]] = defaultdict(list)
    for one in evidence:
        by_session[one.identity, one.session].append(one)
    sessions: dict[str, list[Interval]] = defaultdict(list)
    for (identity, _), observed in by_session.items():
        interval = _clip(_session(observed, now, ended_at), ended_at)
        if interval is not None:
            sessions[identity].append(interval)
    return {identity: union(parts, merge_gap) for identity, parts in sessions.items()}


def _session(observed: Sequence[Evidence], now: datetime, ended_at: datetime | None) -> Interval:
    joined = [one.at for one in observed if one.kind is EvidenceKind.JOINED]
    start = min(joined or [one.at for one in observed])
    last = max(start, *(one.at for one in observed))
    left = [one for one in observed if one.kind is EvidenceKind.LEFT]
    reported = [one for one in left if one.source is not EvidenceSource.POLL]
    if reported:
        final = max(reported, key=lambda one: (one.at, one.reason))
        return Interval(start, max(start, final.at), final.reason)
    concluded = any(one.at >= last for one in left)
    until = now if ended_at is None else min(now, ended_at)
    if concluded or until - last > FRESH_FOR:
        return Interval(start, last, LOST, is_estimated=True)
    return Interval(start, None)


def _clip(interval: Interval, ended_at: datetime | None) -> Interval | None:
    if ended_at is None:
        return interval
    if interval.start > ended_at:
        return None
    if interval.end is None or interval.end > ended_at:
        return Interval(interval.start, ended_at, interval.reason or MEETING_ENDED)
    return interval


def union(intervals: Iterable[Interval], merge_gap: timedelta) -> list[Interval]:
    """The same time as disjoint, ascending intervals, gaps of at most ``merge_gap`` closed."""
    merged: list[Interval] = []
    for interval in sorted(intervals, key=_order):
        if not merged or _gap(merged[-1], interval) > merge_gap:
            merged.append(interval)
        else:
            merged[-1] = _joined(merged[-1], interval)
    return merged


def _order(interval: Interval) -> tuple[datetime, bool, datetime, str, bool]:
    is_open = interval.end is None
    end = interval.end or interval.start
    return (interval.start, is_open, end, interval.reason, interval.is_estimated)


def _gap(earlier: Interval, later: Interval) -> timedelta:
    if earlier.end is None:
        return timedelta()
    return later.start - earlier.end


def _joined(earlier: Interval, later: Interval) -> Interval:
    is_gap = earlier.end is not None and later.start > earlier.end
    reconnections = earlier.reconnections + later.reconnections + is_gap
    last = max(earlier, later, key=_finality)
    return Interval(earlier.start, last.end, last.reason, last.is_estimated, reconnections)


def _finality(interval: Interval) -> tuple[bool, datetime, bool, str]:
    # a reported end is preferred to an estimated one at the same moment
    end = interval.end or interval.start
    return (interval.end is None, end, not interval.is_estimated, interval.reason)


def within(
    intervals: Iterable[Interval], start: datetime, end: datetime
) -> list[tuple[datetime, datetime]]:
    """The parts of ``intervals`` between ``start`` and ``end``; open ones last until ``end``."""
    parts = []
    for interval in intervals:
        begins, ends = max(interval.start, start), min(interval.end or end, end)
        if begins < ends:
            parts.append((begins, ends))
    return parts
