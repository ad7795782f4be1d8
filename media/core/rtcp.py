"""RTCP: reports and feedback, read from and written to compound packets.

Formats: RFC 3550 §6.4-6.6 (SR, RR, SDES, BYE), RFC 4585 §6.2.1, §6.3.1 (generic NACK, PLI),
RFC 5104 §4.3.1 (FIR), draft-alvestrand-rmcat-remb-03 §2.2 (REMB). Transport-wide feedback is in
``transport_cc``. Reduced-size packets are accepted (RFC 5506). Kinds not listed, extended reports
among them, are skipped.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from struct import Struct, pack
from typing import Final

from media.core.errors import LocalProtocolError, RemoteProtocolError

SENDER_REPORT: Final = 200
RECEIVER_REPORT: Final = 201
SOURCE_DESCRIPTION: Final = 202
GOODBYE: Final = 203
TRANSPORT_FEEDBACK: Final = 205
PAYLOAD_FEEDBACK: Final = 206

NACK_FORMAT: Final = 1
TRANSPORT_CC_FORMAT: Final = 15
PLI_FORMAT: Final = 1
FIR_FORMAT: Final = 4
APPLICATION_FORMAT: Final = 15

MAX_REPORT_BLOCKS: Final = 31
MAX_NACKED_PACKETS: Final = 1024
"""Sequence numbers taken from one NACK; RFC 4585 would allow a packet full of them."""

_HEADER: Final = Struct("!BBH")
_SENDER_INFO: Final = Struct("!IQIII")
_BLOCK: Final = Struct("!IB3sIIII")
_TWO_SSRCS: Final = Struct("!II")
_NACK_ITEM: Final = Struct("!HH")
_FIR_ITEM: Final = Struct("!IB3x")


@dataclass(slots=True, frozen=True)
class ReportBlock:
    """Reception quality of one source (RFC 3550 §6.4.1)."""

    ssrc: int
    fraction_lost: int
    """Loss since the previous report, in 256ths."""
    packets_lost: int
    """Since the start; signed 24 bits, negative when duplicates outweigh loss."""
    highest_seq: int
    """Extended highest sequence number, 32 bits."""
    jitter_rtp: int
    last_sr: int
    """Middle 32 bits of the NTP time of the last sender report; 0 for none yet."""
    delay_since_last_sr: int
    """In 65536ths of a second."""


@dataclass(slots=True, frozen=True)
class SenderReport:
    """What a sender sent, and which RTP timestamp belongs to which NTP time."""

    ssrc: int
    ntp: int
    """64-bit NTP timestamp: seconds since 1900 and 32 bits of fraction."""
    timestamp: int
    packets: int
    octets: int
    blocks: tuple[ReportBlock, ...] = ()


@dataclass(slots=True, frozen=True)
class ReceiverReport:
    """What a receiver received."""

    ssrc: int
    blocks: tuple[ReportBlock, ...] = ()


@dataclass(slots=True, frozen=True)
class SourceDescription:
    """Canonical names by SSRC; other items are not kept."""

    cnames: tuple[tuple[int, str], ...]


@dataclass(slots=True, frozen=True)
class Goodbye:
    """Sources that stop."""

    ssrcs: tuple[int, ...]


@dataclass(slots=True, frozen=True)
class Nack:
    """Lost packets asked for again."""

    sender_ssrc: int
    media_ssrc: int
    seqs: tuple[int, ...]


@dataclass(slots=True, frozen=True)
class PictureLossIndication:
    """The receiver needs a keyframe."""

    sender_ssrc: int
    media_ssrc: int


@dataclass(slots=True, frozen=True)
class FullIntraRequest:
    """A keyframe is demanded: pairs of media SSRC and command number."""

    sender_ssrc: int
    requests: tuple[tuple[int, int], ...]


@dataclass(slots=True, frozen=True)
class ReceiverEstimatedMaximumBitrate:
    """REMB: what the receiver believes the path carries, for all ``ssrcs`` together."""

    sender_ssrc: int
    bitrate_bps: int
    ssrcs: tuple[int, ...] = ()


@dataclass(slots=True, frozen=True)
class TransportFeedback:
    """Transport-wide feedback, unread; ``transport_cc.parse_feedback`` reads ``body``."""

    sender_ssrc: int
    media_ssrc: int
    body: bytes = field(repr=False)


RtcpPacket = (
    SenderReport
    | ReceiverReport
    | SourceDescription
    | Goodbye
    | Nack
    | PictureLossIndication
    | FullIntraRequest
    | ReceiverEstimatedMaximumBitrate
    | TransportFeedback
)


def is_rtcp(data: bytes | bytearray | memoryview) -> bool:
    """Whether a packet of the shared port is RTCP rather than RTP (RFC 5761 §4)."""
    return len(data) >= 2 and 192 <= data[1] <= 223


def parse(data: bytes) -> list[RtcpPacket]:
    """Packets of a compound, in order. Raises RemoteProtocolError if lengths contradict."""
    packets: list[RtcpPacket] = []
    position = 0
    while position < len(data):
        if position + 4 > len(data):
            raise RemoteProtocolError("RTCP header cut off")
        first, kind, words = _HEADER.unpack_from(data, position)
        end = position + 4 + 4 * words
        if first >> 6 != 2:
            raise RemoteProtocolError("not RTCP version 2")
        if end > len(data):
            raise RemoteProtocolError("RTCP packet runs past the datagram")
        body = data[position + 4 : end]
        if first & 0x20:
            body = _without_padding(body)
        packet = _parse_one(kind, first & 0x1F, body)
        if packet is not None:
            packets.append(packet)
        position = end
    return packets


def _without_padding(body: bytes) -> bytes:
    if not body or not 0 < body[-1] <= len(body):
        raise RemoteProtocolError("RTCP padding runs into the header")
    return body[: -body[-1]]


def _parse_one(kind: int, count: int, body: bytes) -> RtcpPacket | None:
    parser = _PARSERS.get(kind)
    return parser(count, body) if parser else None


def _need(body: bytes, size: int) -> None:
    if len(body) < size:
        raise RemoteProtocolError(f"RTCP body of {len(body)} bytes where {size} are needed")


def _parse_sender_report(count: int, body: bytes) -> SenderReport:
    _need(body, _SENDER_INFO.size)
    ssrc, ntp, timestamp, packets, octets = _SENDER_INFO.unpack_from(body)
    blocks = _parse_blocks(count, body, _SENDER_INFO.size)
    return SenderReport(ssrc, ntp, timestamp, packets, octets, blocks)


def _parse_receiver_report(count: int, body: bytes) -> ReceiverReport:
    _need(body, 4)
    return ReceiverReport(int.from_bytes(body[:4], "big"), _parse_blocks(count, body, 4))


def _parse_goodbye(count: int, body: bytes) -> Goodbye:
    _need(body, 4 * count)
    return Goodbye(Struct(f"!{count}I").unpack_from(body))


def _parse_blocks(count: int, body: bytes, start: int) -> tuple[ReportBlock, ...]:
    _need(body, start + count * _BLOCK.size)
    blocks = []
    for index in range(count):
        ssrc, fraction, lost, highest, jitter, last_sr, delay = _BLOCK.unpack_from(
            body, start + index * _BLOCK.size
        )
        total = int.from_bytes(lost, "big", signed=True)
        blocks.append(ReportBlock(ssrc, fraction, total, highest, jitter, last_sr, delay))
    return tuple(blocks)


def _parse_source_description(count: int, body: bytes) -> SourceDescription:
    cnames = []
    position = 0
    for _ in range(count):
        _need(body, position + 4)
        ssrc = int.from_bytes(body[position : position + 4], "big")
        cname, position = _parse_items(body, position + 4)
        if cname is not None:
            cnames.append((ssrc, cname))
    return SourceDescription(tuple(cnames))


def _parse_items(body: bytes, position: int) -> tuple[str | None, int]:
    """The CNAME of one chunk and where the next chunk starts (RFC 3550 §6.5)."""
    cname = None
    while True:
        _need(body, position + 1)
        kind = body[position]
        if kind == 0:
            return cname, position // 4 * 4 + 4
        _need(body, position + 2)
        end = position + 2 + body[position + 1]
        _need(body, end)
        if kind == 1:
            cname = body[position + 2 : end].decode("utf-8", "replace")
        position = end


def _parse_transport_feedback(form: int, body: bytes) -> RtcpPacket | None:
    _need(body, 8)
    sender_ssrc, media_ssrc = _TWO_SSRCS.unpack_from(body)
    if form == TRANSPORT_CC_FORMAT:
        return TransportFeedback(sender_ssrc, media_ssrc, body[8:])
    if form != NACK_FORMAT:
        return None
    if len(body) % 4:
        raise RemoteProtocolError("NACK with half an item")
    seqs: list[int] = []
    for position in range(8, len(body), 4):
        first, bitmask = _NACK_ITEM.unpack_from(body, position)
        seqs.append(first)
        seqs += [first + bit + 1 & 0xFFFF for bit in range(16) if bitmask >> bit & 1]
        if len(seqs) > MAX_NACKED_PACKETS:
            raise RemoteProtocolError("NACK asks for too many packets")
    return Nack(sender_ssrc, media_ssrc, tuple(seqs))


def _parse_payload_feedback(form: int, body: bytes) -> RtcpPacket | None:
    _need(body, 8)
    sender_ssrc, media_ssrc = _TWO_SSRCS.unpack_from(body)
    if form == PLI_FORMAT:
        return PictureLossIndication(sender_ssrc, media_ssrc)
    if form == FIR_FORMAT:
        if len(body) % 8:
            raise RemoteProtocolError("FIR with half an item")
        return FullIntraRequest(sender_ssrc, tuple(_FIR_ITEM.iter_unpack(body[8:])))
    if form == APPLICATION_FORMAT and body[8:12] == b"REMB":
        return _parse_remb(sender_ssrc, body)
    return None


def _parse_remb(sender_ssrc: int, body: bytes) -> ReceiverEstimatedMaximumBitrate:
    _need(body, 16)
    count = body[12]
    _need(body, 16 + 4 * count)
    exponent, mantissa = body[13] >> 2, (body[13] & 3) << 16 | body[14] << 8 | body[15]
    ssrcs = Struct(f"!{count}I").unpack_from(body, 16)
    return ReceiverEstimatedMaximumBitrate(sender_ssrc, mantissa << exponent, ssrcs)


_PARSERS: Final[Mapping[int, Callable[[int, bytes], RtcpPacket | None]]] = {
    SENDER_REPORT: _parse_sender_report,
    RECEIVER_REPORT: _parse_receiver_report,
    SOURCE_DESCRIPTION: _parse_source_description,
    GOODBYE: _parse_goodbye,
    TRANSPORT_FEEDBACK: _parse_transport_feedback,
    PAYLOAD_FEEDBACK: _parse_payload_feedback,
}


def write(packets: Iterable[RtcpPacket]) -> bytes:
    """One compound packet. Raises LocalProtocolError if a value fits no packet.

    The caller keeps the rule that a compound starts with a report, unless reduced size was
    negotiated.
    """
    return b"".join([_write_one(packet) for packet in packets])


def _write_one(packet: RtcpPacket) -> bytes:
    match packet:
        case SenderReport():
            info = (packet.ssrc, packet.ntp, packet.timestamp, packet.packets, packet.octets)
            blocks = _write_blocks(packet.blocks)
            return _frame(SENDER_REPORT, len(packet.blocks), _SENDER_INFO.pack(*info) + blocks)
        case ReceiverReport():
            body = pack("!I", packet.ssrc) + _write_blocks(packet.blocks)
            return _frame(RECEIVER_REPORT, len(packet.blocks), body)
        case SourceDescription():
            chunks = b"".join([_write_chunk(ssrc, cname) for ssrc, cname in packet.cnames])
            return _frame(SOURCE_DESCRIPTION, len(packet.cnames), chunks)
        case Goodbye():
            body = pack(f"!{len(packet.ssrcs)}I", *packet.ssrcs)
            return _frame(GOODBYE, len(packet.ssrcs), body)
        case _:
            return _write_feedback(packet)


def _write_feedback(
    packet: Nack
    | PictureLossIndication
    | FullIntraRequest
    | ReceiverEstimatedMaximumBitrate
    | TransportFeedback,
) -> bytes:
    match packet:
        case Nack():
            body = _TWO_SSRCS.pack(packet.sender_ssrc, packet.media_ssrc)
            return _frame(TRANSPORT_FEEDBACK, NACK_FORMAT, body + _nack_items(packet.seqs))
        case PictureLossIndication():
            body = _TWO_SSRCS.pack(packet.sender_ssrc, packet.media_ssrc)
            return _frame(PAYLOAD_FEEDBACK, PLI_FORMAT, body)
        case FullIntraRequest():
            items = b"".join([_FIR_ITEM.pack(*request) for request in packet.requests])
            return _frame(
                PAYLOAD_FEEDBACK, FIR_FORMAT, _TWO_SSRCS.pack(packet.sender_ssrc, 0) + items
            )
        case ReceiverEstimatedMaximumBitrate():
            return _frame(PAYLOAD_FEEDBACK, APPLICATION_FORMAT, _remb_body(packet))
        case TransportFeedback():
            body = _TWO_SSRCS.pack(packet.sender_ssrc, packet.media_ssrc) + packet.body
            return _frame(TRANSPORT_FEEDBACK, TRANSPORT_CC_FORMAT, body)


def _frame(kind: int, count: int, body: bytes) -> bytes:
    if not 0 <= count < 32 or len(body) % 4 or len(body) > 0x3FFFC:
        raise LocalProtocolError("RTCP count or size out of range")
    return _HEADER.pack(0x80 | count, kind, len(body) // 4) + body


def _write_blocks(blocks: Sequence[ReportBlock]) -> bytes:
    return b"".join(
        [
            _BLOCK.pack(
                block.ssrc,
                block.fraction_lost,
                block.packets_lost.to_bytes(3, "big", signed=True),
                block.highest_seq,
                block.jitter_rtp,
                block.last_sr,
                block.delay_since_last_sr,
            )
            for block in blocks
        ]
    )


def _write_chunk(ssrc: int, cname: str) -> bytes:
    name = cname.encode()
    if len(name) > 255:
        raise LocalProtocolError("CNAME longer than 255 bytes")
    chunk = pack("!IBB", ssrc, 1, len(name)) + name
    return chunk + bytes(4 - len(chunk) % 4)


def _nack_items(seqs: Sequence[int]) -> bytes:
    """Pairs of first number and bitmask; ``seqs`` ascending modulo 2^16."""
    items = bytearray()
    index = 0
    while index < len(seqs):
        first, bitmask = seqs[index], 0
        index += 1
        while index < len(seqs) and 1 <= (seqs[index] - first & 0xFFFF) <= 16:
            bitmask |= 1 << (seqs[index] - first - 1 & 0xFFFF)
            index += 1
        items += _NACK_ITEM.pack(first, bitmask)
    return bytes(items)


def _remb_body(packet: ReceiverEstimatedMaximumBitrate) -> bytes:
    mantissa, exponent = packet.bitrate_bps, 0
    while mantissa > 0x3FFFF:
        mantissa >>= 1
        exponent += 1
    if exponent > 63 or packet.bitrate_bps < 0 or len(packet.ssrcs) > 255:
        raise LocalProtocolError("REMB out of range")
    return (
        _TWO_SSRCS.pack(packet.sender_ssrc, 0)
        + b"REMB"
        + bytes(
            (
                len(packet.ssrcs),
                exponent << 2 | mantissa >> 16,
                mantissa >> 8 & 0xFF,
                mantissa & 0xFF,
            )
        )
        + pack(f"!{len(packet.ssrcs)}I", *packet.ssrcs)
    )
