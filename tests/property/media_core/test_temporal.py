"""Temporal layers that are left out are invisible in the numbers, and no picture lacks another.

The model knows what each picture needs; the subscriber's packets are taken apart and compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st

from media.core.codecs import Codec
from media.core.forward import DownTrack
from media.core.rtp import RtpHeader
from media.core.simulcast import Quality
from media.core.temporal import FrameRates
from media.core.track import UpTrack
from media.core.vp8 import Vp8Descriptor
from tests.support.packets import rtp_packet

VP8 = Codec("video/vp8", 96, 90000, rtx_payload_type=97)
VP9 = Codec("video/vp9", 98, 90000)
PATTERN = (
    (0, False),
    (2, True),
    (1, True),
    (2, False),
    (0, False),
    (2, False),
    (1, False),
    (2, False),
)
"""Temporal id and sync bit, as libwebrtc's encoder repeats them."""
FIRST_SEQ = 65500


@dataclass
class Picture:
    """One picture of the model."""

    name: int
    temporal_id: int
    is_key: bool
    tl0: int
    needs: list[int]


@dataclass
class Publisher:
    """One layer: makes pictures, each of some packets, and knows what they need."""

    ssrc: int
    is_vp9: bool = False
    seq: int = 65530
    picture_id: int = 0x7FF8
    tl0: int = 250
    step: int = 0
    says_sync: bool = True
    pictures: dict[int, Picture] = field(default_factory=dict)
    newest: dict[int, int] = field(default_factory=dict)
    """The newest picture of each temporal layer."""

    def picture(self, *, keyframe: bool, packets: int) -> list[bytes]:
        self.step = 0 if keyframe else (self.step + 1) % len(PATTERN)
        temporal_id, is_sync = PATTERN[self.step]
        is_sync = is_sync and self.says_sync
        name = self.ssrc * 100_000 + len(self.pictures)
        self.picture_id += 1
        self.tl0 += temporal_id == 0
        if keyframe:
            needs = []
        elif is_sync:
            needs = [self.newest[0]]
        else:
            needs = [self.newest[below] for below in range(temporal_id + 1) if below in self.newest]
        if keyframe:
            self.newest = {}
        self.newest[temporal_id] = name
        self.pictures[name] = Picture(name, temporal_id, keyframe, self.tl0, needs)
        return [
            self._packet(name, part, packets, temporal_id, is_sync=is_sync, keyframe=keyframe)
            for part in range(packets)
        ]

    def _packet(
        self, name: int, part: int, packets: int, tid: int, *, is_sync: bool, keyframe: bool
    ) -> bytes:
        self.seq += 1
        if self.is_vp9:
            first = 0xA0 | (0 if keyframe else 0x40) | (0x08 if part == 0 else 0)
            number = (0x8000 | self.picture_id & 0x7FFF).to_bytes(2, "big")
            # In VP9 the bit says that higher layers may begin after this picture.
            up = 0x10 if tid == 0 and self.step == 0 else 0
            descriptor = bytes((first,)) + number + bytes((tid << 5 | up, self.tl0 & 0xFF))
        else:
            first = 0x80 | (0x10 if part == 0 else 0)
            number = (0x8000 | self.picture_id & 0x7FFF).to_bytes(2, "big")
            last = tid << 6 | (0x20 if is_sync else 0)
            descriptor = bytes((first, 0xF0)) + number + bytes((self.tl0 & 0xFF, last))
            descriptor += b"\x00" if keyframe and part == 0 else b"\x01"
        return rtp_packet(
            self.seq & 0xFFFF,
            descriptor + name.to_bytes(4, "big"),
            payload_type=98 if self.is_vp9 else 96,
            ssrc=self.ssrc,
            timestamp=self.ssrc * 7_000_000 + len(self.pictures) * 3000,
            marker=part == packets - 1,
        )


@dataclass
class Seen:
    """One packet as the subscriber got it."""

    number: int
    timestamp: int
    name: int | None
    """None for an empty packet."""
    picture_id: int = 0
    tl0: int = 0
    temporal_id: int = 0


