"""RTP payloads back to frames: Opus, VP8 (RFC 7741), VP9 (RFC 9628), H.264 (RFC 6184).

Input are the packets of one stream in order of their extended sequence number; where some
are missing the next packet's number shows it. Output are whole frames only: a frame that
lost a packet is withheld and the next one says so (``follows_gap``), for a file with a
missing frame plays, one with a torn frame shows garbage. Frames after a gap may refer to
the lost one; a muxer that wants a clean picture waits for a keyframe.

Opus: every packet is a frame (RFC 7587 §4.2). H.264 frames are in Annex B form, each NAL
unit behind a four-byte start code.

Pure: no clock, no I/O. One owner; not thread-safe.
"""

from dataclasses import dataclass
from typing import Final, Protocol

from media.core.errors import RemoteProtocolError
from media.core.h264 import NAL_FU_A, NAL_IDR, NAL_SPS, NAL_STAP_A, nal_types
from media.core.vp8 import Vp8Descriptor
from media.core.vp9 import Vp9Descriptor, keyframe_size

NAL_PPS: Final = 8
NAL_DELIMITER: Final = 9
START_CODE: Final = b"\x00\x00\x00\x01"
MAX_FRAME_BYTES: Final = 8 << 20
"""A frame beyond this is not video but an attack on memory."""


class Packet(Protocol):
    """What a depayloader needs to know of a packet."""

    @property
    def ext_seq(self) -> int:
        """Unwrapped sequence number."""

    @property
    def timestamp(self) -> int:
        """RTP timestamp, unwrapped, in clock ticks."""

    @property
    def marker(self) -> bool:
        """The marker bit: the last packet of a video frame."""

    @property
    def payload(self) -> bytes:
        """The payload without padding."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One encoded frame."""

    data: bytes
    timestamp: int
    """RTP timestamp of the frame, unwrapped, in ticks of the codec's clock."""
    is_keyframe: bool
    """True if a decoder can start here; every Opus packet is one."""
    follows_gap: bool
    """True if at least one packet between the frame before and this one is missing."""


class Depayloader(Protocol):
    """Turns packets in order into frames."""

    def push(self, packet: Packet) -> Frame | None:
        """Take the next packet; the result is the frame it completes, if any."""


def depayloader_for(mime: str) -> Depayloader:
    """The depayloader for a codec such as ``video/VP8``. Raises ValueError for an unknown one."""
    match mime.lower():
        case "audio/opus":
            return OpusDepayloader()
        case "video/vp8":
            return Vp8Depayloader()
        case "video/h264":
            return H264Depayloader()
        case "video/vp9":
            return Vp9Depayloader()
        case _:
            raise ValueError(f"no depayloader for {mime}")


class OpusDepayloader:
    """One packet, one frame."""

    def __init__(self) -> None:
        self._next_seq: int | None = None

    def push(self, packet: Packet) -> Frame | None:
        """Take a packet; an empty one (a comfort-noise gap) is no frame."""
        follows_gap = self._next_seq is not None and packet.ext_seq != self._next_seq
        if not packet.payload:
            return None
        self._next_seq = packet.ext_seq + 1
        return Frame(bytes(packet.payload), packet.timestamp, True, follows_gap)


