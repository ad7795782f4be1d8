"""Redundant audio (RFC 2198): each packet repeats the frames before it, so loss costs no time.

The node takes redundancy from publishers and restores from it what their line has lost. What it
hands on is plain Opus, which every subscriber decodes; a subscriber's own losses are repaired by
NACK.

    0                   1                    2                   3
   +-+-------------+---------------------------+-------------------+
   |1|  block PT   |  timestamp offset (14)    | block length (10) |   each redundant frame
   +-+-------------+---------------------------+-------------------+
   |0|  block PT   |                                                   the newest frame
   +-+-------------+
"""

from dataclasses import dataclass

from media.core.errors import RemoteProtocolError

_MORE = 0x80
_HEADER_BYTES = 4
MAX_BLOCKS = 8
"""More redundancy than this is not worth its bytes; encoders repeat one or two frames."""


@dataclass(frozen=True, slots=True)
class Block:
    """One frame of a redundant payload: where it lies, and how much older it is."""

    start: int
    end: int
    payload_type: int
    age_rtp: int
    """Ticks before the packet's timestamp; 0 for the newest."""


def blocks_of(payload: bytes | memoryview) -> list[Block]:
    """Frames of a payload, oldest first; the last is the packet's own.

    Raises RemoteProtocolError if a header or a frame is cut off.
    """
    heads: list[tuple[int, int, int]] = []
    position = 0
    while True:
        if position >= len(payload) or len(heads) > MAX_BLOCKS:
            raise RemoteProtocolError("redundant audio without its newest frame")
        if not payload[position] & _MORE:
            break
        if position + _HEADER_BYTES > len(payload):
            raise RemoteProtocolError("redundant audio header cut off")
        word = int.from_bytes(payload[position : position + _HEADER_BYTES], "big")
        heads.append((word >> 24 & 0x7F, word >> 10 & 0x3FFF, word & 0x3FF))
        position += _HEADER_BYTES
    newest_type = payload[position] & 0x7F
    position += 1
    blocks = []
    for payload_type, age_rtp, size in heads:
        if position + size > len(payload):
            raise RemoteProtocolError("redundant frame runs past the packet")
        blocks.append(Block(position, position + size, payload_type, age_rtp))
        position += size
    return [*blocks, Block(position, len(payload), newest_type, 0)]
