"""VP9 payload descriptors (RFC 9628 §4.2): where does a picture begin that needs no other.

The node forwards VP9 as one stream, all its spatial layers included, and renumbers nothing in it;
pictures of upper temporal layers can be left out.
"""

from dataclasses import dataclass

from media.core.errors import RemoteProtocolError

_HAS_PICTURE_ID, _INTER, _HAS_LAYERS, _START = 0x80, 0x40, 0x20, 0x08


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
