"""Codecs beyond VP8: where a picture begins, what redundancy restores, what passes through."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.core import av1, vp9
from media.core.codecs import OPUS, VP8, VP9, Codec, offered_codecs
from media.core.extensions import (
    DEPENDENCY_DESCRIPTOR,
    VIDEO_ORIENTATION,
    ExtensionMap,
    OwnExtensions,
)
from media.core.forward import DownTrack
from media.core.negotiation import choose_codec, find_codec, forwarded_extensions
from media.core.rtp import RtpHeader, write_packet
from media.core.sdp import ExtMap, MediaSection, RtpMap
from media.core.track import UpTrack

OPUS_TYPE, RED_TYPE, FRAME_RTP = 111, 63, 960


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"\x08", True),
        (b"\x48", False),  # inter-predicted
        (b"\x00", False),  # not the start of a frame
        (b"\xa8\x05\x00", True),  # 7-bit picture id, layer 0
        (b"\xa8\x80\x05\x02", False),  # 15-bit picture id, layer 1
        (b"\x28\x00", True),
    ],
)
def test_vp9_begins_at_the_lowest_layer_of_a_key_picture(payload: bytes, expected: bool) -> None:
    assert vp9.starts_keyframe(payload) is expected


@pytest.mark.parametrize(
    ("first", "expected"), [(0x08, True), (0x18, True), (0x00, False), (0x88, False)]
)
def test_av1_begins_at_a_new_sequence(first: int, expected: bool) -> None:
    assert av1.starts_keyframe(bytes([first, 1, 2])) is expected


def frame(number: int) -> bytes:
    return b"frame" + number.to_bytes(2, "big")


def redundant(number: int, depth: int) -> bytes:
    """The packet that carries ``number`` and the ``depth`` frames before it."""
    heads, bodies = b"", b""
    for back in range(depth, 0, -1):
        body = frame(number - back)
        word = 1 << 31 | OPUS_TYPE << 24 | back * FRAME_RTP << 10 | len(body)
        heads += word.to_bytes(4, "big")
        bodies += body
    return heads + bytes([OPUS_TYPE]) + bodies + frame(number)


@given(
    lost=st.lists(st.booleans(), min_size=3, max_size=40),
    first=st.integers(0, 65535),
    depth=st.integers(0, 3),
)
def test_frames_lost_on_the_way_up_are_restored_from_those_that_came(
    lost: list[bool], first: int, depth: int
) -> None:
    codec = Codec(OPUS, OPUS_TYPE, 48000, 2, red_payload_type=RED_TYPE)
    up = UpTrack(codec=codec, extension_ids={})
    up.add_ssrc(7)
    down = DownTrack(ssrc=9, payload_type=96, extension_ids={}, cname="c")
    up.attach(down)
    lost[0] = False
    came: dict[int, bytes] = {}
    for number, is_lost in enumerate(lost):
        if is_lost:
            continue
        packet = write_packet(
            payload_type=RED_TYPE,
            seq=first + number & 0xFFFF,
            timestamp=number * FRAME_RTP,
            ssrc=7,
            marker=False,
            payload=redundant(number, min(depth, number)),
        )
        for _, sent in up.handle_rtp(packet, number * 0.02):
            header = RtpHeader.parse(sent)
            assert header.payload_type == 96
            came[header.timestamp // FRAME_RTP] = sent[header.payload_start :]
    base = min(came)
    came = {number - base: body for number, body in came.items()}
    present = [number for number, is_lost in enumerate(lost) if not is_lost]
    expected = {n for p in present for n in range(max(0, p - depth), p + 1)}
    assert came == {number: frame(number) for number in expected}


def audio_section() -> MediaSection:
    return MediaSection(
        "audio",
        payload_types=[111, 63],
        rtpmaps={111: RtpMap("opus", 48000, 2), 63: RtpMap("red", 48000, 2)},
        fmtp={63: "111/111"},
    )


def test_redundancy_is_taken_where_it_is_enabled_and_never_handed_on() -> None:
    (offered,) = offered_codecs(audio_section())
    assert (offered.mime_type, offered.red_payload_type) == (OPUS, 63)
    taken = choose_codec(audio_section(), ["audio/opus", "audio/red"])
    assert taken is not None
    assert taken.red_payload_type == 63
    plain = choose_codec(audio_section(), ["audio/opus"])
    assert plain is not None
    assert plain.red_payload_type is None
    sent = find_codec(audio_section(), taken)
    assert sent is not None
    assert sent.red_payload_type is None


def test_a_decoder_of_another_vp9_profile_is_not_sent_this_one() -> None:
    section = MediaSection(
        "video",
        payload_types=[98, 100],
        rtpmaps={98: RtpMap("VP9", 90000), 100: RtpMap("VP9", 90000)},
        fmtp={98: "profile-id=0", 100: "profile-id=2"},
    )
    published = Codec(VP9, 35, 90000, fmtp="profile-id=2")
    found = find_codec(section, published)
    assert found is not None
    assert found.payload_type == 100
    other = Codec(VP9, 35, 90000, fmtp="profile-id=1")
    assert find_codec(section, other) is None


@pytest.mark.parametrize("size", [3, 16, 17, 90])
def test_a_dependency_descriptor_passes_whatever_its_length(size: int) -> None:
    ours = {DEPENDENCY_DESCRIPTOR: 8, VIDEO_ORIENTATION: 9}
    theirs = {DEPENDENCY_DESCRIPTOR: 6, VIDEO_ORIENTATION: 5}
    values = {8: bytes(size), 9: b"\x01"}
    extension_map, own = ExtensionMap(ours, theirs), OwnExtensions({})
    assert extension_map.has_long(values) == (size > 16)
    block = own.block(extension_map.elements(values, 0.0))
    if extension_map.has_long(values):
        block = own.long_block(extension_map.long_elements(values, 0.0))
    packet = b"\x90\x60\0\1\0\0\0\0\0\0\0\1" + block + b"payload"
    assert RtpHeader.parse(packet).extensions(packet) == {6: bytes(size), 5: b"\x01"}


def test_descriptors_of_layered_codecs_end_at_the_node() -> None:
    section = MediaSection("video", extmaps=[ExtMap(8, DEPENDENCY_DESCRIPTOR)])
    kept = forwarded_extensions(section, Codec(VP9, 98, 90000))
    assert DEPENDENCY_DESCRIPTOR in kept
    assert DEPENDENCY_DESCRIPTOR not in forwarded_extensions(section, Codec(VP8, 96, 90000))
