"""Whatever a peer is sent, it answers, refuses or ignores; what it sends on stays gapless."""

import contextlib
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from media.core import extensions as ext
from media.core import rtcp
from media.core.codecs import Codec
from media.core.errors import RemoteProtocolError
from media.core.forward import DownTrack
from media.core.peer import MediaPeer
from media.core.rtp import RtpHeader
from media.core.simulcast import Quality
from media.core.track import UpTrack
from tests.property.media_core.test_parsers import RTCP_SEEDS, RTP_SEEDS
from tests.support.packets import mutated, rtp_packet, vp8_payload

VP8 = Codec("video/vp8", 96, 90000, rtx_payload_type=97)
IDS = {ext.MID: 1, ext.RTP_STREAM_ID: 2, ext.TRANSPORT_WIDE_CC: 3, ext.VIDEO_ORIENTATION: 14}


def down_track() -> DownTrack:
    return DownTrack(
        ssrc=500,
        payload_type=120,
        rtx_ssrc=501,
        rtx_payload_type=121,
        extension_ids=IDS,
        cname="who",
        first_seq=65530,
    )


wild_rtcp = mutated(
    [
        *RTCP_SEEDS,
        rtcp.write([rtcp.Nack(1, 500, (65530, 65531)), rtcp.PictureLossIndication(1, 500)]),
        rtcp.write([rtcp.SenderReport(1, 2**33, 5, 1, 1, (rtcp.ReportBlock(500, *[9] * 6),))]),
    ]
)
wild_rtp = mutated(
    [
        *RTP_SEEDS,
        rtp_packet(1, vp8_payload(picture_id=1, keyframe=True), extensions={1: b"0", 2: b"f"}),
        rtp_packet(2, vp8_payload(picture_id=1), extensions={3: b"\0\1"}),
        rtp_packet(3, b"\0\1" + vp8_payload(picture_id=1), payload_type=97, ssrc=2),
    ]
)


@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(0, 200), wild_rtp, wild_rtcp), min_size=1, max_size=40
    )
)
def test_no_input_breaks_a_peer(steps: list[tuple[bool, int, bytes, bytes]]) -> None:
    peer = MediaPeer(local_ssrc=9)
    up = UpTrack(codec=VP8, extension_ids=IDS)
    up.add_ssrc(1, rtx_ssrc=2)
    peer.set_up_track("0", up)
    down = down_track()
    up.attach(down)
    peer.add_down_track(down)
    now_s = 0.0
    for is_rtcp, wait_ms, media, control in steps:
        now_s += wait_ms / 1000
        with contextlib.suppress(RemoteProtocolError):
            if is_rtcp:
                for resent in peer.handle_rtcp(control, now_s):
                    RtpHeader.parse(resent)
            else:
                for _, packet in peer.handle_rtp(media, now_s):
                    RtpHeader.parse(packet)
        for compound in peer.poll(now_s):
            assert rtcp.parse(compound)


acts = st.one_of(
    st.tuples(st.just("send"), st.integers(0, 2)),
    st.tuples(st.just("lose"), st.integers(0, 2)),
    st.tuples(st.just("repair"), st.integers(0, 2)),
    st.tuples(st.just("pad"), st.integers(0, 2)),
    st.tuples(st.just("keyframe"), st.integers(0, 2)),
    st.tuples(st.just("want"), st.sampled_from((None, *Quality))),
)


class Source:
    """One layer's packets, of which some were lost."""

    def __init__(self, layer: int) -> None:
        self.ssrc = 10 + layer
        self.seq = 65520
        self.picture_id = 100 * layer
        self.lost: list[bytes] = []

    def packet(self, *, keyframe: bool = False, padding: int = 0) -> bytes:
        self.seq += 1
        self.picture_id += 1
        payload = b"" if padding else vp8_payload(picture_id=self.picture_id, keyframe=keyframe)
        stamp = 1000 * self.ssrc + self.picture_id * 3000
        return rtp_packet(
            self.seq & 0xFFFF, payload, ssrc=self.ssrc, timestamp=stamp, padding_bytes=padding
        )

    def act(self, name: str) -> bytes | None:
        """The packet that arrives by that act."""
        if name == "repair":
            return self.lost.pop(0) if self.lost else None
        packet = self.packet(keyframe=name == "keyframe", padding=9 if name == "pad" else 0)
        if name == "lose":
            self.lost.append(packet)
            return None
        return packet


@settings(max_examples=300)
@given(st.lists(acts, max_size=120))
def test_a_subscriber_sees_each_number_once_and_none_is_left_out(
    steps: list[tuple[str, int | Quality | None]],
) -> None:
    up = UpTrack(codec=VP8, extension_ids={})
    sources = [Source(layer) for layer in range(3)]
    for layer, source in enumerate(sources):
        up.add_ssrc(source.ssrc, Quality(layer))
    down = down_track()
    up.attach(down)
    sent: list[bytes] = []
    for index, (name, argument) in enumerate(steps):
        if name == "want":
            down.set_wanted(None if argument is None else Quality(argument))
            continue
        packet = sources[argument or 0].act(name)
        if packet is not None:
            sent += [data for _, data in up.handle_rtp(packet, index * 0.01)]
    for source in sources:  # everything lost is repaired in the end
        while (packet := source.act("repair")) is not None:
            sent += [data for _, data in up.handle_rtp(packet, len(steps) * 0.01)]
    numbers = sorted((RtpHeader.parse(data).seq - 65530) & 0xFFFF for data in sent)
    assert len(set(numbers)) == len(numbers)
    assert all(after == before + 1 for before, after in pairwise(numbers))
    assert not numbers or numbers[0] == 0