class _FrameAssembler:
    """Common part of the video formats: which packets make up a frame, and is one missing."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._timestamp: int | None = None
        self._next_seq: int | None = None
        self._is_whole = False
        self._lost = False  # something is missing since the last frame given out

    def push(self, packet: Packet) -> Frame | None:
        """Take the next packet; the result is the frame it completes, if any."""
        contiguous = self._next_seq is None or packet.ext_seq == self._next_seq
        follows_unknown = self._next_seq is None or not contiguous
        if not contiguous:
            self._lost = True
        self._next_seq = packet.ext_seq + 1
        starts = packet.timestamp != self._timestamp
        if starts:
            if self._parts and self._timestamp is not None:
                # The packet with the marker never came.
                self._lost = True
            self._begin(packet.timestamp)
        elif not contiguous:
            self._is_whole = False
        self._append(packet, after_gap=follows_unknown)
        if not packet.marker:
            return None
        return self._finish(packet.timestamp)

    def _begin(self, timestamp: int) -> None:
        self._parts.clear()
        self._size = 0
        self._timestamp = timestamp
        self._is_whole = True

    def _append(self, packet: Packet, *, after_gap: bool) -> None:
        try:
            parts = self._read(packet.payload, first=not self._parts, after_gap=after_gap)
        except RemoteProtocolError:
            self._is_whole = False
            return
        self._parts += parts
        self._size += sum(map(len, parts))
        if self._size > MAX_FRAME_BYTES:
            self._parts.clear()
            self._is_whole = False

    def _finish(self, timestamp: int) -> Frame | None:
        data, whole = b"".join(self._parts), self._is_whole
        self._parts.clear()
        self._is_whole = False
        if not whole or not data:
            self._lost = self._lost or not whole
            return None
        frame = Frame(data, timestamp, self._is_keyframe(data), self._lost)
        self._lost = False
        return frame

    def _read(self, payload: bytes, *, first: bool, after_gap: bool) -> list[bytes]:
        """Bytes a payload adds to the frame. Raises RemoteProtocolError if it cannot.

        ``first``: nothing of the frame was read yet; ``after_gap``: what came directly before
        this packet is not known.
        """
        raise NotImplementedError

    def _is_keyframe(self, data: bytes) -> bool:
        raise NotImplementedError


class Vp8Depayloader(_FrameAssembler):
    """VP8 frames: payloads without their descriptors, one after the other (RFC 7741 §4.4)."""

    def _read(self, payload: bytes, *, first: bool, after_gap: bool) -> list[bytes]:
        del after_gap  # the descriptor says where a frame begins
        if not payload:
            return []
        descriptor = Vp8Descriptor.parse(payload)
        begins = descriptor.starts_partition and descriptor.partition == 0
        if first and not begins:
            raise RemoteProtocolError("the first packet of the frame is missing")
        return [bytes(payload[descriptor.size :])]

    def _is_keyframe(self, data: bytes) -> bool:
        return not data[0] & 0x01


class Vp9Depayloader(_FrameAssembler):
    """VP9 frames (RFC 9628 §4.2); of several spatial layers the lowest, which needs no other.

    A file that holds all of them would show each of them in turn, in sizes of their own.
    """

    def _read(self, payload: bytes, *, first: bool, after_gap: bool) -> list[bytes]:
        del after_gap  # the descriptor says where a frame begins
        if not payload:
            return []
        descriptor = Vp9Descriptor.parse(payload)
        if descriptor.spatial_id:
            return []
        if first and not descriptor.starts_frame:
            raise RemoteProtocolError("the first packet of the frame is missing")
        return [bytes(payload[descriptor.size :])]

    def _is_keyframe(self, data: bytes) -> bool:
        return keyframe_size(data) is not None


class H264Depayloader(_FrameAssembler):
    """H.264 access units in Annex B; single NAL units, STAP-A and FU-A (RFC 6184 §5.6-5.8).

    Nothing in the payload marks the first packet of a frame, so directly after a gap a frame
    is given out only if it begins with parameter sets or a delimiter.
    """

    def __init__(self) -> None:
        super().__init__()
        self._in_fragment = False
        self._types: set[int] = set()
        self.sps: bytes = b""
        """The last sequence parameter set, without start code."""
        self.pps: bytes = b""
        """The last picture parameter set, without start code."""

    def _begin(self, timestamp: int) -> None:
        super()._begin(timestamp)
        self._in_fragment = False
        self._types.clear()

    def _read(self, payload: bytes, *, first: bool, after_gap: bool) -> list[bytes]:
        if not payload:
            return []
        if first and after_gap and not {NAL_SPS, NAL_DELIMITER} & set(nal_types(payload)[:1]):
            raise RemoteProtocolError("whether this packet begins a frame cannot be known")
        kind = payload[0] & 0x1F
        if kind == NAL_FU_A:
            return self._read_fragment(payload)
        if self._in_fragment:
            raise RemoteProtocolError("the end of a fragmented unit is missing")
        if kind == NAL_STAP_A:
            return self._read_aggregate(payload)
        if not 1 <= kind <= 23:
            raise RemoteProtocolError(f"H.264 packet type {kind} is not used by WebRTC")
        return self._unit(bytes(payload))

    def _read_fragment(self, payload: bytes) -> list[bytes]:
        if len(payload) < 2:
            raise RemoteProtocolError("H.264 fragment without its header")
        indicator, header = payload[0], payload[1]
        starts, ends = bool(header & 0x80), bool(header & 0x40)
        if starts == self._in_fragment:
            raise RemoteProtocolError("H.264 fragments out of step")
        self._in_fragment = not ends
        body = bytes(payload[2:])
        if not starts:
            return [body]
        unit_header = indicator & 0xE0 | header & 0x1F
        self._types.add(header & 0x1F)
        return [START_CODE, bytes((unit_header,)), body]

    def _read_aggregate(self, payload: bytes) -> list[bytes]:
        parts: list[bytes] = []
        position = 1
        while position < len(payload):
            size = int.from_bytes(payload[position : position + 2], "big")
            unit = bytes(payload[position + 2 : position + 2 + size])
            if not size or len(unit) < size:
                raise RemoteProtocolError("H.264 aggregation unit runs past the payload")
            parts += self._unit(unit)
            position += 2 + size
        return parts

    def _unit(self, unit: bytes) -> list[bytes]:
        kind = unit[0] & 0x1F
        self._types.add(kind)
        if kind == NAL_SPS:
            self.sps = unit
        elif kind == NAL_PPS:
            self.pps = unit
        return [START_CODE, unit]

    def _is_keyframe(self, data: bytes) -> bool:
        del data
        return NAL_IDR in self._types
