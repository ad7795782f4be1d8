"""Refuse SCTP packets whose lengths would trap the parser behind it (RFC 9260 §3.2).

aiortc 1.16.0 walks chunk parameters by their declared length; a parameter that declares length 0
never lets it advance, so twenty bytes from any peer stop the whole node. Other wrong lengths raise
errors of many kinds there. This check walks chunks and parameters first, with every length bounded
by what encloses it, and lets only packets pass that the parser ends on.

It checks shape, not meaning: checksum, verification tag and state are the parser's business.
"""

from typing import Final

from media.core.errors import RemoteProtocolError

MAX_PACKET_BYTES: Final = 65535
_COMMON_HEADER: Final = 12
_CHUNK_HEADER: Final = 4

_DATA, _INIT, _INIT_ACK, _SACK = 0, 1, 2, 3
_HEARTBEAT, _HEARTBEAT_ACK, _ABORT, _SHUTDOWN, _ERROR = 4, 5, 6, 7, 9
_RECONFIG, _FORWARD_TSN = 130, 192

_LEAST_BODY: Final = {_DATA: 13, _INIT: 16, _INIT_ACK: 16, _SACK: 12, _SHUTDOWN: 4, _FORWARD_TSN: 4}
"""Fixed fields behind the chunk header, in bytes; a DATA chunk carries at least one more."""
_PARAMETERS_AT: Final = {
    _INIT: 16,
    _INIT_ACK: 16,
    _HEARTBEAT: 0,
    _HEARTBEAT_ACK: 0,
    _ABORT: 0,
    _ERROR: 0,
    _RECONFIG: 0,
}
"""Where the parameters (or error causes, shaped alike) of a chunk begin in its body."""
_LEAST_RECONFIG: Final = {13: 12, 16: 8, 17: 8}
"""Fixed fields of the re-configuration parameters that are acted on (RFC 6525 §4)."""


def check_packet(packet: bytes) -> None:
    """Raise RemoteProtocolError unless every chunk and parameter lies within what encloses it."""
    size = len(packet)
    if not _COMMON_HEADER + _CHUNK_HEADER <= size <= MAX_PACKET_BYTES:
        raise RemoteProtocolError(f"SCTP packet of {size} bytes")
    position = _COMMON_HEADER
    while position < size:
        if position + _CHUNK_HEADER > size:
            raise RemoteProtocolError("SCTP chunk header cut off")
        kind = packet[position]
        length = int.from_bytes(packet[position + 2 : position + 4], "big")
        if length < _CHUNK_HEADER or position + length > size:
            raise RemoteProtocolError(f"SCTP chunk declares {length} bytes")
        _check_chunk(kind, packet[position + _CHUNK_HEADER : position + length])
        position += length + -length % 4  # the padding of the last chunk may be missing


def _check_chunk(kind: int, body: bytes) -> None:
    if len(body) < _LEAST_BODY.get(kind, 0):
        raise RemoteProtocolError(f"SCTP chunk type {kind} is too short")
    if kind == _SACK:
        gaps, duplicates = int.from_bytes(body[8:10], "big"), int.from_bytes(body[10:12], "big")
        if len(body) != 12 + 4 * (gaps + duplicates):
            raise RemoteProtocolError("SACK counts contradict its length")
    elif kind == _FORWARD_TSN and len(body) % 4:
        raise RemoteProtocolError("FORWARD-TSN with half an entry")
    elif kind in _PARAMETERS_AT:
        _check_parameters(kind, body[_PARAMETERS_AT[kind] :])


def _check_parameters(kind: int, block: bytes) -> None:
    position = 0
    while position < len(block):
        if position + 4 > len(block):
            raise RemoteProtocolError("SCTP parameter header cut off")
        parameter = int.from_bytes(block[position : position + 2], "big")
        length = int.from_bytes(block[position + 2 : position + 4], "big")
        if length < 4 or position + length > len(block):
            raise RemoteProtocolError(f"SCTP parameter declares {length} bytes")
        if kind == _RECONFIG:
            _check_reconfiguration(parameter, length - 4)
        position += length + -length % 4


def _check_reconfiguration(parameter: int, size: int) -> None:
    if size < _LEAST_RECONFIG.get(parameter, 0) or (parameter == 13 and size % 2):
        raise RemoteProtocolError(f"re-configuration parameter {parameter} has the wrong size")
