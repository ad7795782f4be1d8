"""VP9 with several spatial layers: the lowest is put together, the others are left out."""

from dataclasses import dataclass

import pytest

from media.core.depayload import Vp9Depayloader
from media.core.errors import RemoteProtocolError
from media.core.vp9 import Vp9Descriptor, keyframe_size

KEY = bytes.fromhex("824983420028001680")


@dataclass(frozen=True)
class Packet:
    ext_seq: int
    timestamp: int
    marker: bool
    payload: bytes


def test_of_two_layers_the_lower_comes_out_whole_and_alone() -> None:
    # I, L, B/E set; picture id of one byte; layer byte; TL0PICIDX; the first with its structure
    structure = bytes((0x38, 0, 160, 0, 90, 1, 64, 0, 180, 1, 0x04, 0))
    first = bytes((0xAA, 5, 0x00, 1)) + structure + KEY
    second = bytes((0xA4, 5, 0x00, 1)) + b"rest"
    upper = bytes((0xAC, 5, 0x02, 1)) + b"upper layer"
    frames = Vp9Depayloader()
    assert frames.push(Packet(1, 0, False, first)) is None
    assert frames.push(Packet(2, 0, False, second)) is None
    frame = frames.push(Packet(3, 0, True, upper))
    assert frame is not None
    assert frame.data == KEY + b"rest"
    assert frame.is_keyframe


def test_the_size_is_read_from_a_keyframe_only() -> None:
    assert keyframe_size(KEY) == (641, 361)
    assert keyframe_size(b"\x86" + KEY[1:]) is None
    assert all(keyframe_size(KEY[:cut]) is None for cut in range(len(KEY)))


@pytest.mark.parametrize("cut", range(1, 16))
def test_a_descriptor_cut_off_is_refused(cut: int) -> None:
    whole = bytes((0xBA, 0x85, 5, 0x00)) + bytes((0x38, 0, 160, 0, 90, 1, 64, 0, 180, 1, 0x04, 0))
    assert Vp9Descriptor.parse(whole).size == len(whole)
    with pytest.raises(RemoteProtocolError):
        Vp9Descriptor.parse(whole[:cut])
