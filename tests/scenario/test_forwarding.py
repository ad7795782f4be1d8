"""Publisher, node and subscriber over lossy lines, in virtual time.

What a subscriber must never see, whatever is lost, reordered, paused or switched: a gap in the
sequence that retransmission does not close, a packet twice, a picture number out of turn, time
that runs backwards, a picture of a new layer that does not begin with a keyframe.
"""

from collections.abc import Callable
from itertools import dropwhile, pairwise
from random import Random

import pytest

from media.core.codecs import Codec
from media.core.extensions import MID, REPAIRED_RTP_STREAM_ID, RTP_STREAM_ID
from media.core.forward import DownTrack
from media.core.peer import MediaPeer
from media.core.sequence import unwrap
from media.core.simulcast import Quality
from media.core.track import UpTrack
from tests.support.endpoints import (
    FRAME_INTERVAL_S,
    MID_ID,
    REPAIRED_ID,
    RID_ID,
    RTX_TYPE,
    VP8_TYPE,
    Encoding,
    Publisher,
    Received,
    Subscriber,
)
from tests.support.line import Line

STEP_S = 0.002
PUBLISHER_IDS = {MID: MID_ID, RTP_STREAM_ID: RID_ID, REPAIRED_RTP_STREAM_ID: REPAIRED_ID}


class Link:
    """One subscriber with its lines to and from the node."""

    def __init__(self, seed: int, number: int, up_track: UpTrack, loss: float) -> None:
        self.down = DownTrack(
            ssrc=7000 + number,
            payload_type=120,
            rtx_ssrc=8000 + number,
            rtx_payload_type=121,
            extension_ids={MID: 5},
            mid=str(number),
            cname="publisher",
            first_seq=65000,
            sink=self,
        )
        self.peer = MediaPeer(local_ssrc=50 + number)
        self.peer.add_down_track(self.down)
        self.subscriber = Subscriber(ssrc=self.down.ssrc, rtx_ssrc=self.down.rtx_ssrc)
        self.to_subscriber = Line(seed + number, loss=loss, reorder=loss / 2, duplicate=loss / 5)
        self.to_node = Line(seed + 100 + number, loss=loss)
        self.reports_to_subscriber = Line(seed + 200 + number)
        up_track.attach(self.down)

    def step(self, now_s: float) -> None:
        for data in self.to_node.arrivals(now_s):
            for resent in self.peer.handle_rtcp(data, now_s):
                self.to_subscriber.send(resent, now_s)
        if now_s >= self.peer.next_poll_s:
            for data in self.peer.poll(now_s):
                self.reports_to_subscriber.send(data, now_s)
        for data in self.to_subscriber.arrivals(now_s):
            self.subscriber.handle_rtp(data, now_s)
        for data in self.reports_to_subscriber.arrivals(now_s):
            self.subscriber.handle_rtcp(data)
        for data in self.subscriber.poll(now_s):
            self.to_node.send(data, now_s)


class World:
    """A publisher with three layers, a node, subscribers."""

    def __init__(self, seed: int, *, loss: float = 0.0, subscribers: int = 1) -> None:
        random = Random(seed)
        self.now_s = 0.0
        self.publisher = Publisher(
            [
                Encoding(
                    rid=rid,
                    index=index,
                    packets_per_frame=packets,
                    ssrc=10 + index,
                    seq=65400 + random.randrange(136),
                    timestamp_base=random.randrange(2**32),
                    picture_id=random.randrange(2**15),
                    tl0=random.randrange(256),
                )
                for index, (rid, packets) in enumerate((("q", 1), ("h", 3), ("f", 7)))
            ]
        )
        self.to_node = Line(seed + 1, loss=loss, reorder=loss / 2, duplicate=loss / 5)
        self.to_publisher = Line(seed + 2, loss=loss)
        self.reports_to_node = Line(seed + 3)
        self.peer = MediaPeer(local_ssrc=1)
        self.track = UpTrack(
            codec=Codec("video/vp8", VP8_TYPE, 90000, rtx_payload_type=RTX_TYPE),
            extension_ids=PUBLISHER_IDS,
        )
        self.peer.set_up_track("1", self.track)
        self.links = [Link(seed, number, self.track, loss) for number in range(subscribers)]
        self.sends = True

    def run(self, duration_s: float, until: Callable[[], bool] | None = None) -> None:
        end_s = self.now_s + duration_s
        while self.now_s < end_s and not (until is not None and until()):
            self._step()
            self.now_s += STEP_S

    def _step(self) -> None:
        self._publish()
        self._forward()
        for link in self.links:
            link.step(self.now_s)

    def _publish(self) -> None:
        if self.sends:
            media, reports = self.publisher.poll(self.now_s)
            for data in media:
                self.to_node.send(data, self.now_s)
            for data in reports:
                self.reports_to_node.send(data, self.now_s)
        for data in self.to_publisher.arrivals(self.now_s):
            for resent in self.publisher.handle_rtcp(data):
                self.to_node.send(resent, self.now_s)

    def _forward(self) -> None:
        now_s = self.now_s
        for data in self.to_node.arrivals(now_s):
            for down, packet in self.peer.handle_rtp(data, now_s):
                down.sink.to_subscriber.send(packet, now_s)
        for data in self.reports_to_node.arrivals(now_s):
            assert self.peer.handle_rtcp(data, now_s) == []
        if now_s >= self.peer.next_poll_s:
            for data in self.peer.poll(now_s):
                self.to_publisher.send(data, now_s)

    def drain(self) -> None:
        """Stop sending pictures, let repairs finish on lines that lose nothing more."""
        self.sends = False
        for line in (self.to_node, self.to_publisher):
            line.loss = 0.0
        for link in self.links:
            link.to_subscriber.loss = link.to_node.loss = 0.0
        self.run(1.5)


