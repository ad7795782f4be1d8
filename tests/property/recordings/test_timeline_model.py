"""The timeline against a naive model that asks, frame by frame, who is there."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from recordings.compose.intervals import Interval, subtract, union
from recordings.compose.pieces import Piece, Session
from recordings.compose.plan import lanes_of
from recordings.compose.timeline import FPS, Conduct, Floor, Sound, build
from recordings.journal import SessionStarted, SessionStopped

T0 = 1_000_000.0
seconds = st.integers(0, 40)


@st.composite
def spans(draw: st.DrawFn, most: int = 4) -> list[Interval]:
    edges = draw(st.lists(st.tuples(seconds, seconds), max_size=most))
    return [Interval(float(min(pair)), float(max(pair))) for pair in edges]


@given(a=spans(8), b=spans(8))
def test_interval_algebra_agrees_with_sets_of_seconds(a: list[Interval], b: list[Interval]) -> None:
    def marks(spans: list[Interval]) -> set[int]:
        return {s for one in spans for s in range(int(one.from_s), int(one.to_s))}

    for result, expected in (
        (union(a), marks(a)),
        (subtract(a, b), marks(a) - marks(b)),
    ):
        assert marks(result) == expected
        assert all(one.to_s > one.from_s for one in result)
        assert all(x.to_s <= y.from_s for x, y in pairwise(result))


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Session], dict[str, list[Piece]], Conduct]:
    sessions, pieces = [], {}
    at = 0
    for number in range(draw(st.integers(1, 3))):
        at += draw(st.integers(0, 5))
        length = draw(st.integers(1, 15))
        folder = f"sessions/{number + 1:04d}"
        found = []
        for index in range(draw(st.integers(0 if number else 1, 4))):
            begins = draw(st.integers(0, length - 1))
            lasts = draw(st.integers(1, length - begins))
            source = draw(st.sampled_from(["camera", "camera", "microphone", "screen_share"]))
            identity = draw(st.sampled_from("ABC"))
            starts = T0 + at + begins
            whole = Interval(starts, starts + lasts)
            found.append(
                Piece(f"{folder}/{index}", identity, identity, source, starts, lasts, (whole,))
            )
        pieces[folder] = found
        # a crash loses the goodbye: half of the sessions end with their last evidence
        entries = [SessionStarted(T0 + at, "r", "w")]
        if draw(st.booleans()):
            entries.append(SessionStopped(T0 + at + length, "x"))
        sessions.append(Session(folder, entries))
        at += length
    floors, edge = [], 0
    for _ in range(draw(st.integers(0, 3))):
        begins = edge + draw(st.integers(0, 8))
        edge = begins + draw(st.integers(1, 8))
        identity = draw(st.sampled_from("ABCD"))
        floors.append(Floor(identity, identity, T0 + begins, T0 + edge))
    return sessions, pieces, Conduct("Họp", tuple(floors))


@given(histories())
def test_every_frame_shows_what_a_second_by_second_model_says(
    history: tuple[list[Session], dict[str, list[Piece]], Conduct],
) -> None:
    sessions, pieces, conduct = history
    timeline = build(sessions, pieces, conduct)
    assert timeline is not None
    everything = [piece for found in pieces.values() for piece in found]
    assert [scene.from_frame for scene in timeline.scenes[1:]] == [
        scene.to_frame for scene in timeline.scenes[:-1]
    ]
    assert (timeline.scenes[0].from_frame, timeline.scenes[-1].to_frame) == (0, timeline.frames)

    for second in range(int(timeline.duration_s)):
        now = timeline.starts_s + second + 0.5
        frame = second * FPS + FPS // 2
        scene = next(s for s in timeline.scenes if s.from_frame <= frame < s.to_frame)
        in_gap = any(gap.from_s <= second + 0.5 < gap.to_s for gap in timeline.gaps)
        assert scene.is_gap == in_gap
        present = [p for p in everything if p.starts_s <= now < p.ends_s]
        if in_gap:
            assert present == []
            continue
        cameras = {p.identity for p in present if p.source == "camera"}
        screens = {p.identity for p in present if p.source == "screen_share"}
        holder = next((f.identity for f in conduct.floors if f.from_s <= now < f.to_s), None)
        shown = {tile.identity for tile in (scene.large, *scene.tiles) if tile is not None}
        if screens:
            assert scene.large is not None
            assert scene.large.piece is not None
            assert scene.large.piece.source == "screen_share"
        elif holder is not None:
            assert scene.large is not None
            assert scene.large.identity == holder
        assert cameras <= shown
        assert shown <= cameras | screens | ({holder} if holder else set())


@given(st.lists(st.tuples(seconds, st.integers(1, 9)), max_size=20))
def test_sounds_in_one_lane_never_overlap_and_lanes_are_as_few_as_can_be(
    edges: list[tuple[int, int]],
) -> None:
    piece = Piece("p", "A", "A", "microphone", T0, 1, ())
    sounds = [Sound(piece, float(at), float(at + length), 0.0) for at, length in edges]
    lanes = lanes_of(sounds)
    assert sorted(map(id, sounds)) == sorted(id(sound) for lane in lanes for sound in lane)
    for lane in lanes:
        assert all(a.to_s <= b.from_s for a, b in pairwise(lane))
    most = max((sum(s.from_s <= t < s.to_s for s in sounds) for t in range(60)), default=0)
    assert len(lanes) == most
