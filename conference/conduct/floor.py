"""Who may speak next, and what each may send: the rules of the floor.

Order of the queue: places given by hand come first, in their order; then protocol order (rank of
the person or place of the site in the invitation), then the time of asking. In a *conference* only
the chair and whoever has the floor may send sound or present a screen; in a *discussion* everybody
may (QĐ 45/2018 leaves the conduct to the chair; the two presets are the office's usage).

Pure: plain values in, plain values out; reads no clock and no database.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from conference.scheduling.models import RoomPreset

WITHOUT_FLOOR: Final = ("camera",)
"""What a participant of a conference may send while somebody else speaks."""
WITH_FLOOR: Final = ("camera", "microphone", "screen_share", "screen_share_audio")
"""What the floor adds."""
RANKED_PEOPLE: Final = 1000
"""People with a rank below this come before all sites; `Person.protocol_order` defaults to it."""


@dataclass(frozen=True, slots=True)
class Hand:
    """One raised hand."""

    request_id: int
    identity: str
    requested_at: datetime
    protocol_order: int = 0
    position: int | None = None
    """Place given by hand; None = by protocol order, then time."""


def queue(hands: Iterable[Hand]) -> list[Hand]:
    """The hands in the order in which they are to be called."""
    return sorted(hands, key=_rank)


def _rank(hand: Hand) -> tuple[bool, int, int, datetime, int]:
    by_rule = hand.position is None
    place = 0 if hand.position is None else hand.position
    return (by_rule, place, hand.protocol_order, hand.requested_at, hand.request_id)


def move(hands: Iterable[Hand], identity: str, position: int) -> list[Hand]:
    """The queue with ``identity``'s hand at the 0-based ``position``; others keep their order.

    A position past the end means the end. A hand that is not there leaves the queue as it is.
    """
    before = queue(hands)
    moved = [hand for hand in before if hand.identity == identity]
    rest = [hand for hand in before if hand.identity != identity]
    place = max(0, min(position, len(rest)))
    return rest[:place] + moved + rest[place:]


def place_of(hands: Sequence[Hand], identity: str) -> int | None:
    """1-based place of ``identity`` in the queue, as it is told to people; None if not there."""
    ordered = queue(hands)
    return next((n for n, hand in enumerate(ordered, 1) if hand.identity == identity), None)


def sources(preset: RoomPreset, *, is_conducting: bool, has_floor: bool) -> tuple[str, ...] | None:
    """What somebody may send into the room, as LiveKit source names; None = everything."""
    if preset is RoomPreset.DISCUSSION or is_conducting:
        return None
    return WITH_FLOOR if has_floor else WITHOUT_FLOOR


def protocol_order(*, person_rank: int | None = None, site_position: int | None = None) -> int:
    """One scale for people and sites: ranked people, then sites as invited, then everyone else."""
    if site_position is not None:
        return RANKED_PEOPLE + site_position
    if person_rank is not None and person_rank < RANKED_PEOPLE:
        return person_rank
    return RANKED_PEOPLE * 1000
