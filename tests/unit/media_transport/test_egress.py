"""What the core decides reaches each subscriber as the core spells it out."""

import asyncio
import errno
import socket
from typing import Any

import pytest

from media.core.codecs import Codec
from media.core.extensions import ABSOLUTE_SEND_TIME, AUDIO_LEVEL, MID
from media.core.forward import DownTrack
from media.core.legs import spelled_out
from media.core.peer import MediaPeer
from media.core.simulcast import Quality
from media.core.track import UpTrack
from media.transport.egress import Egress
from media.transport.fanout.port import PROFILE_GCM
from tests.property.media_transport.test_fanout import inbound, makings, master
from tests.support.packets import rtp_packet, vp8_payload

VP8 = Codec("video/vp8", 96, 90000, rtx_payload_type=97)
OPUS = Codec("audio/opus", 111, 48000, 2)
IDS = {ABSOLUTE_SEND_TIME: 2, MID: 4, AUDIO_LEVEL: 5}


class Sink:
    """A receiver whose packets are opened again."""

    srtp_out = udp = address = None

    def __init__(self, egress: Egress, number: int) -> None:
        self.session = egress.fanout.open_session()
        self.got: list[bytes] = []
        opened = inbound(master(PROFILE_GCM, number))
        egress.fanout.set_keys(self.session, master(PROFILE_GCM, number))
        egress.fanout.set_relay(
            self.session, lambda packet: self.got.append(opened.unprotect(packet))
        )


class House:
    """A track with subscribers, through a real fan-out, and what the core wants them to get."""

    def __init__(self, make: Any, codec: Codec) -> None:
        self.egress = Egress(make())
        self.peer = MediaPeer(local_ssrc=1)
        self.up = UpTrack(codec=codec, extension_ids=IDS)
        if codec.is_video:
            self.up.add_ssrc(10, Quality.LOW)
        self.up.add_ssrc(11, Quality.HIGH)
        self.peer.set_up_track("0", self.up)
        self.wanted: dict[DownTrack, list[bytes]] = {}
        self._seq = {10: 1000, 11: 65530}

    def join(self, number: int, *, mid: str | None = None) -> DownTrack:
        has_rtx = self.up.codec.is_video
        down = DownTrack(
            ssrc=1000 + number, payload_type=100 + number % 3,
            rtx_ssrc=2000 + number if has_rtx else None, rtx_payload_type=99 if has_rtx else None,
            extension_ids=IDS if number % 2 else {}, mid=mid, cname="c",
            first_seq=65000 + number, sink=Sink(self.egress, number),
        )  # fmt: skip
        self.wanted[down] = []
        self.up.attach(down)
        return down

    def publish(self, ssrc: int, now_s: float, *, keyframe: bool = False) -> None:
        self._seq[ssrc] += 1
        number = self._seq[ssrc]
        payload = b"speech %d" % number
        if self.up.codec.is_video:
            payload = vp8_payload(picture_id=number & 0x7FFF, tl0=number & 255, keyframe=keyframe)
        data = rtp_packet(
            number & 0xFFFF, payload, ssrc=ssrc, timestamp=number * 3000 & 0xFFFFFFFF,
            payload_type=self.up.codec.payload_type, extensions={5: b"\x85"},
        )  # fmt: skip
        outgoing = self.peer.route_rtp(data, now_s)
        for down, sent in spelled_out(outgoing):
            self.wanted[down].append(sent)
        self.egress.send(outgoing)

    def check(self) -> None:
        assert {down.ssrc: down.sink.got for down in self.wanted} == {
            down.ssrc: packets for down, packets in self.wanted.items()
        }
        assert self.egress.fanout.counters.refused == 0


@pytest.mark.parametrize("make", makings())
def test_everybody_gets_what_the_core_spells_out_through_joins_switches_and_pauses(
    make: Any,
) -> None:
    house = House(make, VP8)
    now_s = 0.0
    downs = [house.join(number, mid="3" if number % 3 else None) for number in range(5)]
    for step in range(60):
        now_s += 0.02
        keyframe = step % 7 == 0
        house.publish(10, now_s, keyframe=keyframe)
        house.publish(11, now_s, keyframe=keyframe)
        if step == 15:
            downs[0].set_wanted(Quality.LOW)
            downs[1].set_wanted(None)
        if step == 20:
            downs.append(house.join(7))
        if step == 30:
            downs[0].set_wanted(Quality.HIGH)
            downs[1].set_wanted(Quality.LOW)
        if step % 4 == 0:  # several packets wait for one flush, through every change
            house.egress.flush()
    house.egress.flush()
    house.check()
    assert all(len(packets) > 30 for packets in house.wanted.values())


@pytest.mark.parametrize("make", makings())
def test_counters_of_a_subscription_include_what_its_group_got(make: Any) -> None:
    house = House(make, OPUS)
    down = house.join(1)
    for step in range(10):
        house.publish(11, step * 0.02)
    house.egress.flush()
    house.check()
    assert down.stats.packets_sent == 10
    assert down.stats.octets_sent == sum(len(b"speech %d" % n) for n in range(65531, 65541))


@pytest.mark.parametrize("make", makings())
def test_speech_without_retransmission_stream_is_repeated_as_it_was(make: Any) -> None:
    house = House(make, OPUS)
    raw: list[bytes] = []
    down = house.join(1)
    house.egress.fanout.set_relay(down.sink.session, raw.append)
    for step in range(5):
        house.publish(11, step * 0.02)
    house.egress.flush()
    house.peer.add_down_track(down)
    for packet in down.handle_nack([65001 + 2], 1.0):
        house.egress.resend(down.sink, packet)
    house.egress.flush()
    assert raw[5:] == [raw[2]]
    house.egress.retire(down)
    house.egress.retire(down)


async def test_what_the_system_never_takes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(makings()[1].values[0], OPUS)
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    monkeypatch.setattr("media.transport.egress.MAX_WAIT_S", 0.0)
    with left, right:
        down = house.join(1)
        fanout: Any = house.egress.fanout
        fanout.set_route(down.sink.session, left, None)
        answers = [-errno.EAGAIN]
        fanout.before_send(lambda _fd, count: answers.pop() if answers else count)
        house.publish(11, 0.0)
        house.egress.flush()
        async with asyncio.timeout(10):
            while not fanout.counters.failed:
                await asyncio.sleep(0.001)
        house.publish(11, 0.02)
        house.egress.flush()
        async with asyncio.timeout(10):
            while not house.egress.sent:
                await asyncio.sleep(0.001)
    assert fanout.counters.failed == 1
    assert house.egress.sent == 1
