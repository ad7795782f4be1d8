"""RTP packets: the fixed header, header extensions and padding (RFC 3550 §5.1, RFC 8285).

A parsed header holds offsets into the received bytes and copies nothing, so that forwarding can
slice the payload once. Header extensions are read on demand. Both forms of RFC 8285 are read;
the one-byte form is written, since WebRTC negotiates ids 1 to 14.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from struct import Struct
from typing import Any, Final

from media.core.errors import LocalProtocolError, RemoteProtocolError

Buffer = bytes | bytearray | memoryview

HEADER_BYTES: Final = 12
MAX_PACKET_BYTES: Final = 65535
ONE_BYTE_PROFILE: Final = 0xBEDE
"""RFC 8285 §4.2."""
TWO_BYTE_PROFILE: Final = 0x1000
"""RFC 8285 §4.3; the low four bits are application bits."""

_FIXED: Final = Struct("!BBHII")
_WORDS: Final = Struct("!HH")


@dataclass(slots=True)
class RtpHeader:
    """One packet's header and where its parts lie. Offsets count from the start of the packet."""

    payload_type: int
    marker: bool
    seq: int
    timestamp: int
    ssrc: int
    csrcs: tuple[int, ...]
    extension_profile: int | None
    """None without a header extension."""
    extension_start: int
    """First byte of extension data, behind the profile and length words."""
    extension_end: int
    payload_start: int
    payload_end: int
    """Where the payload ends and padding begins."""
    level: int = -1
    """Value of the audio level element, -1 without one; see ``note_elements``."""
    cc: int = -1
    """Transport-wide sequence number, -1 without one."""

    @classmethod
    def parse(cls, data: Buffer) -> "RtpHeader":
        """Read the header of a packet. Raises RemoteProtocolError if it contradicts itself."""
        size = len(data)
        if size < HEADER_BYTES:
            raise RemoteProtocolError("RTP packet shorter than its header")
        first, second, seq, timestamp, ssrc = _FIXED.unpack_from(data)
        if first >> 6 != 2:
            raise RemoteProtocolError("not RTP version 2")
        start = HEADER_BYTES
        csrcs: tuple[int, ...] = ()
        profile = None
        extension_start = extension_end = start
        payload_end = size
        if first & 0x0F:
            csrcs, start = _read_csrcs(data, first & 0x0F)
        if first & 0x10:
            profile, extension_start, start = _locate_extension(data, start)
            extension_end = start
        if first & 0x20:
            payload_end = size - data[-1]
            if payload_end == size or payload_end < start:
                raise RemoteProtocolError("padding runs into the header")
        return cls(
            second & 0x7F,
            second >= 0x80,
            seq,
            timestamp,
            ssrc,
            csrcs,
            profile,
            extension_start,
            extension_end,
            start,
            payload_end,
        )

    @property
    def payload_size(self) -> int:
        """Payload bytes without padding; 0 for a packet that is padding only."""
        return self.payload_end - self.payload_start

    def extensions(self, data: Buffer) -> dict[int, bytes]:
        """Values of the header extensions by id; the first wins if an id occurs twice.

        ``data`` is the packet this header was parsed from. Raises RemoteProtocolError if an
        element runs past the block. Profiles other than RFC 8285's give an empty result.
        """
        if self.extension_profile is None:
            return {}
        block = bytes(data[self.extension_start : self.extension_end])
        return _elements(self.extension_profile, block)

    def note_elements(self, values: Mapping[int, bytes], level_id: int, cc_id: int) -> None:
        """Read the two elements that a node looks at in every packet; id 0 is none."""
        level, cc = values.get(level_id, b""), values.get(cc_id, b"")
        self.level = level[0] if level_id and level else -1
        self.cc = int.from_bytes(cc[:2], "big") if cc_id and len(cc) >= 2 else -1


class Elements(Mapping[int, bytes]):
    """Header extensions of a packet that is known to be sound, read when somebody asks."""

    __slots__ = ("_block", "_found", "_profile")

    def __init__(self, data: bytes, profile: int, start: int, end: int) -> None:
        self._block = data[start:end]
        self._profile = profile
        self._found: dict[int, bytes] | None = None

    def _read(self) -> dict[int, bytes]:
        if self._found is None:
            self._found = _elements(self._profile, self._block)
        return self._found

    def __getitem__(self, identifier: int) -> bytes:
        """The first element with that id."""
        return self._read()[identifier]

    def get(self, identifier: int, default: Any = None) -> Any:
        """The first element with that id, else ``default``."""
        return self._read().get(identifier, default)

    def __iter__(self) -> Iterator[int]:
        """The ids there are."""
        return iter(self._read())

    def __len__(self) -> int:
        """How many there are."""
        return len(self._read())