def read(data: bytes) -> Seen:
    header = RtpHeader.parse(data)
    number = header.seq - FIRST_SEQ & 0xFFFF
    payload = data[header.payload_start :]
    if not payload:
        return Seen(number, header.timestamp, None)
    name = int.from_bytes(payload[-4:], "big")
    if header.payload_type == 121:
        return Seen(number, header.timestamp, name)
    vp8 = Vp8Descriptor.parse(payload)
    assert vp8.picture_id is not None
    assert vp8.tl0_picture_index is not None
    return Seen(
        number, header.timestamp, name, vp8.picture_id, vp8.tl0_picture_index, vp8.temporal_id or 0
    )


def subscription(codec: Codec = VP8) -> DownTrack:
    return DownTrack(
        ssrc=500,
        payload_type=120 if codec is VP8 else 121,
        rtx_ssrc=501,
        rtx_payload_type=122,
        extension_ids={},
        cname="who",
        first_seq=FIRST_SEQ,
    )


class Call:
    """A publisher of two layers and a subscriber."""

    def __init__(self, codec: Codec = VP8) -> None:
        self.up = UpTrack(codec=codec, extension_ids={})
        self.publishers = [Publisher(10, codec is VP9), Publisher(11, codec is VP9)]
        for layer, publisher in enumerate(self.publishers):
            self.up.add_ssrc(publisher.ssrc, Quality(layer + 1))
        self.down = subscription(codec)
        self.up.attach(self.down)
        self.now_s = 0.0
        self.sent: list[bytes] = []
        self.lost: list[bytes] = []
        self.pictures(keyframe=True)
        self.pictures(keyframe=True)  # what is asked for at the beginning is answered
        for _ in range(3):  # frame rates are known after a while
            for _ in range(8):
                self.pictures(keyframe=False)
            self.up.report_blocks(self.now_s)

    def pictures(self, *, keyframe: bool, packets: int = 1, losses: Sequence[int] = ()) -> None:
        """One picture of each layer."""
        self.now_s += 1 / 30
        for publisher in self.publishers:
            for part, data in enumerate(publisher.picture(keyframe=keyframe, packets=packets)):
                if part in losses:
                    self.lost.append(data)
                else:
                    self.arrive(data)

    def arrive(self, data: bytes) -> None:
        self.sent += [packet for _, packet in self.up.handle_rtp(data, self.now_s)]

    def act(self, name: str, value: int | None) -> None:
        match name:
            case "send" | "keyframe":
                self.pictures(keyframe=name == "keyframe", packets=value or 1)
            case "lose":
                self.pictures(keyframe=False, packets=3, losses=(value or 0,))
            case "repair":
                for _ in range(min(value or 0, len(self.lost))):
                    self.arrive(self.lost.pop(0))
            case _:
                self.wish(name, value)

    def wish(self, name: str, value: int | None) -> None:
        if name == "limit":
            self.down.set_temporal_limit(value)
        elif name == "fps":
            self.down.set_frame_rate({None: 0, 0: 7, 1: 15, 2: 30}[value])
        else:
            self.down.set_wanted(None if value is None else Quality(min(2, value + 1)))

    def picture(self, name: int) -> Picture:
        return next(p.pictures[name] for p in self.publishers if name in p.pictures)


wishes = st.tuples(
    st.sampled_from(("limit", "limit", "fps", "want")), st.sampled_from((None, 0, 1, 2))
)
sending = st.tuples(st.just("send"), st.integers(1, 3))
acts = st.one_of(
    wishes, sending, sending, sending, st.tuples(st.just("keyframe"), st.integers(1, 3))
)


@settings(max_examples=120, deadline=None)
@given(st.lists(acts, max_size=80))
def test_every_picture_comes_with_all_it_needs_under_numbers_without_a_gap(
    steps: list[tuple[str, int | None]],
) -> None:
    call = Call()
    for name, value in steps:
        call.act(name, value)
    seen = [read(data) for data in call.sent]
    assert [one.number for one in seen] == list(range(len(seen)))
    begun: dict[int, Seen] = {}
    for one in seen:
        assert one.name is not None, "nothing was lost, so no place is left empty"
        begun.setdefault(one.name, one)
    shown = list(begun.values())
    for one in shown:
        assert one.name is not None
        picture = call.picture(one.name)
        assert picture.temporal_id == one.temporal_id
        assert all(needed in begun for needed in picture.needs), (picture, list(begun))
    base = None
    for before, after in pairwise(shown):
        assert after.picture_id == before.picture_id + 1 & 0x7FFF
        assert 0 < (after.timestamp - before.timestamp & 0xFFFFFFFF) < 1 << 31
        step = after.tl0 - before.tl0 & 0xFF
        assert step == (after.temporal_id == 0), (before, after)
        base = after
    assert base is None or base.name is not None


