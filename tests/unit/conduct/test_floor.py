"""The rules of the floor."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.conduct.floor import (
    WITH_FLOOR,
    WITHOUT_FLOOR,
    Hand,
    move,
    place_of,
    protocol_order,
    queue,
    sources,
)
from conference.scheduling.models import RoomPreset

T0 = datetime(2026, 12, 10, 1, 0, tzinfo=UTC)


def hand(number: int, *, order: int = 0, position: int | None = None, after_s: int = 0) -> Hand:
    return Hand(number, f"site:{number}", T0 + timedelta(seconds=after_s), order, position)


hands = st.lists(
    st.builds(
        hand,
        st.integers(1, 30),
        order=st.integers(0, 5),
        position=st.none() | st.integers(0, 9),
        after_s=st.integers(0, 9),
    ),
    unique_by=lambda one: one.identity,
)


def test_protocol_order_comes_before_the_time_of_asking() -> None:
    late_leader = hand(1, order=1, after_s=60)
    early_commune = hand(2, order=5)
    assert queue([early_commune, late_leader]) == [late_leader, early_commune]


def test_among_equals_the_first_to_ask_is_the_first_to_speak() -> None:
    assert [one.request_id for one in queue([hand(1, after_s=9), hand(2, after_s=3)])] == [2, 1]


def test_a_place_given_by_hand_comes_before_every_rule() -> None:
    moved = hand(9, order=99, position=0)
    assert queue([hand(1, order=1), moved])[0] == moved


@given(hands, st.integers(-3, 40))
def test_moving_changes_one_place_and_loses_nobody(waiting: list[Hand], position: int) -> None:
    before = queue(waiting)
    for one in waiting:
        after = move(waiting, one.identity, position)
        assert sorted(h.identity for h in after) == sorted(h.identity for h in before)
        assert after[min(max(position, 0), len(after) - 1)] == one
        rest = [h for h in after if h != one]
        assert rest == [h for h in before if h != one]


@given(hands)
def test_moving_somebody_who_does_not_wait_changes_nothing(waiting: list[Hand]) -> None:
    assert move(waiting, "person:1", 0) == queue(waiting)


@given(hands)
def test_places_told_to_people_count_from_one(waiting: list[Hand]) -> None:
    places = [place_of(waiting, one.identity) for one in queue(waiting)]
    assert places == list(range(1, len(waiting) + 1))


@pytest.mark.parametrize(
    ("preset", "is_conducting", "has_floor", "expected"),
    [
        (RoomPreset.CONFERENCE, False, False, WITHOUT_FLOOR),
        (RoomPreset.CONFERENCE, False, True, WITH_FLOOR),
        (RoomPreset.CONFERENCE, True, False, None),
        (RoomPreset.DISCUSSION, False, False, None),
        (RoomPreset.DISCUSSION, True, True, None),
    ],
)
def test_only_a_conference_locks_microphones(
    preset: RoomPreset, is_conducting: bool, has_floor: bool, expected: tuple[str, ...] | None
) -> None:
    assert sources(preset, is_conducting=is_conducting, has_floor=has_floor) == expected


def test_leaders_come_before_sites_and_sites_before_everybody_else() -> None:
    scale = [
        protocol_order(person_rank=10),
        protocol_order(site_position=0),
        protocol_order(site_position=133),
        protocol_order(person_rank=1000),
    ]
    assert scale == sorted(scale)
    assert len(set(scale)) == len(scale)
