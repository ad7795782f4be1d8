"""What a site behind a poor line hears and sees, with the node's real core in virtual time."""

import pytest

from media.core.codecs import Codec
from media.core.downlink import cap_of
from media.core.forward import DownTrack
from media.core.rtp import write_packet
from media.core.simulcast import Quality
from media.core.temporal import MAX_TEMPORAL_ID
from media.core.track import UpTrack
from tests.support.poor_lines import CASES, Case, World, judge, run_case


@pytest.mark.parametrize("seed", [1, 7, 13])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_sound_comes_in_time_and_the_picture_is_the_best_the_line_carries(
    case: Case, seed: int
) -> None:
    outcome = run_case(case, seed)
    assert outcome.audio_in_time >= case.audio_in_time
    assert outcome.longest_freeze_s <= case.longest_freeze_s
    assert outcome.recovery_s is not None, "the best possible layer is never shown"
    assert outcome.recovery_s <= case.recovery_s
    shown_s = sum(outcome.layer_s.values())
    if not case.changes:
        assert outcome.layer_s[int(case.best)] > 0.9 * shown_s, "it does not stay"
    assert outcome.switches <= (5 if not case.changes else 11), "the picture swings"


def shown_between(world: World, begin_s: float, end_s: float) -> tuple[set[int], float]:
    """Layers shown in that time, and pictures a second."""
    shown = [layer for at_s, layer in world.viewer.seen.shown if begin_s <= at_s < end_s]
    return set(shown), len(shown) / (end_s - begin_s)


def test_a_line_a_little_too_narrow_keeps_the_size_of_the_picture_at_half_the_rate() -> None:
    world = World(2, {"rate_bps": 4e6})
    world.run(15.0)
    assert shown_between(world, 10, 15) == ({Quality.HIGH}, pytest.approx(30, abs=1))
    world.down_line.rate_bps = 1.4e6
    world.run(40.0)
    layers, fps = shown_between(world, 20, 40)
    assert layers == {Quality.HIGH}, "a smaller picture is the second step"
    assert 13 < fps < 17
    assert world.viewer.seen.longest_freeze_s(10, 40) < 2
    assert world.viewer.heard.share_in_time(500, len(world.spoken) - 50) > 0.98
    world.down_line.rate_bps = 4e6
    world.run(55.0)
    assert shown_between(world, 50, 55) == ({Quality.HIGH}, pytest.approx(30, abs=1))


def test_a_screen_is_rather_shown_slowly_than_small() -> None:
    world = World(8, {"rate_bps": 4e6})
    world.picture.rank = (0, 0, 0)
    world.run(10.0)
    world.down_line.rate_bps = 1.1e6
    world.run(35.0)
    layers, fps = shown_between(world, 20, 35)
    assert layers == {Quality.HIGH}
    assert 6 < fps < 17


def test_a_publisher_without_temporal_layers_is_given_whole_layers() -> None:
    world = World(2, {"rate_bps": 1.4e6}, temporal_layers=1)
    world.run(30.0)
    assert world.picture.temporal_limit is None
    assert world.picture.layer is not None
    assert world.picture.layer.top == MAX_TEMPORAL_ID
    assert shown_between(world, 20, 30) == ({Quality.MEDIUM}, pytest.approx(30, abs=1))


def test_a_line_for_sound_only_gets_sound_and_the_picture_returns_with_the_line() -> None:
    world = World(3, {"rate_bps": 2e6})
    world.run(10.0)
    assert not world.picture.is_withheld
    world.down_line.rate_bps = 90_000
    world.run(20.0)
    assert world.picture.is_withheld
    first = len(world.spoken)
    world.run(40.0)
    heard = world.viewer.heard
    assert heard.share_in_time(first, len(world.spoken) - 50) > 0.98
    world.down_line.rate_bps = 2e6
    world.run(55.0)
    assert not world.picture.is_withheld
    assert world.viewer.seen.shown[-1] == (pytest.approx(55.0, abs=0.2), Quality.HIGH)