lossy = st.tuples(st.just("lose"), st.integers(0, 2))
repair = st.tuples(st.just("repair"), st.integers(0, 3))


@settings(max_examples=120, deadline=None)
@given(st.lists(st.one_of(acts, lossy, repair), max_size=80))
@example([("limit", 0), ("keyframe", 1), ("lose", 0), ("limit", None), ("send", 1)])
def test_whatever_is_lost_and_repaired_each_number_comes_once(
    steps: list[tuple[str, int | None]],
) -> None:
    call = Call()
    for name, value in steps:
        call.act(name, value)
    while call.lost:
        call.arrive(call.lost.pop(0))
    seen = sorted((read(data) for data in call.sent), key=lambda one: one.number)
    numbers = [one.number for one in seen]
    assert numbers == list(range(len(numbers)))
    places = {}
    for one in seen:
        if one.name is not None:
            places.setdefault(one.name, set()).add((one.picture_id, one.tl0))
    assert all(len(found) == 1 for found in places.values()), "parts of one picture stay together"
    assert_repairs_are_the_same(call, seen[-20:])


def assert_repairs_are_the_same(call: Call, seen: list[Seen]) -> None:
    for one in seen:
        for resent in call.down.handle_nack([one.number + FIRST_SEQ & 0xFFFF], call.now_s + 1):
            header = RtpHeader.parse(resent)
            payload = resent[header.payload_start + 2 :]
            assert (int.from_bytes(payload[-4:], "big") if payload else None) == one.name


@settings(max_examples=60, deadline=None)
@given(st.lists(acts, max_size=60))
def test_vp9_pictures_keep_their_ids_and_come_with_all_they_need(
    steps: list[tuple[str, int | None]],
) -> None:
    call = Call(VP9)
    for name, value in steps:
        call.act(name, value)
    seen = [read(data) for data in call.sent]
    assert [one.number for one in seen] == list(range(len(seen)))
    names = {one.name for one in seen}
    for name in names:
        assert name is not None
        assert all(needed in names for needed in call.picture(name).needs)


def test_a_lower_rate_begins_at_once_and_a_higher_one_where_the_pictures_allow_it() -> None:
    call = Call()
    while call.publishers[0].step != 3:
        call.pictures(keyframe=False)
    call.wish("fps", 0)
    call.sent.clear()
    for _ in range(16):
        call.pictures(keyframe=False)
    assert [read(data).temporal_id for data in call.sent] == [0] * 4
    call.wish("fps", 2)
    call.sent.clear()
    for _ in range(16):  # from step 4 on: 0 2 1 2 | 0 2* 1* 2 0 2 1 2 | 0 2*
        call.pictures(keyframe=False)
    assert [read(data).temporal_id for data in call.sent] == [0, 0, 1, 0, 1, 0, 2, 1, 2]
    assert not call.up.feedback(9, call.now_s + 1), "nobody had to be asked for a keyframe"


def test_a_publisher_that_never_allows_more_is_asked_for_a_keyframe() -> None:
    call = Call()
    for publisher in call.publishers:
        publisher.says_sync = False
    call.wish("limit", 0)
    for _ in range(8):
        call.pictures(keyframe=False)
    call.wish("limit", None)
    asked = []
    for count in range(100):
        call.pictures(keyframe=False)
        if count % 30 == 0:
            call.up.report_blocks(call.now_s)
        asked += call.up.feedback(9, call.now_s)
    assert asked
    call.sent.clear()
    call.pictures(keyframe=True)
    call.pictures(keyframe=False)
    assert [read(data).temporal_id for data in call.sent] == [0, 2]


def test_a_frame_rate_is_reached_by_the_fewest_temporal_layers() -> None:
    rates = FrameRates()
    for second in range(4):
        for picture in range(28):
            rates.count(PATTERN[picture % 4][0])
        rates.measure(float(second))
    assert rates.per_second == (7.0, 14.0, 28.0)
    wanted = {5.0: 0, 7.5: 0, 8.0: 1, 15.0: 1, 16.0: None, 30.0: None}
    assert {fps: rates.temporal_id_for(fps) for fps in wanted} == wanted
    rates.measure(9.0)
    assert rates.per_second == (7.0, 14.0, 28.0), "a muted track keeps what is known of it"
