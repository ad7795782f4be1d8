"""Whatever arrives, a parser gives a value or RemoteProtocolError; what it wrote it can read."""

import contextlib
import itertools

from hypothesis import example, given
from hypothesis import strategies as st

from media.core import av1, h264, red, rtcp, rtx, transport_cc, vp9
from media.core.errors import RemoteProtocolError
from media.core.rtp import RtpHeader, one_byte_elements, two_byte_elements, write_packet
from media.core.vp8 import PictureNumbers, Vp8Descriptor
from tests.support.packets import mutated, rtp_packet, vp8_payload

u8, u16, u32 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 32))

RTP_SEEDS = [
    rtp_packet(1, b"payload"),
    rtp_packet(2, b"payload", csrcs=(1, 2, 3), extensions={1: b"abc", 14: b"0" * 16}),
    rtp_packet(3, b"", padding_bytes=200),
    rtp_packet(4, vp8_payload(picture_id=5, keyframe=True), marker=True, padding_bytes=1),
    b"\x90\x60\0\1\0\0\0\0\0\0\0\1\x10\x00\0\2\1\2ab\0\0\5\0payload",
]
RTCP_SEEDS = [
    rtcp.write(
        [
            rtcp.SenderReport(1, 2**63, 3, 4, 5, (rtcp.ReportBlock(1, 2, -3, 4, 5, 6, 7),)),
            rtcp.SourceDescription(((1, "who@where"), (2, ""))),
            rtcp.Goodbye((1, 2)),
        ]
    ),
    rtcp.write([rtcp.ReceiverReport(1), rtcp.Nack(1, 2, (65535, 0, 1, 40))]),
    rtcp.write([rtcp.PictureLossIndication(1, 2), rtcp.FullIntraRequest(1, ((2, 3), (4, 5)))]),
    rtcp.write([rtcp.ReceiverEstimatedMaximumBitrate(1, 10_000_000, (1, 2, 3))]),
    rtcp.write(
        [
            rtcp.TransportFeedback(
                1, 2, transport_cc.write_body(transport_cc.Arrivals(7, 1, (300, None, 301, 9000)))
            )
        ]
    ),
]
STAP_A = bytes((24, 0, 2, 0x67, 1, 0, 2, 0x68, 2))


@given(data=mutated(RTP_SEEDS))
@example(b"\xa0\x60" + bytes(10))
@example(b"\xb0\x60" + bytes(10) + b"\xbe\xde\xff\xff")
def test_rtp_header_is_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(RemoteProtocolError):
        header = RtpHeader.parse(data)
        assert 12 <= header.payload_start <= header.payload_end <= len(data)
        assert header.extension_start <= header.extension_end <= header.payload_start
        values = header.extensions(data)
        assert 0 not in values


@given(data=mutated(RTCP_SEEDS))
def test_rtcp_is_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(RemoteProtocolError):
        for packet in rtcp.parse(data):
            if isinstance(packet, rtcp.TransportFeedback):
                with contextlib.suppress(RemoteProtocolError):
                    transport_cc.parse_feedback(packet.body)


@given(data=mutated([vp8_payload(picture_id=300, keyframe=True), b"\x90\x80\x05\x00", b"\x10\x00"]))
def test_vp8_descriptor_is_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(RemoteProtocolError):
        descriptor = Vp8Descriptor.parse(data)
        assert descriptor.size <= len(data)
        again = Vp8Descriptor.parse(PictureNumbers().descriptor(descriptor) + b"\1")
        assert again.picture_id == descriptor.picture_id
        assert again.tl0_picture_index == descriptor.tl0_picture_index
        assert again.temporal_id == descriptor.temporal_id
        assert again.key_index == descriptor.key_index
        assert (again.starts_partition, again.partition) == (
            descriptor.starts_partition,
            descriptor.partition,
        )


@given(data=mutated([STAP_A, b"\x7c\x85abc", b"\x65abc"]))
def test_h264_payload_is_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(RemoteProtocolError):
        h264.KeyframeFinder().starts_keyframe(data)


@given(data=st.binary(max_size=12))
def test_vp9_and_av1_payloads_are_read_or_refused(data: bytes) -> None:
    for starts_keyframe in (vp9.starts_keyframe, av1.starts_keyframe):
        with contextlib.suppress(RemoteProtocolError):
            starts_keyframe(data)


@given(data=mutated([b"\xef\x0f\x00\x03\x6fabcdef", b"\x6fabc"]))
def test_redundant_audio_is_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(RemoteProtocolError):
        blocks = red.blocks_of(data)
        assert blocks[-1].end == len(data)
        assert blocks[-1].age_rtp == 0
        for before, after in itertools.pairwise(blocks):
            assert before.start <= before.end == after.start


@given(data=st.binary(max_size=20))
def test_retransmission_is_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(RemoteProtocolError):
        original = rtx.unwrap(data)
        assert original is None or rtx.wrap(*original) == data