def assert_whole(subscriber: Subscriber) -> list[list[Received]]:
    """Judge everything a subscriber got; its pictures in order."""
    # Of a first packet that is lost nobody knows; a browser would ask for another keyframe.
    packets = list(
        dropwhile(lambda packet: not packet.descriptor.starts_keyframe, subscriber.in_order())
    )
    assert packets, "nothing arrived"
    for before, after in pairwise(packets):
        assert after.ext_seq == before.ext_seq + 1, "a gap was left"
    pictures: list[list[Received]] = []
    for packet in packets:
        if not pictures or pictures[-1][-1].marker or pictures[-1][0].timestamp != packet.timestamp:
            pictures.append([])
        pictures[-1].append(packet)
    for before, after in pairwise(pictures):
        assert_follows(before, after)
    for picture in pictures[:-1]:
        assert [packet.index for packet in picture] == list(range(len(picture)))
    return pictures


def assert_follows(before: list[Received], after: list[Received]) -> None:
    first, last = after[0], before[0]
    assert unwrap(first.timestamp - last.timestamp, 0, 32) > 0, "time ran backwards"
    assert first.descriptor.picture_id is not None
    assert last.descriptor.picture_id is not None
    assert first.descriptor.picture_id == last.descriptor.picture_id + 1 & 0x7FFF
    assert first.descriptor.tl0_picture_index is not None
    assert last.descriptor.tl0_picture_index is not None
    assert first.descriptor.tl0_picture_index == last.descriptor.tl0_picture_index + 1 & 0xFF
    changed = first.layer != last.layer or first.frame != last.frame + 1
    assert first.descriptor.starts_keyframe or not changed, "a run without a keyframe"


def assert_in_time(pictures: list[list[Received]], tolerance_s: float) -> None:
    """The outgoing clock is that of the publisher's pictures, whichever layer they came from."""
    start = pictures[0][0]
    for picture in pictures:
        elapsed_s = unwrap(picture[0].timestamp - start.timestamp, 0, 32) / 90000
        assert elapsed_s == pytest.approx(
            (picture[0].frame - start.frame) * FRAME_INTERVAL_S, abs=tolerance_s
        )


@pytest.mark.parametrize("seed", range(3))
def test_every_picture_arrives_whole_at_five_percent_loss(seed: int) -> None:
    world = World(seed * 1000, loss=0.05, subscribers=2)
    world.run(8.0)
    world.drain()
    for link in world.links:
        pictures = assert_whole(link.subscriber)
        high = [picture for picture in pictures if picture[0].layer == 2]
        assert len(high) > 7.0 / FRAME_INTERVAL_S
        for picture, after in pairwise(pictures):  # only a switch may cut a picture short
            assert len(picture) == picture[0].count or picture[0].layer != after[0].layer
        assert link.to_subscriber.lost > 50, "the line was meant to lose packets"
        assert link.down.stats.packets_resent >= link.to_subscriber.lost / 2


@pytest.mark.parametrize("loss", [0.0, 0.05, 0.15])
@pytest.mark.parametrize("seed", range(4))
def test_switches_and_pauses_leave_no_gap_across_the_wrap(loss: float, seed: int) -> None:
    world = World(seed, loss=loss)
    (link,) = world.links
    random = Random(seed)
    for _ in range(30):
        link.down.set_wanted(random.choice((None, Quality.LOW, Quality.MEDIUM, Quality.HIGH)))
        world.run(random.uniform(0.02, 0.8))
    link.down.set_wanted(Quality.HIGH)
    world.run(3.0)
    world.drain()
    pictures = assert_whole(link.subscriber)
    # A keyframe that had to be repaired comes after younger pictures of the layer it replaces.
    assert_in_time(pictures, 4 * loss + 0.005)
    assert {picture[0].layer for picture in pictures} == {0, 1, 2}
    assert pictures[-1][0].layer == 2 or loss > 0.1, "heavy loss may end with smaller pictures"
    assert link.subscriber.stream.highest > 2**16 + 65536, "the outgoing sequence was meant to wrap"


