"""Who is to be seen when, what is heard, what is missing."""

import pytest

from recordings.compose.intervals import Interval
from recordings.compose.pieces import Measure, Piece, Session, pieces_of, presence_of
from recordings.compose.timeline import (
    RESULT_S,
    TITLE_S,
    AgendaPoint,
    Conduct,
    Floor,
    Timeline,
    VoteMark,
    build,
)
from recordings.journal import (
    ClockRead,
    Entry,
    MediaLost,
    Muted,
    SessionStarted,
    SessionStopped,
    Speakers,
    TrackStarted,
)

T0 = 1_765_328_400.0


def started(at: float, file: str, identity: str, source: str = "camera") -> TrackStarted:
    codec = "opus" if source == "microphone" else "vp8"
    return TrackStarted(T0 + at, file, f"TR_{file}", identity, f"Tên {identity}", source, codec)


def session(*entries: Entry, folder: str = "sessions/0001", ends: float | None = 60) -> Session:
    end = [SessionStopped(T0 + ends, "stopped")] if ends is not None else []
    return Session(folder, [SessionStarted(T0, "r", "w"), *entries, *end])


def composed(one: Session, lengths: dict[str, float], conduct: Conduct | None = None) -> Timeline:
    measures = {f"{one.folder}/{file}": Measure(length) for file, length in lengths.items()}
    timeline = build([one], {one.folder: pieces_of(one, measures)}, conduct or Conduct())
    assert timeline is not None
    return timeline


def large_at(timeline: Timeline, at_s: float) -> str | None:
    frame = round(at_s * 25)
    scene = next(one for one in timeline.scenes if one.from_frame <= frame < one.to_frame)
    return scene.large.identity if scene.large else None


def tiles_at(timeline: Timeline, at_s: float) -> list[str]:
    frame = round(at_s * 25)
    scene = next(one for one in timeline.scenes if one.from_frame <= frame < one.to_frame)
    return [tile.identity for tile in scene.tiles]


TWO = (started(0, "a", "A"), started(0, "b", "B"))
SIXTY = {"a": 60.0, "b": 60.0}


def test_nothing_captured_makes_no_timeline() -> None:
    assert build([session()], {}, Conduct()) is None


def test_before_anybody_speaks_the_first_camera_is_large() -> None:
    timeline = composed(session(*TWO), SIXTY)
    assert len(timeline.scenes) == 1
    assert large_at(timeline, 30) == "A"
    assert tiles_at(timeline, 30) == ["B"]


def test_who_speaks_for_two_seconds_becomes_large_and_a_cough_does_not() -> None:
    talk = [Speakers(T0 + 10, ("B",)), Speakers(T0 + 11, ()), Speakers(T0 + 20, ("B", "A"))]
    timeline = composed(session(*TWO, *talk), SIXTY)
    assert large_at(timeline, 12) == "A"
    assert large_at(timeline, 21.9) == "A"
    assert large_at(timeline, 22.1) == "B"
    assert large_at(timeline, 59) == "B"
    assert tiles_at(timeline, 59) == ["A"]


def test_who_has_the_floor_is_large_whoever_makes_noise_and_with_or_without_a_picture() -> None:
    floors = (Floor("B", "Bà B", T0 + 10, T0 + 20), Floor("C", "Ông C", T0 + 30, T0 + 40))
    conduct = Conduct("Họp", floors)
    timeline = composed(session(*TWO, Speakers(T0 + 5, ("A",))), SIXTY, conduct)
    assert [large_at(timeline, at) for at in (9, 15, 25, 35, 45)] == ["A", "B", "A", "C", "A"]
    assert tiles_at(timeline, 35) == ["A", "B"]


def test_a_shared_screen_is_large_with_the_speaker_first_beside_it() -> None:
    share = started(10, "s", "A", "screen_share")
    timeline = composed(session(*TWO, Speakers(T0 + 2, ("B",)), share), SIXTY | {"s": 20.0})
    assert large_at(timeline, 9) == "B"
    assert large_at(timeline, 15) == "A"
    assert tiles_at(timeline, 15) == ["B", "A"]
    assert large_at(timeline, 31) == "B"


def test_a_muted_camera_leaves_the_stage() -> None:
    mutes = [Muted(T0 + 10, "TR_a", "A", True), Muted(T0 + 20, "TR_a", "A", False)]
    timeline = composed(session(*TWO, *mutes), SIXTY)
    assert [large_at(timeline, at) for at in (5, 15, 25)] == ["A", "B", "A"]
    assert tiles_at(timeline, 15) == []


def test_a_long_loss_leaves_the_stage_and_a_short_one_does_not() -> None:
    losses = [MediaLost(T0 + 16, "a", 10, 15, "loss"), MediaLost(T0 + 32, "a", 30, 31, "loss")]
    timeline = composed(session(*TWO, *losses), SIXTY)
    assert [large_at(timeline, at) for at in (12, 30.5)] == ["B", "A"]


