"""Presence intervals against a model that looks at every single second."""

import itertools
import random
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from conference.attendance.intervals import FRESH_FOR, LOST, MERGE_GAP, Evidence, derive, union
from conference.attendance.models import EvidenceKind as Kind
from conference.attendance.models import EvidenceSource as Source

START = datetime(2026, 12, 10, 1, 0, tzinfo=UTC)
NOW_S = 900
POLL_S = 15


def at(second: int) -> datetime:
    return START + timedelta(seconds=second)


def seconds(moment: datetime) -> int:
    return int((moment - START).total_seconds())


@dataclass(frozen=True)
class Visit:
    """One true connection, and which of its reports got through."""

    identity: str
    session: str
    start: int
    end: int
    said_goodbye: bool
    hello_arrived: bool
    goodbye_arrived: bool


@st.composite
def histories(draw: st.DrawFn) -> list[Visit]:
    visits = []
    for number in range(draw(st.integers(1, 12))):
        start = draw(st.integers(0, NOW_S - 2))
        end = draw(st.integers(start + 1, NOW_S + 50))  # past the end: still there
        visits.append(
            Visit(
                identity=draw(st.sampled_from(["site:1", "site:2", "person:3"])),
                session=f"PA_{number}",
                start=start,
                end=end,
                said_goodbye=draw(st.booleans()),
                hello_arrived=draw(st.integers(0, 9)) > 0,
                goodbye_arrived=draw(st.integers(0, 9)) > 0,
            )
        )
    return visits


def evidence_of(visits: list[Visit], *, down: range = range(0)) -> list[Evidence]:
    """What webhooks and polls every 15 s tell; webhooks wait while we are down, polls do not."""
    told = []
    for visit in visits:
        base = Evidence(visit.identity, visit.session, Kind.SEEN, Source.POLL, at(0))
        polls = [
            second
            for second in range(0, NOW_S + 1, POLL_S)
            if visit.start <= second < visit.end and second not in down
        ]
        if visit.hello_arrived:
            told.append(replace(base, kind=Kind.JOINED, source=Source.WEBHOOK, at=at(visit.start)))
        elif polls:  # the list says when it joined
            told.append(replace(base, kind=Kind.JOINED, at=at(visit.start)))
        told += [replace(base, at=at(second)) for second in polls]
        if visit.end <= NOW_S and visit.said_goodbye and visit.goodbye_arrived:
            told.append(
                replace(
                    base, kind=Kind.LEFT, source=Source.WEBHOOK, at=at(visit.end),
                    reason="client_initiated",
                )
            )  # fmt: skip
        elif visit.end + POLL_S <= NOW_S and (visit.hello_arrived or polls):
            last = max([visit.start, *polls])
            told.append(replace(base, kind=Kind.LEFT, at=at(last), reason=LOST))
    return told


def second_by_second(evidence: list[Evidence]) -> dict[str, list[tuple[int, int | None]]]:
    """The same rule, naively: a row of booleans for each identity."""
    sessions = defaultdict(list)
    for one in evidence:
        sessions[one.identity, one.session].append(one)
    rows: dict[str, list[bool]] = defaultdict(lambda: [False] * (NOW_S + 200))
    for (identity, _), told in sessions.items():
        joined = [seconds(one.at) for one in told if one.kind is Kind.JOINED]
        first = min(joined) if joined else min(seconds(one.at) for one in told)
        last = max(seconds(one.at) for one in told)
        webhooks = [
            seconds(o.at) for o in told if o.kind is Kind.LEFT and o.source is not Source.POLL
        ]
        if webhooks:
            final = max(webhooks)
        elif NOW_S - last > FRESH_FOR.total_seconds() or any(
            one.kind is Kind.LEFT and seconds(one.at) == last for one in told
        ):
            final = last
        else:
            final = NOW_S + 100  # open: beyond everything
        for second in range(first, max(first, final) + 1):
            rows[identity][second] = True
    found: dict[str, list[tuple[int, int | None]]] = {}
    for identity, row in rows.items():
        runs: list[list[int]] = []
        for second, is_there in enumerate(row):
            if not is_there:
                continue
            if runs and second - runs[-1][1] <= MERGE_GAP.total_seconds():
                runs[-1][1] = second
            else:
                runs.append([second, second])
        found[identity] = [(a, None if b > NOW_S + 60 else b) for a, b in runs]
    return found


def derived(evidence: list[Evidence]) -> dict[str, list[tuple[int, int | None]]]:
    return {
        identity: [
            (seconds(one.start), None if one.end is None else seconds(one.end)) for one in intervals
        ]
        for identity, intervals in derive(evidence, now=at(NOW_S)).items()
    }