def test_the_old_layer_goes_on_until_the_new_keyframe_comes() -> None:
    world = World(5)
    (link,) = world.links
    world.run(2.0)
    link.down.set_wanted(Quality.LOW)
    world.run(2.0)
    world.drain()
    stamps = [picture[0].timestamp for picture in assert_whole(link.subscriber)]
    # After the start, when better layers come in, no frame may be missing or doubled in time.
    gaps = [unwrap(after - before, 0, 32) / 90000 for before, after in pairwise(stamps[5:])]
    assert max(gaps) < 1.5 * FRAME_INTERVAL_S
    assert min(gaps) > 0.5 * FRAME_INTERVAL_S


def test_a_stopped_layer_is_left_and_returned_to() -> None:
    world = World(6)
    (link,) = world.links
    world.run(1.0)
    high = world.publisher.encodings[2]
    high.is_active = False
    world.run(3.0)
    assert link.down.layer is not None
    assert link.down.layer.quality is Quality.MEDIUM
    high.is_active = True
    world.run(2.0)
    world.drain()
    pictures = assert_whole(link.subscriber)
    assert pictures[-1][0].layer == 2


def test_keyframe_requests_are_throttled_and_repeated_until_answered() -> None:
    world = World(8)
    (link,) = world.links
    world.run(2.0)
    answered = world.publisher.plis
    for _ in range(200):
        link.down.request_keyframe()
        world.run(STEP_S)
    world.run(1.0)
    assert 1 <= world.publisher.plis - answered <= 2
    world.to_publisher.loss = 1.0
    link.down.request_keyframe()
    world.run(1.2)
    keyframes = world.publisher.keyframes
    world.to_publisher.loss = 0.0
    world.run(1.0, until=lambda: world.publisher.keyframes > keyframes)
    assert world.publisher.keyframes == keyframes + 1


def test_sender_reports_keep_the_publishers_clock_through_a_switch() -> None:
    world = World(9)
    (link,) = world.links
    for quality in (Quality.HIGH, Quality.LOW, Quality.MEDIUM):
        link.down.set_wanted(quality)
        world.run(6.5)
    reports = link.subscriber.reports
    assert len(reports) >= 5
    for before, after in pairwise(reports):
        elapsed_s = (after.ntp - before.ntp) / 2**32
        elapsed_rtp = unwrap(after.timestamp - before.timestamp, 0, 32)
        assert elapsed_rtp / 90000 == pytest.approx(elapsed_s, abs=0.005)


def test_a_late_subscriber_begins_with_a_keyframe_at_once() -> None:
    world = World(10)
    world.run(3.0)
    late = Link(77, 5, world.track, 0.0)
    world.links.append(late)
    joined_s = world.now_s
    world.run(1.0)
    assert late.subscriber.first_s is not None
    assert late.subscriber.first_s - joined_s < 0.6
    world.drain()
    assert_whole(late.subscriber)
    assert_whole(world.links[0].subscriber)


def test_a_narrow_line_gets_smaller_pictures_and_the_others_do_not() -> None:
    world = World(11, subscribers=3)
    narrow, *others = world.links
    world.run(3.0)
    assert narrow.down.layer is not None
    assert narrow.down.layer.quality is Quality.HIGH
    narrow.to_subscriber.rate_bps = 60_000  # the layers take about 30, 90 and 200 kb/s
    world.run(5.0)
    assert narrow.down.layer.quality is Quality.LOW
    lost = narrow.to_subscriber.lost
    world.run(4.0)
    assert narrow.to_subscriber.lost == lost, "the small layer fits"
    narrow.to_subscriber.rate_bps = None
    world.run(30.0, until=lambda: narrow.down.layer.quality is Quality.HIGH)
    assert narrow.down.layer.quality is Quality.HIGH
    assert narrow.down.limit is None
    assert narrow.down.wanted is Quality.HIGH
    world.drain()
    for link in others:
        pictures = assert_whole(link.subscriber)
        assert link.to_subscriber.lost == 0
        assert all(picture[0].layer == 2 for picture in pictures[30:])


def test_a_line_that_stays_narrow_is_tried_less_and_less() -> None:
    world = World(12)
    (link,) = world.links
    world.run(2.0)
    link.to_subscriber.rate_bps = 60_000
    high_s = 0.0
    for _ in range(400):
        world.run(0.25)
        if link.down.layer is not None and link.down.layer.quality is not Quality.LOW:
            high_s += 0.25
    assert 0 < high_s < 25, "steps up are tried, but most of the time the line is left in peace"