@given(
    payload_type=st.integers(0, 127),
    seq=u16,
    timestamp=u32,
    ssrc=u32,
    marker=st.booleans(),
    csrcs=st.lists(u32, max_size=15).map(tuple),
    extensions=st.dictionaries(st.integers(1, 14), st.binary(min_size=1, max_size=16), max_size=14),
    payload=st.binary(max_size=50),
    padding=u8,
)
def test_written_rtp_is_read_back(
    payload_type: int,
    seq: int,
    timestamp: int,
    ssrc: int,
    marker: bool,
    csrcs: tuple[int, ...],
    extensions: dict[int, bytes],
    payload: bytes,
    padding: int,
) -> None:
    data = write_packet(
        payload_type=payload_type,
        seq=seq,
        timestamp=timestamp,
        ssrc=ssrc,
        marker=marker,
        csrcs=csrcs,
        extensions=extensions,
        payload=payload,
        padding_bytes=padding,
    )
    header = RtpHeader.parse(data)
    assert (header.payload_type, header.seq, header.timestamp) == (payload_type, seq, timestamp)
    assert (header.ssrc, header.marker, header.csrcs) == (ssrc, marker, csrcs)
    assert header.extensions(data) == extensions
    assert data[header.payload_start : header.payload_end] == payload


@given(st.dictionaries(st.integers(1, 14), st.binary(min_size=1, max_size=16)))
def test_elements_fill_whole_words(values: dict[int, bytes]) -> None:
    assert len(one_byte_elements(values.items())) % 4 == 0


@given(st.dictionaries(st.integers(1, 255), st.binary(max_size=255), max_size=20))
def test_long_elements_are_read_back(values: dict[int, bytes]) -> None:
    block = two_byte_elements(values.items())
    head = b"\x90\x60\0\1\0\0\0\0\0\0\0\1\x10\x00" + (len(block) // 4).to_bytes(2, "big")
    packet = head + block + b"payload"
    assert RtpHeader.parse(packet).extensions(packet) == values


blocks = st.lists(
    st.builds(
        rtcp.ReportBlock,
        ssrc=u32,
        fraction_lost=u8,
        packets_lost=st.integers(-(2**23), 2**23 - 1),
        highest_seq=u32,
        jitter_rtp=u32,
        last_sr=u32,
        delay_since_last_sr=u32,
    ),
    max_size=31,
).map(tuple)
packets = st.one_of(
    st.builds(
        rtcp.SenderReport,
        ssrc=u32,
        ntp=st.integers(0, 2**64 - 1),
        timestamp=u32,
        packets=u32,
        octets=u32,
        blocks=blocks,
    ),
    st.builds(rtcp.ReceiverReport, ssrc=u32, blocks=blocks),
    st.builds(
        rtcp.SourceDescription,
        cnames=st.lists(st.tuples(u32, st.text(max_size=60)), max_size=31).map(tuple),
    ),
    st.builds(rtcp.Goodbye, ssrcs=st.lists(u32, max_size=31).map(tuple)),
    st.builds(rtcp.PictureLossIndication, sender_ssrc=u32, media_ssrc=u32),
    st.builds(
        rtcp.FullIntraRequest,
        sender_ssrc=u32,
        requests=st.lists(st.tuples(u32, u8), max_size=20).map(tuple),
    ),
    st.builds(
        rtcp.ReceiverEstimatedMaximumBitrate,
        sender_ssrc=u32,
        bitrate_bps=st.integers(0, 2**18 - 1),
        ssrcs=st.lists(u32, max_size=255).map(tuple),
    ),
)


@given(st.lists(packets, max_size=5))
def test_written_rtcp_is_read_back(compound: list[rtcp.RtcpPacket]) -> None:
    assert rtcp.parse(rtcp.write(compound)) == compound


@given(first=u16, steps=st.lists(st.integers(1, 40), max_size=60))
def test_nack_names_exactly_the_missing(first: int, steps: list[int]) -> None:
    seqs = [first]
    for step in steps:
        seqs.append(seqs[-1] + step)
    wire = tuple(seq & 0xFFFF for seq in seqs)
    (nack,) = rtcp.parse(rtcp.write([rtcp.Nack(1, 2, wire)]))
    assert isinstance(nack, rtcp.Nack)
    assert nack.seqs == wire


@given(bitrate=st.integers(0, 2**60))
def test_remb_keeps_seventeen_bits(bitrate: int) -> None:
    (remb,) = rtcp.parse(rtcp.write([rtcp.ReceiverEstimatedMaximumBitrate(1, bitrate)]))
    assert isinstance(remb, rtcp.ReceiverEstimatedMaximumBitrate)
    assert 0 <= bitrate - remb.bitrate_bps <= bitrate >> 17
