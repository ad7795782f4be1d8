"""H.264 payloads (RFC 6184): where does a picture begin that needs no other.

A decoder can start at a sequence parameter set followed by an IDR picture. Looked at: single NAL
units, the first bytes of aggregation packets (STAP-A) and the first fragment of FU-A. Interleaved
modes are not used by WebRTC and never count as a keyframe.
"""

from typing import Final

from media.core.errors import RemoteProtocolError

NAL_IDR: Final = 5
NAL_SPS: Final = 7
NAL_STAP_A: Final = 24
NAL_FU_A: Final = 28


def nal_types(payload: bytes | memoryview) -> list[int]:
    """Types of the NAL units that begin in this payload; empty inside a fragmented one.

    Raises RemoteProtocolError if the payload is cut off.
    """
    if not payload:
        raise RemoteProtocolError("empty H.264 payload")
    kind = payload[0] & 0x1F
    if kind == NAL_STAP_A:
        return _aggregated_types(payload)
    if kind == NAL_FU_A:
        if len(payload) < 2:
            raise RemoteProtocolError("H.264 fragment without its header")
        return [payload[1] & 0x1F] if payload[1] & 0x80 else []
    return [kind]


def _aggregated_types(payload: bytes | memoryview) -> list[int]:
    types = []
    position = 1
    while position < len(payload):
        if position + 3 > len(payload):
            raise RemoteProtocolError("H.264 aggregation cut off")
        size = payload[position] << 8 | payload[position + 1]
        if size == 0 or position + 2 + size > len(payload):
            raise RemoteProtocolError("H.264 aggregation unit runs past the payload")
        types.append(payload[position + 2] & 0x1F)
        position += 2 + size
    return types


class KeyframeFinder:
    """Says which packet of a layer begins a keyframe; remembers whether the layer sends SPS.

    With parameter sets in band a keyframe begins at the SPS. A sender that gives them in its
    session description only (``sprop-parameter-sets``) begins at the IDR picture itself.
    """

    __slots__ = ("_has_sps",)

    def __init__(self) -> None:
        self._has_sps = False

    def starts_keyframe(self, payload: bytes | memoryview) -> bool:
        """Whether a decoder can begin with this packet. Raises RemoteProtocolError if malformed."""
        types = nal_types(payload)
        if NAL_SPS in types:
            self._has_sps = True
            return True
        return NAL_IDR in types and not self._has_sps
