"""Retransmission payloads (RFC 4588 §4): the original sequence number, then the original payload.

Retransmissions travel on an SSRC and with sequence numbers of their own. Senders also use that
SSRC for bandwidth probes: old packets once more, or padding without any payload.
"""

from media.core.errors import LocalProtocolError, RemoteProtocolError
from media.core.rtp import RtpHeader

OSN_BYTES = 2


def unwrap(payload: bytes) -> tuple[int, bytes] | None:
    """Original sequence number and payload; None for a probe without payload.

    Raises RemoteProtocolError if a payload is too short for the number.
    """
    if not payload:
        return None
    if len(payload) < OSN_BYTES:
        raise RemoteProtocolError("retransmission without its original sequence number")
    return int.from_bytes(payload[:OSN_BYTES], "big"), payload[OSN_BYTES:]


def restore(header: RtpHeader, original_seq: int, *, ssrc: int, payload_type: int) -> None:
    """Make the header of a retransmission that of the original packet.

    ``payload_start`` moves behind the original sequence number; other fields are the same in both
    (RFC 4588 §4).
    """
    header.seq = original_seq
    header.ssrc = ssrc
    header.payload_type = payload_type
    header.payload_start += OSN_BYTES


def wrap(original_seq: int, payload: bytes) -> bytes:
    """Payload of a retransmission. Raises LocalProtocolError for a number beyond 16 bits."""
    if not 0 <= original_seq <= 0xFFFF:
        raise LocalProtocolError("sequence number beyond 16 bits")
    return original_seq.to_bytes(OSN_BYTES, "big") + payload