def test_speech_gets_through_a_line_of_64_kbit_s() -> None:
    world = World(5, {"rate_bps": 64_000, "queue_s": 0.5})
    world.run(8.0)
    assert world.picture.is_withheld
    first = len(world.spoken)
    world.run(40.0)
    assert world.viewer.heard.share_in_time(first, len(world.spoken) - 50) > 0.98


def test_a_site_that_saves_stays_below_its_cap_on_any_line() -> None:
    world = World(6, {})
    world.to_site.downlink.set_cap(cap_of({"diemcau.max_kbps": "700"}))
    world.run(10.0)
    before = world.sent_bytes
    world.run(30.0)
    assert (world.sent_bytes - before) * 8 / 20 < 700_000
    assert {layer for at, layer in world.viewer.seen.shown if at > 10} == {Quality.MEDIUM}
    world.to_site.downlink.set_cap(cap_of({}))
    world.run(36.0)
    assert world.viewer.seen.shown[-1][1] == Quality.HIGH


@pytest.mark.parametrize("text", ["", "0", "-5", "7e3", "12345678", "²"])
def test_a_cap_nobody_can_mean_is_none_or_enough_for_speech(text: str) -> None:
    assert cap_of({"diemcau.max_kbps": text}) in {float("inf"), 64_000.0}


class Tile:
    """A further camera of one layer, whose packets the site only counts."""

    def __init__(self, world: World, number: int, rank: tuple[int, int, int], size: int) -> None:
        self.world = world
        self.size = size
        self.ssrc = 900 + number
        self.up = UpTrack(codec=Codec("video/vp8", 96, 90000), extension_ids={})
        self.up.add_ssrc(self.ssrc)
        world.from_speaker.set_up_track(f"tile {number}", self.up)
        self.down = DownTrack(
            ssrc=8000 + number, payload_type=96, extension_ids={}, cname=f"tile {number}"
        )
        self.down.rank = rank
        self.up.attach(self.down)
        world.to_site.add_down_track(self.down)
        self.sent = 0

    def send(self) -> None:
        """One frame in one packet; each could be started at."""
        data = write_packet(
            payload_type=96, seq=self.sent & 0xFFFF, timestamp=self.sent * 3000, ssrc=self.ssrc,
            marker=True, payload=b"\x10\x00" + bytes(self.size), extensions={},
        )  # fmt: skip
        self.sent += 1
        for _, packet in self.world.from_speaker.handle_rtp(data, self.world.now_s):
            self.world.send(packet)


def test_a_screen_comes_before_the_stage_and_the_stage_before_tiles() -> None:
    world = World(4, {"rate_bps": 1_100_000})
    world.viewer.ignores = range(8000, 8010)
    world.picture.rank = (1, 0, -1280 * 720)
    screen = Tile(world, 0, (0, 0, 0), 800)  # 200 kbit/s
    tiles = [Tile(world, number, (1, 0, -320 * 180), 500) for number in (1, 2)]  # 130 kbit/s
    small = Tile(world, 3, (1, 0, -160 * 90), 1000)  # 250 kbit/s
    for step in range(900):
        for tile in (screen, *tiles, small):
            tile.send()
        world.run((step + 1) / 30)
    given = world.picture.layer
    assert given is not None
    assert given.quality is Quality.LOW, "the stage stays small rather than taking tiles away"
    assert not screen.down.is_withheld
    world.down_line.rate_bps = 840_000
    for step in range(900, 1800):
        for tile in (screen, *tiles, small):
            tile.send()
        world.run((step + 1) / 30)
    withheld = [tile.down.is_withheld for tile in (screen, *tiles, small)]
    assert withheld == [False, False, False, True], "the least shown goes first"
    outcome = judge(world, Case("", {}, Quality.LOW))
    assert outcome.audio_in_time > 0.97
