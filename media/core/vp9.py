"""VP9 payload descriptors (RFC 9628 §4.2) and the head of a frame (VP9 bitstream §6.2).

The node forwards VP9 as one stream, all its spatial layers included, and renumbers nothing in it;
pictures of upper temporal layers can be left out.
"""

from dataclasses import dataclass

from media.core.errors import RemoteProtocolError

_HAS_PICTURE_ID, _INTER, _HAS_LAYERS, _START = 0x80, 0x40, 0x20, 0x08
_FLEXIBLE, _HAS_STRUCTURE = 0x10, 0x02
_SYNC_CODE = 0x498342
_SRGB = 7


@dataclass(frozen=True, slots=True)
class Vp9Layer:
    """What a payload descriptor says of the layers of its packet."""

    temporal_id: int = 0
    starts_picture: bool = False
    """First packet of the lowest spatial layer."""
    is_switching_point: bool = False
    """U: pictures of higher temporal layers need none from before this one."""


def layer_of(payload: bytes | memoryview) -> Vp9Layer:
    """Read the layer bits. Raises RemoteProtocolError if the descriptor is cut off."""
    if not payload:
        raise RemoteProtocolError("empty VP9 payload")
    first = payload[0]
    starts = bool(first & _START)
    if not first & _HAS_LAYERS:
        return Vp9Layer(starts_picture=starts)
    try:
        bits = payload[_layer_byte_at(payload)]
    except IndexError:
        raise RemoteProtocolError("VP9 descriptor cut off") from None
    return Vp9Layer(bits >> 5, starts and bits >> 1 & 0x07 == 0, bool(bits & 0x10))


def _layer_byte_at(payload: bytes | memoryview) -> int:
    if not payload[0] & _HAS_PICTURE_ID:
        return 1
    return 3 if payload[1] & 0x80 else 2


def starts_keyframe(payload: bytes | memoryview) -> bool:
    """Whether a decoder can begin with this packet: the lowest layer of a key picture begins.

    Raises RemoteProtocolError if the descriptor is cut off.
    """
    if not payload:
        raise RemoteProtocolError("empty VP9 payload")
    first = payload[0]
    if first & _INTER or not first & _START:
        return False
    if not first & _HAS_LAYERS:
        return True
    try:
        return payload[_layer_byte_at(payload)] >> 1 & 0x07 == 0
    except IndexError:
        raise RemoteProtocolError("VP9 descriptor cut off") from None


@dataclass(frozen=True, slots=True)
class Vp9Descriptor:
    """What is needed to put the lowest spatial layer together again."""

    size: int
    """Bytes before the frame's own."""
    spatial_id: int
    starts_frame: bool

    @classmethod
    def parse(cls, payload: bytes | memoryview) -> "Vp9Descriptor":
        """Read a whole descriptor. Raises RemoteProtocolError if it is cut off."""
        try:
            return cls._read(payload)
        except IndexError:
            raise RemoteProtocolError("VP9 descriptor cut off") from None

    @classmethod
    def _read(cls, payload: bytes | memoryview) -> "Vp9Descriptor":
        first = payload[0]
        position, spatial_id = 1, 0
        if first & _HAS_PICTURE_ID:
            position += 2 if payload[1] & 0x80 else 1
        if first & _HAS_LAYERS:
            spatial_id = payload[position] >> 1 & 0x07
            position += 1 if first & _FLEXIBLE else 2  # TL0PICIDX
        if first & _FLEXIBLE and first & _INTER:
            for _ in range(3):
                position += 1
                if not payload[position - 1] & 0x01:
                    break
        if first & _HAS_STRUCTURE:
            position = _behind_structure(payload, position)
        if position > len(payload):
            raise IndexError(position)
        return cls(position, spatial_id, bool(first & _START))


def _behind_structure(payload: bytes | memoryview, position: int) -> int:
    head = payload[position]
    position += 1
    if head & 0x10:  # a size for each spatial layer
        position += 4 * ((head >> 5) + 1)
    if head & 0x08:  # a group of pictures
        pictures = payload[position]
        position += 1
        for _ in range(pictures):
            position += 1 + (payload[position] >> 2 & 0x03)
    return position


class _Bits:
    """Reads a number bit by bit, the highest first."""

    def __init__(self, data: bytes) -> None:
        self._number = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def take(self, count: int) -> int:
        """The next ``count`` bits. Raises RemoteProtocolError at the end."""
        self._left -= count
        if self._left < 0:
            raise RemoteProtocolError("VP9 frame cut off")
        return self._number >> self._left & (1 << count) - 1


def keyframe_size(frame: bytes) -> tuple[int, int] | None:
    """Width and height if ``frame`` is a keyframe, None if it is another or none at all."""
    bits = _Bits(frame[:16])
    try:
        if bits.take(2) != 2:
            return None
        profile = bits.take(1) | bits.take(1) << 1
        reserved = bits.take(1) if profile == 3 else 0
        shows_existing, is_inter = bits.take(1), bits.take(1)
        bits.take(2)  # show_frame, error_resilient_mode
        if reserved or shows_existing or is_inter or bits.take(24) != _SYNC_CODE:
            return None
        if profile >= 2:
            bits.take(1)  # ten or twelve bits
        if bits.take(3) != _SRGB:
            bits.take(1 if profile in (0, 2) else 4)  # colour range, subsampling
        elif profile in (1, 3):
            bits.take(1)
        return bits.take(16) + 1, bits.take(16) + 1
    except RemoteProtocolError:
        return None
