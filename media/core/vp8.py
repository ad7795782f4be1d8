"""VP8 payload descriptors (RFC 7741 §4.2): find keyframes, renumber pictures.

When a subscriber changes from one simulcast layer to another, or returns from a pause, picture
numbers must follow those already sent; otherwise a decoder takes the jump for loss. The numbers
are PictureID, TL0PICIDX and KEYIDX. Behind the descriptor only the first byte of the payload
header is read, so encrypted frames that keep this byte clear can be forwarded too.
"""

from dataclasses import dataclass

from media.core.errors import RemoteProtocolError

_EXTENDED, _NON_REFERENCE, _START = 0x80, 0x20, 0x10
_HAS_PICTURE_ID, _HAS_TL0, _HAS_TID, _HAS_KEYIDX = 0x80, 0x40, 0x20, 0x10
_LAYER_SYNC = 0x20


@dataclass(slots=True)
class Vp8Descriptor:
    """The bytes in front of a VP8 payload. None for a field that is absent."""

    first: int
    """X, R, N, S and PID bits, as on the wire."""
    picture_id: int | None = None
    picture_id_bits: int = 0
    """7 or 15; 0 without a picture id."""
    tl0_picture_index: int | None = None
    has_temporal_id: bool = False
    has_key_index: bool = False
    packed: int = 0
    """TID, Y and KEYIDX bits, as on the wire."""
    size: int = 1
    """Bytes of the descriptor; the VP8 payload follows."""
    starts_keyframe: bool = False
    """First packet of a keyframe."""

    @classmethod
    def parse(cls, payload: bytes | memoryview) -> "Vp8Descriptor":
        """Read the descriptor of an RTP payload. Raises RemoteProtocolError if cut off."""
        if not payload:
            raise RemoteProtocolError("empty VP8 payload")
        descriptor = cls(first=payload[0])
        try:
            if descriptor.first & _EXTENDED:
                descriptor._read_extended(payload)
        except IndexError:
            raise RemoteProtocolError("VP8 descriptor cut off") from None
        size = descriptor.size
        starts = descriptor.first & (_START | 0x07) == _START
        descriptor.starts_keyframe = starts and len(payload) > size and not payload[size] & 0x01
        return descriptor

    def _read_extended(self, payload: bytes | memoryview) -> None:
        present = payload[1]
        size = 2
        if present & _HAS_PICTURE_ID:
            if payload[2] & 0x80:
                self.picture_id = (payload[2] & 0x7F) << 8 | payload[3]
                self.picture_id_bits = 15
                size = 4
            else:
                self.picture_id = payload[2]
                self.picture_id_bits = 7
                size = 3
        if present & _HAS_TL0:
            self.tl0_picture_index = payload[size]
            size += 1
        if present & (_HAS_TID | _HAS_KEYIDX):
            self.packed = payload[size]
            self.has_temporal_id = bool(present & _HAS_TID)
            self.has_key_index = bool(present & _HAS_KEYIDX)
            size += 1
        self.size = size

    @property
    def starts_partition(self) -> bool:
        """S bit: first byte of a partition."""
        return bool(self.first & _START)

    @property
    def partition(self) -> int:
        """PID, 0 to 7."""
        return self.first & 0x07

    @property
    def temporal_id(self) -> int | None:
        """Temporal layer, 0 to 3."""
        return self.packed >> 6 if self.has_temporal_id else None

    @property
    def is_layer_sync(self) -> bool:
        """Y: of the pictures before it, it needs none above the lowest temporal layer."""
        return self.has_temporal_id and bool(self.packed & _LAYER_SYNC)

    @property
    def key_index(self) -> int | None:
        """KEYIDX, 0 to 31."""
        return self.packed & 0x1F if self.has_key_index else None


@dataclass(slots=True, frozen=True)
class PictureNumbers:
    """How far one subscriber's picture numbers are ahead of those of the layer it follows."""

    picture_id: int = 0
    tl0_picture_index: int = 0
    key_index: int = 0

    @property
    def is_identity(self) -> bool:
        """Whether nothing changes for a descriptor with a long picture id."""
        return not (self.picture_id or self.tl0_picture_index or self.key_index)

    def descriptor(self, incoming: Vp8Descriptor) -> bytes:
        """The descriptor to send for ``incoming``: same fields, numbers moved on.

        A picture id is always written with 15 bits, so that the numbers of layers with short and
        with long ids form one sequence.
        """
        present = 0
        pieces = b""
        if incoming.picture_id is not None:
            present = _HAS_PICTURE_ID
            moved = incoming.picture_id + self.picture_id & 0x7FFF | 0x8000
            pieces = moved.to_bytes(2, "big")
        if incoming.tl0_picture_index is not None:
            present |= _HAS_TL0
            pieces += bytes((incoming.tl0_picture_index + self.tl0_picture_index & 0xFF,))
        if incoming.has_temporal_id or incoming.has_key_index:
            packed = incoming.packed
            if incoming.has_temporal_id:
                present |= _HAS_TID
            if incoming.has_key_index:
                present |= _HAS_KEYIDX
                packed = packed & 0xE0 | packed + self.key_index & 0x1F
            pieces += bytes((packed,))
        if not incoming.first & _EXTENDED:
            return bytes((incoming.first,))
        return bytes((incoming.first, present)) + pieces

    @classmethod
    def following(
        cls, last: "Vp8Descriptor", ahead: "PictureNumbers", first: "Vp8Descriptor"
    ) -> "PictureNumbers":
        """Numbers that let ``first`` of a new run follow ``last``, sent ``ahead`` of its layer."""
        return cls(
            picture_id=_gap(last.picture_id, ahead.picture_id, first.picture_id, 0x7FFF),
            tl0_picture_index=_gap(
                last.tl0_picture_index, ahead.tl0_picture_index, first.tl0_picture_index, 0xFF
            ),
            key_index=_gap(last.key_index, ahead.key_index, first.key_index, 0x1F),
        )


def _gap(last: int | None, ahead: int, first: int | None, mask: int) -> int:
    """Distance that makes ``first`` the successor of ``last + ahead``."""
    if last is None or first is None:
        return 0
    return last + ahead + 1 - first & mask