def test_a_crash_leaves_a_gap_until_the_next_sessions_first_media() -> None:
    first = session(*TWO, ends=None)
    second = Session(
        "sessions/0002",
        [
            SessionStarted(T0 + 38, "r", "w2"),
            started(39, "c", "A"),
            SessionStopped(T0 + 60, "stopped"),
        ],
    )
    measures = {
        "sessions/0001/a": Measure(30.0),
        "sessions/0001/b": Measure(29.0),
        "sessions/0002/c": Measure(21.0),
    }
    both = {one.folder: pieces_of(one, measures) for one in (first, second)}
    timeline = build([first, second], both, Conduct())
    assert timeline is not None
    assert [(gap.from_s, gap.to_s) for gap in timeline.gaps] == [(30, 39)]
    assert [scene.is_gap for scene in timeline.scenes] == [False, False, True, False]
    assert [chapter.title for chapter in timeline.chapters] == ["Bắt đầu ghi", "Gián đoạn 9 giây"]
    assert timeline.duration_s == 60


def test_a_room_where_nobody_sends_anything_is_no_gap() -> None:
    timeline = composed(session(started(0, "a", "A")), {"a": 10.0})
    assert timeline.gaps == ()
    assert timeline.duration_s == 60
    assert timeline.scenes[-1].large is None
    assert not timeline.scenes[-1].is_gap


def test_chapters_are_agenda_floors_and_gaps_in_order_of_time() -> None:
    conduct = Conduct(
        "Họp",
        (Floor("A", "Ông A", T0 - 5, T0 + 9), Floor("B", "Bà B", T0 + 20, float("inf"))),
        (AgendaPoint(T0 - 9, "Khai mạc"), AgendaPoint(T0 + 19, "Thảo luận")),
    )
    chapters = composed(session(*TWO), SIXTY, conduct).chapters
    assert [(c.at_s, c.title, c.identity) for c in chapters] == [
        (0.0, "Phát biểu: Ông A", "A"),
        (19.0, "Nội dung: Thảo luận", ""),
        (20.0, "Phát biểu: Bà B", "B"),
    ]


def test_sounds_keep_their_place() -> None:
    sound = started(5, "m", "A", "microphone")
    (heard,) = composed(session(*TWO, sound), SIXTY | {"m": 100.0}).sounds
    assert (heard.from_s, heard.to_s, heard.skip_s) == (5, 105, 0)


def test_tracks_of_one_sender_are_aligned_by_its_own_clock() -> None:
    reads = [
        ClockRead(T0 + 9, "a", 4.0, 1004.0),
        ClockRead(T0 + 9, "a", 8.0, 1008.001),
        ClockRead(T0 + 9, "m", 4.0, 1003.7),
    ]
    camera, sound = started(0.5, "a", "A"), started(0.1, "m", "A", "microphone")
    one = session(camera, sound, *reads)
    measures = {"sessions/0001/a": Measure(10.0), "sessions/0001/m": Measure(10.0)}
    seen, heard = pieces_of(one, measures)
    assert seen.starts_s - heard.starts_s == pytest.approx(0.3, abs=0.001)
    assert heard.starts_s == pytest.approx(T0 + 0.1, abs=0.001)


def test_presence_of_a_crashed_session_ends_with_its_last_evidence() -> None:
    one = session(*TWO, ends=None)
    pieces = [Piece("p", "A", "A", "camera", T0 + 1, 20.0, ())]
    assert presence_of(one, pieces) == Interval(T0 + 1, T0 + 21)
    assert presence_of(Session("x", []), []) is None


def banner_at(timeline: Timeline, at_s: float) -> str:
    frame = round(at_s * 25)
    scene = next(one for one in timeline.scenes if one.from_frame <= frame < one.to_frame)
    return scene.banner


def test_the_title_a_question_and_its_result_stand_below_the_picture() -> None:
    vote = VoteMark("Thông qua", T0 + 20, T0 + 30, "tán thành 9", T0 + 40)
    timeline = composed(session(*TWO), SIXTY, Conduct("Họp", votes=(vote,)))
    assert banner_at(timeline, 1) == "Họp"
    assert banner_at(timeline, TITLE_S + 1) == ""
    assert banner_at(timeline, 25) == "Biểu quyết: Thông qua"
    assert banner_at(timeline, 35) == ""
    assert banner_at(timeline, 41) == "Kết quả: tán thành 9"
    assert banner_at(timeline, 41 + RESULT_S) == ""
    assert [(c.at_s, c.title) for c in timeline.chapters][1:] == [(20, "Biểu quyết: Thông qua")]


def test_a_vote_that_was_never_closed_or_published_still_makes_a_timeline() -> None:
    vote = VoteMark("Thông qua", T0 + 20, float("inf"))
    timeline = composed(session(*TWO), SIXTY, Conduct(votes=(vote,)))
    assert banner_at(timeline, 59) == "Biểu quyết: Thông qua"


def test_speeches_are_cut_to_what_was_recorded() -> None:
    floors = (Floor("A", "Ông A", T0 - 9, T0 + 5), Floor("B", "Bà B", T0 + 50, float("inf")))
    timeline = composed(session(*TWO), SIXTY, Conduct(floors=floors))
    assert [(s.identity, s.from_s, s.to_s) for s in timeline.speeches] == [
        ("A", 0, 5), ("B", 50, 60),
    ]  # fmt: skip
