"""The week schedule against the calendar and against asking every pair."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from conference.week import paper, schedule
from conference.week.schedule import Line

MONDAY = date(2026, 12, 7)
START = datetime(2026, 12, 6, 17, tzinfo=UTC)  # Monday 0:00 in Vietnam


def line(number: int, minute: int, length: int, leader: str, room: str) -> Line:
    begins = START + timedelta(minutes=minute)
    ends = begins + timedelta(minutes=length)
    return Line(number, begins.isoformat(), ends.isoformat(), f"Họp {number}", room, (leader,),
                "intra", True)  # fmt: skip


LINES = st.lists(
    st.tuples(
        st.integers(0, 7 * 24 * 60 - 1), st.integers(1, 300), st.sampled_from("ABC"),
        st.sampled_from(["", "P1", "P2"]),
    ),
    max_size=14,
).map(lambda all_: [line(n, *one) for n, one in enumerate(all_)])  # fmt: skip


@given(LINES)
def test_every_meeting_stands_once_in_its_half_day(lines: list[Line]) -> None:
    days = schedule.days(MONDAY, lines)
    assert [day.day for day in days] == [MONDAY + timedelta(days=n) for n in range(7)]
    shown = [(d.day, h.name, r.line) for d in days for h in d.halves for r in h.rows]
    assert sorted(one.meeting_id for *_, one in shown) == [one.meeting_id for one in lines]
    for day, half, one in shown:
        local = one.begins + timedelta(hours=7)
        assert local.date() == day
        assert half == ("Sáng" if local.hour < 12 else "Chiều" if local.hour < 18 else "Tối")
    assert len(paper.rows_of(days)) == sum(day.height for day in days)


@given(LINES)
def test_clashes_are_those_of_every_pair(lines: list[Line]) -> None:
    wanted: dict[int, set[str]] = {}
    for a in lines:
        for b in lines:
            if a is not b and max(a.begins, b.begins) < min(a.ends, b.ends):
                shared = set(a.leaders) & set(b.leaders)
                shared |= {a.location} & {b.location} - {""}
                if shared:
                    wanted.setdefault(a.meeting_id, set()).update(shared)
    assert {key: set(names) for key, names in schedule.clashes_of(lines).items()} == wanted


@given(LINES)
def test_what_is_kept_is_what_was_published(lines: list[Line]) -> None:
    kept = schedule.from_stored(schedule.to_stored(lines))
    assert kept == lines
    assert schedule.changes(kept, lines) == 0
    assert schedule.changes([], lines) == len(lines)


@given(st.dates(date(2000, 1, 3), date(2100, 12, 20)))
def test_weeks_are_those_of_iso_8601(day: date) -> None:
    monday = schedule.monday_of(day)
    assert schedule.parse_week(schedule.week_text(monday)) == monday
    assert monday.weekday() == 0
    assert 0 <= (day - monday).days <= 6


@given(st.text(max_size=9))
def test_any_text_is_a_week_or_none(text: str) -> None:
    found = schedule.parse_week(text)
    assert found is None or schedule.week_text(found) == text


def test_the_title_counts_adjustments() -> None:
    assert schedule.title(MONDAY, 0) == "Tuần 50: từ ngày 07/12/2026 đến ngày 13/12/2026"
    assert schedule.title(MONDAY, 2).endswith("(Điều chỉnh lần 2)")
