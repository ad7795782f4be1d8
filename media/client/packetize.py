"""Encoded frames to RTP payloads: Opus, VP8 (RFC 7741), VP9, H.264.

The reverse of ``media.core.depayload``. VP8 gets a 15-bit picture id, as every WebRTC
sender writes it; H.264 takes Annex B and makes single NAL units and FU-A fragments.

Pure. One ``Packetizer`` for each track; not thread-safe.
"""

import re
from typing import Final

from media.core.h264 import NAL_FU_A
from media.core.vp9 import keyframe_size

MAX_PAYLOAD_BYTES: Final = 1150
"""Leaves room for RTP header, extensions, SRTP tag and IPv6 within 1280 bytes."""

_START_CODE: Final = re.compile(rb"\x00\x00\x00?\x01")


class Packetizer:
    """Payloads of the frames of one track with codec ``mime``.

    Raises ValueError for a codec it does not know.
    """

    def __init__(self, mime: str, first_picture_id: int = 0) -> None:
        self._mime = mime.lower()
        if self._mime not in ("audio/opus", "video/vp8", "video/vp9", "video/h264"):
            raise ValueError(f"{mime} cannot be packetized")
        self._picture_id = first_picture_id & 0x7FFF
        self._base_pictures = 0  # of the lowest temporal layer (TL0PICIDX)
        self._has_upper = False  # a picture of another one came since the keyframe

    def payloads(self, frame: bytes, temporal_id: int | None = None) -> list[bytes]:
        """Payloads in order; the last one of a video frame is sent with the marker bit.

        ``temporal_id``: of a VP8 frame whose stream has temporal layers. Frames of id 1 must lean
        on those of id 0 only.
        """
        if not frame:
            return []
        if self._mime == "audio/opus":
            return [frame]
        if self._mime == "video/vp8":
            return self._vp8(frame, temporal_id)
        if self._mime == "video/vp9":
            return self._vp9(frame)
        return [payload for unit in annexb_units(frame) if unit for payload in _h264_payloads(unit)]

    def _vp8(self, frame: bytes, temporal_id: int | None) -> list[bytes]:
        picture = bytes((0x80 | self._picture_id >> 8, self._picture_id & 0xFF))
        self._picture_id = self._picture_id + 1 & 0x7FFF
        present = 0x80
        if temporal_id is not None:
            self._base_pictures += temporal_id == 0
            present = 0xE0
            picture += bytes((self._base_pictures & 0xFF, self._standing(frame, temporal_id)))
        size = MAX_PAYLOAD_BYTES - 2 - len(picture)
        return [
            bytes((0x90 if at == 0 else 0x80, present)) + picture + frame[at : at + size]
            for at in range(0, len(frame), size)
        ]

    def _standing(self, frame: bytes, temporal_id: int) -> int:
        """TID and Y: whether the picture leans on the lowest temporal layer alone."""
        self._has_upper &= bool(frame[0] & 1)
        is_sync = temporal_id == 1 or (temporal_id > 1 and not self._has_upper)
        self._has_upper |= temporal_id > 0
        return temporal_id << 6 | is_sync << 5

    def _vp9(self, frame: bytes) -> list[bytes]:
        picture = bytes((0x80 | self._picture_id >> 8, self._picture_id & 0xFF))
        self._picture_id = self._picture_id + 1 & 0x7FFF
        inter = 0 if keyframe_size(frame) is not None else 0x40
        size = MAX_PAYLOAD_BYTES - 1 - len(picture)
        starts = range(0, len(frame), size)
        return [
            bytes((0x80 | inter | 0x08 * (at == 0) | 0x04 * (at == starts[-1]),))
            + picture
            + frame[at : at + size]
            for at in starts
        ]


def annexb_units(data: bytes) -> list[bytes]:
    """NAL units of an Annex B access unit, without start codes."""
    return [unit for unit in _START_CODE.split(data) if unit]


def _h264_payloads(unit: bytes) -> list[bytes]:
    if len(unit) <= MAX_PAYLOAD_BYTES:
        return [unit]
    indicator, kind = unit[0] & 0xE0 | NAL_FU_A, unit[0] & 0x1F
    size = MAX_PAYLOAD_BYTES - 2
    body = unit[1:]
    payloads = []
    for at in range(0, len(body), size):
        flags = (0x80 if at == 0 else 0) | (0x40 if at + size >= len(body) else 0)
        payloads.append(bytes((indicator, flags | kind)) + body[at : at + size])
    return payloads
