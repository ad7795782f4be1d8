"""A series as one recipient's calendar shows it: one event that recurs, with its exceptions.

One UID, an RRULE up to the last meeting, EXDATE for the slots at which the recipient is not wanted
(called off, or only others are invited), RDATE for a slot outside the rule, and an event with
RECURRENCE-ID for each meeting that was moved or says something else (RFC 5545 §3.8.4.4, §3.8.5).
What most meetings say stands in the recurring event. A series that was moved is told by a new rule,
never by RANGE=THISANDFUTURE, which Outlook and Gmail do not read. Pure.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from conference.scheduling import recurrence
from conference.scheduling.local_time import from_local, local_day, to_local


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One meeting of a series."""

    slot: datetime
    """When the rule would have it begin; its RECURRENCE-ID."""
    starts_at: datetime
    ends_at: datetime
    words: tuple[str, ...]
    """What its event says besides the time."""


@dataclass(frozen=True, slots=True)
class Whole:
    """The recurring event and its exceptions."""

    starts_at: datetime
    ends_at: datetime
    words: tuple[str, ...]
    rule: str
    """RRULE with UNTIL in UTC; empty when there is one slot."""
    left_out: tuple[datetime, ...]
    added: tuple[datetime, ...]
    exceptions: tuple[Occurrence, ...]


def whole(rule: str, occurrences: Sequence[Occurrence]) -> Whole:
    """The event for ``occurrences``, at least one, of a series that recurs by ``rule``."""
    ordered = sorted(occurrences, key=lambda one: one.slot)
    words = Counter(one.words for one in ordered).most_common(1)[0][0]
    length = Counter(
        one.ends_at - one.starts_at for one in ordered if one.words == words
    ).most_common(1)[0][0]
    slots = [one.slot for one in ordered]
    first, named = slots[0], _named(rule, slots)
    last = max(slot for slot in slots if slot in named)
    named = [slot for slot in named if slot <= last]
    return Whole(
        starts_at=first,
        ends_at=first + length,
        words=words,
        rule=f"{_endless(rule)};UNTIL={last.astimezone(UTC):%Y%m%dT%H%M%SZ}"
        if last > first
        else "",
        left_out=tuple(slot for slot in named if slot not in slots),
        added=tuple(slot for slot in slots if slot not in named),
        exceptions=tuple(one for one in ordered if not _is_plain(one, words, length)),
    )


def _is_plain(one: Occurrence, words: tuple[str, ...], length: timedelta) -> bool:
    return one.words == words and one.starts_at == one.slot and one.ends_at - one.slot == length


def _endless(rule: str) -> str:
    parts = rule.split(";")
    return ";".join(part for part in parts if not part.startswith(("COUNT=", "UNTIL=")))


def _named(rule: str, slots: Sequence[datetime]) -> list[datetime]:
    """Slots that the rule names from the first to the last of ``slots``; the first always.

    DTSTART is in the recurrence set whether the rule names it or not (RFC 5545 §3.8.5.3).
    """
    clock, first = to_local(slots[0]).time(), local_day(slots[0])
    days = recurrence.days_until(_endless(rule), first, local_day(slots[-1]))
    return [from_local(day, clock) for day in sorted({first, *days})]