@settings(max_examples=400)
@given(histories())
def test_intervals_are_those_of_looking_at_every_second(visits: list[Visit]) -> None:
    evidence = evidence_of(visits)
    assert derived(evidence) == second_by_second(evidence)


@given(histories(), st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing(visits: list[Visit], chance: random.Random) -> None:
    evidence = evidence_of(visits)
    shuffled = evidence + [one for one in evidence if chance.random() < 0.5]
    chance.shuffle(shuffled)
    assert derive(shuffled, now=at(NOW_S)) == derive(evidence, now=at(NOW_S))


@given(histories(), st.integers(0, NOW_S))
def test_intervals_are_disjoint_ascending_and_inside_the_meeting(
    visits: list[Visit], end: int
) -> None:
    for intervals in derive(evidence_of(visits), now=at(NOW_S), ended_at=at(end)).values():
        for one in intervals:
            assert one.end is not None
            assert one.start <= one.end <= at(end)
        for earlier, later in itertools.pairwise(intervals):
            assert earlier.end is not None
            assert later.start - earlier.end > MERGE_GAP


@given(histories())
def test_an_end_is_wrong_by_at_most_one_poll_and_a_start_by_nothing(visits: list[Visit]) -> None:
    evidence = evidence_of(visits)
    for visit in visits:
        own = [one for one in evidence if one.session == visit.session]
        found = derive(own, now=at(NOW_S)).get(visit.identity)
        if found is None:
            assert not visit.hello_arrived  # it was shorter than a poll and never heard of
            continue
        assert len(found) == 1
        was_seen = any(one.kind is not Kind.LEFT for one in own)
        # shorter than a poll, and only its goodbye was heard: then that is all that is known
        assert seconds(found[0].start) == (visit.start if was_seen else visit.end)
        if found[0].end is not None:
            assert visit.end - POLL_S <= seconds(found[0].end) <= visit.end


@given(histories(), st.integers(0, NOW_S - 60))
def test_a_minute_without_us_loses_no_interval(visits: list[Visit], away_from: int) -> None:
    """Webhooks are repeated until we are back; only the polls of that minute are missing."""
    heard = [replace(visit, hello_arrived=True, goodbye_arrived=True) for visit in visits]
    whole = derive(evidence_of(heard), now=at(NOW_S))
    missing = derive(evidence_of(heard, down=range(away_from, away_from + 60)), now=at(NOW_S))
    assert missing.keys() == whole.keys()
    for identity, intervals in whole.items():
        covered = sum((one.length(at(NOW_S)) for one in intervals), timedelta())
        found = sum((one.length(at(NOW_S)) for one in missing[identity]), timedelta())
        assert abs(covered - found) <= timedelta(seconds=60 + POLL_S + 30) * len(heard)
        clean = [visit for visit in heard if visit.identity == identity and visit.said_goodbye]
        for visit in clean:
            stop = min(visit.end, NOW_S)
            assert any(
                one.start <= at(visit.start) and (one.end is None or one.end >= at(stop))
                for one in missing[identity]
            )


@given(histories(), st.integers(-300, 300), st.data())
def test_a_step_of_the_clock_makes_no_interval_negative(
    visits: list[Visit], step: int, data: st.DataObject
) -> None:
    evidence = evidence_of(visits)
    stepped = [
        replace(one, at=one.at + timedelta(seconds=step)) if data.draw(st.booleans()) else one
        for one in evidence
    ]
    for intervals in derive(stepped, now=at(NOW_S)).values():
        for one in intervals:
            assert one.length(at(NOW_S)) >= timedelta()
        starts = [one.start for one in intervals]
        assert starts == sorted(starts)


@given(histories())
def test_presence_of_two_devices_is_not_counted_twice(visits: list[Visit]) -> None:
    one_person = [replace(visit, identity="site:1") for visit in visits]
    intervals = derive(evidence_of(one_person), now=at(NOW_S)).get("site:1", [])
    total = sum((one.length(at(NOW_S)) for one in intervals), timedelta())
    assert total <= timedelta(seconds=NOW_S)


@given(histories())
def test_union_of_a_union_is_itself(visits: list[Visit]) -> None:
    for intervals in derive(evidence_of(visits), now=at(NOW_S)).values():
        assert [(o.start, o.end) for o in union(intervals, MERGE_GAP)] == [
            (o.start, o.end) for o in intervals
        ]
