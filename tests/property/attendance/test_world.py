"""A province's meeting as it really was, against what is derived from what we were told of it.

The world: sites come and go, cleanly or by losing power. Of each webhook some copies arrive, late,
in any order, or none; every 15 s the list of the room is asked for; the engine's clock may jump
ahead. What is derived is compared with the world.
"""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from conference.attendance.intervals import Evidence, derive
from conference.attendance.models import EvidenceKind as Kind
from conference.attendance.models import EvidenceSource as Source
from conference.attendance.reconcile import _arrivals, _losses
from conference.engine.client import Participant

START = datetime(2026, 12, 10, 1, 0, tzinfo=UTC)
LENGTH_S = 1200
POLL_S = 15
CLEAN_S = 5
"""Error allowed when the goodbye was heard: webhooks are late by at most this."""
OTHERWISE_S = 20
GOOD_MERGE = timedelta(seconds=30)


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


@dataclass(frozen=True)
class Stay:
    """One true connection, in seconds; ``is_clean``: it said goodbye and was heard."""

    site: str
    sid: str
    start: int
    end: int
    is_clean: bool


@st.composite
def worlds(draw: st.DrawFn) -> list[Stay]:
    stays = []
    for site in ("site:1", "site:2", "site:3"):
        clock = draw(st.integers(0, 200))
        while clock < LENGTH_S - 100 and len(stays) < 12:
            end = min(clock + draw(st.integers(40, 500)), LENGTH_S - 80)
            if end <= clock:
                break
            stays.append(Stay(site, f"PA_{len(stays)}", clock, end, draw(st.booleans())))
            clock = end + draw(st.integers(70, 300))  # far enough apart not to be merged
    return stays


def told(world: list[Stay], chance: random.Random, jump_at: int, jump_s: int) -> list[Evidence]:
    """All evidence that reaches us, in the order of arrival, as the service stores it."""
    arriving: list[tuple[float, str, Stay | None]] = []
    for stay in world:
        copies = chance.choice((0, 1, 1, 2))
        hello = [(stay.start + chance.uniform(0, CLEAN_S - 1), "joined", stay)] * copies
        arriving += hello  # type: ignore[arg-type]
        if stay.is_clean:
            late = chance.uniform(0, CLEAN_S - 1)
            arriving += [(stay.end + late, "left", stay)] * chance.choice((1, 1, 3))
    arriving += [(float(second), "poll", None) for second in range(0, LENGTH_S, POLL_S)]
    known: list[Evidence] = []
    for second, kind, stay in sorted(arriving, key=lambda one: (one[0], chance.random())):
        if stay is None:
            known += polled(world, known, second)
        else:
            happened = stay.start if kind == "joined" else stay.end
            engine_says = happened + (jump_s if happened >= jump_at else 0)
            known.append(
                Evidence(
                    stay.site, stay.sid, Kind(kind), Source.WEBHOOK,
                    min(at(engine_says), at(second)), "client_initiated" if kind == "left" else "",
                )
            )  # fmt: skip
    return known


def polled(world: list[Stay], known: list[Evidence], second: float) -> list[Evidence]:
    """What one list of the room adds."""
    there = [
        Participant(stay.site, stay.sid, stay.site, "active", at(stay.start), False, (), None)
        for stay in world
        if stay.start <= second < stay.end
    ]
    found = [*_arrivals(there, known, at(second)), *_losses(there, known, at(second))]
    evidence = [
        Evidence(one.identity, one.participant_sid, one.kind, one.source, one.at, one.reason)
        for one in found
    ]
    seen = [Evidence(one.identity, one.sid, Kind.SEEN, Source.POLL, at(second)) for one in there]
    return [*evidence, *seen]


@settings(max_examples=120)
@given(worlds(), st.integers(0, 2**32), st.integers(0, LENGTH_S), st.integers(0, 3600))
def test_presence_is_right_to_seconds_and_nobody_is_there_who_was_not(
    world: list[Stay], seed: int, jump_at: int, jump_s: int
) -> None:
    chance = random.Random(seed)
    evidence = told(world, chance, jump_at, jump_s)
    chance.shuffle(evidence)
    evidence += chance.sample(evidence, len(evidence) // 3)
    found = derive(evidence, now=at(LENGTH_S + 200), merge_gap=GOOD_MERGE)
    for site in {stay.site for stay in world}:
        true = sorted((one for one in world if one.site == site), key=lambda one: one.start)
        derived = found.get(site, [])
        assert len(derived) == len(true)  # nothing missing, nothing phantom
        for stay, interval in zip(true, derived, strict=True):
            assert interval.end is not None
            began = (interval.start - at(stay.start)).total_seconds()
            ended = (interval.end - at(stay.end)).total_seconds()
            allowed = CLEAN_S if stay.is_clean else OTHERWISE_S
            assert abs(began) <= CLEAN_S
            assert abs(ended) <= allowed
            if not stay.is_clean:
                assert ended <= 0  # never longer than the last evidence
                assert interval.is_estimated
    assert set(found) <= {stay.site for stay in world}
