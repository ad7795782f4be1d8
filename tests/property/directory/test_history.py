"""Unit history against a naive model: a map that says, for every day, who holds which parcel."""

from dataclasses import dataclass, field
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conference.directory.history import PARTS, History, Span, change_faults, day_before
from conference.directory.models import ChangeKind

START = date(2020, 1, 1)
UNITS = 6


@dataclass
class Country:
    """Parcels of land and who holds them from which day; and the same as rows and links."""

    spans: dict[int, Span] = field(default_factory=dict)
    links: list[tuple[int, int]] = field(default_factory=list)
    holder: dict[int, int] = field(default_factory=dict)
    """Parcel → unit now."""
    maps: list[tuple[date, dict[int, int]]] = field(default_factory=list)
    """The whole map from each day on."""

    def on(self, day: date) -> dict[int, int]:
        return [held for first, held in self.maps if first <= day][-1]

    def change(self, kind: ChangeKind, day: date, closing: list[int], opened: int) -> None:
        new = range(len(self.spans) + 1, len(self.spans) + 1 + opened)
        for unit in closing:
            old = self.spans[unit]
            self.spans[unit] = Span(unit, old.parent_id, old.first, day_before(day))
        for unit in new:
            self.spans[unit] = Span(unit, None, day, None)
        self.links += [(old, one) for old in closing for one in new]
        parcels = [parcel for parcel, unit in self.holder.items() if unit in closing]
        for place, parcel in enumerate(parcels):
            if opened:
                self.holder[parcel] = new[place % opened]
            else:
                del self.holder[parcel]
        self.maps.append((day, dict(self.holder)))


@st.composite
def countries(draw: st.DrawFn) -> Country:
    """A country of some units with twelve parcels each, and up to eight reforms."""
    country = Country()
    for unit in range(1, UNITS + 1):
        country.spans[unit] = Span(unit, None, START, None)
        country.holder |= {unit * 100 + parcel: unit for parcel in range(12)}
    country.maps.append((START, dict(country.holder)))
    day = START
    for _ in range(draw(st.integers(0, 8))):
        day += timedelta(days=draw(st.integers(1, 400)))
        alive = sorted(set(country.holder.values()))
        kind = draw(st.sampled_from(ChangeKind))
        before, after = PARTS[kind]
        if len(alive) < before.start:
            continue
        most = min(before.stop - 1, len(alive), 3)
        closing = draw(
            st.lists(st.sampled_from(alive), min_size=before.start, max_size=most, unique=True)
        )
        opened = draw(st.integers(after.start, min(after.stop - 1, 3)))
        rows = [country.spans[unit] for unit in closing]
        assert change_faults(kind, day, rows, opened) == []
        country.change(kind, day, closing, opened)
    return country


days = st.integers(0, 4000).map(lambda days: START + timedelta(days=days))


@given(countries(), days)
@settings(max_examples=60)
def test_exactly_the_units_that_hold_land_are_in_force(country: Country, day: date) -> None:
    history = History(country.spans.values(), country.links)
    in_force = {unit for unit in country.spans if history.holds_on(unit, day)}
    assert in_force == set(country.on(day).values())


@given(countries(), days, days)
@settings(max_examples=60)
def test_whoever_holds_a_units_land_later_is_among_its_heirs(
    country: Country, first: date, second: date
) -> None:
    earlier, later = sorted([first, second])
    history = History(country.spans.values(), country.links)
    for parcel, unit in country.on(earlier).items():
        heir = country.on(later).get(parcel)
        if heir is not None:
            assert heir in history.heirs_on(unit, later)
            assert unit in history.forerunners_on(heir, earlier)


@given(countries(), days, days)
@settings(max_examples=60)
def test_looking_forward_and_back_agree(country: Country, first: date, second: date) -> None:
    earlier, later = sorted([first, second])
    history = History(country.spans.values(), country.links)
    old = [unit for unit in country.spans if history.holds_on(unit, earlier)]
    new = [unit for unit in country.spans if history.holds_on(unit, later)]
    forward = {(one, heir) for one in old for heir in history.heirs_on(one, later)}
    back = {(one, heir) for heir in new for one in history.forerunners_on(heir, earlier)}
    assert forward == back


@given(countries(), days)
@settings(max_examples=60)
def test_the_main_line_leads_to_one_of_the_heirs_or_ends(country: Country, day: date) -> None:
    history = History(country.spans.values(), country.links)
    for unit, span in country.spans.items():
        found = history.main_line_on(unit, day)
        if span.holds_on(day):
            assert found == unit
        elif span.last is not None and span.last < day:
            heirs = history.heirs_on(unit, day)
            assert found in heirs or (found is None)
            if len(history.successors(unit)) == 1 and heirs:
                only = history.successors(unit)[0]
                assert found == history.main_line_on(only, day)
        elif found is not None:
            assert found in history.forerunners_on(unit, day)


@given(countries(), days)
@settings(max_examples=30)
def test_nobody_is_its_own_ancestor_in_the_tree_of_a_day(country: Country, day: date) -> None:
    # every unit placed below the one before it, whatever became of that
    spans = [
        Span(s.unit_id, s.unit_id - 1 or None, s.first, s.last) for s in country.spans.values()
    ]
    history = History(spans, country.links)
    for unit in country.spans:
        if history.holds_on(unit, day):
            parent = history.parent_on(unit, day)
            assert parent != unit
            assert parent is None or history.holds_on(parent, day)


def test_communes_of_an_abolished_district_stand_below_the_province() -> None:
    district_end = date(2025, 6, 30)
    spans = [Span(1, None, None, None), Span(2, 1, None, district_end), Span(3, 2, None, None)]
    history = History(spans, [])
    assert history.parent_on(3, district_end) == 2
    assert history.parent_on(3, date(2025, 7, 1)) == 1


def test_units_below_a_renamed_one_follow_it_in_both_directions() -> None:
    spans = [
        Span(1, None, None, date(2021, 12, 31)),
        Span(2, None, date(2022, 1, 1), None),
        Span(3, 1, None, None),
        Span(4, 2, None, None),
    ]
    history = History(spans, [(1, 2)])
    assert history.parent_on(3, date(2022, 1, 1)) == 2
    assert history.parent_on(4, date(2021, 12, 31)) == 1


@pytest.mark.parametrize(
    ("kind", "closing", "opened"),
    [
        (ChangeKind.RENAMED, 2, 1),
        (ChangeKind.MERGED, 1, 1),
        (ChangeKind.SPLIT, 1, 1),
        (ChangeKind.ABOLISHED, 1, 1),
        (ChangeKind.REARRANGED, 2, 1),
        (ChangeKind.MOVED, 1, 0),
    ],
)
def test_a_change_with_the_wrong_number_of_units_is_refused(
    kind: ChangeKind, closing: int, opened: int
) -> None:
    rows = [Span(unit, None, None, None) for unit in range(closing)]
    assert change_faults(kind, date(2026, 1, 1), rows, opened)


def test_a_unit_that_ended_or_has_not_begun_cannot_change() -> None:
    day = date(2026, 1, 1)
    ended = Span(1, None, None, date(2025, 12, 31))
    begins = Span(2, None, day, None)
    decided = Span(3, None, None, date(2027, 1, 1))
    for row in (ended, begins, decided):
        assert change_faults(ChangeKind.RENAMED, day, [row], 1)