def _elements(profile: int, block: bytes) -> dict[int, bytes]:
    if profile == ONE_BYTE_PROFILE:
        return _one_byte_elements(block)
    if profile & 0xFFF0 == TWO_BYTE_PROFILE:
        return _two_byte_elements(block)
    return {}


def _read_csrcs(data: Buffer, count: int) -> tuple[tuple[int, ...], int]:
    end = HEADER_BYTES + 4 * count
    if end > len(data):
        raise RemoteProtocolError("contributing sources run past the packet")
    return Struct(f"!{count}I").unpack_from(data, HEADER_BYTES), end


def _locate_extension(data: Buffer, start: int) -> tuple[int, int, int]:
    if start + 4 > len(data):
        raise RemoteProtocolError("header extension cut off")
    profile, words = _WORDS.unpack_from(data, start)
    end = start + 4 + 4 * words
    if end > len(data):
        raise RemoteProtocolError("header extension runs past the packet")
    return profile, start + 4, end


def _one_byte_elements(block: bytes) -> dict[int, bytes]:
    elements: dict[int, bytes] = {}
    position = 0
    while position < len(block):
        head = block[position]
        position += 1
        if head == 0:  # padding between elements
            continue
        identifier = head >> 4
        if identifier == 15:  # RFC 8285 §4.2: stop at the reserved id
            break
        end = position + (head & 0x0F) + 1
        if end > len(block):
            raise RemoteProtocolError("header extension element runs past its block")
        elements.setdefault(identifier, block[position:end])
        position = end
    elements.pop(0, None)
    return elements


def _two_byte_elements(block: bytes) -> dict[int, bytes]:
    elements: dict[int, bytes] = {}
    position = 0
    while position < len(block):
        identifier = block[position]
        position += 1
        if identifier == 0:
            continue
        if position == len(block):
            raise RemoteProtocolError("header extension element without a length")
        end = position + 1 + block[position]
        if end > len(block):
            raise RemoteProtocolError("header extension element runs past its block")
        elements.setdefault(identifier, block[position + 1 : end])
        position = end
    return elements


def one_byte_elements(values: Iterable[tuple[int, bytes]]) -> bytes:
    """Header extension elements in the one-byte form, padded to whole words, without the profile.

    Raises LocalProtocolError for an id outside 1 to 14 or a value outside 1 to 16 bytes.
    """
    block = bytearray()
    for identifier, value in values:
        if not (1 <= identifier <= 14 and 1 <= len(value) <= 16):
            raise LocalProtocolError("element does not fit the one-byte form")
        block.append(identifier << 4 | len(value) - 1)
        block += value
    block += bytes(-len(block) % 4)
    return bytes(block)


def two_byte_elements(values: Iterable[tuple[int, bytes]]) -> bytes:
    """Header extension elements in the two-byte form (RFC 8285 §4.3), padded, without the profile.

    Raises LocalProtocolError for an id outside 1 to 255 or a value longer than 255 bytes.
    """
    block = bytearray()
    for identifier, value in values:
        if not (1 <= identifier <= 255 and len(value) <= 255):
            raise LocalProtocolError("element does not fit the two-byte form")
        block += bytes((identifier, len(value)))
        block += value
    return bytes(block) + bytes(-len(block) % 4)


def write_packet(
    *,
    payload_type: int,
    seq: int,
    timestamp: int,
    ssrc: int,
    payload: Buffer,
    marker: bool = False,
    csrcs: tuple[int, ...] = (),
    extensions: Mapping[int, bytes] | None = None,
    padding_bytes: int = 0,
) -> bytes:
    """A whole packet. Raises LocalProtocolError if a value fits no packet.

    For tests, probes and rare packets; forwarding assembles its own bytes.
    """
    if not (0 <= payload_type < 128 and len(csrcs) < 16 and 0 <= padding_bytes < 256):
        raise LocalProtocolError("payload type, CSRC count or padding out of range")
    block = one_byte_elements(extensions.items()) if extensions else b""
    flags = 0x80 | len(csrcs) | (0x10 if block else 0) | (0x20 if padding_bytes else 0)
    second = payload_type | (0x80 if marker else 0)
    parts = [
        _FIXED.pack(flags, second, seq & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc),
        Struct(f"!{len(csrcs)}I").pack(*csrcs),
    ]
    if block:
        parts += [_WORDS.pack(ONE_BYTE_PROFILE, len(block) // 4), block]
    parts.append(bytes(payload))
    if padding_bytes:
        parts.append(bytes(padding_bytes - 1) + bytes((padding_bytes,)))
    return b"".join(parts)
