"""Floors and agenda out of log entries."""

from datetime import UTC, datetime, timedelta

from conference.conduct.models import LogEntry
from recordings.compose.timeline import AgendaPoint, Floor, VoteMark
from recordings.meeting_log import conduct_of

T0 = datetime(2026, 12, 10, 1, tzinfo=UTC)
S0 = T0.timestamp()


def entry(at_s: float, kind: str, identity: str = "", subject: str = "") -> LogEntry:
    return LogEntry(
        meeting_id=1, at=T0 + timedelta(seconds=at_s), kind=kind, identity=identity,
        subject=subject,
    )  # fmt: skip


def floors(*entries: LogEntry) -> list[tuple[str, float, float]]:
    conduct = conduct_of("Họp", entries)
    return [(floor.identity, floor.from_s - S0, floor.to_s - S0) for floor in conduct.floors]


def test_a_floor_lasts_until_it_is_ended() -> None:
    assert floors(entry(5, "floor_given", "A", "Ông A"), entry(9, "floor_ended", "A")) == [
        ("A", 5, 9)
    ]


def test_giving_the_floor_to_another_ends_it() -> None:
    given = [entry(5, "floor_given", "A"), entry(9, "floor_given", "B")]
    assert floors(*given, entry(12, "meeting_ended")) == [("A", 5, 9), ("B", 9, 12)]


def test_the_end_of_anothers_floor_ends_nothing() -> None:
    assert floors(entry(5, "floor_given", "A"), entry(9, "floor_ended", "B")) == [
        ("A", 5, float("inf"))
    ]


def test_names_and_agenda_are_taken_as_logged() -> None:
    conduct = conduct_of(
        "Họp",
        [entry(1, "agenda_selected", subject="Khai mạc"), entry(2, "floor_given", "A", "Ông A")],
    )
    assert conduct.title == "Họp"
    assert conduct.agenda == (AgendaPoint(S0 + 1, "Khai mạc"),)
    assert conduct.floors == (Floor("A", "Ông A", S0 + 2, float("inf")),)


def test_votes_are_taken_with_their_published_results() -> None:
    def of_vote(at_s: float, kind: str, **detail: int) -> LogEntry:
        made = entry(at_s, kind, subject="Thông qua")
        made.detail = {"vote_id": 7, **detail}
        return made

    published = of_vote(30, "vote_published", **{"for": 9, "against": 1, "abstain": 0})
    conduct = conduct_of("Họp", [of_vote(5, "vote_opened"), of_vote(20, "vote_closed"), published])
    result = "tán thành 9, không tán thành 1, không có ý kiến 0"
    assert conduct.votes == (VoteMark("Thông qua", S0 + 5, S0 + 20, result, S0 + 30),)
