"""Frames survive packetizing and depayloading; under loss only whole frames come out."""

from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.client.packetize import Packetizer, annexb_units
from media.core.depayload import START_CODE, Frame, depayloader_for
from media.core.vp8 import Vp8Descriptor


@dataclass(frozen=True)
class Packet:
    ext_seq: int
    timestamp: int
    marker: bool
    payload: bytes


def packets_of(mime: str, frames: list[bytes]) -> list[Packet]:
    packetizer = Packetizer(mime, first_picture_id=0x7FFE)
    packets: list[Packet] = []
    for number, frame in enumerate(frames):
        payloads = packetizer.payloads(frame)
        for index, payload in enumerate(payloads, start=1):
            marker = mime != "audio/opus" and index == len(payloads)
            packets.append(Packet(len(packets) + 65_530, number * 3000, marker, payload))
    return packets


def frames_of(mime: str, packets: list[Packet]) -> list[Frame]:
    depayloader = depayloader_for(mime)
    return [frame for packet in packets if (frame := depayloader.push(packet)) is not None]


def vp8_frame(size: int, *, is_key: bool, fill: int) -> bytes:
    return bytes((0x10 if is_key else 0x11,)) + bytes((fill,)) * size


VP8 = st.lists(
    st.builds(vp8_frame, st.integers(0, 4000), is_key=st.booleans(), fill=st.integers(0, 255)),
    min_size=1,
    max_size=8,
)


def nal(kind: int, size: int, fill: int) -> bytes:
    # Bytes above 3 never form a start code.
    return bytes((0x60 | kind,)) + bytes((4 + fill % 200,)) * (size + 1)


def picture(*, has_parameters: bool, slices: list[bytes]) -> bytes:
    """An access unit; parameter sets stand before the first slice (H.264 §7.4.1.2.3)."""
    parameters = [nal(7, 12, 1), nal(8, 4, 2)] if has_parameters else []
    return b"".join(START_CODE + unit for unit in [*parameters, *slices])


SLICES = st.builds(nal, st.sampled_from([1, 5, 6]), st.integers(0, 2500), st.integers(0, 255))
H264 = st.lists(
    st.builds(
        picture, has_parameters=st.booleans(), slices=st.lists(SLICES, min_size=1, max_size=3)
    ),
    min_size=1,
    max_size=5,
)
VP9_KEY = bytes.fromhex("824983420028001680")  # 641 × 361


def vp9_frame(size: int, *, is_key: bool, fill: int) -> bytes:
    return (VP9_KEY if is_key else b"\x86") + bytes((fill,)) * size


VP9 = st.lists(
    st.builds(vp9_frame, st.integers(0, 4000), is_key=st.booleans(), fill=st.integers(0, 255)),
    min_size=1,
    max_size=8,
)
OPUS = st.lists(st.binary(min_size=1, max_size=200), min_size=1, max_size=20)
STREAMS = st.one_of(
    st.tuples(st.just("video/vp8"), VP8),
    st.tuples(st.just("video/h264"), H264),
    st.tuples(st.just("video/vp9"), VP9),
    st.tuples(st.just("audio/opus"), OPUS),
)


@settings(max_examples=50, deadline=None)
@given(stream=STREAMS)
def test_every_frame_comes_back_as_it_was(stream: tuple[str, list[bytes]]) -> None:
    mime, frames = stream
    if mime == "video/h264":
        frames = [START_CODE + nal(9, 1, 1) + frame for frame in frames]
    out = frames_of(mime, packets_of(mime, frames))
    assert [frame.data for frame in out] == frames
    assert [frame.timestamp for frame in out] == [number * 3000 for number in range(len(frames))]
    assert not any(frame.follows_gap for frame in out)


