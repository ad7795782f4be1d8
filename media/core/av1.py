"""AV1 payloads (AOMedia "RTP Payload Format For AV1" v1.0 §4.4): where a stream can be entered.

The first byte is the aggregation header ``Z Y W W N - - -``. N says that the packet begins a new
coded video sequence, hence a keyframe; Z that its first element goes on from the packet before.
"""

from media.core.errors import RemoteProtocolError

_CONTINUES, _NEW_SEQUENCE = 0x80, 0x08


def starts_keyframe(payload: bytes | memoryview) -> bool:
    """Whether a decoder can begin with this packet. RemoteProtocolError for an empty one."""
    if not payload:
        raise RemoteProtocolError("empty AV1 payload")
    return bool(payload[0] & _NEW_SEQUENCE) and not payload[0] & _CONTINUES
