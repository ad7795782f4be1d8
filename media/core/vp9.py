"""VP9 payload descriptors (RFC 9628 §4.2): where does a picture begin that needs no other.

The node forwards VP9 as one stream, all its spatial layers included, and renumbers nothing in it.
"""

from media.core.errors import RemoteProtocolError

_HAS_PICTURE_ID, _INTER, _HAS_LAYERS, _START = 0x80, 0x40, 0x20, 0x08


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
        position = 1
        if first & _HAS_PICTURE_ID:
            position += 2 if payload[1] & 0x80 else 1
        return payload[position] >> 1 & 0x07 == 0
    except IndexError:
        raise RemoteProtocolError("VP9 descriptor cut off") from None