@settings(max_examples=80, deadline=None)
@given(stream=STREAMS, data=st.data())
def test_under_loss_only_whole_frames_come_and_gaps_are_said(
    stream: tuple[str, list[bytes]], data: st.DataObject
) -> None:
    mime, frames = stream
    packets = packets_of(mime, frames)
    kept = data.draw(st.lists(st.booleans(), min_size=len(packets), max_size=len(packets)))
    arrived = [packet for packet, keep in zip(packets, kept, strict=True) if keep]
    out = frames_of(mime, arrived)
    whole = set(range(len(frames))) - {
        packet.timestamp // 3000 for packet, keep in zip(packets, kept, strict=True) if not keep
    }
    given_out = [frame.timestamp // 3000 for frame in out]
    assert given_out == sorted(set(given_out) & whole)
    # Nothing marks the beginning of an H.264 frame, so one directly after a gap may be withheld.
    certain = whole if mime != "video/h264" else {n for n in whole if n - 1 in whole}
    assert certain <= set(given_out)
    for frame in out:
        assert frame.data == frames[frame.timestamp // 3000]
    for before, after in pairwise(out):
        skipped = after.timestamp // 3000 - before.timestamp // 3000 > 1
        assert after.follows_gap == skipped


@given(
    mime=st.sampled_from(["video/vp8", "video/h264", "audio/opus"]),
    packets=st.lists(
        st.builds(
            Packet,
            st.integers(0, 100),
            st.integers(0, 5),
            st.booleans(),
            st.binary(max_size=60),
        ),
        max_size=30,
    ),
)
def test_any_payload_gives_a_frame_or_nothing(mime: str, packets: list[Packet]) -> None:
    frames_of(mime, packets)


def test_keyframes_are_recognised_by_their_codec() -> None:
    vp8 = [vp8_frame(10, is_key=True, fill=1), vp8_frame(10, is_key=False, fill=1)]
    assert [f.is_keyframe for f in frames_of("video/vp8", packets_of("video/vp8", vp8))] == [
        True,
        False,
    ]
    idr = b"".join(START_CODE + nal(kind, 20, 9) for kind in (7, 8, 5))
    inter = START_CODE + nal(1, 20, 9)
    h264 = frames_of("video/h264", packets_of("video/h264", [idr, inter]))
    assert [frame.is_keyframe for frame in h264] == [True, False]


def test_aggregated_units_are_taken_apart() -> None:
    units = [nal(7, 5, 1), nal(8, 5, 2), nal(5, 50, 3)]
    aggregate = b"\x78" + b"".join(len(unit).to_bytes(2, "big") + unit for unit in units)
    depayloader = depayloader_for("video/h264")
    frame = depayloader.push(Packet(1, 0, True, aggregate))
    assert frame is not None
    assert annexb_units(frame.data) == units


def test_a_codec_nobody_knows_is_named() -> None:
    with pytest.raises(ValueError, match="video/av1"):
        depayloader_for("video/av1")


@given(st.lists(st.tuples(st.sampled_from((0, 1, 2)), st.integers(1, 3000)), max_size=12))
def test_temporal_layers_are_named_in_every_packet(pictures: list[tuple[int, int]]) -> None:
    packetizer = Packetizer("video/vp8", first_picture_id=0x7FFE)
    lowest, has_upper = 0, False
    for number, (temporal_id, size) in enumerate(pictures):
        lowest += temporal_id == 0
        # The first one of an upper layer can lean on the keyframe only.
        is_sync = temporal_id == 1 or (temporal_id == 2 and not has_upper)
        has_upper |= temporal_id > 0
        frame = vp8_frame(size, is_key=number == 0, fill=number)
        payloads = packetizer.payloads(frame, temporal_id)
        described = [Vp8Descriptor.parse(payload) for payload in payloads]
        whole = [payload[one.size :] for payload, one in zip(payloads, described, strict=True)]
        assert b"".join(whole) == frame
        for one in described:
            assert one.temporal_id == temporal_id
            assert one.is_layer_sync == is_sync
            assert one.tl0_picture_index == lowest & 0xFF
            assert one.picture_id == (0x7FFE + number) & 0x7FFF
