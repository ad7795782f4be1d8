"""Packets for tests: VP8 frames, H.264 units, mutated bytes."""

from collections.abc import Sequence

from hypothesis import strategies as st

from media.core import rtp


def vp8_payload(
    *,
    picture_id: int,
    tl0: int = 0,
    key_index: int = 0,
    keyframe: bool = False,
    start: bool = True,
    temporal_id: int = 0,
    is_sync: bool = False,
    body: bytes = b"\0" * 20,
) -> bytes:
    """A payload as libwebrtc writes it: all optional descriptor fields, 15-bit picture id."""
    first = 0x80 | (0x10 if start else 0)
    descriptor = bytes((first, 0xF0, 0x80 | picture_id >> 8 & 0x7F, picture_id & 0xFF, tl0 & 0xFF))
    header = 0x00 if keyframe else 0x01
    packed = temporal_id << 6 | is_sync << 5 | key_index & 0x1F
    return descriptor + bytes((packed, header if start else 0xAA)) + body


def rtp_packet(seq: int, payload: bytes, **fields: object) -> bytes:
    """A packet with payload type 96 and SSRC 1 unless given."""
    values: dict[str, object] = {"payload_type": 96, "timestamp": 0, "ssrc": 1, **fields}
    return rtp.write_packet(seq=seq, payload=payload, **values)  # type: ignore[arg-type]


def mutated(seeds: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Bytes near to valid ones: flipped, overwritten, cut, doubled."""

    @st.composite
    def build(draw: st.DrawFn) -> bytes:
        data = bytearray(draw(st.sampled_from(seeds)))
        for _ in range(draw(st.integers(1, 6))):
            action = draw(st.integers(0, 3))
            at = draw(st.integers(0, max(0, len(data) - 1)))
            if not data:
                break
            if action == 0:
                data[at] = draw(st.sampled_from((0, 1, 4, 0x7F, 0x80, 0xFF)))
            elif action == 1:
                data[at] ^= 1 << draw(st.integers(0, 7))
            elif action == 2:
                del data[at:]
            else:
                data[at:at] = data[at : at + draw(st.integers(1, 16))]
        return bytes(data)

    return st.one_of(st.binary(max_size=200), build())
